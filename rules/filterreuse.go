package rules

import (
	"math/bits"
	"slices"
	"strings"
)

// A user's few rules come with all of ours, and to arrange the prefilter takes
// most of the time that Compile takes. So literals that the built-in program
// has keep the windows and buckets that they have there.

// builtinWindows knows them. The zero value knows none.
type builtinWindows struct {
	offsets []uint8 // of the windows, by literal
}

func newBuiltinWindows() (b builtinWindows) {
	b.offsets = make([]uint8, len(builtin.literals))
	for _, e := range builtin.filter.entries {
		b.offsets[e.literal] = e.offset &^ besideBefore
	}
	return b
}

// offset returns where in l its window begins, if the built-in program has l.
func (b *builtinWindows) offset(l *literal) (offset int, ok bool) {
	if b.offsets == nil {
		return 0, false
	}
	i, ok := slices.BinarySearchFunc(builtin.literals, l, compareLiterals)
	if !ok {
		return 0, false
	}
	return int(b.offsets[i]), true
}

// compareLiterals is the order of Program.literals.
func compareLiterals(a literal, b *literal) int {
	if c := strings.Compare(a.text, b.text); c != 0 || a.fold == b.fold {
		return c
	}
	return b2i(a.fold) - b2i(b.fold)
}

// bucket returns the bucket of a window of the built-in program. It may be
// another than the one that the window was put into, but that lets it pass too.
func (b *builtinWindows) bucket(w *window) int {
	in := ^uint32(0)
	for half, pairs := range w.pairs {
		for _, p := range pairs {
			in &= builtin.filter.table[p] >> (half * buckets)
		}
	}
	return bits.TrailingZeros32(in & (1<<buckets - 1))
}
