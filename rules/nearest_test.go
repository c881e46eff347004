package rules

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"staged", "range", "history", "pre-commit"}
	for name, want := range map[string]string{
		"staged": "staged", "stagd": "staged", "Staged": "staged", "sataged": "staged", "precommit": "pre-commit",
		"rnage": "range", "": "", "x": "", "zzzzzz": "", strings.Repeat("z", 1<<20): "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"flaw", "lawn", 2}} {
		if got, back := editDistance(c.a, c.b), editDistance(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("editDistance(%q, %q) = %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}
