package history

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"unicode/utf16"
)

// edit returns data with one to three of its places changed as a programmer
// would: lines deleted, lines inserted that stand elsewhere in the corpus, a
// word replaced. The same seed makes the same edit, so that a merge can repeat
// on one branch what was done on another.
func (c *corpus) edit(data []byte, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	lines := bytes.SplitAfter(data, []byte{'\n'})
	for range 1 + r.IntN(3) {
		at := r.IntN(len(lines))
		del := min(r.IntN(7), len(lines)-at)
		if len(lines) > 2500 { // files do not grow for ever
			del = min(40, len(lines)-at)
		}
		ins := c.passage(r, r.IntN(9))
		if r.IntN(3) == 0 {
			ins = [][]byte{replaceWord(lines[at], r)}
			del = 1
		}
		next := make([][]byte, 0, len(lines)+len(ins))
		next = append(next, lines[:at]...)
		next = append(next, ins...)
		lines = append(next, lines[at+del:]...)
		if len(lines) == 0 {
			lines = [][]byte{{'\n'}}
		}
	}
	return bytes.Join(lines, nil)
}

// passage returns n consecutive lines of the corpus.
func (c *corpus) passage(r *rand.Rand, n int) [][]byte {
	at := r.IntN(len(c.lines) - n)
	return c.lines[at : at+n : at+n]
}

// replaceWord gives the first long word of a line another ending.
func replaceWord(line []byte, r *rand.Rand) []byte {
	for _, w := range bytes.FieldsFunc(line, func(c rune) bool { return !isLetter(c) }) {
		if len(w) >= 4 {
			return bytes.Replace(line, w, fmt.Appendf(nil, "%s%d", w, r.IntN(100)), 1)
		}
	}
	return append(fmt.Appendf(nil, "// %d", r.IntN(10000)), '\n')
}

func isLetter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// variant returns a file like data, for trees with more files than the corpus:
// every fifth line or so differs.
func (c *corpus) variant(data []byte, r *rand.Rand) []byte {
	lines := bytes.SplitAfter(data, []byte{'\n'})
	out := make([]byte, 0, len(data)+len(data)/8)
	for _, l := range lines {
		if len(l) > 1 && r.IntN(5) == 0 {
			l = replaceWord(l, r)
		}
		out = append(out, l...)
	}
	return out
}

// picture returns n bytes that look like an image: a header with NUL bytes,
// then what no compression shrinks.
func picture(r *rand.Rand, n int) []byte {
	b := append(make([]byte, 0, n+8), "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"...)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

// table returns n bytes of small numbers in binary, which compress well.
func table(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+4)
	v := r.Uint32N(1000)
	for len(b) < n {
		v += r.Uint32N(7)
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b[:n]
}

// patch returns data with a few hundred bytes replaced, as a new version of a
// binary file.
func patch(data []byte, r *rand.Rand) []byte {
	out := bytes.Clone(data)
	n := min(len(out)/2, 200+r.IntN(2000))
	if n == 0 {
		return append(out, 0)
	}
	at := r.IntN(len(out) - n)
	copy(out[at:at+n], picture(r, n))
	return out
}

// minified returns text as a script of one line, like those that bundlers
// write.
func minified(data []byte) []byte {
	out := bytes.ReplaceAll(data, []byte{'\n'}, []byte{';'})
	return bytes.ReplaceAll(out, []byte{'\t'}, nil)
}

// utf16le returns text in UTF-16 with a byte order mark, as Windows writes it.
func utf16le(text []byte) []byte {
	out := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}
