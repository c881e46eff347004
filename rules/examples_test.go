package rules

import (
	"net/url"
	"regexp"
	"slices"
	"testing"
)

// readRules parses the rule files of this folder, so that these tests judge
// what is written there and not what was generated last.
func readRules(t testing.TB) []Rule {
	t.Helper()
	all, err := ParseAll(Sources())
	if err != nil || len(all) == 0 {
		t.Fatalf("no rules here: %v", err)
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

func findings(p *Program, text string) []string { return p.findings(text) }

// TestExamples runs the examples of every rule, on its own and against all
// others.
func TestExamples(t *testing.T) {
	for _, f := range compileAll(t).Examine() {
		t.Error(f)
	}
}

// TestExamineNoticesFaults examines rules that are wrong in every way.
func TestExamineNoticesFaults(t *testing.T) {
	p, err := Compile([]Rule{
		{ID: "one", Patterns: []Pattern{{Regexp: `alpha[0-9]{3}`}}, Match: []string{"alpha123", "nothing"}, Clean: []string{"alpha12", "alpha456"}},
		{ID: "two", Patterns: []Pattern{{Regexp: `alpha1[0-9]`}}, Overlaps: []string{"one"}, Match: []string{"alpha12", "alpha199"}, Clean: []string{"alpha"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range p.Examine() {
		got = append(got, f.String())
	}
	want := []string{
		`one: its match example 1 is found by two too; if that is meant, say overlaps = ["two"]`,
		"one: it does not find its match example 2",
		"one: it finds its clean example 2",
		"two: it has 2 match and 1 clean examples, and needs two of each at least",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
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
