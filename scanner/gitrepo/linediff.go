package gitrepo

import "bytes"

// maxDiffCost bounds the steps of one line difference, some tenths of a
// second. What it leaves undecided counts as new.
const maxDiffCost = 1 << 26

// splitLines cuts data into lines. Line ends are not part of them, so that a
// line stays the same when another follows it, and in a file whose line ends
// changed. unit is the width in bytes of a
// line feed, 1, or 2 and 4 in UTF-16 and UTF-32, big tells their byte order;
// in those a line feed stands at a multiple of its width only.
func splitLines(data []byte, unit int, big bool) [][]byte {
	lines := make([][]byte, 0, len(data)/32+1)
	for start := 0; start < len(data); {
		end := start
		for {
			i := bytes.IndexByte(data[end:], '\n')
			if i < 0 {
				end = len(data)
				break
			}
			end += i + 1
			if unit == 1 {
				break
			}
			if at := (end - 1) / unit * unit; isLineFeed(data[at:min(at+unit, len(data))], unit, big) {
				end = at + unit
				break
			}
		}
		line := data[start:end]
		if unit == 1 {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		}
		lines = append(lines, line)
		start = end
	}
	return lines
}

// isLineFeed reports whether the one character c is a line feed.
func isLineFeed(c []byte, unit int, big bool) bool {
	feed := 0
	if big {
		feed = unit - 1
	}
	for i, b := range c {
		if i == feed && b != '\n' || i != feed && b != 0 {
			return false
		}
	}
	return len(c) == unit
}

// commonLines marks in kept the lines of a that a shortest edit from b to a
// keeps, and returns how many it found. kept must be as long as a. Every mark
// is true: the marked lines stand in b too, in the same order. When the two
// are too different to decide within cost steps some marks are missing.
func commonLines(a, b [][]byte, kept []bool, cost int) int {
	n := 0
	for n < len(a) && n < len(b) && bytes.Equal(a[n], b[n]) {
		kept[n] = true
		n++
	}
	end := 0
	for end < len(a)-n && end < len(b)-n && bytes.Equal(a[len(a)-1-end], b[len(b)-1-end]) {
		end++
		kept[len(a)-end] = true
	}
	d := newDiffer(a[n:len(a)-end], b[n:len(b)-end], kept[n:len(a)-end], cost)
	d.compare(0, len(d.a), 0, len(d.b))
	return n + end + d.found
}

// A differ finds a longest common subsequence by Myers' algorithm in linear
// space (E. W. Myers, "An O(ND) difference algorithm and its variations",
// Algorithmica 1, 1986, section 4b), over numbers that stand for lines. Lines
// that the other side does not have at all are left out beforehand: they can
// match nothing, and they make most of the work.
type differ struct {
	a, b  []int32
	at    []int // where a[i] stands in kept
	kept  []bool
	found int
	cost  int
	// fwd and bwd hold how far in a the searches from both ends have come on
	// each diagonal, that is for each difference x-y of places in a and b;
	// diagonal k is at index k+off.
	fwd, bwd []int
	off      int
}

func newDiffer(a, b [][]byte, kept []bool, cost int) *differ {
	d := &differ{kept: kept, cost: cost}
	number := make(map[string]int32, len(b))
	inA := make([]bool, 0, len(b))
	nb := make([]int32, len(b))
	for i, line := range b {
		n, ok := number[string(line)]
		if !ok {
			n = int32(len(number))
			number[string(line)] = n
			inA = append(inA, false)
		}
		nb[i] = n
	}
	for i, line := range a {
		if n, ok := number[string(line)]; ok {
			inA[n] = true
			d.a, d.at = append(d.a, n), append(d.at, i)
		}
	}
	for _, n := range nb {
		if inA[n] {
			d.b = append(d.b, n)
		}
	}
	d.off = len(d.b) + 1
	size := len(d.a) + len(d.b) + 3
	d.fwd, d.bwd = make([]int, size), make([]int, size)
	return d
}

func (d *differ) keep(i int) {
	d.kept[d.at[i]] = true
	d.found++
}

// compare marks what a[a0:a1] keeps of b[b0:b1].
func (d *differ) compare(a0, a1, b0, b1 int) {
	for {
		for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
			d.keep(a0)
			a0, b0 = a0+1, b0+1
		}
		for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
			a1, b1 = a1-1, b1-1
			d.keep(a1)
		}
		if a0 == a1 || b0 == b1 {
			return
		}
		x, y, ok := d.middle(a0, a1, b0, b1)
		if !ok {
			return
		}
		d.compare(a0, x, b0, y)
		a0, b0 = x, y
	}
}

// middle returns a point that a shortest edit passes about halfway: it lets a
// search run from both ends until they meet. ok is false when the cost is used
// up. Both ranges must have been trimmed, then both halves are smaller.
func (d *differ) middle(a0, a1, b0, b1 int) (x, y int, ok bool) {
	fwd, bwd, off := d.fwd, d.bwd, d.off
	least, most := a0-b1, a1-b0 // diagonals that exist here
	start, goal := a0-b0, a1-b1 // those of the two corners
	odd := (start-goal)&1 != 0
	fmin, fmax, bmin, bmax := start, start, goal, goal
	fwd[start+off], bwd[goal+off] = a0, a1
	for {
		if d.cost -= fmax - fmin + bmax - bmin + 2; d.cost < 0 {
			return 0, 0, false
		}
		fmin, fmax = d.widen(fwd, fmin, fmax, least, most, -1)
		for k := fmax; k >= fmin; k -= 2 {
			x = max(fwd[off+k-1]+1, fwd[off+k+1])
			y = x - k
			for x < a1 && y < b1 && d.a[x] == d.b[y] {
				x, y = x+1, y+1
			}
			fwd[off+k] = x
			if odd && bmin <= k && k <= bmax && bwd[off+k] <= x {
				return x, y, true
			}
		}
		bmin, bmax = d.widen(bwd, bmin, bmax, least, most, len(d.a)+1)
		for k := bmax; k >= bmin; k -= 2 {
			x = min(bwd[off+k-1], bwd[off+k+1]-1)
			y = x - k
			for x > a0 && y > b0 && d.a[x-1] == d.b[y-1] {
				x, y = x-1, y-1
			}
			bwd[off+k] = x
			if !odd && fmin <= k && k <= fmax && x <= fwd[off+k] {
				return x, y, true
			}
		}
	}
}

// widen takes in one more diagonal at each end of lo to hi, or drops the one
// there where none is left, and puts none beside the new ends.
func (d *differ) widen(v []int, lo, hi, least, most, none int) (int, int) {
	if lo > least {
		lo--
		v[lo-1+d.off] = none
	} else {
		lo++
	}
	if hi < most {
		hi++
		v[hi+1+d.off] = none
	} else {
		hi--
	}
	return lo, hi
}
