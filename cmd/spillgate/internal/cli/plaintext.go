package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/ci"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

// plaintextFlag is of the commands that a person types. Hooks and spillgate ci
// have it not: their output is read by whoever sees the log, and their files are
// kept by whoever runs the machine.
func plaintextFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "unsafe-include-secrets", TakesFile: true,
		Usage: "write the found secrets in plain text to the new `FILE`, for you alone (mode 0600); no report ever holds them",
	}
}

// readyForPlaintext refuses, before a scan, a file in which secrets are not safe.
func readyForPlaintext(ctx context.Context, c *cli.Command, env func(string) string) error {
	path := c.String("unsafe-include-secrets")
	if !c.IsSet("unsafe-include-secrets") {
		return nil
	}
	refuse := func(fix, format string, args ...any) error {
		return usage(fix, "--unsafe-include-secrets %s: %s", report.Escape(path), fmt.Sprintf(format, args...))
	}
	if path == "" || path == "-" {
		return refuse("name a new file outside the repository", "secrets are never printed")
	}
	if system := ci.System(env); system != "" || env("CI") != "" && env("CI") != "false" {
		return refuse("scan on a machine of your own; the fingerprints of both runs are the same", "this is %s, whose files outlive the job", first(system, "a CI system"))
	}
	switch info, err := os.Lstat(path); {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		return refuse("name a new file", "it is a link")
	case err == nil:
		return refuse("delete it, or name another", "it exists, and only a new file is known to be closed to others")
	case !errors.Is(err, fs.ErrNotExist):
		return refuse("name a new file", "%v", err)
	}
	return outsideWorkTree(ctx, path, refuse)
}

// outsideWorkTree refuses a path at which `git add` would take the file along.
func outsideWorkTree(ctx context.Context, path string, refuse func(fix, format string, args ...any) error) error {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return refuse("make the folder first", "%v", err)
	}
	top := dir
	for !exists(filepath.Join(top, ".git")) {
		up := filepath.Dir(top)
		if up == top {
			return nil // in no work tree
		}
		top = up
	}
	g := exec.CommandContext(ctx, "git", "-c", "core.fsmonitor=false", "check-ignore", "-q", "--", filepath.Join(dir, filepath.Base(path)))
	g.Dir = top
	for _, v := range os.Environ() { // those of a hook may mean another repository
		if !strings.HasPrefix(v, "GIT_") {
			g.Env = append(g.Env, v)
		}
	}
	var exit *exec.ExitError
	switch err := g.Run(); {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return refuse("name a file outside the repository, or add it to .gitignore", "it would lie in the work tree %s and is not ignored there, so the next `git add` could take it along", top)
	default:
		return refuse("name a file outside the repository", "it would lie in the work tree %s, and git does not say whether it is ignored there: %v", top, err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writePlaintext writes the secrets of result where the flag says, and says so
// whatever else is to be quiet.
func (a *app) writePlaintext(c *cli.Command, result *scanner.Result) error {
	path := c.String("unsafe-include-secrets")
	if path == "" {
		return nil
	}
	n, err := report.WritePlaintext(path, result, a.settings.gate, c.Bool("show-suppressed"))
	if err != nil {
		return fmt.Errorf("writing the secrets to %s: %w", report.Escape(path), err)
	}
	found := fmt.Sprintf("%d secrets", n)
	if n == 1 {
		found = "1 secret"
	}
	fmt.Fprintf(a.Stderr, "spillgate: WARNING: %s holds %s in plain text. Delete it as soon as they are rotated\n", report.Escape(path), found)
	return nil
}
