package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFrameworkBuilds lets the pre-commit framework build the hook from this
// module, as it does on a user's machine (language: golang), but offline: from
// the module cache. The script hook_framework has the rest.
func TestFrameworkBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program anew")
	}
	if _, err := exec.LookPath("pre-commit"); err != nil {
		t.Skip("pre-commit is not installed: apt-get install pre-commit")
	}
	root, err := filepath.Abs(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	caches, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := strings.Fields(string(caches))
	run := func(dir, name string, args ...string) (string, error) {
		c := exec.Command(name, args...)
		c.Dir = filepath.Join(work, dir)
		c.Env = append(os.Environ(), "HOME="+work, "PRE_COMMIT_HOME="+filepath.Join(work, "cache"), "PRE_COMMIT_COLOR=never",
			"GOMODCACHE="+cache[0], "GOCACHE="+cache[1], "GOPROXY=off", "GOSUMDB=off", "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	must := func(dir, name string, args ...string) string {
		t.Helper()
		out, err := run(dir, name, args...)
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
		}
		return out
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// the module as it lies here, committed or not
	must(".", "git", "init", "-q", "hooks")
	must("hooks", "git", "--work-tree="+root, "add", ".")
	must("hooks", "git", "commit", "-q", "-m", "the module")
	rev := strings.TrimSpace(must("hooks", "git", "rev-parse", "HEAD"))

	must(".", "git", "init", "-q", "repo")
	write("repo/.pre-commit-config.yaml", "repos:\n- repo: "+filepath.Join(work, "hooks")+"\n  rev: "+rev+"\n  hooks:\n  - id: spillgate\n")
	write("repo/a.txt", "one\n")
	must("repo", "git", "add", ".")
	must("repo", "pre-commit", "install")
	if out := must("repo", "git", "commit", "-m", "clean"); !strings.Contains(out, "Passed") {
		t.Errorf("the hook did not run: %s", out)
	}
	arn := ""
	for _, s := range samples() {
		if s.name == "KMSARN" {
			arn = s.text
		}
	}
	write("repo/a.txt", "one\nkey = "+arn+"\n")
	if out, err := run("repo", "git", "commit", "-am", "leak"); err == nil || !strings.Contains(out, "a.txt:2:7") {
		t.Errorf("a leak was committed: %v\n%s", err, out)
	}
}
