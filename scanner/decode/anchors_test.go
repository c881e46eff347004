package decode

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// seeker is a detector that finds a word, in what it is given and nowhere else.
type seeker struct{ rule rules.Rule }

const sought = "needle=1"

func (p *seeker) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	for at := c.From; ; at++ {
		i := strings.Index(string(c.Data[at:c.To]), sought)
		if i < 0 {
			return
		}
		at += i
		hit(&scanner.Hit{Rule: &p.rule, Start: at, End: at + 8, SecretStart: at, SecretEnd: at + 8, Confidence: rules.ConfidenceHigh})
	}
}

// A version is a text and what goes with it to the next.
type version struct {
	data    []byte
	anchors []rules.Anchor
	marks   []byte
}

// A journey takes texts from version to version.
type journey struct {
	t        testing.TB
	d        *Detector
	anchorer Anchorer
	kept     int // marks that were carried
	hits     int
}

func newJourney(t testing.TB) *journey {
	return &journey{t: t, d: New(&seeker{rule: rules.Rule{ID: "needle"}}, Options{}), anchorer: Anchorer{rules.Builtin()}}
}

// edit makes the next version of base, in which data[from:to] is replaced by
// with, carries anchors and marks as package pack does, and wants from them the
// hits of a chunk that comes without.
func (j *journey) edit(base version, from, to int, with []byte) version {
	j.t.Helper()
	next := version{data: slices.Concat(base.data[:from], with, base.data[to:])}
	shift, longest := len(next.data)-len(base.data), j.anchorer.LongestLiteral()
	behind := from + len(with) // where the last run begins in next
	// A position is carried when all that it hangs on was copied.
	end := max(0, from-longest+1)
	for i, a := range base.anchors {
		if a.Pos >= end {
			break
		}
		before, after := rules.MarkReach(base.marks[i])
		_ = before // the first run begins both texts
		next.add(a, base.marks[i], a.Pos+after <= from)
	}
	searched := j.anchorer.Anchors(nil, next.data, end, behind)
	for _, a := range searched {
		next.add(a, 0, false)
	}
	for i, a := range base.anchors {
		if a.Pos < to {
			continue
		}
		before, _ := rules.MarkReach(base.marks[i])
		keep := a.Pos-before >= to
		a.Pos += shift
		next.add(a, base.marks[i], keep)
	}
	if want := j.anchorer.Anchors(nil, next.data, 0, len(next.data)); !slices.Equal(next.anchors, want) {
		j.t.Fatalf("%d anchors when carried, %d when searched for, of %d bytes edited at %d:%d", len(next.anchors), len(want), len(next.data), from, to)
	}
	for i, m := range next.marks {
		if m != 0 && next.anchors[i].Literal >= rules.ForeignLiteral {
			j.kept++
		}
	}
	c := scanner.Chunk{Object: &scanner.Object{}, Data: next.data, To: len(next.data), First: true, Last: true, Line: 1}
	want := j.found(&c)
	c.Anchors, c.Marks, c.Anchored, c.Encoded, c.Program = next.anchors, next.marks, true, true, rules.Builtin()
	if got := j.found(&c); !slices.Equal(got, want) {
		j.t.Fatalf("%d hits with what was carried, %d without, in %d bytes edited at %d:%d:\n%q\n%q", len(got), len(want), len(next.data), from, to, got, want)
	}
	j.hits += len(want)
	return next
}

func (v *version) add(a rules.Anchor, mark byte, keep bool) {
	if !keep {
		mark = 0
	}
	v.anchors, v.marks = append(v.anchors, a), append(v.marks, mark)
}

func (j *journey) found(c *scanner.Chunk) (all []string) {
	j.d.Detect(c, func(h *scanner.Hit) {
		all = append(all, fmt.Sprint(h.Start, h.End, string(h.Text), h.Fields))
	})
	slices.Sort(all)
	return all
}

