package pack

import (
	"errors"
	"fmt"
	"math"
)

// A run is a piece of an object that is copied from its base:
// object[dst:dst+n] equals base[src:src+n].
type run struct{ dst, src, n int32 }

// maxDelta bounds the objects that deltas work on, so that a run fits in 32
// bits. Options.MaxObject cannot be more.
const maxDelta = math.MaxInt32 - 1024

var errDelta = errors.New("the delta is damaged")

func deltaError(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errDelta, fmt.Sprintf(format, a...))
}

// deltaSizes reads the head of a delta: the sizes of its base and its result,
// and where the instructions begin.
func deltaSizes(delta []byte) (base, result int64, ops int, err error) {
	base, n := deltaSize(delta)
	if n == 0 {
		return 0, 0, 0, deltaError("it states no size of its base")
	}
	result, m := deltaSize(delta[n:])
	if m == 0 {
		return 0, 0, 0, deltaError("it states no size of its result")
	}
	return base, result, n + m, nil
}

// deltaSize reads a little-endian number of groups of seven bits and returns
// how many bytes it takes, or 0.
func deltaSize(b []byte) (size int64, used int) {
	for i, c := range b {
		if i == 9 {
			return 0, 0
		}
		size |= int64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return size, i + 1
		}
	}
	return 0, 0
}

// copyOp decodes the copy instruction at ops[i] and returns the index of the
// next one, or 0 when the instruction is cut short.
func copyOp(ops []byte, i int) (src, n, next int) {
	c := ops[i]
	i++
	for bit := range 7 {
		if c>>bit&1 == 0 {
			continue
		}
		if i == len(ops) {
			return 0, 0, 0
		}
		if bit < 4 {
			src |= int(ops[i]) << (8 * bit)
		} else {
			n |= int(ops[i]) << (8 * (bit - 4))
		}
		i++
	}
	if n == 0 {
		n = 0x10000
	}
	return src, n, i
}

// deltaLength adds up what the instructions yield, so that a result is
// allocated only when it is as large as it claims to be.
func deltaLength(ops []byte) (n int64, err error) {
	for i := 0; i < len(ops); {
		switch c := ops[i]; {
		case c&0x80 != 0:
			_, length, next := copyOp(ops, i)
			if next == 0 {
				return 0, deltaError("its last copy is cut short")
			}
			n, i = n+int64(length), next
		case c == 0:
			return 0, deltaError("instruction 0 is not known")
		default:
			n, i = n+int64(c), i+1+int(c)
		}
	}
	return n, nil
}

// applyDelta carries out the instructions ops on base and fills dst, which has
// the stated size of the result. It appends to runs those copied pieces of at
// least minRun bytes, joined where one continues the other, in rising order.
func applyDelta(dst, base, ops []byte, runs []run, minRun int) ([]run, error) {
	var last run
	d := 0
	for i := 0; i < len(ops); {
		c := ops[i]
		if c&0x80 == 0 {
			n := int(c)
			i++
			if n == 0 {
				return nil, deltaError("instruction 0 is not known")
			}
			if n > len(ops)-i {
				return nil, deltaError("its last insertion is cut short")
			}
			if n > len(dst)-d {
				return nil, deltaError("it yields more than the %d bytes it states", len(dst))
			}
			d += copy(dst[d:], ops[i:i+n])
			i += n
			continue
		}
		src, n, next := copyOp(ops, i)
		if next == 0 {
			return nil, deltaError("its last copy is cut short")
		}
		i = next
		if src > len(base) || n > len(base)-src {
			return nil, deltaError("it copies bytes %d to %d of a base of %d", src, src+n, len(base))
		}
		if n > len(dst)-d {
			return nil, deltaError("it yields more than the %d bytes it states", len(dst))
		}
		copy(dst[d:], base[src:src+n])
		if int(last.dst+last.n) == d && int(last.src+last.n) == src && last.n > 0 {
			last.n += int32(n)
		} else {
			if int(last.n) >= minRun {
				runs = append(runs, last)
			}
			last = run{int32(d), int32(src), int32(n)}
		}
		d += n
	}
	if d != len(dst) {
		return nil, deltaError("it yields %d bytes and states %d", d, len(dst))
	}
	if last.n > 0 && int(last.n) >= minRun {
		runs = append(runs, last)
	}
	return runs, nil
}
