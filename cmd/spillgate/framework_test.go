package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOtherFrameworks runs the script hook_framework, which takes the pre-commit
// on PATH, with further programs that understand the same configuration: other
// versions of pre-commit and prek, which SPILLGATE_TEST_FRAMEWORKS lists as PATH
// does.
func TestOtherFrameworks(t *testing.T) {
	programs := filepath.SplitList(os.Getenv("SPILLGATE_TEST_FRAMEWORKS"))
	if len(programs) == 0 || runtime.GOOS == "windows" {
		t.Skip("SPILLGATE_TEST_FRAMEWORKS lists no programs")
	}
	for _, program := range programs {
		out, err := exec.Command(program, "--version").Output()
		if err != nil {
			t.Fatalf("%s --version: %v", program, err)
		}
		t.Run(strings.ReplaceAll(strings.TrimSpace(string(out)), " ", "-"), func(t *testing.T) {
			p := params()
			p.Files = []string{"testdata/script/hook_framework.txtar"}
			p.Setup = func(env *testscript.Env) error {
				bin := filepath.Join(env.WorkDir, "bin")
				env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
				call := "#!/bin/sh\nexec '" + program + "' \"$@\"\n"
				if err := errors.Join(setup(env), os.MkdirAll(bin, 0o755), os.WriteFile(filepath.Join(bin, "pre-commit"), []byte(call), 0o755)); err != nil {
					return err
				}
				env.Setenv("FRAMEWORK", filepath.Base(program))
				env.Setenv("PUSH", "pre-push")
				return nil
			}
			testscript.Run(t, p)
		})
	}
}

// TestFrameworkBuilds lets the pre-commit framework build the hook from this
// module, as it does on a user's machine (language: golang), but offline: from
// the module cache. The script hook_framework has the rest.
func TestFrameworkBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program anew")
	}
	programs := filepath.SplitList(os.Getenv("SPILLGATE_TEST_FRAMEWORKS"))
	if program, err := exec.LookPath("pre-commit"); err == nil && len(programs) == 0 {
		programs = append(programs, program)
	}
	if len(programs) == 0 {
		t.Skip("pre-commit is not installed: apt-get install pre-commit")
	}
	b := &builds{t: t, work: t.TempDir()}
	rev := b.module()
	for _, program := range programs {
		b.commits(program, rev)
	}
}

// builds is a folder with this module as a repository and one that uses it.
type builds struct {
	t    *testing.T
	work string
	env  []string
}

// module makes a repository of the module as it lies here, committed or not,
// and returns its commit.
func (b *builds) module() string {
	b.t.Helper()
	root, err := filepath.Abs(moduleRoot)
	if err != nil {
		b.t.Fatal(err)
	}
	caches, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	cache := strings.Fields(string(caches))
	b.env = append(os.Environ(), "HOME="+b.work, "PRE_COMMIT_COLOR=never",
		"GOMODCACHE="+cache[0], "GOCACHE="+cache[1], "GOPROXY=off", "GOSUMDB=off", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	b.must(".", "git", "init", "-q", "hooks")
	b.must("hooks", "git", "--work-tree="+root, "add", ".")
	b.must("hooks", "git", "commit", "-q", "-m", "the module")
	return strings.TrimSpace(b.must("hooks", "git", "rev-parse", "HEAD"))
}

func (b *builds) run(dir, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = filepath.Join(b.work, dir)
	c.Env = b.env
	out, err := c.CombinedOutput()
	return string(out), err
}

func (b *builds) must(dir, name string, args ...string) string {
	b.t.Helper()
	out, err := b.run(dir, name, args...)
	if err != nil {
		b.t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
	return out
}

// commits lets a framework install the hook of the module and commits with it.
func (b *builds) commits(program, rev string) {
	b.t.Helper()
	repo, err := os.MkdirTemp(b.work, "repo")
	if err != nil {
		b.t.Fatal(err)
	}
	dir := filepath.Base(repo)
	b.env = append(b.env, "PRE_COMMIT_HOME="+repo+".cache", "PREK_HOME="+repo+".cache")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	b.must(dir, "git", "init", "-q")
	write(".pre-commit-config.yaml", "repos:\n- repo: "+filepath.Join(b.work, "hooks")+"\n  rev: "+rev+"\n  hooks:\n  - id: spillgate\n")
	write("a.txt", "one\n")
	b.must(dir, "git", "add", ".")
	b.must(dir, program, "install")
	if out := b.must(dir, "git", "commit", "-m", "clean"); !strings.Contains(out, "Passed") {
		b.t.Errorf("%s: the hook did not run: %s", program, out)
	}
	arn := ""
	for _, s := range samples() {
		if s.name == "KMSARN" {
			arn = s.text
		}
	}
	write("a.txt", "one\nkey = "+arn+"\n")
	if out, err := b.run(dir, "git", "commit", "-am", "leak"); err == nil || !strings.Contains(out, "a.txt:2:7") {
		b.t.Errorf("%s: a leak was committed: %v\n%s", program, err, out)
	}
}
