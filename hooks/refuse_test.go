package hooks

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func (s *sandbox) repo(name string, args ...string) {
	s.t.Helper()
	s.mkdir(name)
	s.git(name, append([]string{"init", "-q", "-b", "main"}, args...)...)
}

func (s *sandbox) install(dir string, o Options) {
	s.t.Helper()
	if _, err := s.open(dir, o).Install(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// TestInstallRefuses checks that Install destroys nothing, and says the way out.
func TestInstallRefuses(t *testing.T) {
	const foreign = "#!/bin/sh\nexit 0\n"
	cases := []struct {
		name    string
		prepare func(s *sandbox)
		says    string
	}{
		{"the place aside is taken", func(s *sandbox) {
			s.write("r/.git/hooks/pre-push", foreign, 0o755)
			s.write("r/.git/hooks/pre-push.before-spillgate", foreign, 0o755)
		}, "move one of them away"},
		{"an edited hook", func(s *sandbox) {
			s.install("r", Options{})
			data, err := os.ReadFile(s.path("r/.git/hooks/pre-commit"))
			if err != nil {
				s.t.Fatal(err)
			}
			s.write("r/.git/hooks/pre-commit", strings.Replace(string(data), "status=0", "status=0 # mine", 1), 0o755)
		}, "somebody edited"},
		{"a dangling link", func(s *sandbox) {
			if err := os.Symlink("nowhere", s.path("r/.git/hooks/commit-msg")); err != nil {
				s.t.Fatal(err)
			}
		}, "link to something that is not there"},
		{"hooks are off", func(s *sandbox) { s.git("r", "config", "core.hooksPath", os.DevNull) }, "runs no hook at all"},
		{"all repositories share the hooks", func(s *sandbox) { s.git("r", "config", "--global", "core.hooksPath", s.path("home/hooks")) }, "--global"},
		{"husky's folder", func(s *sandbox) { s.git("r", "config", "core.hooksPath", ".husky/_") }, "--with husky"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t)
			s.repo("r")
			c.prepare(s)
			before := s.snapshot()
			_, err := s.open("r", Options{}).Install(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
			if s.snapshot() != before {
				t.Error("something changed")
			}
		})
	}
}

// TestUninstallLeavesEdited checks that what somebody edited, or another
// program moved, stays.
func TestUninstallLeavesEdited(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	s.install("r", Options{Events: []string{"pre-commit"}})
	file := s.path("r/.git/hooks/pre-commit")
	if err := os.Rename(file, file+".legacy"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open("r", Options{}).Uninstall(context.Background()); err == nil || !strings.Contains(err.Error(), "pre-commit uninstall") {
		t.Errorf("a hook that was moved: %v", err)
	}
	data, err := os.ReadFile(file + ".legacy")
	if err != nil {
		t.Fatal(err)
	}
	s.write("r/.git/hooks/pre-commit", string(data)+"echo mine\n", 0o755)
	if _, err := s.open("r", Options{}).Uninstall(context.Background()); err == nil || !strings.Contains(err.Error(), "edited") {
		t.Errorf("an edited hook: %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// TestChain checks that arguments and standard input reach both hooks, and how
// their exit codes combine.
func TestChain(t *testing.T) {
	s := newSandbox(t)
	s.repo("up", "--bare")
	s.repo("r")
	s.git("r", "commit", "-q", "--allow-empty", "-m", "base")
	s.write("r/.git/hooks/pre-push", "#!/bin/sh\necho own \"$1\" >>\"$LOG\"; cat >>\"$LOG\"; [ ! -e \"$LOG.own\" ]\n", 0o755)
	s.install("r", Options{})
	up := s.path("up")
	id := strings.TrimSpace(s.git("r", "rev-parse", "HEAD"))
	line := func(branch string) string {
		return "HEAD " + id + " refs/heads/" + branch + " " + strings.Repeat("0", 40) + "\n"
	}
	push := func(branch string) error {
		_, err := s.try("r", "push", "-q", up, "HEAD:refs/heads/"+branch)
		return err
	}
	if err := push("a"); err != nil {
		t.Error(err)
	}
	want := "own " + up + "\n" + line("a") + "spillgate hook run pre-push -- " + up + " " + up + "\n" + line("a")
	if got := s.called(); got != want {
		t.Errorf("called:\n%s\nwant:\n%s", got, want)
	}
	s.write("log.own", "", 0o600)
	if err := push("b"); err == nil {
		t.Error("the hook that was there refused, and the push passed")
	}
	if got := s.called(); !strings.Contains(got, "spillgate hook run") {
		t.Errorf("Spillgate was not called: %s", got)
	}
	if err := os.Rename(s.path("log.own"), s.path("log.fail")); err != nil {
		t.Fatal(err)
	}
	if err := push("b"); err == nil {
		t.Error("Spillgate refused, and the push passed")
	}
}

// TestProgramIsGone checks that a hook without its program takes the one on
// PATH, and without that refuses and says what to do.
func TestProgramIsGone(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	s.install("r", Options{})
	s.mkdir("path")
	if err := os.Rename(s.path("bin/spillgate"), s.path("path/spillgate")); err != nil {
		t.Fatal(err)
	}
	out, err := s.try("r", "commit", "-q", "--allow-empty", "-m", "x")
	if err == nil || !strings.Contains(out, "nothing was scanned") || !strings.Contains(out, "spillgate hook install") {
		t.Errorf("%v: %s", err, out)
	}
	steps, err := s.open("r", Options{}).Steps(context.Background(), "pre-commit")
	if err != nil || Guarded(steps) || !steps[0].Fails {
		t.Errorf("steps: %+v, %v", steps, err)
	}
	t.Setenv("PATH", s.path("path")+string(os.PathListSeparator)+os.Getenv("PATH"))
	if out, err := s.try("r", "commit", "-q", "--allow-empty", "-m", "x"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if got := s.called(); !strings.Contains(got, "spillgate hook run pre-commit") {
		t.Errorf("called: %s", got)
	}
}

// TestGlobalStays: uninstalling from one repository leaves the hooks of all of
// them alone.
func TestGlobalStays(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	s.install("r", Options{Global: true})
	before := s.snapshot()
	if done, err := s.open("r", Options{}).Uninstall(context.Background()); err != nil || len(done) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if after := s.snapshot(); after != before {
		t.Error(differences(before, after))
	}
}

// TestGlobalPassesOn checks that the user's hooks folder does not hide a
// repository's own hooks, of other names too.
func TestGlobalPassesOn(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	for _, name := range []string{"pre-commit", "post-commit", "prepare-commit-msg"} {
		s.write("r/.git/hooks/"+name, "#!/bin/sh\necho own "+name+" >>\"$LOG\"\n", 0o755)
	}
	s.install("r", Options{Global: true})
	if out, err := s.try("r", "commit", "-q", "--allow-empty", "-m", "x"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := "own pre-commit\nspillgate hook run pre-commit --\nown prepare-commit-msg\nspillgate hook run commit-msg -- .git/COMMIT_EDITMSG\nown post-commit\n"
	if got := s.called(); got != want {
		t.Errorf("called:\n%s\nwant:\n%s", got, want)
	}
	// its own core.hooksPath hides the user's: that must show
	s.git("r", "config", "core.hooksPath", ".githooks")
	steps, err := s.open("r", Options{}).Steps(context.Background(), "pre-commit")
	if err != nil || Guarded(steps) {
		t.Errorf("steps: %+v, %v", steps, err)
	}
}

// newGit writes a git that runs hooks of the configuration, as git does since
// its version 2.54, and hands everything else to the real one. It knows `hook
// run` and the hook before a commit.
func (s *sandbox) newGit() string {
	real, err := exec.LookPath("git")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := exec.LookPath("bash"); err != nil {
		s.t.Skip("no bash")
	}
	s.write("new/git", `#!/bin/bash
real=`+quote(real)+`
opts=()
while [[ $1 == -c ]]; do opts+=("$1" "$2"); shift 2; done
git() { "$real" "${opts[@]}" "$@"; }
fire() {
	event=$1; shift
	[ "$1" = -- ] && shift
	for name in $(git config --get-regexp '^hook\..*\.event$' "^$event\$" | sed 's/^hook\.//; s/\.event .*//'); do
		command=$(git config "hook.$name.command")
		if [ $# -gt 0 ]; then sh -c "$command \"\$@\"" "$command" "$@" || exit; else sh -c "$command" || exit; fi
	done
}
case "$1 $2" in
"--version "*) echo git version 2.54.0 ;;
"hook run") shift 2; [ "$1" = --ignore-missing ] && shift; fire "$@" ;;
"commit "*) fire pre-commit; git "$@" ;;
*) exec "$real" "${opts[@]}" "$@" ;;
esac
`, 0o755)
	return s.path("new/git")
}

// realNewGit returns a real git that runs hooks of its configuration: the one
// that SPILLGATE_TEST_GIT names, or the one on PATH.
func (s *sandbox) realNewGit() string {
	for _, git := range []string{os.Getenv("SPILLGATE_TEST_GIT"), "git"} {
		if git == "" {
			continue
		}
		if setup, err := Open(context.Background(), Options{Git: git, Global: true}); err == nil && setup.Configured {
			return git
		}
	}
	s.t.Skip("no git here runs hooks of its configuration (2.54 does); SPILLGATE_TEST_GIT may name one")
	return ""
}

// TestConfigured checks hooks of the configuration, with a stand-in that runs
// them and with a git that does.
func TestConfigured(t *testing.T) {
	for _, c := range []struct {
		name   string
		git    func(*sandbox) string
		global bool
	}{
		{"stand-in", (*sandbox).newGit, false},
		{"stand-in, global", (*sandbox).newGit, true},
		{"git", (*sandbox).realNewGit, false},
		{"git, global", (*sandbox).realNewGit, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t)
			git := c.git(s)
			s.repo("r")
			s.configured(Options{Git: git, Global: c.global})
		})
	}
}

// configured installs hooks in the configuration, lets git run them, and takes
// them out.
func (s *sandbox) configured(o Options) {
	s.t.Helper()
	ctx := context.Background()
	before := s.snapshot()
	if done, err := s.open("r", o).Install(ctx); err != nil || len(done) != 4 || !strings.Contains(done[0].Where, "configuration, hook.spillgate-pre-commit") {
		s.t.Fatalf("%+v, %v", done, err)
	}
	installed := s.snapshot()
	if again, err := s.open("r", o).Install(ctx); err != nil || again[3].What != "already installed" || s.snapshot() != installed {
		s.t.Errorf("installed twice: %+v, %v", again, err)
	}
	setup := s.open("r", Options{Git: o.Git})
	steps, err := setup.Steps(ctx, "pre-push")
	if err != nil || !setup.Configured || !Guarded(steps) || steps[0].By != "Spillgate" {
		s.t.Errorf("steps: %+v, %v", steps, err)
	}
	run := func(args ...string) (string, error) {
		c := exec.Command(o.Git, append([]string{"hook", "run"}, args...)...)
		c.Dir = s.path("r")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("commit-msg", "--", "a file"); err != nil {
		s.t.Errorf("%v: %s", err, out)
	}
	if got := s.called(); got != "spillgate hook run commit-msg -- a file\n" {
		s.t.Errorf("called: %s", got)
	}
	// the program is gone: it refuses
	if err := os.Rename(s.path("bin/spillgate"), s.path("bin/x")); err != nil {
		s.t.Fatal(err)
	}
	if out, err := run("pre-commit"); err == nil || !strings.Contains(out, "nothing was scanned") {
		s.t.Errorf("%v: %s", err, out)
	}
	if err := os.Rename(s.path("bin/x"), s.path("bin/spillgate")); err != nil {
		s.t.Fatal(err)
	}
	// a git that does not run them says so
	if old := s.open("r", Options{}); !old.Configured {
		if steps, err := old.Steps(ctx, "pre-push"); err != nil || len(steps) != 1 || steps[0].Runs() {
			s.t.Errorf("with another git: %+v, %v", steps, err)
		}
	}
	// switched off, one by one or all of an event
	for _, key := range []string{"hook.spillgate-pre-push.enabled", "hook.pre-push.enabled"} {
		s.git("r", "config", key, "false")
		if steps, err := setup.Steps(ctx, "pre-push"); err != nil || Guarded(steps) || !strings.Contains(steps[0].Trouble, key) {
			s.t.Errorf("with %s off: %+v, %v", key, steps, err)
		}
		s.git("r", "config", "--unset", key)
	}
	// files of before go when git runs hooks of its configuration, and the other way round
	for _, files := range []bool{true, false} {
		o := o
		o.Files = files
		o.Dir, o.Program = s.path("r"), s.path("bin/spillgate")
		again, err := Open(ctx, o)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := again.Install(ctx); err != nil {
			s.t.Fatal(err)
		}
		steps, err := s.open("r", Options{Git: setup.Git}).Steps(ctx, "pre-commit")
		if err != nil || len(steps) != 1 || !Guarded(steps) || strings.HasPrefix(steps[0].Where, "hook.") == files {
			s.t.Errorf("files %t: %+v, %v", files, steps, err)
		}
	}
	if done, err := s.open("r", o).Uninstall(ctx); err != nil || len(done) != 4 {
		s.t.Errorf("%+v, %v", done, err)
	}
	if after := s.snapshot(); after != before {
		s.t.Error(differences(before, after))
	}
}

// TestHusky checks that lines go into husky's hooks and out again, that they
// are run, and that standard input reaches the lines after them.
func TestHusky(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	t.Setenv("PATH", s.path("bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	s.write("r/.husky/pre-commit", "echo own >>\"$LOG\"", 0o644)
	s.write("r/.husky/pre-push", "cat >>\"$LOG\"\n", 0o644)
	// what husky 9 writes: hooks in _ that run the file of their name with sh -e
	for _, event := range Client() {
		s.write("r/.husky/_/"+event, "#!/usr/bin/env sh\n. \"${0%/*}/h\"\n", 0o755)
	}
	s.write("r/.husky/_/h", "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\n", 0o755)
	s.git("r", "config", "core.hooksPath", ".husky/_")
	before := s.snapshot()
	ctx := context.Background()
	for range 2 {
		if done, _, err := s.open("r", Options{}).With("husky"); err != nil || len(done) != 4 {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	for _, event := range Client() {
		if steps, err := s.open("r", Options{}).Steps(ctx, event); err != nil || !Guarded(steps) || steps[0].By != "husky" {
			t.Errorf("%s: %+v, %v", event, steps, err)
		}
	}
	s.git("r", "commit", "-q", "--allow-empty", "-m", "x")
	if got := s.called(); got != "own\nspillgate hook run pre-commit\nspillgate hook run commit-msg -- .git/COMMIT_EDITMSG\n" {
		t.Errorf("called: %s", got)
	}
	s.repo("up", "--bare")
	s.git("r", "push", "-q", s.path("up"), "main")
	if got := s.called(); strings.Count(got, "refs/heads/main") != 4 {
		t.Errorf("standard input did not reach both: %s", got)
	}
	for _, name := range []string{"up", "r/.git"} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	s.repo("r")
	s.git("r", "config", "core.hooksPath", ".husky/_")
	if _, _, err := s.open("r", Options{}).Without("husky"); err != nil {
		t.Fatal(err)
	}
	if after := s.snapshot(); after != before {
		t.Error(differences(before, after))
	}
}

// TestManagers checks what the others are told to add.
func TestManagers(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	setup := s.open("r", Options{})
	for manager, want := range map[string]string{
		"lefthook":   "pre-push:\n  scripts:\n    spillgate:\n      runner: sh\n      use_stdin: true",
		"pre-commit": "- id: spillgate-pre-push",
		"prek":       "prek install --hook-type pre-commit",
	} {
		_, text, err := setup.With(manager)
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %v: %s", manager, err, text)
		}
	}
	if _, _, err := setup.With("overcommit"); err == nil {
		t.Error("an unknown manager is no error")
	}
}
