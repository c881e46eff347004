package mirror

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/child"
)

// git runs git in the mirror. Its error holds what git said, without
// credentials.
func (r *Mirror) git(ctx context.Context, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	out, _, err := r.run(ctx, stdin, args...)
	return out, err
}

// run runs git as git does, and returns what it warned of, too.
func (r *Mirror) run(ctx context.Context, stdin *bytes.Buffer, args ...string) (out []byte, warned string, err error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = r.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that git removes its lock files
	cmd.WaitDelay = 10 * time.Second
	if r.Lock != nil {
		cmd.ExtraFiles = []*os.File{r.Lock}
	}
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := child.Run(cmd); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if large := (*TooLarge)(nil); errors.As(err, &large) {
			return nil, "", large // it says all that there is to say
		}
		err = fmt.Errorf("git %s in %s: %w: %s", args[0], filepath.Base(r.Dir), err, r.redact(lastLines(stderr.String())))
		if absent.MatchString(stderr.String()) {
			err = &NotFound{err}
		}
		return nil, "", err
	}
	return stdout.Bytes(), stderr.String(), nil
}

// NotFound is the error of a repository that the host says is not there, or not
// for this login: hosts do not tell the two apart.
type NotFound struct{ Err error }

// Error says what the host said.
func (n *NotFound) Error() string { return n.Err.Error() }

// Unwrap returns the error.
func (n *NotFound) Unwrap() error { return n.Err }

// absent is how git and the hosts word it: over HTTP by git itself, over ssh by
// GitHub and Bitbucket, GitLab, and git's own shell.
var absent = regexp.MustCompile(`(?i)repository (?:'[^']*' )?not found|project you were looking for could not be found|does not appear to be a git repository`)

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
	config = append(config, r.config...)
	if r.login.Password != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(r.login.User + ":" + r.login.Password))
		config = append(config, [2]string{"http." + hostOf(r.url) + ".extraHeader", "Authorization: Basic " + basic})
	}
	env = append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config)))
	for i, kv := range config {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, kv[1]))
	}
	if r.login.Key != "" {
		// Not the machine's known hosts: a host's key is what the operator says.
		env = append(env, "GIT_SSH_COMMAND=ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"+
			" -o GlobalKnownHostsFile=/dev/null -o "+shellQuote("UserKnownHostsFile="+sshQuote(r.login.KnownHosts))+
			" -o "+shellQuote("IdentityFile="+sshQuote(r.login.Key)))
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

// sshQuote writes a file's name as ssh reads it in an option: spaces would
// make it several, and a per cent sign begins a token.
func sshQuote(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(name) + `"`
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
