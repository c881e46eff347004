package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestBuiltinRecallsARNs: a validator that looks beyond an ARN's own text would
// have the ARNs of all rules read anew each time.
func TestBuiltinRecallsARNs(t *testing.T) {
	if p := Builtin(); !p.recalls() || p.forgetful {
		t.Error("the rules for ARNs have a validator that package rules does not know to look at the ARN alone")
	}
}

// TestRecalledARNs holds the memory of ARNs to what is found without it: in
// texts in which few ARNs are repeated often, among them such as run into one
// another, are cut off by the end of the text or are followed by what changes
// their meaning, read whole and in pieces.
func TestRecalledARNs(t *testing.T) {
	with, without := Builtin(), compileAll(t)
	without.forgetful = true
	var arns []string
	for _, r := range without.Rules {
		if strings.HasSuffix(r.ID, "-arn") {
			arns = append(arns, append(slices.Clone(r.Match), r.Clean...)...)
		}
	}
	if len(arns) < 30 {
		t.Fatalf("only %d examples", len(arns))
	}
	sameWithout(t, with, without, arns)
	// Here one ARN may reach into another.
	rule := []Rule{{ID: "reaching-arn", Severity: High, Patterns: []Pattern{{ARN: "sqs {[a-z0-9:/.-]1,60}"}}}}
	with, err := Compile(rule)
	if err != nil {
		t.Fatal(err)
	}
	if without, err = Compile(rule); err != nil {
		t.Fatal(err)
	}
	without.forgetful = true
	sameWithout(t, with, without, []string{"arn:aws:sqs:eu-west-1:471938265017:one", "arn:aws:sqs:eu-west-1:471938265017:two/", "arn:aws:sqs:eu-west-1:471938265017:three/arn:aws:sqs:eu-west-1:471938265017:four"})
}

// sameWithout compares programs with and without a memory over random texts.
func sameWithout(t *testing.T, with, without *Program, arns []string) {
	t.Helper()
	g := rand.New(rand.NewPCG(5, 6))
	heads := []string{"", " ", "x", "\"", `\n`, `\"`, "%22", "_", "é", "/", ":"}
	tails := []string{"", "\"", " ", "*", "/*", "${x}", "<b>", "<name>", "</b>", "<br>", ".", "...", "…", ",", "\n", ":", "-", "'", "%2Fx", "%x", "é"}
	for round := range 300 {
		some := make([]string, 4)
		for i := range some {
			some[i] = arns[g.IntN(len(arns))]
		}
		var b strings.Builder
		for range 40 {
			b.WriteString(heads[g.IntN(len(heads))] + some[g.IntN(len(some))] + tails[g.IntN(len(tails))])
		}
		text := []byte(b.String())
		found := func(p *Program, pieces int) (all []string) {
			for i := range pieces {
				p.Scan(text, len(text)*i/pieces, len(text)*(i+1)/pieces, false, func(m *Match) {
					all = append(all, fmt.Sprint(m.Rule.ID, m.Start, m.End, m.SecretStart, m.SecretEnd, m.Severity, m.Confidence, m.Fields, m.Placeholder))
				})
			}
			slices.Sort(all)
			return all
		}
		for _, pieces := range []int{1, 3} {
			if got, want := found(with, pieces), found(without, pieces); !slices.Equal(got, want) {
				t.Fatalf("round %d in %d pieces: %d matches, %d without the memory", round, pieces, len(got), len(want))
			}
		}
		// And once more, when the memory is warm.
		if got, want := found(with, 1), found(without, 1); !slices.Equal(got, want) {
			t.Fatalf("round %d again: %d matches, %d without the memory", round, len(got), len(want))
		}
	}
}

// BenchmarkManyARNs scans a file of tests as those who write for AWS have them.
func BenchmarkManyARNs(b *testing.B) {
	var text []byte
	for i := range 300 {
		text = fmt.Appendf(text, "    assert role(%d) == \"arn:aws:iam::%012d:role/service-%x\"\n    # and nothing else\n", i, 471938265017, i*7919)
	}
	p, n := Builtin(), 0
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p.Scan(text, 0, len(text), false, func(*Match) { n++ })
	}
	if n == 0 {
		b.Fatal("nothing was found")
	}
}
