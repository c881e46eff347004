package decode

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/spillgate/spillgate/rules"
)

// The versions of a file share most of their text, and a history that carries
// the anchors of a rule program from one version to the next can carry the
// places where something may be encoded as well: then neither is searched for
// in what did not change. Three kinds of place are enough to find everything
// that is decoded in a text, and whether there is one hangs on a few bytes:
//
//   - where a run of at least minRun letters begins;
//   - where a row of backslashes begins whose first escape is telling (a later
//     one of the row can be only if the row is so long that the first is too);
//   - where a percent-encoded byte stands.
//
// A place that nothing came of gets a mark, and is not looked at again in a
// version in which what it depends on is the same.

// The literals that anchors of encoded text name.
const (
	anchorRun = rules.ForeignLiteral + iota
	anchorEscape
	anchorPercent
	anchorEnd
)

const anchorKinds = anchorEnd - anchorRun

// local is how many bytes, from an anchor's position on, say whether it is
// one: the byte before a run and its letters. What an escape hangs on is less.
const local = 1 + minRun

// An Anchorer finds the anchors of a rule program and those of encoded text, in
// one list: a Program passes over anchors that are not its own. A chunk that
// has both says so (scanner.Chunk.Encoded).
type Anchorer struct{ Program *rules.Program }

// LongestLiteral returns how many bytes, from an anchor's position on, say
// whether it is one.
func (a Anchorer) LongestLiteral() int { return max(a.Program.LongestLiteral(), local) }

// Anchors appends to dst the anchors that begin in data[from:to], in rising
// order of position, then literal. The anchor of a run and of an escape stands
// at the byte before it; one that begins the text has none.
func (a Anchorer) Anchors(dst []rules.Anchor, data []byte, from, to int) []rules.Anchor {
	from, to = max(from, 0), min(to, len(data))
	start := len(dst)
	dst = a.Program.Anchors(dst, data, from, to)
	for _, find := range [...]func([]rules.Anchor, []byte, int, int) []rules.Anchor{appendRuns, appendEscapes, appendPercents} {
		middle := len(dst)
		dst = find(dst, data, from, to)
		merge(dst[start:], middle-start)
	}
	return dst
}

// merge sorts list, whose first middle anchors are sorted, and so are the
// others.
func merge(list []rules.Anchor, middle int) {
	if middle == 0 || middle == len(list) || list[middle-1].Pos < list[middle].Pos {
		return
	}
	var few [64]rules.Anchor
	if len(list)-middle > len(few) {
		slices.SortFunc(list, func(a, b rules.Anchor) int {
			return cmp.Or(cmp.Compare(a.Pos, b.Pos), cmp.Compare(a.Literal, b.Literal))
		})
		return
	}
	later := few[:copy(few[:], list[middle:])]
	at := len(list) - 1
	for k := len(later) - 1; k >= 0; at-- {
		// Those in later have the higher literals.
		if middle > 0 && list[middle-1].Pos > later[k].Pos {
			middle--
			list[at] = list[middle]
		} else {
			list[at] = later[k]
			k--
		}
	}
}

func appendRuns(dst []rules.Anchor, data []byte, from, to int) []rules.Anchor {
	for b := nextEdge(data, from, to); b >= 0; b = nextEdge(data, b+minRun+1, to) {
		dst = append(dst, rules.Anchor{Pos: b, Literal: anchorRun})
	}
	return dst
}

func appendEscapes(dst []rules.Anchor, data []byte, from, to int) []rules.Anchor {
	end := min(to+1, len(data))
	for at := from + 1; at < end; {
		i := bytes.IndexByte(data[at:end], '\\')
		if i < 0 {
			break
		}
		i += at
		if data[i-1] != '\\' && telling(data[i+1:]) {
			dst = append(dst, rules.Anchor{Pos: i - 1, Literal: anchorEscape})
		}
		for at = i + 1; at < end && data[at] == '\\'; at++ {
		}
	}
	return dst
}

