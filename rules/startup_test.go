package rules

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The built-in program costs nothing until it is used: no package-level
// variable of this package is computed when a program starts.
func TestNothingAtStartUp(t *testing.T) {
	line := regexp.MustCompile(`init (github\.com/\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs`)
	best := map[string]float64{}
	for range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "init runtime") {
			t.Fatalf("no trace of package initialization: %v\n%s", err, out)
		}
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			ms, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			if b, ok := best[m[1]]; !ok || ms < b {
				best[m[1]] = ms
			}
		}
	}
	for pkg, ms := range best {
		if ms > 0.1 {
			t.Errorf("initializing %s takes %v ms", pkg, ms)
		}
	}
}

func TestBuiltinIsReady(t *testing.T) {
	if Builtin() != Builtin() || len(Builtin().Rules) == 0 {
		t.Fatal("Builtin does not return one program with rules")
	}
	start := time.Now()
	for range 1000 {
		Builtin()
	}
	if took := time.Since(start); took > 10*time.Millisecond {
		t.Errorf("1,000 calls of Builtin take %v", took)
	}
}

// parseFolder parses all the rules of this folder.
func parseFolder(t testing.TB) []Rule {
	files, err := filepath.Glob("*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	var all []Rule
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := Parse(f, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed...)
	}
	return all
}

func TestGeneratedProgramIsCurrent(t *testing.T) {
	saved := builtin.patterns
	builtin.patterns = nil // what is compiled must not come from there
	defer func() { builtin.patterns = saved }()
	p, err := CompileForRelease(parseFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := format.Source(p.AppendGo(nil))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("program_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("program_gen.go is not what the rules compile to: run go generate ./rules")
	}
}

// Nearly all rules run on the machine of this package: regexp is for
// exceptions, which this list names.
func TestBuiltinNeedsNoRegexp(t *testing.T) {
	exceptions := map[string]bool{
		"openvpn-static-key": true, // 15 lines with up to 40 joints each, behind a very rare literal
	}
	for i := range builtin.patterns {
		if p := &builtin.patterns[i]; len(p.code.insts) == 0 && !exceptions[builtin.Rules[p.rule].ID] {
			t.Errorf("rule %s: pattern %s is left to regexp", builtin.Rules[p.rule].ID, p.regexp)
		}
	}
}
