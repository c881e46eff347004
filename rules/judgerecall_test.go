package rules

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// repeatedPieces are texts in which much is found: examples of all rules that are
// not long, and what those look at that look far.
func repeatedPieces(p *Program) (pieces []string) {
	for i := range p.Rules {
		for _, text := range p.Rules[i].Match {
			if len(text) < 400 {
				pieces = append(pieces, text)
			}
		}
	}
	id := func(tail string) string { return "AKIA" + "QYLPMN5HHHFP" + tail }
	secret := func(tail string) string { return "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMZLE" + tail }
	few := []string{
		id("ZAM2"), id("ZAM3"), id("ZAM4"), secret("KEY"), secret("KEZ"), strings.ReplaceAll(secret("KEX"), "/", `\u002f`),
		"aws_access_key_id = " + id("ZAM2"), "secret_access_key: " + secret("KEY"), "aws_secret = {\n", "secret key\n", "password = \"x9Kq2vLmT4pRz8Wb\"", "token: ", "auth=",
	}
	for range 20 {
		pieces = append(pieces, few...)
	}
	return pieces
}

// TestRecalledChains has candidates whose fate hangs on how many letters stand
// before them, however far: a multiple of three, and the first pattern finds
// them. And candidates that another pattern finds from a word before them.
func TestRecalledChains(t *testing.T) {
	rule := []Rule{
		{ID: "chain", Patterns: []Pattern{{Regexp: "x{3}"}, {Regexp: "x{2}(?P<secret>x{3})!"}}},
		{ID: "before", Patterns: []Pattern{{Regexp: "first-{0,60}(?P<secret>yyy)"}, {Regexp: "(?P<secret>yyy)!"}}},
	}
	with, err := Compile(rule)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Compile(rule)
	if err != nil {
		t.Fatal(err)
	}
	without.forgetful = true
	twice := 0
	for n := range 400 {
		text := []byte("begin " + strings.Repeat("x", n) + "! end " + []string{"", "first"}[n%2] + strings.Repeat("-", n/2%64) + "yyy!")
		find := func(p *Program) (all []string) {
			anchors := p.Anchors(nil, text, 0, len(text))
			p.MatchMarked(text, anchors, make([]byte, len(anchors)), false, func(m *Match) { all = append(all, allOf(m)) })
			return all
		}
		got, want := find(with), find(without)
		if !slices.Equal(got, want) {
			t.Fatalf("%d letters: %d matches, %d without the memory", n, len(got), len(want))
		}
		if len(want) > n/3 {
			twice++
		}
	}
	if twice < 200 {
		t.Errorf("the second pattern found something %d times", twice)
	}
}

// repeatedText is a text of n pieces with something between.
func repeatedText(r *rand.Rand, pieces []string, n int) []byte {
	var b bytes.Buffer
	fill := []string{"\n", "\n", " ", "\"", "'", ", ", "=", "\n# x\n", strings.Repeat("filler ", 7), strings.Repeat("\nnext", 30), strings.Repeat("0", 37)}
	for range n {
		between := fill[r.IntN(len(fill))]
		if r.IntN(4) == 0 {
			between = strings.Repeat(".\n", r.IntN(140))
		}
		b.WriteString(pieces[r.IntN(len(pieces))] + between)
	}
	return b.Bytes()
}

func allOf(m *Match) string {
	return fmt.Sprint(m.Rule.ID, m.Start, m.End, m.SecretStart, m.SecretEnd, m.Severity, m.Confidence, m.Fields, m.Placeholder)
}

// TestRecalledFates holds a program that remembers what came of candidates to
// one that does not, over versions of texts that share most of what they have.
func TestRecalledFates(t *testing.T) {
	with, without := compileAll(t), compileAll(t)
	without.forgetful = true
	pieces := repeatedPieces(without)
	r := rand.New(rand.NewPCG(7, 8))
	recalled, rounds := 0, 40
	if testing.Short() {
		rounds = 8
	}
	for round := range rounds {
		text := repeatedText(r, pieces, 60)
		for version := range 12 {
			find := func(p *Program) (all []string) {
				anchors := p.Anchors(nil, text, 0, len(text))
				p.MatchMarked(text, anchors, make([]byte, len(anchors)), false, func(m *Match) { all = append(all, allOf(m)) })
				return all
			}
			if got, want := find(with), find(without); !slices.Equal(got, want) {
				t.Fatalf("round %d, version %d: %d matches, %d without the memory", round, version, len(got), len(want))
			}
			for range r.IntN(3) {
				at := r.IntN(len(text))
				to := min(len(text), at+r.IntN(20))
				text = slices.Concat(text[:at], repeatedText(r, pieces, r.IntN(2)), text[to:])
			}
		}
		s := scans.Get().(*scan)
		for _, slot := range s.fates.slots {
			if slot.judged != nil {
				recalled++
			}
		}
		scans.Put(s)
	}
	if recalled < 100 {
		t.Errorf("only %d candidates were remembered", recalled)
	}
}

