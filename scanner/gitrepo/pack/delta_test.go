package pack

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// textOf returns n bytes full of the literals of the tests.
func textOf(r *rand.Rand, n int) []byte {
	var b []byte
	for len(b) < n {
		b = append(b, words[r.IntN(len(words))]...)
	}
	return b[:n]
}

// checkCarry carries anchors through the delta, with every piece that is
// copied taken for worth it, and compares with a search of the whole.
func checkCarry(t *testing.T, a Anchorer, base, delta, want []byte) {
	t.Helper()
	for _, worth := range []int{0, 1, 48} {
		c := newCarrier(a, func(byte) (int, int) { return 3, 20 })
		c.minRun = a.LongestLiteral() + worth
		if worth == 0 {
			c.minRun = 1
		}
		size, ops, err := deltaHead(delta, int64(len(base)), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size)
		runs, err := applyDelta(data, base, ops, nil, c.minRun)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, want) {
			t.Fatalf("the result differs: %d bytes, want %d", len(data), len(want))
		}
		var from, out anchored
		c.full(&from, base)
		for i, at := range from.anchors {
			from.marks[i] = markOf(base, at.Pos)
		}
		c.carry(&out, data, base, &from, runs)
		if full := a.Anchors(nil, data, 0, len(data)); !out.ok || !slices.Equal(out.anchors, full) {
			t.Fatalf("runs of %d bytes: carried %d anchors, a search finds %d others", c.minRun, len(out.anchors), len(full))
		}
		if none := bytes.IndexByte(data, 0) < 0; out.noNUL != none {
			t.Fatalf("carried that there is no NUL: %v, it is %v", out.noNUL, none)
		}
		if len(out.marks) != len(out.anchors) {
			t.Fatalf("%d marks for %d anchors", len(out.marks), len(out.anchors))
		}
		for i, at := range out.anchors {
			if m := out.marks[i]; m != 0 && m != markOf(data, at.Pos) {
				t.Fatalf("the mark at %d of %d is of other surroundings", at.Pos, len(data))
			}
		}
	}
}

// markOf sums up the surroundings that a mark depends on in checkCarry.
func markOf(data []byte, pos int) byte {
	h := byte(0)
	for _, c := range data[max(pos-3, 0):min(pos+20, len(data))] {
		h = h*31 + c
	}
	return h | 1
}

// TestNoNUL carries whether there is a NUL through deltas that bring one, take
// one away or leave it where it was.
func TestNoNUL(t *testing.T) {
	text := textOf(rand.New(rand.NewPCG(5, 6)), 3000)
	holding := bytes.Clone(text)
	holding[1500] = 0
	for name, base := range map[string][]byte{"without": text, "with": holding} {
		for _, insert := range []string{"", "x", "\x00", "a\x00b"} {
			for _, cut := range [][2]int{{0, 0}, {1000, 1000}, {1000, 2000}, {3000, 3000}, {0, 3000}} {
				t.Run(fmt.Sprintf("%s, %q for %v", name, insert, cut), func(t *testing.T) {
					d := &deltaBuilder{base: base}
					for _, c := range [][2]int{{0, cut[0]}, {cut[1], len(base)}} {
						d.insert([]byte(insert))
						if c[0] < c[1] {
							d.copy(c[0], c[1]-c[0], false)
						}
					}
					checkCarry(t, literals, base, d.delta(), d.result)
				})
			}
		}
	}
}

