package pack

import (
	"bytes"
	"slices"
)

// A TreeChange is what a tree has and the one that it is stored as a delta of
// has not, and the other way round. Versions of a folder differ in one entry or
// two and share dozens, so that to look at these instead of all is what makes
// it possible to look at every tree of a history.
type TreeChange struct {
	// Base is the number of the tree it was made of, which the same sweep
	// visits before or after, or -1: then Added is all of it.
	Base int
	// Added are the entries that were not copied from the base, in order, and
	// Gone those of the base that were not copied. Of an entry that was changed
	// Gone may leave out the one of the base.
	Added, Gone []TreeEntry
	// Parsed says that the tree could be read to its end and that its entries
	// are in git's order, no two the same. Of a tree that is not parsed nothing
	// is known.
	Parsed bool

	// last is the entry before the one that comes next, if it was parsed.
	last    TreeEntry
	hasLast bool
}

// minTreeRun is how many copied bytes are worth looking for an entry in: git's
// shortest, of SHA-1, is 28 bytes long.
const minTreeRun = 28

// whole sets c and known to what a tree says that is made of no other.
func (c *TreeChange) whole(known *anchored, data []byte, hashSize int) {
	c.start(known)
	for pos := 0; pos < len(data); {
		n := c.add(known, data, pos, hashSize)
		if n == 0 {
			return
		}
		pos += n
	}
	c.end(known, data)
}

func (c *TreeChange) start(known *anchored) {
	known.reset()
	c.Base, c.Parsed, c.Added, c.Gone, c.hasLast = -1, false, c.Added[:0], c.Gone[:0], false
}

func (c *TreeChange) end(known *anchored, data []byte) {
	known.cuts = append(known.cuts, int32(len(data)))
	c.Parsed, known.ok = true, true
}

// add takes in the entry at pos and returns its length, or 0 when it is
// damaged or does not come after the one before it.
func (c *TreeChange) add(known *anchored, data []byte, pos, hashSize int) int {
	e, n := treeEntry(data[pos:], hashSize)
	if n == 0 {
		return 0
	}
	if !c.inOrder(known, data, &e, hashSize) {
		return 0
	}
	c.append(known, &e, pos)
	return n
}

func (c *TreeChange) append(known *anchored, e *TreeEntry, pos int) {
	c.Added = append(c.Added, *e)
	known.cuts = append(known.cuts, int32(pos))
	c.last, c.hasLast = *e, true
}

// sameName reports whether the entry at the start of b has the name of e and is
// as much a folder.
func sameName(b []byte, e *TreeEntry, hashSize int) bool {
	old, n := treeEntry(b, hashSize)
	return n > 0 && old.IsTree() == e.IsTree() && bytes.Equal(old.Name, e.Name)
}

// inOrder reports whether e comes after the entry before it.
func (c *TreeChange) inOrder(known *anchored, data []byte, e *TreeEntry, hashSize int) bool {
	if !c.hasLast {
		k := len(known.cuts)
		if k == 0 {
			return true
		}
		c.last, _ = treeEntry(data[known.cuts[k-1]:], hashSize)
	}
	return CompareEntries(&c.last, e) < 0
}

// CompareEntries orders the entries of a tree as git does: by name, that of a
// folder as if it ended in a slash (base_name_compare in git's tree.c).
func CompareEntries(a, b *TreeEntry) int {
	n := min(len(a.Name), len(b.Name))
	if c := bytes.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c
	}
	if c := a.after(n) - b.after(n); c != 0 {
		return c
	}
	return len(a.Name) - len(b.Name)
}

// after returns what stands for the byte of the name behind its first n.
func (e *TreeEntry) after(n int) int {
	switch {
	case n < len(e.Name):
		return int(e.Name[n])
	case e.IsTree():
		return '/'
	}
	return 0
}

// knowTree sets f.known and w.change for a tree that was made of base by the
// copies in w.runs. Whole entries inside a copy are those of the base: where
// they begin is known from there. Only what is between is parsed.
func (w *walker) knowTree(f, base *frame) {
	hashSize := w.sw.s.opts.HashSize
	if !base.known.ok || w.pl.flags[base.node]&flagVisit == 0 || !w.change.carry(f, base, w.runs, hashSize) {
		w.change.whole(&f.known, f.data, hashSize)
		return
	}
	w.change.Base = w.pl.number(base.node)
}

// carry is knowTree unless copies are out of order or the tree is damaged, when
// it returns false.
func (c *TreeChange) carry(f, base *frame, runs []run, hashSize int) bool {
	c.start(&f.known)
	known, cuts := &f.known, base.known.cuts
	data, from := f.data, base.data
	gone := 0 // entries of the base before cuts[gone] are copied, changed, or in Gone
	// inStep says that the entry before is that before cuts[gone], copied or
	// changed: then what comes after it in the base comes after it here.
	inStep := true
	for pos := 0; pos < len(data); {
		for len(runs) > 0 && int(runs[0].dst+runs[0].n) <= pos {
			runs = runs[1:]
		}
		if len(runs) > 0 && int(runs[0].dst) <= pos {
			r := runs[0]
			shift := r.dst - r.src
			k, found := slices.BinarySearch(cuts[gone:], int32(pos)-shift)
			k += gone
			last := k
			if found {
				last = lastCut(cuts, k, r.src+r.n)
			}
			if last > k {
				if !inStep || k > gone {
					c.drop(from, cuts[gone:k], hashSize)
					if e, _ := treeEntry(from[cuts[k]:], hashSize); !c.inOrder(known, data, &e, hashSize) {
						return false
					}
				}
				for _, cut := range cuts[k:last] {
					known.cuts = append(known.cuts, cut+shift)
				}
				c.hasLast, inStep = false, true
				gone, pos = last, int(cuts[last]+shift)
				continue
			}
		}
		e, n := treeEntry(data[pos:], hashSize)
		changed := n > 0 && gone < len(cuts)-1 && sameName(from[cuts[gone]:], &e, hashSize)
		if n == 0 || !(inStep && changed) && !c.inOrder(known, data, &e, hashSize) {
			return false
		}
		if inStep = changed; changed {
			gone++
		}
		c.append(known, &e, pos)
		pos += n
	}
	c.drop(from, cuts[gone:len(cuts)-1], hashSize)
	c.end(known, data)
	return true
}

// lastCut returns the largest index from k on of a cut that is at most end.
func lastCut(cuts []int32, k int, end int32) int {
	if cuts[len(cuts)-1] <= end { // most often all the rest is copied
		return len(cuts) - 1
	}
	n, found := slices.BinarySearch(cuts[k:], end)
	if !found {
		n--
	}
	return k + n
}

// drop adds the entries of from that begin at cuts to Gone.
func (c *TreeChange) drop(from []byte, cuts []int32, hashSize int) {
	for _, cut := range cuts {
		e, _ := treeEntry(from[cut:], hashSize)
		c.Gone = append(c.Gone, e)
	}
}
