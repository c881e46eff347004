package rules

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// readRules parses the rule files of this folder, so that these tests judge
// what is written there and not what was generated last.
func readRules(t testing.TB) []Rule {
	t.Helper()
	files, err := filepath.Glob("*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rule files here: %v", err)
	}
	var all []Rule
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		list, err := Parse(f, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

func compileAll(t testing.TB) *Program {
	t.Helper()
	p, err := Compile(readRules(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// findings returns the ids of the rules that report something in text, each
// once, without those whose match is a placeholder.
func findings(p *Program, text string) []string {
	var ids []string
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		if m.Placeholder == "" && !slices.Contains(ids, m.Rule.ID) {
			ids = append(ids, m.Rule.ID)
		}
	})
	return ids
}

// TestExamples runs the examples of every rule. Messages name them by number:
// the texts are made up, but a habit of printing secrets begins somewhere.
func TestExamples(t *testing.T) {
	p := compileAll(t)
	for i := range p.Rules {
		r := &p.Rules[i]
		if len(r.Match) < 2 || len(r.Clean) < 2 {
			t.Errorf("%s has %d match and %d clean examples, want at least 2 of each", r.ID, len(r.Match), len(r.Clean))
		}
		for n, text := range r.Match {
			if !slices.Contains(findings(p, text), r.ID) {
				t.Errorf("%s does not find its match example %d", r.ID, n+1)
			}
		}
		for n, text := range r.Clean {
			if slices.Contains(findings(p, text), r.ID) {
				t.Errorf("%s finds its clean example %d", r.ID, n+1)
			}
		}
	}
}

// overlaps lists which rules may speak beside another on its match examples.
// Everything else that two rules report of one text is a double report.
func overlaps(p *Program, rule, other string) bool {
	if p.Rule(other).Fallback {
		return true // the scanner takes such findings out
	}
	switch rule {
	case "aws-secret-access-key":
		return other == "aws-access-key-id" // the pair is two facts
	case "aws-session-token":
		return other == "aws-secret-access-key"
	}
	return false
}

func TestRulesDoNotOverlap(t *testing.T) {
	p := compileAll(t)
	for i := range p.Rules {
		r := &p.Rules[i]
		for n, text := range r.Match {
			for _, id := range findings(p, text) {
				if id != r.ID && !overlaps(p, r.ID, id) {
					t.Errorf("match example %d of %s is found by %s too", n+1, r.ID, id)
				}
			}
		}
	}
}

// TestMatchSpans holds what reports rely on: a secret lies in its match, an
// example is one secret, and no field carries a part of it.
func TestMatchSpans(t *testing.T) {
	p := compileAll(t)
	for i := range p.Rules {
		r := &p.Rules[i]
		for n, text := range r.Match {
			spans := map[[2]int]int{}
			p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
				if m.Start < 0 || m.Start > m.SecretStart || m.SecretStart >= m.SecretEnd || m.SecretEnd > m.End || m.End > len(text) {
					t.Errorf("%s, match example %d: bounds %d <= %d < %d <= %d of %d do not hold",
						m.Rule.ID, n+1, m.Start, m.SecretStart, m.SecretEnd, m.End, len(text))
				}
				if m.Rule.ID == r.ID {
					spans[[2]int{m.SecretStart, m.SecretEnd}]++
				}
				for _, f := range m.Fields {
					if f.Name == "" || f.Value == "" {
						t.Errorf("%s, match example %d: a field is empty", m.Rule.ID, n+1)
					}
					if !m.Rule.Identifier && len(f.Value) > 40 {
						t.Errorf("%s, match example %d: field %s is %d bytes long", m.Rule.ID, n+1, f.Name, len(f.Value))
					}
				}
			})
			for _, times := range spans {
				if times > 1 {
					t.Errorf("%s reports the secret of match example %d %d times", r.ID, n+1, times)
				}
			}
		}
	}
}

func TestRulesAreComplete(t *testing.T) {
	stable := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
	seen := map[string]bool{}
	for _, r := range readRules(t) {
		if !stable.MatchString(r.ID) || len(r.ID) > 50 {
			t.Errorf("id %q: want two or more lower-case words joined by hyphens", r.ID)
		}
		if seen[r.ID] {
			t.Errorf("id %q is there twice", r.ID)
		}
		seen[r.ID] = true
		if r.Provider == "" || r.Title == "" || r.Why == "" || r.Fix == "" || len(r.Tags) == 0 {
			t.Errorf("%s: provider, title, why, fix and tags must all be there", r.ID)
		}
		if len(r.References) == 0 {
			t.Errorf("%s has no reference", r.ID)
		}
		for _, ref := range r.References {
			if u, err := url.Parse(ref); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: reference %q is no https URL", r.ID, ref)
			}
		}
		for _, name := range r.Placeholders {
			if !slices.Contains(PlaceholderNames(), name) {
				t.Errorf("%s: no placeholder list %q", r.ID, name)
			}
		}
	}
}

func TestValidatorNames(t *testing.T) {
	used := map[string]bool{}
	for _, r := range readRules(t) {
		for _, name := range r.Validators {
			used[name] = true
		}
	}
	for _, name := range ValidatorNames() {
		if _, ok := lookupValidator(name); !ok {
			t.Errorf("validator %q is listed and unknown", name)
		}
		if !used[name] {
			t.Errorf("validator %q is used by no rule", name)
		}
		delete(used, name)
	}
	for name := range used {
		t.Errorf("validator %q is used and not listed", name)
	}
	if _, ok := lookupValidator("no-such-validator"); ok {
		t.Error("an unknown name finds a validator")
	}
}

// TestGrades holds the grades that the rules give to matches that differ by
// what a validator or a placeholder list saw in them.
func TestGrades(t *testing.T) {
	p := compileAll(t)
	for _, c := range grades {
		found := false
		p.Scan([]byte(c.text), 0, len(c.text), false, func(m *Match) {
			if m.Rule.ID != c.rule {
				return
			}
			found = true
			if m.Severity != c.severity || m.Confidence != c.confidence || (m.Placeholder != "") != c.placeholder {
				t.Errorf("%s: %s is %v with %v confidence, placeholder %q; want %v, %v, %v",
					c.name, c.rule, m.Severity, m.Confidence, m.Placeholder, c.severity, c.confidence, c.placeholder)
			}
			for i := 0; i+1 < len(c.fields); i += 2 {
				if got := field(m, c.fields[i]); got != c.fields[i+1] {
					t.Errorf("%s: field %s is %q, want %q", c.name, c.fields[i], got, c.fields[i+1])
				}
			}
		})
		if !found {
			t.Errorf("%s: %s finds nothing", c.name, c.rule)
		}
	}
}