// TestAdversarialDeltas applies deltas that git would not make.
func TestAdversarialDeltas(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	base := textOf(r, 200_000)
	all := []byte("alphalongest-of-all-literalsaaaaarn:aws:x=\"")
	for name, make := range map[string]func(d *deltaBuilder){
		"same":       func(d *deltaBuilder) { d.copy(0, len(d.base), false) },
		"same, long": func(d *deltaBuilder) { d.copy(0, len(d.base), true) },
		"in pieces of 64 KiB": func(d *deltaBuilder) {
			for at := 0; at < len(d.base); at += 0x10000 {
				d.copy(at, min(0x10000, len(d.base)-at), false)
			}
		},
		"empty": func(*deltaBuilder) {},
		"byte by byte": func(d *deltaBuilder) {
			for i := range 3000 {
				d.copy(i, 1, false)
			}
		},
		"backwards": func(d *deltaBuilder) {
			for at := len(d.base) - 100; at >= 0; at -= 97 {
				d.copy(at, 100, false)
			}
		},
		"overlapping": func(d *deltaBuilder) {
			for at := 0; at+500 < len(d.base); at += 333 {
				d.copy(at, 500, false)
			}
		},
		"the same piece again and again": func(d *deltaBuilder) {
			for range 500 {
				d.copy(1000, 77, false)
			}
		},
		"the end again and again": func(d *deltaBuilder) {
			for range 300 {
				d.copy(len(d.base)-90, 90, false)
			}
		},
		"literals over every seam": func(d *deltaBuilder) {
			for i := range len(all) {
				d.copy(50*i, 200, false)
				d.insert(all[:i])
				d.insert(all[i:])
			}
		},
		"a literal from two copies": func(d *deltaBuilder) {
			at := 1000 + bytes.Index(d.base[1000:], []byte("longest-of-all-literals"))
			for i := range 23 {
				d.copy(at-100, 100+i, false)
				d.copy(at+i, 300, false)
			}
		},
		"only inserted": func(d *deltaBuilder) { d.insert(d.base[:9999]) },
		"at random": func(d *deltaBuilder) {
			for range 2000 {
				at := r.IntN(len(d.base))
				switch n := min(1+r.IntN(300), len(d.base)-at); r.IntN(3) {
				case 0:
					d.insert(textOf(r, 1+r.IntN(40)))
				default:
					d.copy(at, n, r.IntN(2) == 0)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &deltaBuilder{base: base}
			make(d)
			checkCarry(t, literals, base, d.delta(), d.result)
			checkCarry(t, naive{"a"}, base, d.delta(), d.result)
		})
	}
}

// TestDamagedDeltas wants each kind of damage to be an error.
func TestDamagedDeltas(t *testing.T) {
	base := bytes.Repeat([]byte("base"), 10)
	for _, c := range []struct{ name, delta, want string }{
		{"empty", "", "no size of its base"},
		{"endless size", strings.Repeat("\xff", 20), "no size of its base"},
		{"no result", "\x28", "no size of its result"},
		{"other base", "\x27\x01\x01x", "is for a base of 39 bytes"},
		{"instruction 0", "\x28\x01\x00x", "instruction 0"},
		{"insertion cut short", "\x28\x05\x05abc", "cut short"},
		{"copy cut short", "\x28\x05\x91\x01", "cut short"},
		{"copy past the base", "\x28\x05\x91\x26\x05", "copies bytes 38 to 43 of a base of 40"},
		{"copy from far away", "\x28\x05\x9f\xff\xff\xff\xff\x05", "of a base of 40"},
		{"copy too long", "\x28\x05\x90\x06", "more than the 5 bytes"},
		{"insertion too long", "\x28\x02\x03abc", "more than the 2 bytes"},
		{"too little", "\x28\x05\x90\x04", "yields 4 bytes and states 5"},
		{"a large result that is not there", "\x28\xff\xff\xff\x7f\x90\x04", "yields 4 bytes and states"},
		{"a huge result", "\x28\xff\xff\xff\xff\xff\xff\x01\x90\x04", "too large"},
	} {
		size, ops, err := deltaHead([]byte(c.delta), int64(len(base)), math.MaxInt32)
		if err == nil {
			_, err = applyDelta(make([]byte, size), base, ops, nil, 1)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if err != nil && !errors.Is(err, errDelta) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: error %v is of another kind", c.name, err)
		}
	}
}

// plainApply is the simplest way to apply a delta.
func plainApply(base, ops []byte) (out []byte, ok bool) {
	for len(ops) > 0 {
		c := ops[0]
		ops = ops[1:]
		if c&0x80 == 0 {
			if c == 0 || int(c) > len(ops) {
				return nil, false
			}
			out, ops = append(out, ops[:c]...), ops[c:]
			continue
		}
		var args [7]int
		for i := range args {
			if c>>i&1 != 0 {
				if len(ops) == 0 {
					return nil, false
				}
				args[i], ops = int(ops[0]), ops[1:]
			}
		}
		src := args[0] | args[1]<<8 | args[2]<<16 | args[3]<<24
		n := args[4] | args[5]<<8 | args[6]<<16
		if n == 0 {
			n = 0x10000
		}
		if src+n > len(base) || len(out)+n > 1<<22 {
			return nil, false
		}
		out = append(out, base[src:src+n]...)
	}
	return out, true
}

// FuzzDelta feeds instructions: what they yield is what the simplest code
// yields, or both refuse; and the anchors carried through are those of a
// search.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("\x90\x28\x03abc\x91\x05\x20"), uint64(1), uint16(4000))
	f.Add([]byte("\x80\x80\x04arn:"), uint64(2), uint16(65535))
	f.Add([]byte("\xb1\x00\x00\x01\xb1\xff\x01\x01"), uint64(3), uint16(900))
	f.Fuzz(func(t *testing.T, ops []byte, seed uint64, size uint16) {
		base := textOf(rand.New(rand.NewPCG(seed, 5)), int(size))
		want, ok := plainApply(base, ops)
		n := len(want)
		if !ok {
			n = 100
		}
		got := make([]byte, n)
		_, err := applyDelta(got, base, ops, nil, 1)
		if ok != (err == nil) && (ok || n != 100) {
			t.Fatalf("the simplest code accepts: %v, this: %v", ok, err)
		}
		if !ok {
			return
		}
		length, err := deltaLength(ops)
		if err != nil || length != int64(n) {
			t.Fatalf("length %d, error %v, want %d", length, err, n)
		}
		d := deltaBuilder{base: base, ops: ops, result: want}
		checkCarry(t, literals, base, d.delta(), want)
	})
}
