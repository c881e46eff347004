package rules

import (
	"regexp/syntax"
	"slices"
	"testing"
)

// TestTooShort takes a character from the end of secrets of one length: their
// rule must not take what is left for a whole one. What is left may still be
// reported as the value of an assignment.
func TestTooShort(t *testing.T) {
	p := compileAll(t)
	tried, wrong := 0, 0
	for i := range p.Rules {
		r := &p.Rules[i]
		if len(r.Patterns) != 1 || r.Patterns[0].Regexp == "" || r.Fallback {
			continue
		}
		re, err := syntax.Parse(r.Patterns[0].Regexp, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		length, most := lengths(secretGroup(re))
		if length != most {
			continue
		}
		for n, text := range r.Match {
			from, to, ok := secretOf(p, r.ID, text)
			if !ok || to-from < 12 || to-from != length {
				continue // also where a validator takes in what follows the pattern
			}
			tried++
			rest := text[to:]
			if rest == "" {
				rest = "\n"
			}
			if isWord(rest[0]) {
				continue // the next letter would take its place
			}
			short := text[:to-1] + rest
			p.Scan([]byte(short), 0, len(short), false, func(m *Match) {
				if m.Rule.ID == r.ID && m.Confidence == ConfidenceHigh && m.Placeholder == "" && m.SecretStart < to && m.SecretEnd > from {
					wrong++
					t.Errorf("%s, example %d: one character less passes", r.ID, n+1)
				}
			})
		}
	}
	t.Logf("%d secrets of one length cut short, %d taken for whole", tried, wrong)
	if tried < 500 {
		t.Errorf("%d tried only", tried)
	}
}

// secretGroup returns the group named secret, or else re.
func secretGroup(re *syntax.Regexp) *syntax.Regexp {
	found := re
	var walk func(*syntax.Regexp)
	walk = func(r *syntax.Regexp) {
		if r.Op == syntax.OpCapture && r.Name == "secret" {
			found = r
		}
		for _, sub := range r.Sub {
			walk(sub)
		}
	}
	walk(re)
	return found
}

// lengths returns the least and the most characters that re matches, -1 for
// no bound.
func lengths(re *syntax.Regexp) (least, most int) {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune), len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, 1
	case syntax.OpCapture:
		return lengths(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			a, b := lengths(sub)
			least += a
			if most >= 0 {
				if most += b; b < 0 {
					most = -1
				}
			}
		}
		return least, most
	case syntax.OpAlternate:
		var all []int
		for _, sub := range re.Sub {
			a, b := lengths(sub)
			all = append(all, a, b)
		}
		return slices.Min(all), slices.Max(all)
	case syntax.OpRepeat:
		a, b := lengths(re.Sub[0])
		if re.Max < 0 || b < 0 {
			return a * re.Min, -1
		}
		return a * re.Min, b * re.Max
	case syntax.OpQuest:
		_, b := lengths(re.Sub[0])
		return 0, b
	case syntax.OpStar, syntax.OpPlus:
		return 0, -1
	}
	return 0, 0
}
