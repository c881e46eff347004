package pack

import (
	"bytes"
	"math"
	"slices"

	"github.com/spillgate/spillgate/rules"
)

// An Anchorer finds the places where literals stand. *rules.Program is one.
//
// Whether an anchor begins at a position must depend on nothing but the
// LongestLiteral bytes from there on, or fewer where the data ends: that is
// what lets anchors be carried along with copied bytes.
type Anchorer interface {
	// Anchors appends to dst the anchors that begin in data[from:to], in
	// rising order of position, then literal.
	Anchors(dst []rules.Anchor, data []byte, from, to int) []rules.Anchor
	// LongestLiteral returns the length in bytes of the longest literal.
	LongestLiteral() int
}

var _ Anchorer = (*rules.Program)(nil)

// anchored is what is known of an object besides its bytes.
type anchored struct {
	anchors []rules.Anchor
	// marks has a byte for each anchor, which the visitor owns.
	marks []byte
	// cuts are where the entries of a tree begin, and its end.
	cuts []int32
	// noNUL says that no byte of the object is NUL, which carries over like
	// anchors. Without anchors it says nothing.
	noNUL bool
	// ok says that anchors are complete. They are not when there is no
	// Anchorer or more than maxAnchors. Of a tree, it says that all of it was
	// cut into entries, in rising order.
	ok bool
}

func (a *anchored) reset() {
	a.anchors, a.marks, a.cuts, a.noNUL, a.ok = a.anchors[:0], a.marks[:0], a.cuts[:0], false, false
}

// bytes returns how much memory a takes, roughly.
func (a *anchored) bytes() int64 {
	return int64(cap(a.anchors))*16 + int64(cap(a.marks)) + 4*int64(cap(a.cuts))
}

// A carrier finds anchors, by carrying or by searching.
type carrier struct {
	anchorer Anchorer
	longest  int
	// reach is, for each mark, the neighbourhood that keeps it.
	reach [256]struct{ before, after int }
	// minRun is the length from which on a copied run is worth the trouble;
	// no run is without an Anchorer.
	minRun int
	// max bounds the anchors that are kept of one object.
	max int
}

// worth is how many positions a run must carry to be worth a call more of the
// Anchorer: to search that much takes about as long as the call.
const worth = 48

// scanStep is how much is searched before anchors are counted.
const scanStep = 256 << 10

// maxAnchors bounds how many anchors of one object are kept, 16 MiB of them.
// Texts have a few hundred; what has more was made to have them.
const maxAnchors = 1 << 20

func newCarrier(a Anchorer, reach func(mark byte) (before, after int)) carrier {
	c := carrier{anchorer: a, max: maxAnchors, minRun: math.MaxInt}
	for mark := 1; mark < len(c.reach) && reach != nil; mark++ {
		r := &c.reach[mark]
		r.before, r.after = reach(byte(mark))
	}
	if a != nil {
		c.longest = max(a.LongestLiteral(), 1)
		c.minRun = c.longest + worth
	}
	return c
}

// scan searches data[from:to] and appends to out. It reports whether the
// anchors are still few enough.
func (c *carrier) scan(out *anchored, data []byte, from, to int) bool {
	for from < to {
		next := min(to, from+scanStep)
		out.anchors = c.anchorer.Anchors(out.anchors, data, from, next)
		if len(out.anchors) > c.max {
			return false
		}
		from = next
	}
	return true
}

// full sets out to the anchors of data by searching all of it.
func (c *carrier) full(out *anchored, data []byte) {
	out.reset()
	if c.anchorer == nil {
		return
	}
	out.ok = c.scan(out, data, 0, len(data))
	out.noNUL = bytes.IndexByte(data, 0) < 0
	c.finish(out)
}

// finish brings marks to the length of anchors, or drops both.
func (c *carrier) finish(out *anchored) {
	if !out.ok {
		out.anchors, out.marks, out.noNUL = nil, nil, false
		return
	}
	have := len(out.marks)
	out.marks = slices.Grow(out.marks, len(out.anchors)-have)[:len(out.anchors)]
	clear(out.marks[have:])
}

// carry sets out to the anchors of data, which was made of base, whose
// anchors are from, by copying runs (see applyDelta).
//
// A position is carried when the longest literal, were it to stand there, lies
// wholly inside the run, or when run and both objects end together. All other
// positions are searched.
func (c *carrier) carry(out *anchored, data, base []byte, from *anchored, runs []run) {
	if c.anchorer == nil || !from.ok || len(runs) == 0 {
		c.full(out, data)
		return
	}
	out.reset()
	out.noNUL = from.noNUL || bytes.IndexByte(data, 0) < 0
	pos, next := 0, 0
	for i := range runs {
		r := &runs[i]
		dst, src, n := int(r.dst), int(r.src), int(r.n)
		carried := n - (c.longest - 1)
		atEnd := dst+n == len(data) && src+n == len(base)
		if atEnd {
			carried = n
		}
		if carried <= 0 {
			continue
		}
		out.noNUL = out.noNUL && bytes.IndexByte(data[pos:dst], 0) < 0
		if !c.scan(out, data, pos, dst) {
			c.finish(out)
			return
		}
		next = c.inherit(out, from, next, dst, src, n, carried, atEnd)
		pos = dst + carried
		if len(out.anchors) > c.max {
			c.finish(out)
			return
		}
	}
	out.noNUL = out.noNUL && bytes.IndexByte(data[pos:], 0) < 0
	out.ok = c.scan(out, data, pos, len(data))
	c.finish(out)
}

// inherit appends the anchors that begin in the first carried bytes of a run,
// and returns the place in from of the one behind them. Runs mostly copy what
// lies behind the run before: so k is where that one ended.
func (c *carrier) inherit(out, from *anchored, k, dst, src, n, carried int, atEnd bool) int {
	k = firstFrom(from.anchors, k, src)
	if k == len(from.anchors) || from.anchors[k].Pos >= src+carried {
		return k
	}
	// The marks of anchors that were searched for are zero.
	have := len(out.marks)
	out.marks = slices.Grow(out.marks, len(out.anchors)-have)[:len(out.anchors)]
	clear(out.marks[have:])
	// An anchor keeps its mark when its neighbourhood lies inside the run, or
	// is cut off by the same edge of the object on both sides.
	atStart := src == 0 && dst == 0
	for ; k < len(from.anchors) && from.anchors[k].Pos < src+carried; k++ {
		a := from.anchors[k]
		mark := from.marks[k]
		if r := &c.reach[mark]; !atStart && a.Pos-r.before < src || !atEnd && a.Pos+r.after > src+n {
			mark = 0
		}
		a.Pos += dst - src
		out.anchors, out.marks = append(out.anchors, a), append(out.marks, mark)
	}
	return k
}

// firstFrom returns the place of the first of anchors that begins at pos or
// behind. It looks first at the few from k on.
func firstFrom(anchors []rules.Anchor, k, pos int) int {
	lo, hi := 0, len(anchors)
	if k == 0 || anchors[k-1].Pos < pos {
		for lo = k; lo < len(anchors) && lo < k+8; lo++ {
			if anchors[lo].Pos >= pos {
				return lo
			}
		}
	} else {
		hi = k
	}
	for lo < hi {
		if m := int(uint(lo+hi) / 2); anchors[m].Pos < pos {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
