// Package mirror keeps a bare repository for each repository that is watched,
// and says what a fetch brought that was not scanned yet.
//
// A mirror knows by its refs what has been scanned, not by what a webhook
// said: refs/remotes/scanned/… hold the tips up to which everything is. A
// push is only the occasion to look. So a delivery that never came, a push of
// more refs than a host announces, a forced push and a new branch are one
// case: what the host has now and the mirror's refs do not reach.
//
//	Look     -> of a new repository: what was pushed, as a partial clone beside
//	Fetch    -> the objects are here, refs/incoming/… name the host's tips
//	scan     -> of what refs/incoming/… reach and refs/remotes/scanned/… do not
//	Scanned  -> refs/remotes/scanned/… move; only now is it remembered
//	Maintain -> many small packs become one
//
// A mirror is a whole clone: what is scanned must be here, and a history is
// scanned once. Only a look is partial, and a look proves nothing.
//
// Credentials reach git in its environment, never as arguments, and what git
// prints is passed on without them.
package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
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
	// MaxBytes is the largest size of a mirror on disk; 0 for no bound. A fetch
	// that goes over it is ended, not only noticed afterwards.
	MaxBytes int64
	// TotalBytes is the most that all mirrors may take; 0 for no bound. Those
	// that were not used for the longest time are emptied; what was scanned of
	// them stays known.
	TotalBytes int64
	// NoLook leaves the first look out; see Look.
	NoLook bool
	// Timeout ends a fetch; 0 for 30 minutes.
	Timeout time.Duration
	// Protocols are what git may fetch by, colon-separated as in
	// GIT_ALLOW_PROTOCOL; empty for https:ssh.
	Protocols string
}

// Mirrors is the folder of mirrors. It is safe for concurrent use; two calls
// for one repository wait for each other, and for what a process that was
// killed has left running in it.
type Mirrors struct {
	options Options
	mu      sync.Mutex
	locks   map[string]*sync.Mutex
	sizes   map[string]int64 // by folder, in bytes; nil before they were measured
	noLook  map[string]bool  // by host: it has no partial clones
}

// New returns the mirrors in o.Dir.
func New(o Options) *Mirrors {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Minute
	}
	if o.Protocols == "" {
		o.Protocols = "https:ssh"
	}
	return &Mirrors{options: o, locks: map[string]*sync.Mutex{}, noLook: map[string]bool{}}
}

// TooLarge is the error of a repository over Options.MaxBytes.
type TooLarge struct{ Size, Limit int64 }

// Error names both sizes.
func (e *TooLarge) Error() string {
	return fmt.Sprintf("the repository has over %.1f MB, and the limit is %d MB (mirror.max-megabytes)", float64(e.Size)/(1<<20), e.Limit>>20)
}

// A Mirror is one repository, locked for its user until Unlock.
type Mirror struct {
	// Dir is the bare repository.
	Dir string
	// Lock is open as long as the mirror is the caller's. A process that works
	// in Dir inherits it, so that the mirror stays locked until it has ended
	// too, even if this process is killed.
	Lock *os.File

	mirrors *Mirrors
	options *Options
	url     string
	login   Login
	unlock  func()
	config  [][2]string // of git, beside that of all mirrors
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
	unlock, file, err := m.lock(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("locking the mirror of %s: %w", repository, err)
	}
	r := &Mirror{Dir: dir, Lock: file, mirrors: m, options: &m.options, url: cloneURL, login: login, unlock: unlock}
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
	described := filepath.Join(r.Dir, "description")
	if _, err := os.Stat(described); err == nil {
		return r.tidy()
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return fmt.Errorf("making the mirror of %s: %w", name, err)
	}
	if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--template=", "."); err != nil {
		return err
	}
	return os.WriteFile(described, []byte(name+"\n"), 0o600)
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
	over     = "over/" // under incoming: commits that were pushed over, by their id
)

// Fetch brings all branches and tags, and the objects want and before too where the
// host still gives them: want may have been pushed over since, and before, what the
// ref was before the push, by it. Either may be empty. It returns the tips that are
// not scanned yet, and whether want is here.
func (r *Mirror) Fetch(ctx context.Context, want, before string) (tips []Tip, here bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	if err := r.mirrors.makeRoom(r.Dir); err != nil {
		return nil, false, err
	}
	watched, stop := r.watch(ctx)
	defer stop()
	if _, err := r.git(watched, nil, append(fetchArgs(), r.url, "+refs/heads/*:"+incoming+"heads/*", "+refs/tags/*:"+incoming+"tags/*")...); err != nil {
		if large := (*TooLarge)(nil); errors.As(err, &large) {
			return nil, false, errors.Join(err, r.mirrors.empty(r.Dir)) // git may have ended its pack nevertheless
		}
		return nil, false, errors.Join(err, r.tidy())
	}
	if want != "" && !r.has(ctx, want) {
		// Hosts give unadvertised objects (GitHub and GitLab do), or not.
		_, _ = r.git(watched, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", r.url, want)
	}
	if before != "" && !r.has(ctx, before) {
		// Nobody told of it, or that was lost. It has a ref, so that it is scanned even
		// if this process is killed before that.
		_, _ = r.git(watched, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", r.url, "+"+before+":"+incoming+over+before)
	}
	if err := r.measure(); err != nil {
		return nil, false, err
	}
	if err := r.recall(ctx); err != nil {
		return nil, false, err
	}
	tips, err = r.tips(ctx)
	return tips, want == "" || r.has(ctx, want), err
}

// fetchArgs begin a fetch of all branches and tags.
func fetchArgs() []string {
	return []string{"fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--end-of-options"}
}

// Covers reports whether everything that the commit reaches was scanned
// already, so that nothing need be fetched for it, nor for what its ref was before
// (which may be empty): a ref may go back over what nobody told of.
func (r *Mirror) Covers(ctx context.Context, commit, before string) bool {
	out, err := r.git(ctx, nil, "rev-list", "--max-count=1", commit, "--not", "--glob="+scanned+"*")
	if err != nil || len(out) > 0 || before == "" {
		return err == nil && len(out) == 0
	}
	ref := incoming + over + before
	out, err = r.git(ctx, bytes.NewBufferString(before+"\n"+ref+"\n"), "cat-file", "--batch-check=here")
	return err == nil && string(out) == "here\n"+ref+" missing\n"
}

// has reports whether the object is here.
func (r *Mirror) has(ctx context.Context, id string) bool {
	_, err := r.git(ctx, nil, "cat-file", "-e", id)
	return err == nil
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
			tips = append(tips, Tip{Ref: "refs/" + rest, ID: id, Pushed: strings.HasPrefix(rest, over)})
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
			fmt.Fprintf(&in, "delete %s\x00\x00", incoming+over+t.ID)
		}
		fmt.Fprintf(&in, "update %s\x00%s\x00\x00", scannedRef(t.Ref), t.ID)
	}
	_, err := r.git(ctx, &in, "update-ref", "-z", "--stdin")
	return err
}
