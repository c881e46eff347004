package scanner

import (
	"bytes"
	"encoding/binary"
)

// Text in UTF-16 also stands in the midst of other bytes: the strings of a
// Windows program, or what PowerShell appends to a file that began as UTF-8.
// Such a file is not decoded as a whole, and the NUL byte after each character
// would hide a secret from every rule. So a chunk that holds runs of wide
// characters is looked at a second time, with their NULs taken out.
//
// Only ASCII characters make a run: every secret with a fixed shape consists
// of them.

// wideRun is how many wide characters in a row count as text. Shorter runs are
// common in binary data, and no secret is that short.
const wideRun = 8

// wideText says in reports how such text was read.
const wideText = "wide characters"

// widen returns chunk with the NUL bytes taken out of runs of wide characters,
// or nil if it has none. All other bytes are blanked, so that nothing is found
// twice, but for line feeds: lines keep their numbers. The result is valid
// until the next call.
func (w *worker) widen(c *Chunk) *Chunk {
	if c.NoNUL || c.Object.Encoding != "" || c.Object.decodedToo || !hasWideRun(c.Data) {
		return nil
	}
	o := *c.Object
	o.Binary, o.Encoding = false, wideText
	wide := *c
	wide.Object, wide.Anchors, wide.Marks, wide.Anchored, wide.Encoded = &o, nil, nil, false, false
	w.wide, wide.From, wide.To = squeeze(w.wide[:0], c.Data, c.From, c.To)
	wide.Data = w.wide
	return &wide
}

// hasWideRun reports whether data holds a run of wide characters. A run covers
// 16 bytes, and so one whole word of 8 wherever the words begin; every second
// byte of that word is NUL.
func hasWideRun(data []byte) bool {
	first := bytes.IndexByte(data, 0)
	if first < 0 {
		return false
	}
	for i := max(0, first-1); i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		if w == 0 || w&0xff00ff00ff00ff00 != 0 && w&0x00ff00ff00ff00ff != 0 {
			continue
		}
		for start := max(0, i-8); start <= i; start++ {
			if wideLength(data[start:]) >= wideRun {
				return true
			}
		}
	}
	return false
}

// wideLength returns how many wide characters data begins with, at most
// wideRun. A character in front of a NUL is one whatever the byte order: in
// UTF-16BE that NUL is the first half of the next.
func wideLength(data []byte) int {
	n := 0
	for n < wideRun && 2*n+1 < len(data) && printable(data[2*n]) && data[2*n+1] == 0 {
		n++
	}
	return n
}

func printable(b byte) bool {
	return b >= 0x20 && b < 0x7f || b == '\t' || b == '\n' || b == '\r'
}

// squeeze appends to dst the text of the runs of wide characters in data, a
// line feed for every other line feed, and a NUL for every other byte. from and
// to are offsets in data; it returns where in dst they came to lie.
func squeeze(dst, data []byte, from, to int) (out []byte, newFrom, newTo int) {
	inRun := false // the character before belongs to a run
	for i := 0; i < len(data); {
		if i <= from {
			newFrom = len(dst)
		}
		if i <= to {
			newTo = len(dst)
		}
		c := data[i]
		pair := printable(c) && i+1 < len(data) && data[i+1] == 0
		switch {
		case pair && (inRun || wideLength(data[i:]) == wideRun):
			dst, inRun = append(dst, c), true
			i += 2
			continue
		case inRun && printable(c) && i == len(data)-1: // the last one in UTF-16BE
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, c)
		default:
			dst = append(dst, 0)
		}
		inRun = false
		i++
	}
	if from >= len(data) {
		newFrom = len(dst)
	}
	if to >= len(data) {
		newTo = len(dst)
	}
	return dst, newFrom, newTo
}
