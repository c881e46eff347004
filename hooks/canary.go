package hooks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Trial is one thing that the canary tried.
type Trial struct {
	// What was tried, such as "commit without a secret".
	What string
	// Refused says that git refused it; BySpillgate that Spillgate's report
	// was in what git printed.
	Refused, BySpillgate bool
	// Want says that it should be refused.
	Want bool
	// Output is what git and the hooks printed, without the secret.
	Output string
}

// OK reports whether it ended as it should.
func (t Trial) OK() bool {
	if t.Want {
		return t.Refused && t.BySpillgate
	}
	return !t.Refused
}

// canaryFile is the name of the file that the canary commits.
const canaryFile = "spillgate-canary.txt"

// A canary works in a scratch clone, with the hooks of the repository.
type canary struct {
	*Setup
	ctx    context.Context
	secret string
	work   string // the scratch clone
	remote string // a bare repository to push to
	trials []Trial
}

// Prove commits and pushes in a scratch clone with the hooks of the repository:
// a made-up secret must be refused at each of the events, and the same without
// the secret must pass. The secret, one line of text that a rule finds, comes
// from the caller. The repository itself is only read, and the clone is
// deleted.
func (s *Setup) Prove(ctx context.Context, events []string, secret string) ([]Trial, error) {
	if s.Global {
		return nil, fmt.Errorf("a canary needs a repository: run it without --global")
	}
	dir, err := os.MkdirTemp("", "spillgate-canary-")
	if err != nil {
		return nil, fmt.Errorf("making a scratch clone: %w", err)
	}
	defer os.RemoveAll(dir)
	c := &canary{Setup: s, ctx: ctx, secret: secret, work: filepath.Join(dir, "work"), remote: filepath.Join(dir, "remote.git")}
	if err := c.prepare(); err != nil {
		return nil, err
	}
	for _, event := range events {
		if err := c.try(event); err != nil {
			return c.trials, err
		}
	}
	return c.trials, ctx.Err()
}

// prepare makes the clones. They borrow the objects of the repository.
func (c *canary) prepare() error {
	from := c.Top
	for _, args := range [][]string{
		{"clone", "-q", "--shared", "--bare", "--template=", from, c.remote},
		{"clone", "-q", "--shared", "--template=", "--no-checkout", from, c.work},
	} {
		if out, err := c.run(filepath.Dir(c.work), args...); err != nil {
			return fmt.Errorf("making a scratch clone: %w: %s", err, c.clean(out))
		}
	}
	if out, err := c.run(c.work, "checkout", "-q", "-B", "spillgate-canary"); err != nil && !c.unborn() {
		return fmt.Errorf("making a scratch clone: %w: %s", err, c.clean(out))
	}
	if c.Bare {
		return c.adoptHooks(c.remote)
	}
	if err := c.adoptManagers(); err != nil {
		return err
	}
	if out, err := c.run(c.work, "remote", "add", "spillgate-canary", c.remote); err != nil {
		return fmt.Errorf("making a scratch clone: %w: %s", err, c.clean(out))
	}
	return c.adoptHooks(c.work)
}

