package hooks

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A sandbox is a home and folders beside it, in which nothing of the machine's
// configuration counts. Its path has a space and a quote.
type sandbox struct {
	t    *testing.T
	root string
	log  string // what the recording spillgate was called with
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the recording program is a shell script")
	}
	s := &sandbox{t: t, root: filepath.Join(t.TempDir(), "it's a sandbox")}
	s.log = s.path("log")
	s.mkdir("home")
	for _, kv := range [][2]string{
		{"HOME", s.path("home")}, {"XDG_CONFIG_HOME", ""}, {"GIT_CONFIG_NOSYSTEM", "1"}, {"GIT_CONFIG_GLOBAL", ""},
		{"GIT_AUTHOR_NAME", "a"}, {"GIT_AUTHOR_EMAIL", "a@b"}, {"GIT_COMMITTER_NAME", "a"}, {"GIT_COMMITTER_EMAIL", "a@b"},
		{"LC_ALL", "C"}, {"LOG", s.log}, {"PATH", withoutSpillgate(os.Getenv("PATH"))},
	} {
		t.Setenv(kv[0], kv[1])
	}
	for _, name := range []string{"GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"} {
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	s.write("bin/spillgate", "#!/bin/sh\n{ echo \"spillgate $*\"; [ \"$3\" != pre-push ] || cat; } >>\"$LOG\"\n[ ! -e \"$LOG.fail\" ]\n", 0o755)
	return s
}

// withoutSpillgate leaves out of a PATH the folders that have an installed
// spillgate, which the hooks would fall back to.
func withoutSpillgate(path string) string {
	dirs := slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "spillgate"))
		return err == nil
	})
	return strings.Join(dirs, string(os.PathListSeparator))
}

