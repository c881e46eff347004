package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

func (a *app) selftest() *cli.Command {
	return &cli.Command{
		Name:  "selftest",
		Usage: "prove on this machine that a planted secret is found",
		Description: "Makes up a KMS key ARN and an AWS access key id, plants them in a temporary\n" +
			"repository and scans it as staged, range and history do. Exit code 0: each of them was\n" +
			"found, and nothing in the same repository without them.",
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			a.signals.handle()
			dir, err := os.MkdirTemp("", "spillgate-selftest-")
			if err != nil {
				return fmt.Errorf("selftest: %w", err)
			}
			defer os.RemoveAll(dir)
			t := &trial{dir: dir}
			if err := t.run(ctx); err != nil {
				return fmt.Errorf("selftest failed: %w", err)
			}
			_, err = fmt.Fprintf(a.Stdout, "selftest passed: %d planted secrets found by each of staged, range and history; nothing found without them\n", len(t.planted))
			return err
		},
	}
}

// trial is one self test.
type trial struct {
	dir     string
	planted map[string]string // rule id to text
}

func (t *trial) run(ctx context.Context) error {
	// A hook's environment names the repository of the commit.
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "GIT_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	if err := t.git(ctx, "init", "-q"); err != nil {
		return err
	}
	if err := t.stage(ctx, "README", "Nothing to see here.\n"); err != nil {
		return err
	}
	if err := t.expect(ctx, "staged, clean", func(r *gitrepo.Repo) (scanner.Source, error) {
		return r.Staged(gitrepo.StagedOptions{}), nil
	}, false); err != nil {
		return err
	}
	if err := t.git(ctx, "commit", "-qm", "clean"); err != nil {
		return err
	}
	t.plant()
	var text strings.Builder
	for _, s := range t.planted {
		fmt.Fprintf(&text, "value = %q\n", s)
	}
	if err := t.stage(ctx, "config.ini", text.String()); err != nil {
		return err
	}
	if err := t.expect(ctx, "staged", func(r *gitrepo.Repo) (scanner.Source, error) {
		return r.Staged(gitrepo.StagedOptions{}), nil
	}, true); err != nil {
		return err
	}
	if err := t.git(ctx, "commit", "-qm", "planted"); err != nil {
		return err
	}
	if err := t.expect(ctx, "range", func(r *gitrepo.Repo) (scanner.Source, error) {
		return r.Range(ctx, "HEAD~1..HEAD")
	}, true); err != nil {
		return err
	}
	return t.expect(ctx, "history", func(r *gitrepo.Repo) (scanner.Source, error) {
		return r.History(gitrepo.HistoryOptions{}), nil
	}, true)
}

// plant makes up secrets that no list of examples holds.
func (t *trial) plant() {
	const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var b [48]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	id := []byte("AKIA")
	for i := range 16 {
		id = append(id, base32[b[i]&31])
	}
	account := make([]byte, 12)
	for i := range account {
		account[i] = '0' + b[16+i]%10
	}
	t.planted = map[string]string{
		"aws-access-key-id": string(id),
		"aws-kms-key-arn": fmt.Sprintf("arn:aws:kms:eu-west-1:%s:key/%x-%x-%x-%x-%x",
			account, b[28:32], b[32:34], b[34:36], b[36:38], b[38:44]),
	}
}

// expect scans and checks that the planted secrets, or none, are found.
func (t *trial) expect(ctx context.Context, what string, source func(*gitrepo.Repo) (scanner.Source, error), planted bool) error {
	repo, err := gitrepo.Open(ctx, gitrepo.Options{Dir: t.dir})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer repo.Close()
	s, err := source(repo)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	result, err := scanner.Scan(ctx, scanner.Options{
		Sources:   []scanner.Source{s},
		Detectors: []scanner.Detector{scanner.RuleDetector{Program: rules.Builtin()}},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, c := range result.Coverage {
		for _, p := range c.Problems {
			return fmt.Errorf("%s: %w", what, p)
		}
	}
	found := map[string]bool{}
	for _, f := range result.Findings {
		if f.Secret.Reveal() != t.planted[f.Rule.ID] {
			return fmt.Errorf("%s: rule %s found something that was not planted, at %s", what, f.Rule.ID, f.Location)
		}
		found[f.Rule.ID] = true
	}
	if !planted && len(found) > 0 {
		return fmt.Errorf("%s: found something in a repository without secrets", what)
	}
	for rule := range t.planted {
		if planted && !found[rule] {
			return fmt.Errorf("%s: the planted %s was not found", what, rule)
		}
	}
	return nil
}

// stage writes a file and adds it.
func (t *trial) stage(ctx context.Context, name, text string) error {
	if err := os.WriteFile(filepath.Join(t.dir, name), []byte(text), 0o600); err != nil {
		return err
	}
	return t.git(ctx, "add", name)
}

// git runs git without the user's configuration, hooks and signing.
func (t *trial) git(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = t.dir
	c.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TEMPLATE_DIR=",
		"GIT_AUTHOR_NAME=selftest", "GIT_AUTHOR_EMAIL=selftest@localhost",
		"GIT_COMMITTER_NAME=selftest", "GIT_COMMITTER_EMAIL=selftest@localhost")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}
