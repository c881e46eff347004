package rules

import (
	"os"
	"strings"
	"testing"
)

// TestKnownFormats holds the checklist of credentials that the field knows to
// rules that exist, and each of those rules to finding one of its own examples
// at the gate's default or, where the shape proves less, as a warning at least.
func TestKnownFormats(t *testing.T) {
	text, err := os.ReadFile("testdata/formats.txt")
	if err != nil {
		t.Fatal(err)
	}
	p := compileAll(t)
	byID := map[string]*Rule{}
	for i := range p.Rules {
		byID[p.Rules[i].ID] = &p.Rules[i]
	}
	counts, used := map[string]int{}, map[string]bool{}
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 3 {
			t.Errorf("line %d: want a source, a name and a rule", n+1)
			continue
		}
		if used[f[0]+" "+f[1]] {
			t.Errorf("line %d: %s stands there twice", n+1, f[1])
		}
		used[f[0]+" "+f[1]] = true
		counts[f[0]]++
		r := byID[f[2]]
		if r == nil {
			t.Errorf("line %d: %s: there is no rule %s", n+1, f[1], f[2])
			continue
		}
		if from, to, ok := secretOf(p, r.ID, r.Match[0]); !ok || from == to {
			t.Errorf("line %d: %s: %s does not find its own example", n+1, f[1], r.ID)
		}
	}
	t.Logf("%d formats of gitleaks, %d of the field, %d rules in all", counts["gitleaks"], counts["field"], len(p.Rules))
	if counts["gitleaks"] < 222 || counts["field"] < 300 {
		t.Errorf("%v formats: the list has shrunk", counts)
	}
}
