package rules

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// manyRules makes up n rules of the kind that a catalogue has: a prefix of
// the vendor, some in any case, and a run.
func manyRules(n int) []Rule {
	r := rand.New(rand.NewPCG(21, 22))
	rules := make([]Rule, n)
	for i := range rules {
		var prefix strings.Builder
		for range 3 + r.IntN(6) {
			prefix.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[r.IntN(62)])
		}
		prefix.WriteByte("_-"[r.IntN(2)])
		flags := ""
		if r.IntN(2) == 0 {
			flags = "(?i)"
		}
		rules[i] = Rule{ID: fmt.Sprintf("made-up-%d", i), Patterns: []Pattern{{Regexp: flags + prefix.String() + "[0-9a-z]{32}"}}}
	}
	return rules
}

// A thousand rules beside ours compile at run time, and each is found.
func TestThousandRules(t *testing.T) {
	made := manyRules(1000)
	p, err := Compile(append(append([]Rule(nil), Builtin().Rules...), made...))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, r := range made {
		prefix := strings.TrimPrefix(strings.TrimSuffix(r.Patterns[0].Regexp, "[0-9a-z]{32}"), "(?i)")
		fmt.Fprintf(&text, "%s%032d\n", prefix, 7)
	}
	seen := map[string]bool{}
	for _, f := range collect(p, text.Bytes(), 0, text.Len()) {
		seen[f.pattern] = true
	}
	for _, r := range made {
		if !seen[r.ID] {
			t.Errorf("%s was not found: %s", r.ID, r.Patterns[0].Regexp)
		}
	}
	if p.Rule("made-up-999") == nil || p.Rule("made-up-1000") != nil {
		t.Error("Rule does not find rules by their ids")
	}
}

// No text makes a pattern slow: the machine's work is bounded by the length of
// a match. The texts are those on which a plain backtracking matcher takes
// time exponential or cubic in their length.
func TestHostileText(t *testing.T) {
	p, err := Compile([]Rule{
		{ID: "nested", Patterns: []Pattern{{Regexp: `abc(?:a|b|ab){1,60}(?:a|ba|b){1,60}!`}}},
		{ID: "runs", Patterns: []Pattern{{Regexp: `abc[a-c]{0,300}[ab]{0,300}[a-c]{0,300}[ab]{0,300}!`}}},
		{ID: "before", Patterns: []Pattern{{Regexp: `[a-c]{0,100}abc[ab]{0,100}!`}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("abc" + strings.Repeat("ab", 1000))
	var m machine
	for i := range p.patterns {
		pat := &p.patterns[i]
		if end := m.match(&pat.code, data, 0, int(pat.longest)); end >= 0 {
			t.Errorf("%s matched", p.Rules[pat.rule].ID)
		}
		// Each instruction is entered once at each position, when the
		// machine remembers, and a run takes as many steps as it is long.
		longestRun := 1
		for _, in := range pat.code.insts {
			longestRun = max(longestRun, int(in.b))
		}
		if limit := patience + len(pat.code.insts)*int(pat.longest+1)*longestRun; m.steps > limit {
			t.Errorf("%s took %d steps", p.Rules[pat.rule].ID, m.steps)
		}
	}
}

// Where the machine loses patience and remembers, it still matches what regexp
// does.
func TestRememberingEqualsRegexp(t *testing.T) {
	p, err := Compile([]Rule{
		{ID: "e0", Patterns: []Pattern{{Regexp: `abc(?:a|b|ab){1,30}(?P<secret>(?:a|ba|b){1,30}?)[!?]`}}},
		{ID: "e1", Patterns: []Pattern{{Regexp: `abc[a-c]{0,60}[ab]{0,60}(?P<secret>[a-c]{0,60}?[ab]{0,60})b!`}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(31, 32))
	tired, matches := 0, 0
	for range 300 {
		data := []byte("abc")
		for range 20 + r.IntN(100) {
			data = append(data, "aabbbc"[r.IntN(6)])
		}
		data = append(data, "!b! ?"[r.IntN(4):]...)
		compare(t, p, data, []int{r.IntN(len(data))})
		matches += len(collect(p, data, 0, len(data)))
		var m machine
		for i := range p.patterns {
			m.match(&p.patterns[i].code, data, 0, int(p.patterns[i].longest))
			if m.tired {
				tired++
			}
		}
	}
	if tired < 20 || matches < 100 {
		t.Errorf("%d attempts remembered and %d matches: the texts test little", tired, matches)
	}
}

func BenchmarkCompileUserRules(b *testing.B) {
	rules := append(append([]Rule(nil), Builtin().Rules...), manyRules(10)...)
	for b.Loop() {
		if _, err := Compile(rules); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRules shows what rules cost a text in which they do not match.
func BenchmarkRules(b *testing.B) {
	data := corpus(b, 4<<20)
	for _, n := range []int{100, 200, 400, 1000} {
		p, err := Compile(manyRules(n))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				p.Scan(data, 0, len(data), false, func(*Match) {})
			}
		})
	}
}
