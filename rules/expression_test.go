package rules

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzExpression makes up the expressions too: what the compiler accepts, the
// program matches as regexp does.
func FuzzExpression(f *testing.F) {
	for i, e := range expressions {
		f.Add(e, "abcaabcab ABCab_abcc\nabcé", uint64(i))
	}
	f.Fuzz(func(t *testing.T, expr, text string, seed uint64) {
		if len(expr) > 60 || len(text) > 300 {
			return
		}
		p, err := Compile([]Rule{{ID: "e", Patterns: []Pattern{{Regexp: expr}}}})
		if err != nil {
			return
		}
		var cuts []int
		r := rand.New(rand.NewPCG(seed, 2))
		for at := 0; at < len(text); {
			at += 1 + r.IntN(40)
			cuts = append(cuts, at)
		}
		compare(t, p, []byte(text), cuts)
	})
}

// The same with expressions that are put together of what rules are made of,
// of which most compile.
func TestRandomExpressions(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	atom := func() string {
		return pick("a", "b", "c", "[ab]", "[a-c]", "[^a]", "ab", "abc", ".", "(?:a|bc)", "(b|ab?)", "(?P<n>[bc])", `\b`, `\B`, "(?:ab){1,2}", "(?:c|)", "é", "[é-ü]", "(?i:aB)", "(?m:$)")
	}
	times := func() string {
		return pick("", "", "", "?", "??", "{0,2}", "{1,3}", "{1,3}?", "{2}", "{0,3}?")
	}
	compiled, foundAny := 0, 0
	for range 1500 {
		var e strings.Builder
		e.WriteString(pick("", "", "", "(?i)", "(?s)", "^", "(?m)^"))
		mid := r.IntN(3)
		for i := range 4 {
			if i == mid {
				e.WriteString(pick("abc", "cab", "aab"))
				continue
			}
			e.WriteString(atom())
			e.WriteString(times())
		}
		e.WriteString(pick("", "", "", "$", `\z`, `\b`, "|abcb{1,2}"))
		p, err := Compile([]Rule{{ID: "e", Patterns: []Pattern{{Regexp: e.String()}}}})
		if err != nil {
			continue
		}
		compiled++
		for range 5 {
			data := randomText(r, r.IntN(60))
			cut := 0
			if len(data) > 0 {
				cut = r.IntN(len(data))
			}
			compare(t, p, data, []int{cut})
			foundAny += min(1, len(collect(p, data, 0, len(data))))
		}
	}
	if compiled < 1000 || foundAny < 600 {
		t.Errorf("%d expressions compiled and %d texts had a match: the test tests little", compiled, foundAny)
	}
}
