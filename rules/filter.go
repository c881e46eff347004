package rules

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// The prefilter looks for all literals of a program at once. Each literal
// gives it a window of four bytes, the rarest it has, and belongs to one of
// sixteen buckets. The table has an entry for each pair of bytes: in its low
// half, the buckets that have the pair as the first half of a window, in its
// high half, as the second. So
//
//	table[pair at i] & table[pair at i+2]>>16
//
// is not zero where a window may stand, at the price of one load, one shift
// and two logical operations for each byte of text, and whether a literal is
// case-sensitive shows in the table alone. What passes is looked up in a hash
// table of windows and then compared with the literal, so that the anchors are
// exactly the places where literals stand. A text pays the same for 50 literals
// as for 500: only the share of false candidates grows.
//
// Literals of three bytes have one pair and one byte, which may be followed by
// anything.
type filter struct {
	table   *[1 << 16]uint32
	held    *[heldBits / 64]uint64 // a bit for each key, by a longer hash
	slots   []uint32               // entries[slots[h]:slots[h+1]] are those with hash h
	entries []entry
	shift   uint8 // hashes have 32-shift bits
	short   bool  // there are literals of three bytes
	longest int   // length of the longest literal
	reach   int   // largest offset of a window in its literal
}

// An entry is what the hash table has of a literal.
type entry struct {
	key     uint32 // of the window
	literal uint16
	offset  uint8 // of the window in the literal
	// beside is the byte of the literal behind its window, folded like a key,
	// or where there is none that before it (besideBefore), or 0 where the window
	// is all of it. It tells most words apart that share a window, before the
	// literal is looked at.
	beside uint8
}

// besideBefore is set in entry.offset where beside stands before the window.
const besideBefore = 1 << 7

// newEntry returns the entry of a literal whose window begins at offset.
func newEntry(text string, index, offset int) entry {
	e := entry{literal: uint16(index), offset: uint8(offset)}
	switch s := text[offset:]; {
	case len(s) > 4:
		e.beside = s[4] | 0x20
	case len(s) == 4 && offset > 0:
		e.beside = text[offset-1] | 0x20
		e.offset |= besideBefore
	}
	return e
}

// The keys of windows of four and three bytes. Setting a bit of each byte folds
// the case of letters and joins a few others, which the comparison tells apart.
// The two kinds differ in the highest byte.
func key4(window uint32) uint32 { return window | 0x20202020 }
func key3(window uint32) uint32 { return window&0xffffff | 0x202020 }

func hash(key uint32, shift uint8) uint32 { return key * 0x9e3779b1 >> shift }

// heldBits is how many bits there are to tell that no window has a key. Most
// candidates end there, so they are many, and yet few enough for the first cache,
// which the hash table is not.
const heldBits = 1 << 17

// heldBit returns the word and the bit of key in filter.held.
func heldBit(key uint32) (word int, bit uint64) {
	h := hash(key, 32-17)
	return int(h >> 6), 1 << (h & 63)
}

const buckets = 16

// goesOn reports whether what stands beside the window at data[i] may belong to
// the literal.
func (e *entry) goesOn(data []byte, i int) bool {
	at := i + 4
	if e.offset&besideBefore != 0 {
		at = i - 1
	}
	return e.beside == 0 || uint(at) < uint(len(data)) && data[at]|0x20 == e.beside
}

// A window is what one literal contributes: the pairs of its halves.
type window struct {
	entry
	pairs [2][]uint16
	grams [2][]uint16 // that have such a first pair, or such a second one
	place int         // the bucket that it is in already, or -1
}

