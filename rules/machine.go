package rules

import (
	"regexp/syntax"
	"unicode/utf8"
)

// maxSlots is the number of positions that a match notes: two for the secret
// and two for each of at most seven fields.
const maxSlots = 16

// patience is how many steps a match may backtrack before the machine begins
// to remember where it has been, which bounds its work by the size of the
// code times the length of the match.
const patience = 2000

// A machine runs code at one position of a text, with the preferences of a
// backtracking matcher, which are those of Go's regexp: leftmost-first.
type machine struct {
	code  *code
	data  []byte
	slots [maxSlots]int
	base  int // position of the attempt
	width int // positions that an attempt may visit
	// far is the end of what was compared, and is never set back by match:
	// nothing behind it matters to why there is none, but for the characters
	// next to it that conditions look at (looksAround).
	far   int
	steps int
	tired bool     // seen is in use
	seen  []uint64 // instruction and position, visited in vain
}

// match returns the end of the match of c that begins at data[pos], or -1.
// No match is longer than longest.
func (m *machine) match(c *code, data []byte, pos, longest int) int {
	m.code, m.data, m.base, m.width = c, data, pos, longest+1
	m.steps, m.tired = 0, false
	for i := range m.slots {
		m.slots[i] = -1
	}
	return m.run(0, pos)
}

// visited reports whether the attempt was at pc and pos before, once it has
// lost patience. It failed then, since only failure leads back.
func (m *machine) visited(pc, pos int) bool {
	m.steps++
	if m.steps < patience {
		return false
	}
	if !m.tired {
		m.tired = true
		n := (len(m.code.insts)*m.width + 63) / 64
		if cap(m.seen) < n {
			m.seen = make([]uint64, n)
		}
		m.seen = m.seen[:n]
		clear(m.seen)
	}
	bit := pc*m.width + pos - m.base
	if m.seen[bit/64]>>(bit%64)&1 != 0 {
		return true
	}
	m.seen[bit/64] |= 1 << (bit % 64)
	return false
}

func (m *machine) run(pc, pos int) int {
	for {
		in := &m.code.insts[pc]
		switch in.op {
		case opMatch:
			return pos
		case opLit, opFold:
			n := int(in.b)
			m.far = max(m.far, pos+n)
			if len(m.data)-pos < n {
				return -1
			}
			have, want := m.data[pos:pos+n], m.code.text[in.a:int(in.a)+n]
			if string(have) != want && (in.op == opLit || !equalFold(have, want)) {
				return -1
			}
			pos += n
		case opRun:
			end, n := m.span(&m.code.classes[in.class], pos, int(in.b))
			m.far = max(m.far, end)
			if n < int(in.a) {
				return -1
			}
			if in.a != in.b {
				return m.giveBack(in, pc, pos, end, n)
			}
			pos = end
		case opLazy:
			return m.takeMore(in, pc, pos)
		case opSplit:
			if m.visited(pc, pos) {
				return -1
			}
			if end := m.run(pc+1, pos); end >= 0 {
				return end
			}
			pc = int(in.a)
			continue
		case opJump:
			pc = int(in.a)
			continue
		case opSave:
			old := m.slots[in.a]
			m.slots[in.a] = pos
			if end := m.run(pc+1, pos); end >= 0 {
				return end
			}
			m.slots[in.a] = old
			return -1
		case opAssert:
			if !holds(syntax.Op(in.a), m.data, pos) {
				return -1
			}
		case opEnd:
			if goesOn(&m.code.classes[in.class], m.data[pos:]) {
				return -1
			}
		}
		pc++
	}
}

// goesOn reports whether rest begins with a character of c. A full stop or
// comma with none behind it belongs to the sentence around.
func goesOn(c *class, rest []byte) bool {
	if len(rest) == 0 || !c.has(rest[0]) {
		return false
	}
	if rest[0] == '.' || rest[0] == ',' {
		return len(rest) > 1 && c.has(rest[1])
	}
	return true
}

// span returns where the run of at most limit characters of c ends that
// begins at pos, and how many they are.
func (m *machine) span(c *class, pos, limit int) (end, n int) {
	if !c.wide {
		data := m.data[pos:min(len(m.data), pos+limit)]
		for i, b := range data {
			if !c.has(b) {
				return pos + i, i
			}
		}
		return pos + len(data), len(data)
	}
	for n < limit && pos < len(m.data) && c.has(m.data[pos]) {
		pos += runeLen(m.data, pos)
		n++
	}
	return pos, n
}

// giveBack tries what follows a run after all its n characters, then after
// one less, down to the run's minimum.
func (m *machine) giveBack(in *inst, pc, pos, end, n int) int {
	if m.visited(pc, pos) {
		return -1
	}
	wide := m.code.classes[in.class].wide
	for {
		if m.mayFollow(in, end) {
			if e := m.run(pc+1, end); e >= 0 {
				return e
			}
			m.steps++
		}
		if n == int(in.a) {
			return -1
		}
		n--
		if wide {
			_, size := utf8.DecodeLastRune(m.data[pos:end])
			end -= size
		} else {
			end--
		}
	}
}

// takeMore tries what follows a lazy run after as few characters as allowed,
// then after one more.
func (m *machine) takeMore(in *inst, pc, pos int) int {
	if m.visited(pc, pos) {
		return -1
	}
	c := &m.code.classes[in.class]
	end, n := m.span(c, pos, int(in.a))
	m.far = max(m.far, end)
	if n < int(in.a) {
		return -1
	}
	for {
		if m.mayFollow(in, end) {
			if e := m.run(pc+1, end); e >= 0 {
				return e
			}
			m.steps++
		}
		if n == int(in.b) || end >= len(m.data) || !c.has(m.data[end]) {
			return -1
		}
		end += runeLen(m.data, end)
		m.far = max(m.far, end)
		n++
	}
}

func (m *machine) mayFollow(in *inst, pos int) bool {
	return in.follow == noFollow || pos < len(m.data) && m.code.classes[in.follow].has(m.data[pos])
}

// runeLen returns how many bytes the character at data[pos] takes; a byte
// that is not UTF-8 is a character of its own, as it is for regexp.
func runeLen(data []byte, pos int) int {
	if data[pos] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune(data[pos:])
	return n
}

// insideRune reports whether pos is amid the bytes of one character, where no
// match can begin.
func insideRune(data []byte, pos int) bool {
	if pos >= len(data) || utf8.RuneStart(data[pos]) {
		return false
	}
	for back := 1; back < utf8.UTFMax && back <= pos; back++ {
		if utf8.RuneStart(data[pos-back]) {
			_, n := utf8.DecodeRune(data[pos-back:])
			return n > back
		}
	}
	return false
}

// equalFold compares a with the lower-case b, letting ASCII letters of a be
// of either case.
func equalFold(a []byte, b string) bool {
	for i, c := range a {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != b[i] {
			return false
		}
	}
	return true
}

// holds reports whether the empty-width condition op holds at pos.
func holds(op syntax.Op, data []byte, pos int) bool {
	switch op {
	case syntax.OpBeginText:
		return pos == 0
	case syntax.OpEndText:
		return pos == len(data)
	case syntax.OpBeginLine:
		return pos == 0 || data[pos-1] == '\n'
	case syntax.OpEndLine:
		return pos == len(data) || data[pos] == '\n'
	}
	boundary := (pos > 0 && isWordByte(data[pos-1])) != (pos < len(data) && isWordByte(data[pos]))
	return boundary == (op == syntax.OpWordBoundary)
}

func isWordByte(b byte) bool { return isLetter(b) || '0' <= b && b <= '9' || b == '_' }
