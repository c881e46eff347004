// Package hooks puts Spillgate into git's hooks, takes it out again, and says
// what git will really run.
//
// A hook that silently does not run is worse than none, so every choice here
// asks how it could be off without anybody noticing. The hooks folder is the
// one that git itself resolves (core.hooksPath at any level, linked work trees,
// submodules). A hook that is there already is moved aside and called first,
// with the same arguments and standard input; nothing is overwritten. An
// installed hook records the absolute path of the program, falls back to PATH,
// and where it finds neither it refuses and says how to mend that. Uninstalling
// leaves every byte as it was.
//
// Where git runs hooks that are set up in its configuration
// (hook.<name>.command), those are used instead of files: they run beside all
// others, whoever owns the hooks folder. Whether this git does so is tried out,
// not guessed from its version. An older git beside it, as some editors bring
// one, passes over them without a word; for such repositories files are there
// on request.
//
// Machine-wide hooks without that feature need core.hooksPath in the global
// configuration, not init.templateDir: a template reaches only clones made
// later. core.hooksPath hides each repository's own hooks, so the folder gets a
// hook of every name that git knows, which passes the call on.
//
// The package also reads what git and coding assistants tell a hook: the refs
// of a push, the text of a commit message, the event before a tool is used.
package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Client and Server are the hooks that can be installed: where commits are made,
// and where pushes arrive.
func Client() []string { return []string{"pre-commit", "pre-merge-commit", "commit-msg", "pre-push"} }

// Server returns the hooks for where pushes arrive. One of them is enough.
func Server() []string { return []string{"pre-receive", "update"} }

// passedOn are the further hooks that a global hooks folder has to pass on
// (https://git-scm.com/docs/githooks). push-to-checkout, proc-receive and
// fsmonitor-watchman are left out: that they exist at all changes what git
// does.
func passedOn() []string {
	return []string{
		"applypatch-msg", "pre-applypatch", "post-applypatch", "prepare-commit-msg", "post-commit", "pre-rebase",
		"post-checkout", "post-merge", "post-receive", "post-update", "pre-receive", "update", "reference-transaction",
		"pre-auto-gc", "post-rewrite", "sendemail-validate", "post-index-change",
	}
}

// readsInput reports whether git writes to the standard input of a hook.
func readsInput(event string) bool { return event == "pre-push" || event == "pre-receive" }

// Options say which hooks are meant. The zero value means those that fit the
// repository of the current directory.
type Options struct {
	// Dir is where to look for the repository, "" for the current directory.
	Dir string
	// Global means the user's configuration, for all repositories.
	Global bool
	// Events are names of hooks. Empty means all of Client, or in a bare
	// repository pre-receive.
	Events []string
	// Files means hooks that are files, even where git runs hooks of its
	// configuration: for repositories that older gits commit to as well.
	Files bool
	// Program is the absolute path of spillgate.
	Program string
	// Git is the git program, "" for "git" from PATH.
	Git string
}

// A Setup is where git takes the hooks from.
type Setup struct {
	Options
	// GitDir is the absolute path of the git directory, "" if Global.
	GitDir string
	// Top is the top of the work tree, or GitDir if there is none.
	Top string
	// Bare says that there is no work tree.
	Bare bool
	// Folder is the absolute path of the hooks folder in effect.
	Folder string
	// Paths are the settings of core.hooksPath, the last of which counts.
	Paths []Setting
	// Configured says that this git runs hook.<name>.command.
	Configured bool
	// Version is what `git --version` prints.
	Version string
}

// A Setting is one value in git's configuration.
type Setting struct {
	Scope  string // system, global, local, worktree or command
	Origin string // "file:PATH" or "command line:"
	Key    string
	Value  string
}

// Open finds out where git takes hooks from.
func Open(ctx context.Context, o Options) (*Setup, error) {
	s := &Setup{Options: o}
	if s.Git == "" {
		s.Git = "git"
	}
	var err error
	if s.Version, err = s.git(ctx, "--version"); err != nil {
		return nil, err
	}
	s.Version = strings.TrimSpace(s.Version)
	for _, e := range o.Events {
		if !slices.Contains(Client(), e) && !slices.Contains(Server(), e) {
			return nil, fmt.Errorf("unknown hook %q: use %s", e, strings.Join(append(Client(), Server()...), ", "))
		}
	}
	if err := s.findRepository(ctx); err != nil {
		return nil, err
	}
	if s.Paths, err = s.settings(ctx, "core.hookspath"); err != nil {
		return nil, err
	}
	if s.Configured, err = s.probe(ctx); err != nil {
		return nil, err
	}
	if err := s.findFolder(ctx); err != nil {
		return nil, err
	}
	if len(s.Events) == 0 {
		s.Events = Client()
		if s.Bare {
			s.Events = Server()[:1]
		}
	}
	return s, nil
}

func (s *Setup) findRepository(ctx context.Context) error {
	if s.Global {
		return nil
	}
	dir, err := s.git(ctx, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return fmt.Errorf("looking for the repository: %w", err)
	}
	s.GitDir = filepath.FromSlash(strings.TrimRight(dir, "\r\n"))
	s.Top = s.GitDir
	bare, err := s.git(ctx, "rev-parse", "--is-bare-repository")
	if err != nil {
		return err
	}
	s.Bare = strings.TrimSpace(bare) == "true"
	if !s.Bare {
		top, err := s.git(ctx, "rev-parse", "--show-toplevel")
		if err != nil {
			return fmt.Errorf("looking for the work tree: %w", err)
		}
		s.Top = filepath.FromSlash(strings.TrimRight(top, "\r\n"))
	}
	return nil
}

