package ci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// git runs git in the clone and returns what it prints. It starts no hook, asks
// for no password and does not tidy up behind itself.
func (c *Clone) git(ctx context.Context, args ...string) (string, error) {
	return c.gitInput(ctx, "", nil, args...)
}

// gitInput is git with a standard input and more variables.
func (c *Clone) gitInput(ctx context.Context, input string, env []string, args ...string) (string, error) {
	global := []string{
		"--no-pager", "-c", "color.ui=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false",
		"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.recurseSubmodules=false", "-c", "advice.detachedHead=false",
	}
	if c.TrustRepo {
		global = append(global, "-c", "safe.directory=*")
	}
	cmd := exec.CommandContext(ctx, "git", append(global, args...)...)
	cmd.Dir = c.Dir
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"), env...)
	cmd.WaitDelay = 2 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("git %s: %w: %s", command(args), err, reason(stderr.String()))
	}
	return string(out), nil
}

// command returns which command of git args call.
func command(args []string) string {
	for len(args) > 2 && args[0] == "-c" {
		args = args[2:]
	}
	return args[0]
}

// reason returns the line in which git says first what went wrong, or the last
// one, without the credentials that a remote's address may hold.
func reason(text string) string {
	s := ""
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(s, "fatal: ") {
			s = line
		}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	if user, host, ok := strings.Cut(rest, "@"); ok && !strings.ContainsAny(user, "/ ") {
		rest = host
	}
	return scheme + "://" + rest
}

// fetch runs git fetch. It brings no tags: they are not what an event is about.
func (c *Clone) fetch(ctx context.Context, args ...string) error {
	_, err := c.git(ctx, append([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head"}, args...)...)
	return err
}

// resolve returns the id of the commit that rev names, or "".
func (c *Clone) resolve(ctx context.Context, rev string) string {
	out, err := c.git(ctx, "rev-parse", "--verify", "--quiet", rev+"^{commit}")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// cuts returns the ids of the commits whose parents the clone lacks: those in
// its file "shallow" (https://git-scm.com/docs/shallow).
func (c *Clone) cuts(ctx context.Context) (map[string]bool, error) {
	out, err := c.git(ctx, "rev-parse", "--git-path", "shallow")
	if err != nil {
		return nil, fmt.Errorf("looking for the repository: %w", err)
	}
	path := strings.TrimRight(out, "\r\n")
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading where the shallow clone is cut: %w", err)
	}
	cut := map[string]bool{}
	for id := range strings.FieldsSeq(string(text)) {
		cut[id] = true
	}
	return cut, nil
}
