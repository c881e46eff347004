package rules

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A span is a match, to be compared.
type span struct {
	rule                   string
	start, end, from, to   int
	confidence, placements int
	more                   string // severity and fields
}

func spansOf(found *[]span) func(*Match) {
	return func(m *Match) {
		*found = append(*found, span{m.Rule.ID, m.Start, m.End, m.SecretStart, m.SecretEnd, int(m.Confidence), len(m.Placeholder), fmt.Sprint(m.Severity, m.Fields)})
	}
}

// edit is a text and the versions that were made of it.
type edit struct {
	data    []byte
	anchors []Anchor
	marks   []byte
}

// checkMarked makes next of base, data[from:to] being replaced by with, carries
// the marks as package pack does, and compares MatchMarked with Scan.
func checkMarked(t *testing.T, p *Program, base edit, from, to int, with []byte) edit {
	t.Helper()
	next := edit{data: slices.Concat(base.data[:from], with, base.data[to:])}
	next.anchors = p.Anchors(nil, next.data, 0, len(next.data))
	next.marks = make([]byte, len(next.anchors))
	old := map[Anchor]byte{}
	for i, a := range base.anchors {
		before, after := MarkReach(base.marks[i])
		shift := len(next.data) - len(base.data)
		switch {
		case a.Pos+after <= from: // in the first run, which begins both texts
			old[a] = base.marks[i]
		case a.Pos-before >= to: // in the last run, which ends both
			old[Anchor{a.Pos + shift, a.Literal}] = base.marks[i]
		}
	}
	for i, a := range next.anchors {
		next.marks[i] = old[a]
	}
	var got, want []span
	p.MatchMarked(next.data, next.anchors, next.marks, false, spansOf(&got))
	p.Scan(next.data, 0, len(next.data), false, spansOf(&want))
	slices.SortFunc(got, compareSpans)
	slices.SortFunc(want, compareSpans)
	if !slices.Equal(got, want) {
		t.Fatalf("with marks %d matches, without %d, of a text of %d bytes, edited at %d:%d", len(got), len(want), len(next.data), from, to)
	}
	return next
}

func compareSpans(a, b span) int {
	for _, d := range [...]int{a.start - b.start, a.end - b.end, a.from - b.from, a.to - b.to} {
		if d != 0 {
			return d
		}
	}
	return slices.Compare([]byte(a.rule), []byte(b.rule))
}

// markedText is a text of pieces that rules look for, whole and broken, so that
// every edit makes and destroys candidates.
func markedText(r *rand.Rand, n int) []byte {
	pieces := []string{
		"password", "pass", "secret_key", "token", "auth", "cred", "authcred", "tokey", "api_key", "identified by", "://", "https://user:", "@host", "bearer ", "basic ",
		" = ", ": ", ":=", "=", "\"", "'", "\n", "\n", " ", "  ", "(", ")", "<password>", "</", "$", "{", "}", "\\", "//", "func ", "if ", "x9Kq2vLmT4pRz8Wb",
		"Zt7Rw2qPmX0vKe", "hunter22", "value", "string", "os.Getenv", "é", "\x00", ",", ";", "-----BEGIN ", "arn:aws:kms:", "AKIA", "IOSFODNN7", "ghp" + "_",
	}
	for i := range builtin.literals {
		if l := builtin.literals[i].text; i%7 == 0 {
			pieces = append(pieces, l)
		}
	}
	var b []byte
	for len(b) < n {
		b = append(b, pieces[r.IntN(len(pieces))]...)
	}
	return b
}

// TestMarkedEqualsScan edits texts again and again, and wants the matches of a
// plain scan of each version.
func TestMarkedEqualsScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p, kept, all := Builtin(), 0, 0
	texts := 60
	if testing.Short() {
		texts = 10
	}
	for range texts {
		at := checkMarked(t, p, edit{}, 0, 0, markedText(r, 3000))
		for range 12 {
			from := r.IntN(len(at.data) + 1)
			to := min(len(at.data), from+r.IntN(30)*r.IntN(2))
			at = checkMarked(t, p, at, from, to, markedText(r, r.IntN(40)))
			for _, m := range at.marks {
				if all++; m != 0 {
					kept++
				}
			}
		}
	}
	if kept < all/4 {
		t.Errorf("only %d of %d anchors have marks", kept, all)
	}
}