// TestSight changes what lies beyond all that was looked at to judge a candidate,
// which must not change what comes of it: for all rules, and so for all
// validators.
func TestSight(t *testing.T) {
	c := sightCheck{p: compileAll(t), judged: map[string]int{}, seen: map[fate]int{}}
	c.pieces = repeatedPieces(c.p)
	all, close := c.pieces, c.pieces[len(c.pieces)-13:]
	r := rand.New(rand.NewPCG(9, 10))
	rounds := 400
	if testing.Short() {
		rounds = 200
	}
	for round := range rounds {
		text := repeatedText(r, c.pieces, 30)
		if k := 10 * round; k+10 < len(all) && round < rounds/2 { // each of them once
			text = append(text, strings.Join(all[k:k+10], "\n\n")...)
		}
		if round >= rounds/2 {
			c.pieces = close // what looks far
			text = repeatedText(r, c.pieces, 30)
		}
		c.check(t, r, text)
	}
	// Two ids, two secrets, and who is nearest to whom.
	for range rounds {
		var b strings.Builder
		for _, piece := range []string{close[3], close[0], close[4], close[1]} {
			b.WriteString(piece + strings.Repeat(".", 1+r.IntN(290)))
		}
		c.check(t, r, []byte(b.String()))
	}
	for _, v := range ValidatorNames() {
		if looksAtMatch(v) && c.judged[v] == 0 {
			t.Errorf("the validator %s judged no candidate", v)
		}
	}
	if c.seen[matched] < 1000 || c.seen[refused] < 1000 {
		t.Errorf("%v candidates", c.seen)
	}
}

// A sightCheck counts what it checks: by validator and by fate.
type sightCheck struct {
	p      *Program
	pieces []string
	judged map[string]int
	seen   map[fate]int
}

// check checks all candidates in text.
func (c *sightCheck) check(t *testing.T, r *rand.Rand, text []byte) {
	t.Helper()
	s := new(scan)
	for _, a := range c.p.Anchors(nil, text, 0, len(text)) {
		l := &c.p.literals[a.Literal]
		for _, i := range c.p.users[l.from:l.to] {
			if pat := &c.p.patterns[i]; pat.arn.service == "" {
				s.begin(c.p, text, 0, nil)
				s.versions = true
				if start, end := s.find(int(i), a.Pos-int(pat.max), a.Pos-int(pat.min)); start >= 0 {
					c.candidate(t, r, s, int(i), start, end)
				}
			}
		}
	}
}

// candidate checks the candidate of pattern i that s has just found.
func (c *sightCheck) candidate(t *testing.T, r *rand.Rand, s *scan, i, start, end int) {
	t.Helper()
	text, rule := s.data, &c.p.Rules[c.p.patterns[i].rule]
	was := s.decide(i, start, end)
	from, to := s.seen.from, s.seen.to
	if s.seen.endless || from <= 0 && to >= len(text) {
		return
	}
	want, other := allOf(&s.match), slices.Clone(text)
	copy(other[:max(from, 0)], repeatedText(r, c.pieces, 30))
	if to < len(text) {
		copy(other[to:], repeatedText(r, c.pieces, 30))
	}
	s.begin(c.p, other, 0, nil)
	s.versions = true
	if b, e := s.find(i, start, start); b != start || e != end {
		return // it goes on otherwise, and so is another candidate
	}
	is := s.decide(i, start, end)
	if is != was || was == matched && allOf(&s.match) != want {
		t.Fatalf("%s: a candidate is %d, and %d although what was looked at is the same\n%s\n%s", rule.ID, was, is, want, allOf(&s.match))
	}
	c.seen[was]++
	for _, v := range rule.Validators {
		c.judged[v]++
	}
}
