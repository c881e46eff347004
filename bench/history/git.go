package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// Git returns a git command that runs in dir, with no configuration but the
// repository's own and no repository from the environment.
func Git(ctx context.Context, dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = dir
	c.Env = CleanEnv()
	return c
}

// CleanEnv returns the environment without what points git at a repository, and
// with the user's and the system's git configuration switched off.
func CleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") {
			env = append(env, kv)
		}
	}
	return append(env,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada Example", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_AUTHOR_DATE=1500000000 +0000",
		"GIT_COMMITTER_NAME=Ada Example", "GIT_COMMITTER_EMAIL=ada@example.org", "GIT_COMMITTER_DATE=1500000000 +0000",
	)
}

// run runs a git command and puts what it says on standard error into the
// error.
func run(c *exec.Cmd) error {
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("running %s in %s: %w: %s", strings.Join(c.Args, " "), c.Dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}

// gitOutput runs git and returns what it prints, without the last newline.
func gitOutput(ctx context.Context, dir string, args ...string) (string, error) {
	c := Git(ctx, dir, args...)
	var out bytes.Buffer
	c.Stdout = &out
	err := run(c)
	return strings.TrimRight(out.String(), "\n"), err
}

// findGOROOT asks the go command: a binary does not know where it was built.
func findGOROOT(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("running go env GOROOT: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// fastImport creates a repository at dir, feeds what write writes to git
// fast-import, and packs everything into one pack as `git clone` would leave
// it.
func fastImport(ctx context.Context, dir string, write func(*stream)) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("making a history in %s: it exists already; remove it or choose another folder", dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making a history: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a history: %w", err)
	}
	if err := run(Git(ctx, dir, "init", "--quiet", "--initial-branch=main")); err != nil {
		return err
	}
	c := Git(ctx, dir, "-c", "core.compression=1", "fast-import", "--quiet", "--done")
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting git fast-import: %w", err)
	}
	s := newStream(in)
	write(s)
	werr := s.close()
	_ = in.Close()
	if err := c.Wait(); err != nil {
		return fmt.Errorf("running git fast-import in %s: %w: %s", dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	if werr != nil {
		return fmt.Errorf("writing to git fast-import: %w", werr)
	}
	return run(Git(ctx, dir, "repack", "-a", "-d", "-f", "-q"))
}
