package rules

// The versions of a file share most of their text, and most anchors lead to
// nothing. Who knows that an anchor's surroundings are those it had in the
// version before need not look at it again. A mark remembers that nothing was
// found at an anchor, and how far around it that depends on: the machine knows
// how far it got with the patterns that lead to no candidate, those of others
// follow from their lengths, and a validator that refused a key word says what
// it looked at (Match.sees).
//
// A mark is never set where something was found: findings are found anew in each
// version, if recalled rather than judged (judgerecall.go).

// The reach of a mark is one of sixteen in each direction: its high half is an
// index of marksBefore, its low half of marksAfter.
var (
	marksBefore = [16]int{8, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024}
	marksAfter  = [16]int{0, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 448, 640, 896, 1280, 2048}
)

// MarkReach returns how many bytes before an anchor's position, and from it on,
// must be what they were, or lie at the same end of the text, for mark to hold.
func MarkReach(mark byte) (before, after int) { return marksBefore[mark>>4], marksAfter[mark&15] }

// MarkFor returns the mark with the least reach that covers before and after
// (MarkReach), or 0 if there is none.
func MarkFor(before, after int) byte {
	for b, n := range marksBefore {
		if n < before {
			continue
		}
		for a := 1; a < len(marksAfter); a++ {
			if marksAfter[a] >= after {
				return byte(b<<4 | a)
			}
		}
		break
	}
	return 0
}

// A memory is what marks need to know of a literal.
type memory struct {
	// before is how far its patterns look for candidates, and after how far
	// those do that the machine cannot run.
	before, after int
	// keyed are those of its patterns that match key words and leave the rest
	// to a validator, a bit each.
	keyed uint64
	never bool // no mark could cover its patterns
	arns  bool // all of them are for ARNs
}

// memories returns the memory of each literal, which the first call computes.
func (p *Program) memories() []memory {
	p.remember.Do(func() {
		p.memory, p.keyed = make([]memory, len(p.literals)), make([]uint8, len(p.patterns))
		n := uint8(0)
		for i := range p.patterns {
			if pat := &p.patterns[i]; p.Rules[pat.rule].Fallback && pat.max == 0 && pat.longest <= maxLiteral && n < 63 {
				n++
				p.keyed[i] = n
			}
		}
		for k := range p.literals {
			m := &p.memory[k]
			m.arns = true
			for _, i := range p.users[p.literals[k].from:p.literals[k].to] {
				pat := &p.patterns[i]
				m.before = max(m.before, int(pat.max)+looksAround)
				if len(pat.code.insts) == 0 {
					m.after = max(m.after, int(pat.longest-pat.min)+looksAround)
				}
				isARN := pat.arn.service != ""
				m.never, m.arns = m.never || isARN, m.arns && isARN
				if b := p.keyed[i]; b > 0 {
					m.keyed |= 1 << b
				}
			}
			m.never = m.never || MarkFor(m.before, m.after) == 0
		}
	})
	return p.memory
}

// looksAround is how many bytes beyond the places where a match can lie its
// conditions look at: characters that the edges may cut in two.
const looksAround = 8

// MatchMarked does what Match does for all anchors of a whole text, passing
// over anchors whose marks are not 0, and sets the marks of others where
// nothing was found. Marks must be those that it set before, at the same
// anchors, in surroundings that MarkReach says are enough.
func (p *Program) MatchMarked(data []byte, anchors []Anchor, marks []byte, binary bool, found func(*Match)) {
	if len(anchors) == 0 {
		return
	}
	memories := p.memories()
	s := scans.Get().(*scan)
	s.begin(p, data, 0, found)
	s.versions = !p.forgetful
	for k := range anchors {
		if anchors[k].Literal >= ForeignLiteral {
			continue
		}
		m := &memories[anchors[k].Literal]
		if marks[k] != 0 && !p.leads(anchors, k, memories) {
			continue
		}
		s.verdict = verdict{sure: !m.never && !binary, before: m.before, after: m.after}
		s.onlyARNs, s.machine.far = m.arns, anchors[k].Pos
		s.run(anchors[k:k+1], binary)
		marks[k] = 0
		if s.verdict.sure {
			s.verdict.after = max(s.verdict.after, s.machine.far-anchors[k].Pos+looksAround)
			marks[k] = MarkFor(s.verdict.before, s.verdict.after)
		}
	}
	s.release()
}

// leads reports whether a candidate that was refused at anchor k may hide one
// at a later anchor: then it has to be met again.
func (p *Program) leads(anchors []Anchor, k int, memories []memory) bool {
	pos, keyed := anchors[k].Pos, memories[anchors[k].Literal].keyed
	if keyed == 0 {
		return false
	}
	end := pos + len(p.literals[anchors[k].Literal].text)
	for _, a := range anchors[k+1:] {
		if a.Pos >= end {
			break
		}
		if a.Literal >= ForeignLiteral {
			continue
		}
		if a.Pos > pos && memories[a.Literal].keyed&keyed != 0 {
			return true
		}
	}
	return false
}

// A verdict is what is known so far of an anchor that leads to no match, if
// that is sure, and how far around the anchor it depends on the text.
type verdict struct {
	sure          bool
	before, after int
}

// refused notes that a validator refused the candidate m at the anchor pos,
// which known says is the anchor's literal and nothing else.
func (v *verdict) refused(m *Match, pos int, known bool) {
	if !known {
		v.sure = false
		return
	}
	v.before = max(v.before, pos-m.sawFrom)
	v.after = max(v.after, m.sawTo-pos)
}

// sees notes that a validator's verdict depends on data[from:to] and, where
// that is more than there is, on where the text ends. A validator that refuses
// matches and calls it makes their anchors memorable.
func (m *Match) sees(from, to int) {
	if m.sawTo == 0 {
		m.sawFrom, m.sawTo = from, to
		return
	}
	m.sawFrom, m.sawTo = min(m.sawFrom, from), max(m.sawTo, to)
}