func appendPercents(dst []rules.Anchor, data []byte, from, to int) []rules.Anchor {
	for i := nextPercent(data, from, to); i >= 0; i = nextPercent(data, i+1, to) {
		dst = append(dst, rules.Anchor{Pos: i, Literal: anchorPercent})
	}
	return dst
}

// A spot is where something encoded may begin, and the number of its anchor in
// the chunk, or -1.
type spot struct{ pos, anchor int }

// spots are the places of one kind in a chunk, in order.
type spots struct {
	list []spot
	next int
}

// from returns the first spot at position at or later that is before to. Its
// position is -1 if there is none. at must not fall from call to call.
func (l *spots) from(at, to int) spot {
	for l.next < len(l.list) && l.list[l.next].pos < at {
		l.next++
	}
	if l.next == len(l.list) || l.list[l.next].pos >= to {
		return spot{-1, -1}
	}
	return l.list[l.next]
}

// collect sorts the anchors of the chunk by kind.
func (s *state) collect() {
	for i := range s.spots {
		s.spots[i].list, s.spots[i].next = s.spots[i].list[:0], 0
	}
	for k := range s.chunk.Anchors {
		a := &s.chunk.Anchors[k]
		switch a.Literal {
		case anchorRun, anchorEscape:
			l := &s.spots[a.Literal-anchorRun]
			l.list = append(l.list, spot{a.Pos + 1, k})
		case anchorPercent:
			l := &s.spots[anchorPercent-anchorRun]
			l.list = append(l.list, spot{a.Pos, k})
		}
	}
}

// carried reports whether the places in l are those that came with the chunk.
func (s *state) carried(l *layer) bool { return s.chunk.Encoded && l.parent == nil }

// nextRun returns the first run in l that begins at position at or later.
func (s *state) nextRun(l *layer, at int) (found spot, end int) {
	start := 0
	switch {
	case !s.carried(l):
		start, end = nextRun(l.data, at)
		return spot{start, -1}, end
	case at == 0 && len(l.data) >= minRun && allLetters(l.data[:minRun]):
		found = spot{0, -1}
	default:
		found = s.spots[0].from(at, len(l.data)) // of anchorRun
	}
	if found.pos < 0 {
		return found, 0
	}
	return found, runEnd(l.data, found.pos+minRun)
}

// nextEscape returns the first telling escape in l.data[at:to]. at is where one
// may begin.
func (s *state) nextEscape(l *layer, at, to int) spot {
	if !s.carried(l) {
		return spot{nextEscape(l.data, at, to), -1}
	}
	known := &s.spots[anchorEscape-anchorRun]
	// The rest of a row of backslashes has no places of its own.
	for ; at < to && l.data[at] == '\\'; at += 2 {
		if telling(l.data[at+1:]) {
			if f := known.from(at, to); f.pos == at {
				return f
			}
			return spot{at, -1}
		}
	}
	return known.from(at, to)
}

// nextPercent returns the first percent-encoded byte in l.data[at:to].
func (s *state) nextPercent(l *layer, at, to int) spot {
	if !s.carried(l) {
		return spot{nextPercent(l.data, at, to), -1}
	}
	return s.spots[anchorPercent-anchorRun].from(at, to)
}

// settled reports whether nothing came of f in an earlier version of the text,
// and nothing can have changed since.
func (s *state) settled(f spot) bool {
	return f.anchor >= 0 && s.chunk.Marks != nil && s.chunk.Marks[f.anchor] != 0
}

// A moment is what tells later whether anything was found since.
type moment struct{ found, room int }

func (s *state) now() moment { return moment{s.found, s.room} }

// settle marks f if nothing was found since then, and nothing decompressed,
// which may have been cut short because of others. What was looked at lies in
// the chunk's data[from:to].
func (s *state) settle(f spot, then moment, from, to int) {
	if f.anchor < 0 || s.chunk.Marks == nil {
		return
	}
	s.chunk.Marks[f.anchor] = 0
	if s.now() == then {
		pos := s.chunk.Anchors[f.anchor].Pos
		s.chunk.Marks[f.anchor] = rules.MarkFor(max(0, pos-from), max(0, to-pos))
	}
}
