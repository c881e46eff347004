package scanner

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// sniffed is what the first bytes of an object say of it.
type sniffed struct {
	name   string // of the encoding, "" for UTF-8 and unknown 8-bit text
	width  int    // bytes per code unit if it is to be decoded: 2 or 4, else 0
	big    bool   // big endian
	skip   int    // length of the byte order mark
	binary bool
}

// sniff looks at the first sniffLen bytes of data.
func sniff(data []byte) sniffed {
	if len(data) > sniffLen {
		data = data[:sniffLen]
	}
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		return sniffed{skip: 3, binary: bytes.IndexByte(data, 0) >= 0}
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE, 0, 0}):
		return sniffed{name: "utf-32le", width: 4, skip: 4}
	case bytes.HasPrefix(data, []byte{0, 0, 0xFE, 0xFF}):
		return sniffed{name: "utf-32be", width: 4, big: true, skip: 4}
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return sniffed{name: "utf-16le", width: 2, skip: 2}
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return sniffed{name: "utf-16be", width: 2, big: true, skip: 2}
	}
	if bytes.IndexByte(data, 0) < 0 {
		return sniffed{}
	}
	return sniffUnmarked(data)
}

// sniffUnmarked tells UTF-16 without a byte order mark by its NUL bytes: in
// text that is mostly ASCII nearly every second byte is NUL, and always the
// same one of each pair. A wrong guess costs time only, because the raw bytes
// are scanned too. The first character must be one of these, or else text that
// was appended in UTF-16 to something else would be decoded from the start (see
// widen for that).
func sniffUnmarked(data []byte) sniffed {
	var zero [2]int
	pairs := len(data) / 2
	for i := 0; i < 2*pairs; i++ {
		if data[i] == 0 {
			zero[i&1]++
		}
	}
	switch {
	case pairs == 0:
	case data[1] == 0 && zero[1]*5 >= pairs*2 && zero[0]*50 <= pairs:
		return sniffed{name: "utf-16le", width: 2}
	case data[0] == 0 && zero[0]*5 >= pairs*2 && zero[1]*50 <= pairs:
		return sniffed{name: "utf-16be", width: 2, big: true}
	}
	return sniffed{binary: true}
}

// decode appends the UTF-8 text of src to dst and returns how many bytes it
// used; at the end of the object (final) a half code unit counts as used.
func (s sniffed) decode(dst, src []byte, final bool) ([]byte, int) {
	i := 0
	for i+s.width <= len(src) {
		r := s.unit(src[i:])
		if s.width == 2 && utf16.IsSurrogate(r) {
			if i+4 > len(src) && !final {
				return dst, i
			}
			if i+4 <= len(src) {
				if pair := utf16.DecodeRune(r, s.unit(src[i+2:])); pair != utf8.RuneError {
					dst, i = utf8.AppendRune(dst, pair), i+4
					continue
				}
			}
		}
		dst, i = utf8.AppendRune(dst, r), i+s.width
	}
	if final {
		i = len(src)
	}
	return dst, i
}

// unit returns the first code unit of b, U+FFFD if it is out of range.
func (s sniffed) unit(b []byte) rune {
	var u uint32
	for i := range s.width {
		at := i
		if !s.big {
			at = s.width - 1 - i
		}
		u = u<<8 | uint32(b[at])
	}
	if u > utf8.MaxRune {
		return utf8.RuneError
	}
	return rune(u)
}