// adoptManagers gives the scratch clone what hook managers read from the work
// tree, where it may be newer than in HEAD.
func (c *canary) adoptManagers() error {
	for _, name := range managerFiles() {
		data, err := os.ReadFile(filepath.Join(c.Top, filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		file := filepath.Join(c.work, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("setting up the scratch clone: %w", err)
		}
		if err := os.WriteFile(file, data, 0o755); err != nil {
			return fmt.Errorf("setting up the scratch clone: %w", err)
		}
		if out, err := c.run(c.work, "add", "-f", name); err != nil {
			return fmt.Errorf("staging %s: %w: %s", name, err, c.clean(out))
		}
	}
	return nil
}

// unborn reports whether the repository has no commit yet.
func (c *canary) unborn() bool {
	_, err := c.run(c.work, "rev-parse", "-q", "--verify", "HEAD")
	return err != nil
}

// adoptHooks gives a clone the hooks of the repository: its hooks folder, and
// the hooks of its own configuration. Those of the user's come by themselves.
func (c *canary) adoptHooks(clone string) error {
	if out, err := c.run(clone, "config", "core.hooksPath", c.Folder); err != nil {
		return fmt.Errorf("setting up the scratch clone: %w: %s", err, out)
	}
	all, err := c.settings(c.ctx, "hook.")
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Scope != "local" && v.Scope != "worktree" {
			continue
		}
		if out, err := c.run(clone, "config", "--add", v.Key, v.Value); err != nil {
			return fmt.Errorf("setting up the scratch clone: %w: %s", err, out)
		}
	}
	return nil
}

// run runs git in a scratch clone, without questions to anybody.
func (c *canary) run(dir string, args ...string) (string, error) {
	g := exec.CommandContext(c.ctx, c.Git, append([]string{"-c", "commit.gpgSign=false", "-c", "push.gpgSign=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"}, args...)...)
	g.Dir = dir
	g.Env = append(cleanEnv(os.Environ()),
		"GIT_AUTHOR_NAME=canary", "GIT_AUTHOR_EMAIL=canary@localhost", "GIT_COMMITTER_NAME=canary", "GIT_COMMITTER_EMAIL=canary@localhost",
		"GIT_TERMINAL_PROMPT=0", "GIT_EDITOR=:", "GIT_LFS_SKIP_SMUDGE=1", "GIT_MERGE_AUTOEDIT=no")
	out, err := g.CombinedOutput()
	return string(out), err
}

// clean takes the secret out of what a hook printed.
func (c *canary) clean(out string) string {
	return strings.ReplaceAll(strings.TrimSpace(out), c.secret, "[redacted]")
}

// try runs the two trials of an event.
func (c *canary) try(event string) error {
	steps := map[string]func(*canary, string, bool) error{
		"pre-commit": (*canary).commit, "commit-msg": (*canary).message, "pre-merge-commit": (*canary).merge,
		"pre-push": (*canary).push, "pre-receive": (*canary).push, "update": (*canary).push,
	}
	for _, want := range []bool{false, true} {
		if err := steps[event](c, event, want); err != nil {
			return err
		}
	}
	return nil
}

// plant stages the canary's file, with a secret or without.
func (c *canary) plant(word string, secret bool) error {
	text := "Nothing to see here: " + word + ".\n"
	if secret {
		text = c.secret + "\n"
	}
	file := filepath.Join(c.work, canaryFile)
	_ = os.Remove(file) // it may be a link
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	return c.stage()
}

func (c *canary) stage() error {
	if out, err := c.run(c.work, "add", "-f", canaryFile); err != nil {
		return fmt.Errorf("staging the canary: %w: %s", err, c.clean(out))
	}
	return nil
}

// quietly does what a trial needs, past all hooks.
func (c *canary) quietly(commands ...[]string) error {
	for _, args := range commands {
		if out, err := c.run(c.work, append([]string{"-c", "core.hooksPath=" + os.DevNull}, args...)...); err != nil {
			return fmt.Errorf("preparing the canary: git %s: %w: %s", args[0], err, c.clean(out))
		}
	}
	return nil
}

func (c *canary) trial(what string, want bool, sign string, args ...string) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	out, err := c.run(c.work, args...)
	end := "without a secret"
	if want {
		end = "with a made-up secret"
	}
	t := Trial{What: what + " " + end, Want: want, Refused: err != nil, BySpillgate: strings.Contains(out, sign), Output: c.clean(out)}
	c.trials = append(c.trials, t)
	return nil
}

func (c *canary) commit(event string, secret bool) error {
	if err := c.plant(event, secret); err != nil {
		return err
	}
	err := c.trial("commit", secret, canaryFile+":1:", "commit", "-q", "-m", "canary")
	if !secret || err != nil {
		return err
	}
	if err := c.forget(event); err != nil {
		return err
	}
	return c.link(event)
}

