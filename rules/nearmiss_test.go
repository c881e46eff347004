package rules

import (
	"slices"
	"strings"
	"testing"
)

// maxNearMisses is the share of altered examples that may still be reported at
// the gate's default.
const maxNearMisses = 0.02

// TestNearMisses alters the examples of every rule into what is no credential
// any more, and counts what would still fail a commit. A body typed to fill a
// place must not, whatever its prefix.
func TestNearMisses(t *testing.T) {
	p := compileAll(t)
	counts := map[string][2]int{} // alteration: tried, reported
	tried, reported := 0, 0
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Severity < Medium || r.Confidence != ConfidenceHigh || r.Identifier {
			continue
		}
		for n, text := range r.Match {
			from, to, ok := secretOf(p, r.ID, text)
			if !ok || to-from < 12 || to-from > 512 {
				continue // too short to alter, or a whole file
			}
			for _, a := range alterations {
				body := a.alter(text[from:to])
				if body == "" || body == text[from:to] {
					continue
				}
				c := counts[a.name]
				c[0]++
				tried++
				if rule := gateStops(p, text[:from]+body+text[to:], from, from+len(body)); rule != "" {
					c[1]++
					reported++
					t.Logf("%s: example %d of %s is reported by %s", a.name, n+1, r.ID, rule)
				}
				counts[a.name] = c
			}
		}
	}
	for _, a := range alterations {
		t.Logf("%-28s %5d altered, %3d reported", a.name, counts[a.name][0], counts[a.name][1])
	}
	t.Logf("%d near misses, %d reported (%.2f %%)", tried, reported, 100*float64(reported)/float64(tried))
	if tried < 5000 {
		t.Errorf("%d near misses tried, want 5,000 at least", tried)
	}
	if float64(reported) > maxNearMisses*float64(tried) {
		t.Errorf("%d of %d near misses reported, %.0f %% at most are tolerable", reported, tried, 100*maxNearMisses)
	}
}

// secretOf returns where a rule finds its secret in one of its own examples.
func secretOf(p *Program, id, text string) (from, to int, ok bool) {
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		if m.Rule.ID == id && !ok {
			from, to, ok = m.SecretStart, m.SecretEnd, true
		}
	})
	return from, to, ok
}

// An alteration makes of a secret what is none, "" where it does not apply.
type alteration struct {
	name  string
	alter func(secret string) string
}

var alterations = []alteration{
	{"all x", fillBody("x")},
	{"all X", fillBody("X")},
	{"all zeros", fillBody("0")},
	{"all stars", fillBody("*")},
	{"digits in a row", fillBody("1234567890")},
	{"letters in a row", fillBody("abcdefghijklmnopqrstuvwxyz")},
	{"EXAMPLE", func(s string) string { return put(s, "EXAMPLE") }},
	{"your_token_here", func(s string) string { return head(s) + "your_token_here" }},
	{"in angle brackets", func(s string) string { return "<" + head(s) + "token>" }},
	{"a variable", func(s string) string { return "${" + "TOKEN}" }},
	{"cut short by dots", func(s string) string { return s[:min(len(head(s))+3, len(s))] + "..." }},
}

// head returns the prefix of a token: up to the last joiner in its first 14
// characters, at most half of it.
func head(s string) string {
	i := strings.LastIndexAny(s[:min(14, len(s)/2)], "_-.:")
	return s[:i+1]
}

// fillBody keeps a token's prefix, its length and its signs, and types over
// every letter and digit behind.
func fillBody(with string) func(string) string {
	return func(s string) string {
		b := []byte(s)
		n := 0
		for i := len(head(s)); i < len(b); i++ {
			if isAlnum(b[i]) {
				b[i] = with[n%len(with)]
				n++
			}
		}
		return string(b)
	}
}

// put writes a word into the middle of a secret.
func put(s, word string) string {
	at := max(len(head(s)), (len(s)-len(word))/2)
	if at+len(word) > len(s) {
		return ""
	}
	return s[:at] + word + s[at+len(word):]
}

// TestWrongChecksums changes the last character of the secrets that carry a
// checksum: the rule must see that it does not hold.
func TestWrongChecksums(t *testing.T) {
	p := compileAll(t)
	tried := 0
	for i := range p.Rules {
		r := &p.Rules[i]
		if !slices.ContainsFunc(r.Validators, func(v string) bool {
			return v == "github-checksum" || v == "nkey-seed" || v == "base58check" || v == "age-secret-key"
		}) {
			continue
		}
		for n, text := range r.Match {
			from, to, ok := secretOf(p, r.ID, text)
			if !ok || strings.Contains(text, "ghr_") { // GitHub does not describe the checksum of these
				continue
			}
			last := byte('2')
			if text[to-1] == last {
				last = '3'
			}
			if isLower(text[to-1]) {
				last = 'a' + (text[to-1]-'a'+1)%26
			}
			tried++
			if rule := gateStops(p, text[:to-1]+string(last)+text[to:], from, to); rule == r.ID {
				t.Errorf("%s, example %d: a wrong checksum passes", r.ID, n+1)
			}
		}
	}
	t.Logf("%d checksums made wrong", tried)
	if tried < 10 {
		t.Errorf("%d examples tried only", tried)
	}
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