func newWindow(l *literal, index, offset int, x *gramIndex) window {
	w := window{entry: newEntry(l.text, index, offset)}
	s := l.text[offset:]
	w.pairs[0] = foldPairs(s[0], s[1], l.fold)
	if len(s) >= 4 {
		w.key = key4(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
		w.pairs[1] = foldPairs(s[2], s[3], l.fold)
	} else {
		w.key = key3(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16)
		for next := range 256 {
			w.pairs[1] = append(w.pairs[1], foldPairs(s[2], byte(next), false)...)
			if l.fold && isLetter(s[2]) {
				w.pairs[1] = append(w.pairs[1], foldPairs(s[2]^0x20, byte(next), false)...)
			}
		}
	}
	for half, pairs := range w.pairs {
		if x == nil {
			break
		}
		for _, p := range pairs {
			w.grams[half] = append(w.grams[half], x[half][p]...)
		}
		slices.Sort(w.grams[half])
	}
	return w
}

// foldPairs returns the table indexes of the pair a, b.
func foldPairs(a, b byte, fold bool) []uint16 {
	out := []uint16{uint16(a) | uint16(b)<<8}
	if fold && isLetter(a) {
		out = append(out, uint16(a^0x20)|uint16(b)<<8)
	}
	if fold && isLetter(b) {
		for _, p := range out {
			out = append(out, p^0x2000)
		}
	}
	return out
}

// A bucket knows what it lets pass: the share of text that its first pairs
// and its second pairs take, and which of the frequent sequences have one of
// both.
type bucket struct {
	count [2]map[uint16]int
	share [2]float64
	grams [2][gramCount]uint16 // how many windows have such a pair
	words float64              // share of the sequences that pass
}

// with returns the share of candidates if w belonged to b.
func (b *bucket) with(w *window) float64 {
	share := b.share
	for half := range 2 {
		for _, p := range w.pairs[half] {
			if b.count[half][p] == 0 {
				share[half] += pairFrequency(byte(p), byte(p>>8))
			}
		}
	}
	words := b.words
	for _, g := range w.grams[0] {
		if b.grams[0][g] > 0 {
			continue
		}
		if _, both := slices.BinarySearch(w.grams[1], g); both || b.grams[1][g] > 0 {
			words += gramShare(int(g))
		}
	}
	for _, g := range w.grams[1] {
		if b.grams[1][g] == 0 && b.grams[0][g] > 0 {
			words += gramShare(int(g))
		}
	}
	return share[0]*share[1] + words
}

// cost returns the share of candidates of b.
func (b *bucket) cost() float64 { return b.share[0]*b.share[1] + b.words }

func (b *bucket) change(w *window, by int) {
	for half := range 2 {
		if b.count[half] == nil {
			b.count[half] = map[uint16]int{}
		}
		b.share[half] = max(0, b.share[half]) // rounding
		for _, p := range w.pairs[half] {
			before := b.count[half][p]
			b.count[half][p] = before + by
			if before == 0 {
				b.share[half] += pairFrequency(byte(p), byte(p>>8))
			} else if before+by == 0 {
				b.share[half] -= pairFrequency(byte(p), byte(p>>8))
			}
		}
		for _, g := range w.grams[half] {
			before := b.grams[0][g] > 0 && b.grams[1][g] > 0
			b.grams[half][g] += uint16(by)
			if after := b.grams[0][g] > 0 && b.grams[1][g] > 0; after && !before {
				b.words += gramShare(int(g))
			} else if before && !after {
				b.words = max(0, b.words-gramShare(int(g)))
			}
		}
	}
}

// assign puts every window into the bucket that it widens least, beginning
// with the most frequent ones, and then moves windows that fit better
// elsewhere. The first round is cheap enough for a user's rules at run time,
// which find most windows in the place that they have in the built-in program.
func assign(windows []window, rounds int) []int {
	var all [buckets]bucket
	var order []int
	at, cost := make([]int, len(windows)), make([]float64, len(windows))
	for i := range windows {
		w := &windows[i]
		if at[i] = w.place; w.place >= 0 {
			all[w.place].change(w, 1)
			continue
		}
		order = append(order, i)
		cost[i] = new(bucket).with(w)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cost[b], cost[a]) })
	for round := range rounds {
		for _, i := range order {
			if round > 0 {
				all[at[i]].change(&windows[i], -1)
			}
			best, least := 0, 2.0
			for b := range all {
				extra := all[b].with(&windows[i]) - all[b].cost()
				if extra < least {
					best, least = b, extra
				}
			}
			at[i] = best
			all[best].change(&windows[i], 1)
		}
	}
	return at
}