func (s *sandbox) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s *sandbox) mkdir(name string) {
	s.t.Helper()
	if err := os.MkdirAll(s.path(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sandbox) write(name, text string, mode fs.FileMode) {
	s.t.Helper()
	s.mkdir(filepath.ToSlash(filepath.Dir(name)))
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(s.path(name), mode); err != nil {
		s.t.Fatal(err)
	}
}

// git runs git in a folder and returns what it printed.
func (s *sandbox) git(dir string, args ...string) string {
	s.t.Helper()
	out, err := s.try(dir, args...)
	if err != nil {
		s.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

func (s *sandbox) try(dir string, args ...string) (string, error) {
	c := exec.Command("git", append([]string{"-c", "protocol.file.allow=always", "-c", "maintenance.auto=false"}, args...)...)
	c.Dir = s.path(dir)
	out, err := c.CombinedOutput()
	return string(out), err
}

func (s *sandbox) open(dir string, o Options) *Setup {
	s.t.Helper()
	o.Dir, o.Program = s.path(dir), s.path("bin/spillgate")
	o.Files = o.Git == "" // the tests of configured hooks name their git
	setup, err := Open(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return setup
}

// snapshot describes every file below a folder: name, mode and content. The
// log of reflogs and objects does not change by installing, so nothing is left
// out.
func (s *sandbox) snapshot() string {
	s.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := ""
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what = fmt.Sprintf("%x", sha256.Sum256(data))
		case info.Mode()&fs.ModeSymlink != 0:
			if what, err = os.Readlink(path); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "%s %s %s\n", strings.TrimPrefix(path, s.root), info.Mode(), what)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

// called returns what was logged since the last call.
func (s *sandbox) called() string {
	data, _ := os.ReadFile(s.log)
	_ = os.Remove(s.log)
	return string(data)
}

// TestUninstallLeavesEveryByte installs, installs again, checks that git calls
// the program, and compares the whole tree before and after, in every place
// where hooks can be.
func TestUninstallLeavesEveryByte(t *testing.T) {
	const own = "#!/bin/sh\necho own \"$@\" >>\"$LOG\"\n"
	cases := []struct {
		name    string
		prepare func(s *sandbox) (dir string) // makes a repository
		options Options
		own     bool // its own pre-commit hook is called first
	}{
		{"plain", func(s *sandbox) string { return "r" }, Options{}, false},
		{"no hooks folder", func(s *sandbox) string {
			if err := os.RemoveAll(s.path("r/.git/hooks")); err != nil {
				s.t.Fatal(err)
			}
			return "r"
		}, Options{}, false},
		{"a hook is there", func(s *sandbox) string {
			s.write("r/.git/hooks/pre-commit", own, 0o750)
			return "r"
		}, Options{}, true},
		{"a hook that is a link", func(s *sandbox) string {
			s.write("r/tools/check", own, 0o755)
			if err := os.Symlink("../../tools/check", s.path("r/.git/hooks/pre-commit")); err != nil {
				s.t.Fatal(err)
			}
			return "r"
		}, Options{}, true},
		{"a hook that is not executable", func(s *sandbox) string {
			s.write("r/.git/hooks/pre-commit", own, 0o644)
			return "r"
		}, Options{}, false},
		{"core.hooksPath in the work tree", func(s *sandbox) string {
			s.git("r", "config", "core.hooksPath", ".git hooks/x")
			s.write("r/.git hooks/x/pre-commit", own, 0o755)
			return "r"
		}, Options{}, true},
		{"core.hooksPath is not there", func(s *sandbox) string {
			s.git("r", "config", "core.hooksPath", "a/b/c")
			return "r"
		}, Options{}, false},
		{"a subdirectory", func(s *sandbox) string { s.mkdir("r/sub/sub"); return "r/sub/sub" }, Options{}, false},
		{"a linked work tree", func(s *sandbox) string {
			s.git("r", "worktree", "add", "-q", s.path("wt"))
			return "wt"
		}, Options{}, false},
		{"a submodule", func(s *sandbox) string {
			s.git("r", "submodule", "--quiet", "add", s.path("r"), "sm")
			return "r/sm"
		}, Options{}, false},
		{"global", func(s *sandbox) string {
			s.write("r/.git/hooks/pre-commit", own, 0o755)
			return "r"
		}, Options{Global: true}, true},
		{"global, with a configuration", func(s *sandbox) string {
			s.write("home/.gitconfig", "# mine\n[core]\n\tpager = cat\n[alias]\n\tx = y\n", 0o640)
			return "r"
		}, Options{Global: true}, false},
		{"global, with core.hooksPath", func(s *sandbox) string {
			s.write("home/hooks/pre-commit", own, 0o755)
			s.git("r", "config", "--global", "core.hooksPath", "~/hooks")
			return "r"
		}, Options{Global: true}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t)
			s.mkdir("r")
			s.git("r", "init", "-q", "-b", "main")
			s.git("r", "commit", "-q", "--allow-empty", "-m", "base")
			dir := c.prepare(s)
			before := s.snapshot()
			ctx := context.Background()
			if _, err := s.open(dir, c.options).Install(ctx); err != nil {
				t.Fatal(err)
			}
			installed := s.snapshot()
			if installed == before {
				t.Fatal("nothing was installed")
			}
			again, err := s.open(dir, c.options).Install(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range again {
				if change.What != "already installed" {
					t.Errorf("installed twice: %+v", change)
				}
			}
			if s.snapshot() != installed {
				t.Error("installing twice changed something")
			}
			steps, err := s.open(dir, Options{}).Steps(ctx, "pre-commit")
			if err != nil || !Guarded(steps) {
				t.Errorf("steps: %+v, %v", steps, err)
			}
			fire(s, dir, c.own)
			if _, err := s.open(dir, c.options).Uninstall(ctx); err != nil {
				t.Fatal(err)
			}
			if after := s.snapshot(); after != before {
				t.Error(differences(before, after))
			}
		})
	}
}

// fire tries to commit, which the recording program refuses, so that the
// repository stays as it was.
func fire(s *sandbox, dir string, own bool) {
	s.t.Helper()
	want := "spillgate hook run pre-commit --\n"
	if own {
		want = "own\n" + want
	}
	s.called()
	s.write("log.fail", "", 0o600)
	s.t.Setenv("GIT_INDEX_FILE", s.path("index"))
	if out, err := s.try(dir, "commit", "-q", "--allow-empty", "-m", "x"); err == nil {
		s.t.Errorf("a commit passed though the program refused it: %s", out)
	}
	if err := os.Unsetenv("GIT_INDEX_FILE"); err != nil {
		s.t.Fatal(err)
	}
	if got := s.called(); got != want {
		s.t.Errorf("called:\n%s\nwant:\n%s", got, want)
	}
	for _, name := range []string{"log.fail", "index"} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// differences returns the lines that only one of two snapshots has.
func differences(before, after string) string {
	var b strings.Builder
	for sign, pair := range map[string][2]string{"-": {before, after}, "+": {after, before}} {
		for line := range strings.Lines(pair[0]) {
			if !strings.Contains("\n"+pair[1], "\n"+line) {
				b.WriteString(sign + line)
			}
		}
	}
	return b.String()
}