// findFolder resolves the hooks folder as git does: core.hooksPath, relative to
// where hooks run, or hooks/ in the directory that all work trees share.
func (s *Setup) findFolder(ctx context.Context) error {
	if n := len(s.Paths); n > 0 {
		s.Folder = filepath.FromSlash(s.Paths[n-1].Value)
		if !filepath.IsAbs(s.Folder) {
			s.Folder = filepath.Join(s.Top, s.Folder)
		}
		return nil
	}
	if s.Global {
		base, err := os.UserConfigDir()
		if err != nil {
			return fmt.Errorf("finding a folder for global hooks: %w", err)
		}
		s.Folder = filepath.Join(base, "spillgate", "git-hooks")
		return nil
	}
	common, err := s.git(ctx, "rev-parse", "--git-common-dir")
	if err != nil {
		return err
	}
	dir := filepath.FromSlash(strings.TrimRight(common, "\r\n"))
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.cwd(), dir)
	}
	s.Folder = filepath.Join(dir, "hooks")
	return nil
}

// cwd returns the absolute directory that git is run in.
func (s *Setup) cwd() string {
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return s.Dir
	}
	return dir
}

// settings returns the values of all keys that match the regular expression.
func (s *Setup) settings(ctx context.Context, pattern string) ([]Setting, error) {
	args := []string{"config", "--show-scope", "--show-origin", "-z"}
	if s.Global {
		args = append(args, "--global")
	}
	if pattern == "core.hookspath" {
		args = append(args, "--type=path")
	}
	out, err := s.git(ctx, append(args, "--get-regexp", "^"+strings.ReplaceAll(pattern, ".", `\.`))...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 || s.Global && err != nil && !s.hasGlobal() {
		return nil, nil // no such key
	}
	if err != nil {
		return nil, fmt.Errorf("reading git's configuration: %w", err)
	}
	var all []Setting
	words := strings.Split(out, "\x00")
	for i := 0; i+2 < len(words); i += 3 {
		key, value, _ := strings.Cut(words[i+2], "\n")
		all = append(all, Setting{Scope: words[i], Origin: words[i+1], Key: key, Value: value})
	}
	return all, nil
}

// hasGlobal reports whether the user has a configuration file.
func (s *Setup) hasGlobal() bool {
	for _, f := range globalFiles() {
		if _, err := os.Stat(f); err == nil {
			return true
		}
	}
	return false
}

// globalFiles returns the places of the user's configuration, in git's order
// (https://git-scm.com/docs/git-config#FILES).
func globalFiles() []string {
	if f := os.Getenv("GIT_CONFIG_GLOBAL"); f != "" {
		return []string{f}
	}
	var files []string
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	if x := os.Getenv("XDG_CONFIG_HOME"); x != "" {
		files = append(files, filepath.Join(x, "git", "config"))
	} else {
		files = append(files, filepath.Join(home, ".config", "git", "config"))
	}
	return append(files, filepath.Join(home, ".gitconfig"))
}

// probeWord is what the hook of the probe prints.
const probeWord = "spillgate-probe-ran"

// probe finds out whether this git runs hooks from its configuration: it lets
// it run one, in an empty repository.
func (s *Setup) probe(ctx context.Context) (bool, error) {
	dir, err := os.MkdirTemp("", "spillgate-probe-")
	if err != nil {
		return false, fmt.Errorf("trying out git's hooks: %w", err)
	}
	defer os.RemoveAll(dir)
	run := func(args ...string) string {
		c := exec.CommandContext(ctx, s.Git, args...)
		c.Dir = dir
		// without the user's configuration, whose hooks would run as well
		c.Env = append(cleanEnv(os.Environ()), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		out, err := c.CombinedOutput()
		if err != nil {
			return ""
		}
		return string(out)
	}
	run("init", "-q", "--template=", ".")
	out := run("-c", "core.hooksPath=.", "-c", "hook.spillgate-probe.event=pre-commit",
		"-c", "hook.spillgate-probe.command=echo "+probeWord, "hook", "run", "--ignore-missing", "pre-commit")
	return strings.Contains(out, probeWord), ctx.Err()
}

// cleanEnv returns environ without the variables that describe a repository,
// which git sets for hooks (`git rev-parse --local-env-vars`).
func cleanEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(e string) bool {
		key, _, _ := strings.Cut(e, "=")
		switch key {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
			"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_GRAFT_FILE", "GIT_NAMESPACE", "GIT_SHALLOW_FILE",
			"GIT_QUARANTINE_PATH", "GIT_IMPLICIT_WORK_TREE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_EDITOR":
			return true
		}
		return false
	})
}

// git runs git in the repository and returns what it prints.
func (s *Setup) git(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, s.Git, args...)
	c.Dir = s.Dir
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return string(out), fmt.Errorf("git %s: %w: %s", args[0], err, text)
		}
		return string(out), fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}