// FuzzMarkedEqualsScan does the same for texts that the fuzzer makes.
func FuzzMarkedEqualsScan(f *testing.F) {
	f.Add([]byte("db_password = \"x\"\n"), []byte("y"), uint(10), uint(12))
	f.Add([]byte("tokenonce=abc auth: bearer x"), []byte("\n"), uint(3), uint(3))
	f.Add([]byte("https://a:b@c/ identified by 'x'"), []byte("password"), uint(9), uint(11))
	f.Fuzz(func(t *testing.T, text, with []byte, from, to uint) {
		if len(text) == 0 || len(text) > 4000 || len(with) > 400 {
			return
		}
		base := checkMarked(t, Builtin(), edit{}, 0, 0, text)
		lo := int(from % uint(len(text)+1))
		hi := lo + int(to%uint(len(text)-lo+1))
		checkMarked(t, Builtin(), base, lo, hi, with)
	})
}

// TestMarkFor wants the least mark that covers a reach.
func TestMarkFor(t *testing.T) {
	for _, c := range []struct{ before, after int }{{0, 1}, {8, 32}, {9, 33}, {300, 900}, {1024, 2048}} {
		m := MarkFor(c.before, c.after)
		before, after := MarkReach(m)
		if m == 0 || before < c.before || after < c.after {
			t.Errorf("a reach of %d and %d got mark %d of %d and %d", c.before, c.after, m, before, after)
		}
	}
	for _, c := range []struct{ before, after int }{{1025, 1}, {1, 2049}} {
		if m := MarkFor(c.before, c.after); m != 0 {
			t.Errorf("a reach of %d and %d got mark %d", c.before, c.after, m)
		}
	}
}

// TestMarkedExamples breaks the examples of all rules at one byte, and mends
// them again: that nothing was found in what was broken must not be remembered
// of what is whole.
func TestMarkedExamples(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 3))
	p, found := Builtin(), 0
	for _, rule := range readRules(t) {
		for _, example := range rule.Match {
			whole := []byte("x\n" + example + "\ny\n")
			for range 8 {
				at := 2 + r.IntN(len(example))
				broken := slices.Clone(whole)
				broken[at] = "\n~ %Aa0"[r.IntN(7)]
				base := checkMarked(t, p, edit{}, 0, 0, broken)
				checkMarked(t, p, base, at, at+1, whole[at:at+1])
				found++
			}
		}
	}
	if found < 20_000 {
		t.Errorf("only %d examples were broken and mended", found)
	}
}

// TestMarkedFar does the same for patterns that look far behind their literals,
// at each of their bytes.
func TestMarkedFar(t *testing.T) {
	run := strings.Repeat("abc ", 22)
	for expression, match := range map[string]string{
		`alpha[a-z ]{0,90}?=[0-9]{4}`:               "alpha" + run + "=1234",
		`alpha[a-z ]{3,90}[0-9]{4}`:                 "alpha" + run + "1234",
		`alpha[a-z ]{60,90}?=[0-9]{4}`:              "alpha" + run + "=1234",
		`alpha(?:[a-z ]{88}|[0-9]{40})x[0-9]{4}`:    "alpha" + run + "x1234",
		`alpha[a-z ]{0,90}(?i:somethingelse)[0-9]`:  "alpha" + run + "SomethingElse1",
		`alpha[a-z ]{60,90}?(?:[0-9]{4}\b|==[a-z])`: "alpha" + run + "1234",
	} {
		p, err := Compile([]Rule{{ID: "far", Patterns: []Pattern{{Regexp: expression}}}})
		if err != nil {
			t.Fatal(err)
		}
		whole := []byte("x " + match + " y")
		if p.Scan(whole, 0, len(whole), false, func(*Match) { err = errors.New("found") }); err == nil {
			t.Fatalf("%s does not find %q", expression, whole)
		}
		for at := range match {
			for _, b := range []byte("a1= ~") {
				broken := slices.Clone(whole)
				broken[at+2] = b
				base := checkMarked(t, p, edit{}, 0, 0, broken)
				checkMarked(t, p, base, at+2, at+3, whole[at+2:at+3])
			}
		}
	}
}
