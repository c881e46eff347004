package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var mutate = flag.Bool("mutate", false, "run TestMutations: take each handling away and expect its script to fail (minutes)")

// moduleRoot is where the module lies, seen from this package.
const moduleRoot = "../.."

// A mutation takes one handling out of the program. The scripts that claim to
// prove that handling must then fail, or they prove nothing.
type mutation struct {
	scripts []string
	file    string // from the root of the module
	edits   []edit
	line    int // in mutations.txt
}

// An edit replaces a text that stands once in the file.
type edit struct{ old, new string }

// readMutations reads testdata/mutations.txt, which says how it is written.
func readMutations(t *testing.T) []mutation {
	t.Helper()
	data, err := os.ReadFile("testdata/mutations.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []mutation
	var old, add []string
	var m mutation
	hunk := func() {
		if len(old)+len(add) > 0 {
			m.edits = append(m.edits, edit{strings.Join(old, "\n"), strings.Join(add, "\n")})
		}
		old, add = nil, nil
	}
	flush := func() {
		hunk()
		if m.line > 0 {
			all = append(all, m)
		}
		m = mutation{}
	}
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case line == "":
			flush()
		case line[0] == '#':
		case line == "@@":
			hunk()
		case strings.HasPrefix(line, "case "):
			m.line, m.scripts = i+1, strings.Fields(line)[1:]
		case strings.HasPrefix(line, "file "):
			m.file = strings.TrimPrefix(line, "file ")
		case line[0] == '-':
			old = append(old, line[1:])
		case line[0] == '+':
			add = append(add, line[1:])
		default:
			t.Fatalf("mutations.txt:%d: a line begins with case, file, -, +, @@ or #", i+1)
		}
	}
	flush()
	return all
}

// apply returns the mutated text of the file below root.
func (m mutation) apply(root string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	text := string(data)
	for _, e := range m.edits {
		if n := strings.Count(text, e.old); n != 1 || e.old == "" {
			return "", fmt.Errorf("the text %q stands %d times in %s, not once", e.old, n, m.file)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	return text, nil
}

// TestMutationTable keeps the table true: each mutation still fits the code,
// and each script about a hostile repository has one at least.
func TestMutationTable(t *testing.T) {
	covered := map[string]bool{}
	for _, m := range readMutations(t) {
		if len(m.scripts) == 0 || len(m.edits) == 0 {
			t.Errorf("mutations.txt:%d: it names no script or changes nothing", m.line)
		}
		if _, err := m.apply(moduleRoot); err != nil {
			t.Errorf("mutations.txt:%d: %v; the code moved on: say anew how to take the handling out of it", m.line, err)
		}
		for _, s := range m.scripts {
			covered[s] = true
			if _, err := os.Stat(scriptFile(s)); err != nil {
				t.Errorf("mutations.txt:%d: %v", m.line, err)
			}
		}
	}
	hostile, err := filepath.Glob(scriptFile("hostile_*"))
	if err != nil || len(hostile) == 0 {
		t.Fatalf("no hostile scripts: %v", err)
	}
	for _, file := range hostile {
		if name := strings.TrimSuffix(filepath.Base(file), ".txtar"); !covered[name] {
			t.Errorf("mutations.txt names nothing that %s would notice", name)
		}
	}
}

func scriptFile(name string) string {
	return filepath.Join("testdata", "script", name+".txtar")
}

// TestMutations applies each mutation to a copy of the module, builds it and
// expects the scripts to fail:
//
//	go test ./cmd/spillgate -run TestMutations -mutate -timeout 2h -v
//	go test ./cmd/spillgate -run TestMutations/hostile_shallow -mutate -v
func TestMutations(t *testing.T) {
	if !*mutate {
		t.Skip("slow: run with -mutate")
	}
	root := t.TempDir()
	copyModule(t, root)
	whole := build(t, root)
	sound := map[string]bool{} // scripts that pass without any mutation
	for _, m := range readMutations(t) {
		t.Run(strings.Join(m.scripts, ",")+fmt.Sprintf("/line%d", m.line), func(t *testing.T) {
			text, err := m.apply(root)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range m.scripts {
				if sound[s] {
					continue
				}
				if ok, out := runScript(t, root, whole, s); !ok {
					t.Fatalf("%s fails without any mutation:\n%s", s, out)
				}
				sound[s] = true
			}
			file := filepath.Join(root, m.file)
			original, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := os.WriteFile(file, original, 0o644); err != nil {
					t.Fatal(err)
				}
			}()
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			mutant := build(t, root)
			for _, s := range m.scripts {
				ok, out := runScript(t, root, mutant, s)
				switch {
				case ok:
					t.Errorf("mutations.txt:%d: %s passes without the handling in %s", m.line, s, m.file)
				case !strings.Contains(out, "--- FAIL: TestScript/"+s):
					t.Errorf("mutations.txt:%d: %s did not run:\n%s", m.line, s, out)
				default:
					t.Logf("%s notices: %s", s, failure(out))
				}
			}
		})
	}
}

// copyModule copies the module's files to root, without nested modules.
func copyModule(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(moduleRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(moduleRoot, path)
		if err != nil {
			return err
		}
		to := filepath.Join(root, rel)
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && rel != "." || d.Name() == ".git" {
				return fs.SkipDir
			}
			return os.MkdirAll(to, 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// build compiles this package's test binary in the copy at root.
func build(t *testing.T, root string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "scripts.test")
	c := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-o", binary, "./cmd/spillgate")
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("does not build: %v\n%s", err, out)
	}
	return binary
}

// runScript runs one script with a test binary of the copy at root and reports
// whether it passed.
func runScript(t *testing.T, root, binary, script string) (bool, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, binary, "-test.run", "^TestScript$/^"+script+"$", "-test.v", "-test.timeout", "170s")
	c.Dir = filepath.Join(root, "cmd", "spillgate")
	out, err := c.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "--- PASS: TestScript/"+script) {
		t.Fatalf("%s did not run:\n%s", script, out)
	}
	return err == nil, string(out)
}

// failure returns the line of a script's output that says where it failed.
func failure(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "FAIL: ") && strings.Contains(line, ".txtar:") {
			return strings.TrimSpace(line)
		}
	}
	return "no reason given"
}
