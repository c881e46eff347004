package decode

import (
	"bytes"
	"unicode/utf8"
)

const (
	// reach is how far in bytes around an escape text is read unescaped, and
	// how near to each other escapes share one text.
	reach = 256
	// maxWindow bounds one such text. Longer ones are read in pieces that
	// overlap by their reach.
	maxWindow = 64 << 10
	// minWord is how many letters have to follow the n of a line feed to be
	// worth it: the shortest name of a secret ("token") has as many.
	minWord = 5
	// minUnescaped is the length of the shortest unescaped text worth a look.
	minUnescaped = 16
)

// escapes reads the parts of l unescaped in which backslashes hide something:
// letters written as numbers, a slash, or a line feed whose letter sticks to the
// word behind it. A quote alone hides nothing from rules and is no reason to
// look; it is read on the way.
func (s *state) escapes(l *layer) {
	data := l.data
	lo, hi := s.bounds(l)
	for at := lo; ; {
		found := s.nextEscape(l, at, hi)
		i := found.pos
		if i < 0 {
			return
		}
		from := max(at-reach, i-reach, 0)
		if j := bytes.LastIndexByte(data[from:i], '\n'); j >= 0 {
			from += j + 1
		}
		last := i
		for {
			next := s.nextEscape(l, last+2, min(hi, last+2+reach)).pos
			if next < 0 || next-from > maxWindow {
				break
			}
			last = next
		}
		to := min(last+reach, len(data))
		if j := bytes.IndexByte(data[last:to], '\n'); j >= 0 {
			to = last + j
		}
		at = last + 2
		if s.settled(found) {
			continue
		}
		then := s.now()
		s.unescape(l, from, to)
		s.settle(found, then, from-1, last+2+reach+local)
	}
}

// bounds returns where encodings of l are looked for that stand close together.
func (s *state) bounds(l *layer) (lo, hi int) {
	if l.parent == nil {
		return max(0, s.chunk.From-maxWindow), s.chunk.To
	}
	return 0, len(l.data)
}

// nextEscape returns where the next backslash in data[from:to] stands whose
// escape is worth to be read, or -1.
func nextEscape(data []byte, from, to int) int {
	for from < to {
		i := bytes.IndexByte(data[from:to], '\\')
		if i < 0 {
			return -1
		}
		i += from
		if telling(data[i+1:]) {
			return i
		}
		from = i + 2
	}
	return -1
}

// telling reports whether the escape whose letters behind the backslash rest
// begins with may hide something from a rule.
func telling(rest []byte) bool {
	if len(rest) < 2 {
		return false
	}
	switch rest[0] {
	case '/':
		return true
	case 'n', 'r', 't':
		return len(rest) > minWord && allLetters(rest[1:1+minWord])
	case '\\':
		return bytes.IndexByte([]byte("/nrtux\\"), rest[1]) >= 0
	case 'x':
		// Tables of bytes are full of these: most are settled by one digit.
		if c := rest[1]; (c < '2' || c > '7') && (len(rest) < 4 || letters[rest[3]] == 0) {
			return false
		}
	case 'u', 'U', '0', '1', '2', '3':
	default:
		return false
	}
	// A letter of a secret, or a neighbour whose digits stick to it.
	r, n := numbered(rest)
	return n > 0 && (r >= ' ' && r < 0x7f || len(rest) >= n+minWord && allLetters(rest[n:n+minWord]))
}

// numbered reads the letters of \xHH, \uHHHH, \u{H…}, \UHHHHHHHH and \ooo behind
// the backslash. It returns the character and how many letters it took, 0 for
// something else.
func numbered(rest []byte) (r rune, n int) {
	digits, base, first := 0, rune(16), 1
	switch c := rest[0]; {
	case c == 'x':
		digits = 2
	case c == 'u' && len(rest) > 1 && rest[1] == '{':
		end := bytes.IndexByte(rest[:min(len(rest), 9)], '}')
		if digits = end - 2; digits <= 0 {
			return 0, 0
		}
		first = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case c >= '0' && c <= '3':
		digits, base, first = 3, 8, 0
	}
	if digits == 0 || len(rest) < first+digits {
		return 0, 0
	}
	for _, c := range rest[first : first+digits] {
		v := hexValue(c)
		if v >= base || r > utf8.MaxRune {
			return 0, 0
		}
		r = r*base + v
	}
	n = first + digits
	if first == 2 {
		n++ // the closing brace
	}
	return r, n
}

// hexValue returns what a hexadecimal digit stands for, 16 for other letters.
func hexValue(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 16
}

