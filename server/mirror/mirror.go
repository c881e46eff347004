// Package mirror keeps a bare repository for each repository that is watched,
// and says what a fetch brought that was not scanned yet.
//
// A mirror knows by its refs what has been scanned, not by what a webhook
// said: refs/remotes/scanned/… hold the tips up to which everything is. A
// push is only the occasion to look. So a delivery that never came, a push of
// more refs than a host announces, a forced push and a new branch are one
// case: what the host has now and the mirror's refs do not reach.
//
//	Fetch  -> the objects are here, refs/incoming/… name the host's tips
//	scan   -> of what refs/incoming/… reach and refs/remotes/scanned/… do not
//	Scanned -> refs/remotes/scanned/… move; only now is it remembered
//
// Credentials reach git in its environment, never as arguments, and what git
// prints is passed on without them.
package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/push"
)

// A Login is what git needs to read a repository. The zero value is none.
type Login struct {
	// User and Password are for HTTP.
	User, Password string
	// Key is the file of an ssh key, and KnownHosts the file of host keys
	// which are accepted; no other is.
	Key, KnownHosts string
}

// Options say where mirrors lie and what bounds them.
type Options struct {
	// Dir is the folder of all mirrors.
	Dir string
	// MaxBytes is the largest size of a mirror on disk; 0 for no bound.
	MaxBytes int64
	// Timeout ends a fetch; 0 for 30 minutes.
	Timeout time.Duration
	// Protocols are what git may fetch by, colon-separated as in
	// GIT_ALLOW_PROTOCOL; empty for https:ssh.
	Protocols string
}

// Mirrors is the folder of mirrors. It is safe for concurrent use; two calls
// for one repository wait for each other.
type Mirrors struct {
	options Options
	mu      sync.Mutex
	locks   map[string]*sync.Mutex
}

// New returns the mirrors in o.Dir.
func New(o Options) *Mirrors {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Minute
	}
	if o.Protocols == "" {
		o.Protocols = "https:ssh"
	}
	return &Mirrors{options: o, locks: map[string]*sync.Mutex{}}
}

// TooLarge is the error of a repository over Options.MaxBytes.
type TooLarge struct{ Size, Limit int64 }

func (e *TooLarge) Error() string {
	return fmt.Sprintf("the repository has %d MB, more than the limit of %d MB (mirror.max-bytes)", e.Size>>20, e.Limit>>20)
}

// A Mirror is one repository, locked for its user until Unlock.
type Mirror struct {
	// Dir is the bare repository.
	Dir     string
	options *Options
	url     string
	login   Login
	unlock  func()
}

// Open returns the mirror of the repository, makes it if it is new, and keeps
// it for the caller until Unlock.
func (m *Mirrors) Open(ctx context.Context, source, repository, cloneURL string, login Login) (*Mirror, error) {
	if err := push.CheckRepository(repository); err != nil {
		return nil, err
	}
	if strings.HasPrefix(cloneURL, "-") {
		return nil, fmt.Errorf("%q is no URL", cloneURL)
	}
	sum := sha256.Sum256([]byte(source + "\x00" + repository))
	dir := filepath.Join(m.options.Dir, hex.EncodeToString(sum[:8])+".git")
	m.mu.Lock()
	lock := m.locks[dir]
	if lock == nil {
		lock = new(sync.Mutex)
		m.locks[dir] = lock
	}
	m.mu.Unlock()
	lock.Lock()
	r := &Mirror{Dir: dir, options: &m.options, url: cloneURL, login: login, unlock: lock.Unlock}
	if err := r.init(ctx, source+" "+repository); err != nil {
		r.Unlock()
		return nil, err
	}
	return r, nil
}

// Unlock gives the mirror back.
func (r *Mirror) Unlock() { r.unlock() }

// init makes the repository. An interrupted init is repeated: git init is
// harmless on what is there.
func (r *Mirror) init(ctx context.Context, name string) error {
	if _, err := os.Stat(filepath.Join(r.Dir, "description")); err == nil {
		return nil
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return fmt.Errorf("making the mirror of %s: %w", name, err)
	}
	if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--template=", "."); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Dir, "description"), []byte(name+"\n"), 0o600)
}

// A Tip is a ref of the host.
type Tip struct {
	// Ref is the full name at the host, ID the object.
	Ref, ID string
	// Scanned is the object up to which the ref was scanned; empty for a new
	// ref.
	Scanned string
	// Pushed says that no ref of the host names the object any more, so that
	// it says nothing about what the ref is now.
	Pushed bool
}

const (
	incoming = "refs/incoming/"
	scanned  = "refs/remotes/scanned/"
)

