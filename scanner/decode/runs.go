package decode

import (
	"encoding/binary"
)

const (
	// minRun is the length in letters of the shortest run that is looked at:
	// 18 bytes in base64. No secret with a form of its own is shorter.
	minRun = 24
	// minHex is the same for hexadecimal digits: 16 bytes.
	minHex = 32
	// minJunk is the length of the shortest run that is decoded although its
	// beginning is no text. Names in source code are shorter.
	minJunk = 64
	// maxIndent bounds the white space before a line of a wrapped run.
	maxIndent = 64
)

// letters has 1 for the letters of both alphabets of RFC 4648, 3 for those
// that are hexadecimal digits too.
var letters = [256]uint8{
	'+': 1, '/': 1, '-': 1, '_': 1,
	'0': 3, '1': 3, '2': 3, '3': 3, '4': 3, '5': 3, '6': 3, '7': 3, '8': 3, '9': 3,
	'A': 3, 'B': 3, 'C': 3, 'D': 3, 'E': 3, 'F': 3, 'G': 1, 'H': 1, 'I': 1, 'J': 1, 'K': 1, 'L': 1, 'M': 1,
	'N': 1, 'O': 1, 'P': 1, 'Q': 1, 'R': 1, 'S': 1, 'T': 1, 'U': 1, 'V': 1, 'W': 1, 'X': 1, 'Y': 1, 'Z': 1,
	'a': 3, 'b': 3, 'c': 3, 'd': 3, 'e': 3, 'f': 3, 'g': 1, 'h': 1, 'i': 1, 'j': 1, 'k': 1, 'l': 1, 'm': 1,
	'n': 1, 'o': 1, 'p': 1, 'q': 1, 'r': 1, 's': 1, 't': 1, 'u': 1, 'v': 1, 'w': 1, 'x': 1, 'y': 1, 'z': 1,
}

// nextRun returns the first run of at least minRun letters in data[from:], or
// -1. from is where the run before ended, or 0.
func nextRun(data []byte, from int) (start, end int) {
	if from == 0 && len(data) >= minRun && allLetters(data[:minRun]) {
		return 0, runEnd(data, minRun)
	}
	b := nextEdge(data, max(from-1, 0), len(data))
	if b < 0 {
		return -1, -1
	}
	return b + 1, runEnd(data, b+1+minRun)
}

// runEnd returns where the run ends to which data[:at] belongs.
func runEnd(data []byte, at int) int {
	for at < len(data) && letters[data[at]] != 0 {
		at++
	}
	return at
}

// The stride of the search. Every run of minRun letters covers a window of two
// words at a multiple of the stride, so looking at those windows finds all runs.
const stride = minRun - 2*8 + 1

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// nextEdge returns the first position in data[from:to] at which no letter
// stands and behind which minRun letters follow, or -1.
//
// A window is looked at as two words: whether any of their bytes does not lie
// between '+' and 'z' takes a few steps for all of them together. In text most
// windows hold a space, a quote or a bracket and are done with at this point.
func nextEdge(data []byte, from, to int) int {
	const low, high = '+' * ones, (0x7f - 'z') * ones
	last := min(to+minRun-2*8, len(data)-2*8)
	for i := from + 1; i <= last; i += stride {
		d := data[i : i+2*8]
		v, w := binary.LittleEndian.Uint64(d), binary.LittleEndian.Uint64(d[8:])
		// A byte below '+' borrows and one above 'z' carries; what that does to
		// its neighbour does not matter, because the window is refused anyway.
		if ((v-low)|(v+high)|v|(w-low)|(w+high)|w)&highs != 0 || !allLetters(d) {
			continue
		}
		start := i - 1
		for start >= from && letters[data[start]] != 0 {
			start--
		}
		end := runEnd(data, i+2*8)
		switch {
		case start >= to:
			return -1
		case start >= from && end-start > minRun:
			return start
		}
		i = end + 1 - stride // a run begins behind end or later
	}
	return -1
}

func allLetters(b []byte) bool {
	for _, c := range b {
		if letters[c] == 0 {
			return false
		}
	}
	return true
}

func allHex(b []byte) bool {
	for _, c := range b {
		if letters[c] != 3 {
			return false
		}
	}
	return true
}

// A wrapped run is one that goes on over several lines, as MIME, PEM and block
// scalars of YAML write it, or as a string literal with \n between. A line
// belongs to the run when nothing but letters stands in it, up to a padding or
// a quote; all lines but the first and the last are equally long.

// wrap returns the lines of the run whose first line is data[start:end], and
// where it ends, padding included. What it looked at ends before seen. cut says
// that the first line may be the rest of one. lines is used again.
func wrap(lines []span, data []byte, start, end int, cut bool) (_ []span, whole, seen int) {
	lines = append(lines[:0], span{start, end})
	width := 0 // of the lines, once known
	if !cut && opensLine(data, start) {
		width = end - start
	}
	for {
		if end < len(data) && data[end] == '=' {
			end = padding(data, end)
			return lines, end, end + 1
		}
		next := lineBreak(data, end)
		if next < 0 {
			return lines, end, end + len(`\r\n`)
		}
		stop := runEnd(data, next)
		n := stop - next
		if n == 0 || width > 0 && n > width || !endsLine(data, stop) {
			return lines, end, stop + 1
		}
		lines = append(lines, span{next, stop})
		end = stop
		if width > 0 && n < width {
			if end < len(data) && data[end] == '=' {
				end = padding(data, end)
			}
			return lines, end, end + 1
		}
		width = n
	}
}

func padding(data []byte, at int) int {
	for i := 0; i < 2 && at < len(data) && data[at] == '='; i++ {
		at++
	}
	return at
}

// opensLine reports whether nothing but white space and one quote stands
// before data[at] in its line.
func opensLine(data []byte, at int) bool {
	i := at - 1
	if i >= 0 && (data[i] == '"' || data[i] == '\'' || data[i] == '`') {
		i--
	}
	for i >= 0 && at-i < maxIndent && (data[i] == ' ' || data[i] == '\t') {
		i--
	}
	return i < 0 || data[i] == '\n'
}

// lineBreak returns where the next line of a run begins if the break between
// stands at data[at], and -1 if something else does.
func lineBreak(data []byte, at int) int {
	rest := data[at:]
	switch {
	case hasPrefix(rest, "\r\n"), hasPrefix(rest, `\n`):
		at += 2
	case hasPrefix(rest, `\r\n`):
		return at + 4
	case hasPrefix(rest, "\n"):
		at++
	default:
		return -1
	}
	for i := 0; i < maxIndent && at < len(data) && (data[at] == ' ' || data[at] == '\t'); i++ {
		at++
	}
	return at
}

// endsLine reports whether what stands at data[at] may follow a line of a run.
func endsLine(data []byte, at int) bool {
	if at == len(data) {
		return true
	}
	switch data[at] {
	case '\n', '\r', '"', '\'', '`', '=', '<', '\\':
		return true
	}
	return false
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }
