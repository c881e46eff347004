package rules

import (
	"bytes"
	"hash/maphash"

	"github.com/spillgate/spillgate/rules/generic"
)

// To judge a candidate takes a few microseconds, and the versions of a file, the
// cases of a test and the entries of a table repeat theirs. The verdict hangs on a
// line or less (generic.JudgeSees). So a scan remembers some, and one that it meets
// again costs a comparison.

// recallGrades is how many verdicts a scan remembers, and maxGraded the length in
// bytes of the longest text that it remembers one of.
const (
	recallGrades = 256
	maxGraded    = 320
)

// A gradeMemory is what a scan remembers of candidates, of whatever program: the
// weights are the same in all.
type gradeMemory struct {
	seed  maphash.Seed
	slots []graded
}

// A graded text is what generic.Judge looked at, and what came of it. The
// positions of its candidate are relative to where it begins: together with the
// text they also tell whether that was cut off by an end of the whole text.
type graded struct {
	text  [maxGraded]byte
	n     int
	of    generic.Candidate
	score generic.Score
}

// score returns generic.Judge(data, c), which sees data[from:to].
func (g *gradeMemory) score(data []byte, c generic.Candidate, from, to int) generic.Score {
	from, to = max(from, 0), min(to, len(data))
	if g == nil || to-from > maxGraded {
		return generic.Judge(data, c)
	}
	if g.slots == nil {
		g.seed, g.slots = maphash.MakeSeed(), make([]graded, recallGrades)
	}
	text, of := data[from:to], c
	of.KeyStart, of.KeyEnd, of.Start, of.End = c.KeyStart-from, c.KeyEnd-from, c.Start-from, c.End-from
	of.SeenFrom, of.SeenTo = 0, 0 // of the finder, no matter to the judge
	r := &g.slots[maphash.Bytes(g.seed, text)%recallGrades]
	if r.n == len(text) && r.of == of && bytes.Equal(r.text[:r.n], text) {
		return r.score
	}
	r.n, r.of, r.score = copy(r.text[:], text), of, generic.Judge(data, c)
	return r.score
}