// Fetch brings all branches and tags, and the object want too where the host
// still gives it: it may have been pushed over since. It returns the tips that
// are not scanned yet, and whether want is here.
func (r *Mirror) Fetch(ctx context.Context, want string) (tips []Tip, here bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	args := []string{"fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--end-of-options", r.url,
		"+refs/heads/*:" + incoming + "heads/*", "+refs/tags/*:" + incoming + "tags/*"}
	if _, err := r.git(ctx, nil, args...); err != nil {
		return nil, false, err
	}
	if want != "" && !r.has(ctx, want) {
		// Hosts give unadvertised objects (GitHub and GitLab do), or not.
		_, _ = r.git(ctx, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", r.url, want)
	}
	if err := r.checkSize(); err != nil {
		return nil, false, err
	}
	tips, err = r.tips(ctx)
	return tips, want == "" || r.has(ctx, want), err
}

// Covers reports whether everything that the commit reaches was scanned
// already, so that nothing need be fetched for it.
func (r *Mirror) Covers(ctx context.Context, commit string) bool {
	out, err := r.git(ctx, nil, "rev-list", "--max-count=1", commit, "--not", "--glob="+scanned+"*")
	return err == nil && len(out) == 0
}

// has reports whether the object is here.
func (r *Mirror) has(ctx context.Context, id string) bool {
	_, err := r.git(ctx, nil, "cat-file", "-e", id)
	return err == nil
}

func (r *Mirror) checkSize() error {
	if r.options.MaxBytes == 0 {
		return nil
	}
	var size int64
	err := filepath.WalkDir(r.Dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("measuring the mirror: %w", err)
	}
	if size > r.options.MaxBytes {
		return &TooLarge{size, r.options.MaxBytes}
	}
	return nil
}

// tips returns the host's refs whose objects are not those that were scanned.
func (r *Mirror) tips(ctx context.Context) ([]Tip, error) {
	out, err := r.git(ctx, nil, "for-each-ref", "--format=%(objectname) %(refname)", incoming, scanned)
	if err != nil {
		return nil, err
	}
	done := map[string]string{} // by the name under scanned
	var tips []Tip
	for line := range strings.Lines(string(out)) {
		id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(name, scanned) {
			done[name] = id
		} else if rest, ok := strings.CutPrefix(name, incoming); ok {
			tips = append(tips, Tip{Ref: "refs/" + rest, ID: id})
		}
	}
	fresh := tips[:0]
	for _, t := range tips {
		if t.Scanned = done[scannedRef(t.Ref)]; t.Scanned != t.ID {
			fresh = append(fresh, t)
		}
	}
	return fresh, nil
}

// scannedRef returns the ref that remembers what was scanned of the host's
// ref. It is named by a digest: a host may have had a branch "a" and now one
// "a/b", which a folder of refs cannot hold both.
func scannedRef(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return scanned + hex.EncodeToString(sum[:16])
}

// Scanned remembers that everything that the tips reach was scanned.
func (r *Mirror) Scanned(ctx context.Context, tips []Tip) error {
	var in bytes.Buffer
	for _, t := range tips {
		if t.Pushed {
			t.Ref += "\x00" + t.ID // a name of its own, which no ref of a host can have
		}
		fmt.Fprintf(&in, "update %s\x00%s\x00\x00", scannedRef(t.Ref), t.ID)
	}
	_, err := r.git(ctx, &in, "update-ref", "-z", "--stdin")
	return err
}

// git runs git in the mirror. Its error holds what git said, without
// credentials.
func (r *Mirror) git(ctx context.Context, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = r.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that git removes its lock files
	cmd.WaitDelay = 10 * time.Second
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("git %s in %s: %w: %s", args[0], filepath.Base(r.Dir), err, r.redact(lastLines(stderr.String())))
	}
	return stdout.Bytes(), nil
}

// environment is all that git gets: no configuration of the machine, no
// prompt, and the credentials as configuration that no other process sees in
// the list of processes.
func (r *Mirror) environment() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.Dir, "LC_ALL=C", "GIT_DIR=" + r.Dir,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_ALLOW_PROTOCOL=" + r.options.Protocols,
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	config := [][2]string{{"gc.auto", "0"}, {"maintenance.auto", "false"}, {"credential.helper", ""}, {"http.followRedirects", "false"}, {"core.askPass", ""}}
	if r.login.Password != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(r.login.User + ":" + r.login.Password))
		config = append(config, [2]string{"http." + hostOf(r.url) + ".extraHeader", "Authorization: Basic " + basic})
	}
	env = append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config)))
	for i, kv := range config {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, kv[1]))
	}
	if r.login.Key != "" {
		env = append(env, "GIT_SSH_COMMAND=ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="+
			shellQuote(r.login.KnownHosts)+" -i "+shellQuote(r.login.Key))
	}
	return env
}

// hostOf returns scheme and host of the URL: the header with the credentials
// goes nowhere else.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Scheme + "://" + u.Host + "/"
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// redact takes the login and the user part of URLs out of git's words.
func (r *Mirror) redact(s string) string {
	if r.login.Password != "" {
		s = strings.ReplaceAll(s, r.login.Password, "[redacted]")
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "://")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("://")
		end := strings.IndexAny(rest, "/ '\"\n")
		if end < 0 {
			end = len(rest)
		}
		if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
			out.WriteString("[redacted]")
			rest = rest[at:]
		}
		s = rest
	}
}

// lastLines returns the end of what git said, at most 1,000 bytes.
func lastLines(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1000 {
		s = "…" + s[len(s)-1000:]
	}
	return s
}