// link commits a file that has become a link to the secret, which some hook
// managers do not take for a change. Where links cannot be made there is
// nothing to try.
func (c *canary) link(event string) error {
	file := filepath.Join(c.work, canaryFile)
	if err := os.Remove(file); err != nil {
		return err
	}
	if os.Symlink(c.secret, file) != nil {
		return c.forget(event)
	}
	if err := c.stage(); err != nil {
		return err
	}
	if err := c.trial("commit of a link", true, canaryFile+":1:", "commit", "-q", "-m", "canary"); err != nil {
		return err
	}
	return c.forget("the link of " + event)
}

// forget stages a clean file again after a secret was refused, and commits it
// past the hooks.
func (c *canary) forget(event string) error {
	if err := c.plant("after "+event, false); err != nil {
		return err
	}
	return c.quietly([]string{"commit", "-q", "--no-verify", "--allow-empty", "-m", "canary"})
}

func (c *canary) message(_ string, secret bool) error {
	if err := c.plant(fmt.Sprint("message ", secret), false); err != nil {
		return err
	}
	text := "canary"
	if secret {
		text += "\n\n" + c.secret
	}
	return c.trial("commit message", secret, "commit message:3:", "commit", "-q", "--allow-empty", "-m", text)
}

// merge merges a branch that nobody could commit. A merge that is refused is
// undone.
func (c *canary) merge(event string, secret bool) error {
	branch := fmt.Sprint("spillgate-canary-merge-", secret)
	if c.unborn() {
		if err := c.forget(event); err != nil {
			return err
		}
	}
	if err := c.quietly([]string{"checkout", "-q", "-b", branch}); err != nil {
		return err
	}
	if err := c.plant(branch, secret); err != nil {
		return err
	}
	if err := c.quietly([]string{"commit", "-q", "--no-verify", "-m", "canary"}, []string{"checkout", "-q", "-"}); err != nil {
		return err
	}
	if err := c.trial("merge", secret, canaryFile+":1:", "merge", "-q", "--no-ff", "-m", "canary", branch); err != nil {
		return err
	}
	// a branch with the secret in it would stop the pushes that follow
	return c.quietly([]string{"reset", "-q", "--hard"}, []string{"branch", "-q", "-D", branch})
}

// push pushes two branches, the second of which has the secret. Neither is
// checked out, and the one that is has nothing to push: some hook managers look
// at that one alone.
func (c *canary) push(event string, secret bool) error {
	remote := "spillgate-canary"
	if c.Bare {
		remote = c.remote
	}
	if c.unborn() {
		if err := c.forget(event); err != nil {
			return err
		}
	}
	branches := []string{"spillgate-canary-clean", "spillgate-canary-tried"}
	for i, branch := range branches {
		if err := c.plant(fmt.Sprint(event, i, secret), secret && i == 1); err != nil {
			return err
		}
		if err := c.quietly([]string{"commit", "-q", "--no-verify", "-m", "canary"}, []string{"branch", "-f", branch}); err != nil {
			return err
		}
	}
	if err := c.quietly([]string{"reset", "-q", "--hard", "HEAD~2"}); err != nil {
		return err
	}
	if !c.Bare {
		if err := c.quietly([]string{"push", "-q", "--no-verify", "--set-upstream", remote, "+HEAD:refs/heads/spillgate-canary"}); err != nil {
			return err
		}
	}
	name := fmt.Sprintf(":refs/heads/spillgate-canary-%s-%t", event, secret)
	if err := c.trial("push", secret, canaryFile+":1:", "push", "-q", remote, branches[0]+name+"-1", branches[1]+name+"-2"); err != nil {
		return err
	}
	return c.quietly([]string{"branch", "-q", "-D", branches[0], branches[1]})
}