// encodedText is a text of pieces in which something is encoded, or nearly.
func encodedText(r *rand.Rand, n int) []byte {
	b64 := base64.StdEncoding.EncodeToString
	plain := "a text that holds " + sought + " and more of it, so that it has some length"
	junk := make([]byte, 48)
	for i := range junk {
		junk[i] = byte(r.Uint32())
	}
	pieces := []string{
		b64([]byte(plain)), b64([]byte(plain[9:50])), b64([]byte(strings.Repeat("nothing here. ", 9))), b64(junk), b64(junk[:30]),
		hex.EncodeToString([]byte(plain)), hex.EncodeToString(junk), "0x" + hex.EncodeToString([]byte(plain)), "0x", "=", "==",
		`needle\x3d1`, `needle\u003d1 and then some`, `\needle=1`, `\nneedle=1`, `\\nneedle\\x3d1`, `\\\nneedle\u003d1`, `\\`, `\`, `\n`, `\/`, `\r\n`,
		"needle%3d1", "%6eeedle%3D1%20and%20more", "%", "%6", "%zz", "needle%253d1", strings.Repeat("x", 23), strings.Repeat("x", 24), "Identifier", "identifiersOfSomeLength",
		"\n", "\n", "\n    ", "\r\n", " ", "  ", "\"", "'", ".", ",", "é", "\x7f", "github.com/spillgate/spillgate/scanner", "password = ", "secret",
		b64([]byte(plain))[:40] + "\n" + b64([]byte(plain))[40:80] + "\n" + b64([]byte(plain))[80:] + "\n", "\\\"" + sought + "\\\"", sought,
	}
	var b []byte
	for len(b) < n {
		b = append(b, pieces[r.IntN(len(pieces))]...)
		if r.IntN(40) == 0 {
			b = append(b, strings.Repeat("y", r.IntN(300))...)
		}
	}
	return b
}

// TestCarriedEqualsSearched edits texts again and again: what comes with the
// chunk leads to the hits that are found without it.
func TestCarriedEqualsSearched(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	j := newJourney(t)
	for i := range 150 {
		at := j.edit(version{}, 0, 0, encodedText(r, 20+20*i))
		for range 15 {
			from := r.IntN(len(at.data) + 1)
			to := min(len(at.data), from+r.IntN(30)*r.IntN(2))
			at = j.edit(at, from, to, encodedText(r, r.IntN(30)))
		}
	}
	if j.kept < 10_000 || j.hits < 10_000 {
		t.Errorf("%d marks were carried and %d hits found: too few to tell", j.kept, j.hits)
	}
}

// FuzzCarried does the same for texts that the fuzzer makes.
func FuzzCarried(f *testing.F) {
	f.Add([]byte("x = \""+base64.StdEncoding.EncodeToString([]byte("a text that holds needle=1 and more"))+"\"\n"), []byte("y"), uint(10), uint(1), uint(30))
	f.Add([]byte("a\\\\\\\\nneedle\\u003d1 needle%3d1%20 and"), []byte("\\"), uint(2), uint(0), uint(0))
	f.Add([]byte(strings.Repeat("a", 23)+" "+strings.Repeat("b", 24)), []byte("c"), uint(23), uint(1), uint(0))
	f.Fuzz(func(t *testing.T, text, with []byte, from, to, next uint) {
		if len(text) == 0 || len(text) > 4000 || len(with) > 400 {
			return
		}
		j := newJourney(t)
		at := j.edit(version{}, 0, 0, text)
		for _, from := range []uint{from, next} {
			lo := int(from % uint(len(at.data)+1))
			at = j.edit(at, lo, lo+int(to%uint(len(at.data)-lo+1)), with)
		}
	})
}

// TestMerge compares the merging of anchors with sorting them.
func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 3000 {
		list := make([]rules.Anchor, r.IntN(180))
		middle := r.IntN(len(list) + 1)
		for i := range list {
			list[i] = rules.Anchor{Pos: r.IntN(100), Literal: uint16(r.IntN(9))}
			if i >= middle {
				list[i].Literal = anchorRun
			}
		}
		less := func(a, b rules.Anchor) int {
			if a.Pos != b.Pos {
				return a.Pos - b.Pos
			}
			return int(a.Literal) - int(b.Literal)
		}
		slices.SortFunc(list[:middle], less)
		slices.SortFunc(list[middle:], less)
		want := slices.Clone(list)
		slices.SortFunc(want, less)
		if merge(list, middle); !slices.Equal(list, want) {
			t.Fatalf("%v, want %v", list, want)
		}
	}
}