// manyLiterals is how many literals there must be for their buckets to be chosen
// by frequent sequences too. A user's few rules get by without, and sooner.
const manyLiterals = 256

// newFilter builds the prefilter for literals.
func newFilter(literals []literal, rounds int) filter {
	f := filter{table: new([1 << 16]uint32), held: new([heldBits / 64]uint64)}
	windows := make([]window, len(literals))
	var index *gramIndex
	if len(literals) >= manyLiterals {
		index = newGramIndex()
	}
	var b builtinWindows
	if rounds == 1 {
		b = newBuiltinWindows()
	}
	for i := range literals {
		l := &literals[i]
		offset, known := b.offset(l)
		if !known {
			offset, _ = rarestWindow(l.text, l.fold)
		}
		windows[i] = newWindow(l, i, offset, index)
		windows[i].place = -1
		if known {
			windows[i].place = b.bucket(&windows[i])
		}
		f.longest = max(f.longest, len(literals[i].text))
		f.reach = max(f.reach, offset)
		f.short = f.short || len(literals[i].text) < 4
	}
	for i, b := range assign(windows, rounds) {
		for half := range 2 {
			for _, p := range windows[i].pairs[half] {
				f.table[p] |= 1 << (b + half*buckets)
			}
		}
	}
	f.shift = uint8(32 - bits.Len(uint(4*len(literals))))
	f.slots = make([]uint32, 1<<(32-f.shift)+1)
	for i := range windows {
		f.entries = append(f.entries, windows[i].entry)
		word, bit := heldBit(windows[i].key)
		f.held[word] |= bit
	}
	slices.SortStableFunc(f.entries, func(a, b entry) int {
		return cmp.Compare(hash(a.key, f.shift), hash(b.key, f.shift))
	})
	for _, e := range f.entries {
		f.slots[hash(e.key, f.shift)+1]++
	}
	for i := 1; i < len(f.slots); i++ {
		f.slots[i] += f.slots[i-1]
	}
	return f
}

// Anchors appends to dst the anchors that begin in data[from:to], in rising
// order of position, then literal.
func (p *Program) Anchors(dst []Anchor, data []byte, from, to int) []Anchor {
	from, to = max(from, 0), min(to, len(data))
	if len(p.literals) == 0 || from >= to {
		return dst
	}
	sorted := len(dst)
	// A literal that begins before to may have its window behind it.
	last := min(to+p.filter.reach, len(data))
	i := from
	for {
		i = p.filter.skim(data, i, last)
		if i+8 > last || i+16 > len(data) {
			break
		}
		dst = p.verify(dst, sorted, data, i, from, to)
		i += 8
	}
	// Pieces of a text are small, and their last windows many: what lies behind
	// them in the text is as good as what lies in them.
	for ; i < last && i+12 <= len(data); i += 8 {
		dst = p.verify(dst, sorted, data, i, from, to)
	}
	return p.verifyTail(dst, sorted, data, i, last, from, to)
}

// skim returns the first of the positions i, i+8, i+16, … in data[:last] where
// one of the eight windows from there on may be one of the filter's. It stops
// short of the last 16 bytes. All the speed of a scan is in this loop, which
// for that reason does nothing else.
func (f *filter) skim(data []byte, i, last int) int {
	t := f.table
	if i+16 > len(data) {
		return i
	}
	a := t[binary.LittleEndian.Uint16(data[i:])]
	b := t[binary.LittleEndian.Uint16(data[i+1:])]
	for last = min(last-8, len(data)-16); i <= last; i += 8 {
		d := data[i+2 : i+16]
		v := binary.LittleEndian.Uint64(d)
		w := binary.LittleEndian.Uint16(d[7:])
		c0, c1 := t[uint16(v)], t[uint16(v>>8)]
		c2, c3 := t[uint16(v>>16)], t[uint16(v>>24)]
		c4, c5 := t[uint16(v>>32)], t[uint16(v>>40)]
		c6, c7 := t[uint16(v>>48)], t[w]
		h := a&(c0>>16) | b&(c1>>16) | c0&(c2>>16) | c1&(c3>>16) |
			c2&(c4>>16) | c3&(c5>>16) | c4&(c6>>16) | c5&(c7>>16)
		if h != 0 {
			return i
		}
		a, b = c6, c7
	}
	return i
}