// unescape reads l.data[from:to] without its backslashes.
func (s *state) unescape(l *layer, from, to int) {
	child := &s.layers[l.depth+1]
	child.begin(l, "escaped string", from, to)
	data := l.data[:to]
	out := child.out[:0]
	child.pieces = append(child.pieces, piece{0, from})
	for at := from; at < to; {
		i := bytes.IndexByte(data[at:], '\\')
		if i < 0 || at+i+1 == to {
			out = append(out, data[at:]...)
			break
		}
		out = append(out, data[at:at+i]...)
		at += i
		var n int
		before := len(out)
		if out, n = appendEscape(out, data[at+1:]); n == 0 {
			out = append(out, '\\')
			at++
			continue
		}
		child.pieces = append(child.pieces, piece{before, at}, piece{len(out), at + 1 + n})
		at += 1 + n
	}
	child.out, child.data = out, out
	s.reread(child)
}

// appendEscape appends to dst what the letters behind a backslash stand for and
// returns how many there are; 0 says that they are no escape.
func appendEscape(dst, rest []byte) ([]byte, int) {
	switch c := rest[0]; c {
	case '"', '\'', '/', '\\', '`', '$':
		return append(dst, c), 1
	case 'n':
		return append(dst, '\n'), 1
	case 'r':
		return append(dst, '\r'), 1
	case 't':
		return append(dst, '\t'), 1
	case 'x':
		if r, n := numbered(rest); n > 0 {
			return append(dst, byte(r)), n
		}
		return dst, 0
	}
	r, n := numbered(rest)
	if n == 0 {
		return dst, 0
	}
	if rest[0] <= '3' { // octal: a byte
		return append(dst, byte(r)), n
	}
	return utf8.AppendRune(dst, r), n
}

// reread looks at a text that was unescaped, if that changed it.
func (s *state) reread(child *layer) {
	if len(child.pieces) > 1 && len(child.data) >= minUnescaped {
		s.descend(child)
	}
}

// percents reads what is percent-encoded in l (RFC 3986, section 2.1).
func (s *state) percents(l *layer) {
	data := l.data
	lo, hi := s.bounds(l)
	for at := lo; ; {
		found := s.nextPercent(l, at, hi)
		i := found.pos
		if i < 0 {
			return
		}
		from, floor := i, max(at-reach, i-maxWindow/2, 0)
		for from > floor && inURL(data[from-1]) {
			from--
		}
		to := i
		for to < min(len(data), from+maxWindow) && inURL(data[to]) {
			to++
		}
		if at = max(to, i+1); s.settled(found) {
			continue
		}
		then := s.now()
		s.unpercent(l, from, to)
		if from > floor || floor == 0 { // else it hangs on the one before
			s.settle(found, then, from-1, to+1)
		}
	}
}

// nextPercent returns where the next percent-encoded byte in data[from:to]
// stands, or -1.
func nextPercent(data []byte, from, to int) int {
	for from < to {
		i := bytes.IndexByte(data[from:to], '%')
		if i < 0 {
			return -1
		}
		if i += from; isPercent(data[i:]) {
			return i
		}
		from = i + 1
	}
	return -1
}

func isPercent(b []byte) bool {
	return len(b) >= 3 && b[0] == '%' && hexValue(b[1]) < 16 && hexValue(b[2]) < 16
}

// inURL reports whether c may stand in a percent-encoded text.
func inURL(c byte) bool {
	switch c {
	case '"', '\'', '<', '>', '`', '\\', '{', '}', '|', '^':
		return false
	}
	return c > ' ' && c < 0x7f
}

// unpercent reads l.data[from:to] without its percent signs.
func (s *state) unpercent(l *layer, from, to int) {
	child := &s.layers[l.depth+1]
	child.begin(l, "percent-encoding", from, to)
	data, out := l.data[:to], child.out[:0]
	child.pieces = append(child.pieces, piece{0, from})
	for at := from; at < to; {
		i := bytes.IndexByte(data[at:], '%')
		if i < 0 {
			out = append(out, data[at:]...)
			break
		}
		out = append(out, data[at:at+i]...)
		if at += i; !isPercent(data[at:]) {
			out = append(out, '%')
			at++
			continue
		}
		child.pieces = append(child.pieces, piece{len(out), at}, piece{len(out) + 1, at + 3})
		out = append(out, byte(hexValue(data[at+1])<<4|hexValue(data[at+2])))
		at += 3
	}
	child.out, child.data = out, out
	s.reread(child)
}
