package decode

import (
	"bytes"
	"unicode/utf8"
)

// A form is what decoded bytes are, as far as their beginning tells.
type form uint8

const (
	junk form = iota
	text
	wideLE
	wideBE
	gzipped
	zlibbed
	message // of the AWS Encryption SDK
)

// recognise tells what head, the beginning of something, is.
func recognise(head []byte) form {
	if len(head) < 4 {
		return junk
	}
	switch {
	case head[0] == 0x1f && head[1] == 0x8b && head[2] == 8: // RFC 1952
		return gzipped
	case head[0]&0x8f == 0x08 && head[1]&0x20 == 0 && (int(head[0])<<8|int(head[1]))%31 == 0 && !isText(head): // RFC 1950
		return zlibbed
	case beginsMessage(head):
		return message
	}
	// One of the first two pairs of UTF-16 has its NUL.
	if head[0] == 0 || head[1] == 0 || head[2] == 0 || head[3] == 0 {
		if f := wide(head); f != junk {
			return f
		}
	}
	if isText(head) {
		return text
	}
	return junk
}

// plausible reports whether head is the beginning of something worth decoding.
func plausible(head []byte) bool { return recognise(head) != junk }

// isText reports whether b is UTF-8 without control characters. A character
// that the end of b cuts in two counts.
func isText(b []byte) bool {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f' && c != 0x1b || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return len(b)-i < utf8.UTFMax && !utf8.FullRune(b[i:]) && i > 0
		}
		i += n
	}
	return true
}

// wide tells UTF-16 of mostly ASCII characters, as in what PowerShell takes for
// -EncodedCommand, by the NUL in each pair of bytes.
func wide(b []byte) form {
	b = b[:min(len(b)&^1, 32)]
	if len(b) < 8 {
		return junk
	}
	var zero [2]int
	for i, c := range b {
		if c == 0 {
			zero[i&1]++
		}
	}
	pairs := len(b) / 2
	switch {
	case zero[1] >= pairs-1 && zero[0] == 0:
		return wideLE
	case zero[0] >= pairs-1 && zero[1] == 0:
		return wideBE
	}
	return junk
}

// minReadable is the length of the shortest piece of text in binary data that
// is worth a look.
const minReadable = 16

// readable reports whether b holds minReadable printable ASCII characters in a
// row. Random bytes do once in ten million.
func readable(b []byte) bool {
	for i := minReadable - 1; i < len(b); i += minReadable {
		if !printable(b[i]) {
			continue
		}
		start, end := i, i+1
		for start > 0 && i-start < minReadable && printable(b[start-1]) {
			start--
		}
		for end < len(b) && end-start < minReadable && printable(b[end]) {
			end++
		}
		if end-start >= minReadable {
			return true
		}
	}
	return false
}

func printable(c byte) bool { return c >= 0x20 && c < 0x7f }

// narrow makes child the ASCII text of its parent, which is UTF-16. Other
// characters become question marks: no secret with a form of its own has any.
func (child *layer) narrow(parent *layer, big bool) {
	data := parent.data
	child.begin(parent, "utf-16", 0, len(data))
	skip := 0
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		skip = 2
	}
	child.pieces = append(child.pieces, piece{0, skip})
	child.num, child.den = 2, 1
	child.out = grow(child.out, (len(data)-skip)/2)
	for i := range child.out {
		low, high := data[skip+2*i], data[skip+2*i+1]
		if big {
			low, high = high, low
		}
		if high != 0 || low >= utf8.RuneSelf {
			low = '?'
		}
		child.out[i] = low
	}
	child.data = child.out
}