// passing has a bit for each of the eight windows from data[i] on that may be
// one of the filter's. There are no branches in it: which of the eight it is
// cannot be foretold.
func (f *filter) passing(data []byte, i int) uint32 {
	t, d := f.table, data[i:i+12]
	v, w := binary.LittleEndian.Uint64(d), binary.LittleEndian.Uint32(d[8:])
	a, b := t[uint16(v)], t[uint16(v>>8)]
	c0, c1 := t[uint16(v>>16)], t[uint16(v>>24)]
	c2, c3 := t[uint16(v>>32)], t[uint16(v>>40)]
	c4, c5 := t[uint16(v>>48)], t[uint16(v>>56|uint64(w)<<8)]
	c6, c7 := t[uint16(w)], t[uint16(w>>8)]
	return one(a&(c0>>16)) | one(b&(c1>>16))<<1 | one(c0&(c2>>16))<<2 | one(c1&(c3>>16))<<3 |
		one(c2&(c4>>16))<<4 | one(c3&(c5>>16))<<5 | one(c4&(c6>>16))<<6 | one(c5&(c7>>16))<<7
}

// one returns 1 unless x is 0.
func one(x uint32) uint32 { return (x | -x) >> 31 }

// verify appends the anchors of the eight windows from data[i] on, where at
// least four bytes follow each position.
func (p *Program) verify(dst []Anchor, sorted int, data []byte, i, from, to int) []Anchor {
	f := &p.filter
	for m := f.passing(data, i); m != 0; m &= m - 1 {
		at := i + bits.TrailingZeros32(m)
		w := binary.LittleEndian.Uint32(data[at:])
		if key := key4(w); f.holds(key) {
			dst = p.lookup(dst, sorted, data, at, key, from, to)
		}
		if key := key3(w); f.short && f.holds(key) {
			dst = p.lookup(dst, sorted, data, at, key, from, to)
		}
	}
	return dst
}

// verifyTail does the same for the last positions of a text, reading zeros
// behind it.
func (p *Program) verifyTail(dst []Anchor, sorted int, data []byte, i, end, from, to int) []Anchor {
	f := &p.filter
	for ; i < end; i++ {
		var b [4]byte
		copy(b[:], data[i:])
		w := binary.LittleEndian.Uint32(b[:])
		if f.table[uint16(w)]&(f.table[w>>16]>>16) == 0 {
			continue
		}
		if key := key4(w); f.holds(key) {
			dst = p.lookup(dst, sorted, data, i, key, from, to)
		}
		if key := key3(w); f.short && f.holds(key) {
			dst = p.lookup(dst, sorted, data, i, key, from, to)
		}
	}
	return dst
}

// holds reports whether a window may have the key.
func (f *filter) holds(key uint32) bool {
	word, bit := heldBit(key)
	return f.held[word]&bit != 0
}

// lookup appends the anchors of the literals whose window is at data[i]. Since
// windows lie at different offsets, an anchor may belong before some that were
// found already.
func (p *Program) lookup(dst []Anchor, sorted int, data []byte, i int, key uint32, from, to int) []Anchor {
	f := &p.filter
	h := hash(key, f.shift)
	for k := f.slots[h]; k < f.slots[h+1]; k++ {
		e := &f.entries[k]
		pos := i - int(e.offset&^besideBefore)
		if e.key != key || pos < from || pos >= to || !e.goesOn(data, i) || !p.literals[e.literal].at(data, pos) {
			continue
		}
		dst = append(dst, Anchor{pos, e.literal})
		for j := len(dst) - 1; j > sorted; j-- {
			a, b := &dst[j-1], &dst[j]
			if a.Pos < b.Pos || a.Pos == b.Pos && a.Literal < b.Literal {
				break
			}
			*a, *b = *b, *a
		}
	}
	return dst
}
