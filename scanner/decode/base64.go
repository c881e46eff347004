package decode

import (
	"encoding/base64"
	"encoding/hex"
)

// runs decodes the runs of base64 and hexadecimal digits in l.
func (s *state) runs(l *layer) {
	lo, hi := 0, len(l.data)
	if l.parent == nil {
		lo, hi = s.chunk.From, s.chunk.To
	}
	for at := 0; ; {
		found, end := s.nextRun(l, at)
		start := found.pos
		if start < 0 || start >= hi {
			return
		}
		if at = end; l.parent != nil && !l.altered(start, end) {
			continue // it stands in the parent as it stands here
		}
		at = s.run(l, found, end, lo)
	}
}

// run decodes the run at found, whose first line is up to end, unless it ends
// before lo. It returns where the search for the next goes on.
func (s *state) run(l *layer, found spot, end, lo int) int {
	child, start := &s.layers[l.depth+1], found.pos
	first := l.data[start:end]
	isHex := end-start >= minHex && (allHex(first) || first[0] == '0' && first[1] == 'x' && allHex(first[2:]))
	// The beginning of a run that began before the chunk is not known.
	cut := l.parent == nil && !s.chunk.First && start <= maxIndent
	settled := s.settled(found)
	likely := cut || (isHex || !settled) && opens(first, isHex)
	if !likely && isHex {
		return end // a checksum
	}
	var whole, seen int
	child.lines, whole, seen = wrap(child.lines, l.data, start, end, cut)
	if whole <= lo || settled {
		return max(end, whole)
	}
	then := s.now()
	switch {
	case isHex:
		s.hex(l, child, start, whole)
	case likely || letterCount(child.lines) >= minJunk:
		s.base64(l, child, start, whole, cut)
	}
	s.settle(found, then, start-maxIndent-2, seen)
	return max(end, whole)
}

func letterCount(lines []span) int {
	n := 0
	for _, p := range lines {
		n += p.to - p.from
	}
	return n
}

// join sets the pieces of child, one a line, and returns the letters of its
// lines without what stands between. skip letters are left out at the start.
func (child *layer) join(data []byte, skip int) []byte {
	child.lines[0].from += skip
	n := 0
	for _, p := range child.lines {
		child.pieces = append(child.pieces, piece{n, p.from})
		n += p.to - p.from
	}
	if len(child.lines) == 1 {
		return data[child.lines[0].from:child.lines[0].to]
	}
	child.compact = child.compact[:0]
	for _, p := range child.lines {
		child.compact = append(child.compact, data[p.from:p.to]...)
	}
	return child.compact
}

// hex decodes a run of hexadecimal digits.
func (s *state) hex(l, child *layer, start, end int) {
	child.begin(l, "hex", start, end)
	skip := 0
	if l.data[start+1] == 'x' {
		skip = 2
	}
	text := child.join(l.data, skip)
	text = text[:len(text)&^1]
	child.out = grow(child.out, len(text)/2)
	n, err := hex.Decode(child.out, text)
	if err != nil {
		return // a later line is none of hexadecimal digits
	}
	child.num, child.den, child.data = 2, 1, child.out[:n]
	s.descend(child)
}

// base64 decodes a run of base64 letters. If the run began before the text
// that is at hand (cut), a letter may be the first, second, third or last of
// its four: that which gives a text is taken, and all if none does.
func (s *state) base64(l, child *layer, start, end int, cut bool) {
	phases := 1
	if cut {
		phases = 4
		for skip := range phases {
			if first := l.data[start+skip : child.lines[0].to]; opens(first, false) && opens(tail(first, 96), false) {
				phases, start = 1, start+skip
				child.lines[0].from = start
				break
			}
		}
	}
	for phase := range phases {
		child.begin(l, "base64", start, end)
		text := child.join(l.data, min(phase, 1)) // one letter more each time
		child.out = grow(child.out, base64.RawStdEncoding.DecodedLen(len(text)))
		child.num, child.den, child.data = 4, 3, child.out[:decodeLetters(child.out, text)]
		s.descend(child)
	}
}

// tail returns b from offset at on, a multiple of four, as far as there is
// enough of it to judge, else b.
func tail(b []byte, at int) []byte {
	if len(b) >= at+minRun {
		return b[at:]
	}
	return b
}

// decodeLetters decodes base64 of either alphabet, without padding, into dst
// and returns how many bytes that gave. What is left of an incomplete group is
// dropped.
func decodeLetters(dst, text []byte) int {
	n, err := base64.RawStdEncoding.Decode(dst, text)
	if err == nil {
		return n
	}
	if n, err = base64.RawURLEncoding.Decode(dst, text); err == nil {
		return n
	}
	return decodeMixed(dst, text)
}

// decodeMixed does so where both alphabets may be mixed, and for little text in
// less time.
func decodeMixed(dst, text []byte) (n int) {
	for ; len(text) >= 4; text = text[4:] {
		v := values[text[0]]<<18 | values[text[1]]<<12 | values[text[2]]<<6 | values[text[3]]
		dst[n], dst[n+1], dst[n+2] = byte(v>>16), byte(v>>8), byte(v)
		n += 3
	}
	if len(text) >= 2 {
		v := values[text[0]]<<6 | values[text[1]]
		dst[n] = byte(v >> 4)
		n++
		if len(text) == 3 {
			dst[n] = byte(v<<4 | values[text[2]]>>2)
			n++
		}
	}
	return n
}

// values are the six bits that a letter of either alphabet stands for.
var values = [256]uint32{
	'B': 1, 'C': 2, 'D': 3, 'E': 4, 'F': 5, 'G': 6, 'H': 7, 'I': 8, 'J': 9, 'K': 10, 'L': 11, 'M': 12,
	'N': 13, 'O': 14, 'P': 15, 'Q': 16, 'R': 17, 'S': 18, 'T': 19, 'U': 20, 'V': 21, 'W': 22, 'X': 23, 'Y': 24, 'Z': 25,
	'a': 26, 'b': 27, 'c': 28, 'd': 29, 'e': 30, 'f': 31, 'g': 32, 'h': 33, 'i': 34, 'j': 35, 'k': 36, 'l': 37, 'm': 38,
	'n': 39, 'o': 40, 'p': 41, 'q': 42, 'r': 43, 's': 44, 't': 45, 'u': 46, 'v': 47, 'w': 48, 'x': 49, 'y': 50, 'z': 51,
	'0': 52, '1': 53, '2': 54, '3': 55, '4': 56, '5': 57, '6': 58, '7': 59, '8': 60, '9': 61,
	'+': 62, '-': 62, '/': 63, '_': 63,
}

// opens reports whether the first minRun letters of a run decode to something
// that begins like text or like another encoding.
func opens(letters []byte, isHex bool) bool {
	var head [18]byte
	if isHex {
		if letters[1] == 'x' {
			letters = letters[2:]
		}
		n, err := hex.Decode(head[:], letters[:min(len(letters)&^1, 2*len(head))])
		return err == nil && plausible(head[:n])
	}
	return plausible(head[:decodeMixed(head[:], letters[:min(len(letters), minRun)])])
}

// grow returns a slice of n bytes, in b's memory if that is enough.
func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/4)
	}
	return b[:n]
}
