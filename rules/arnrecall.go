package rules

import (
	"bytes"
	"hash/maphash"
)

// Code that deals with AWS repeats its ARNs: a file of tests has hundreds, and
// a history has them once more for each version of the file. What an ARN means
// is a matter of its own text and of the few bytes around it. So a scan
// remembers what came of the ARNs that it read, and an ARN that it meets again
// costs a comparison instead of sixty patterns.

// recallBefore and recallAfter are how many bytes around an ARN's text its
// patterns and their conditions look at (continuesWord, templateFollows): more
// of them behind what may begin a template.
const (
	recallBefore   = 6
	recallAfter    = 3
	recallTemplate = 44
)

// maxRecall is the length in bytes of the longest ARN, as it is written, that
// is remembered, and recallSlots how many are.
const (
	maxRecall   = 512
	recallSlots = 2048
)

// A recalled ARN is what came of one: its text with what surrounds it, and the
// matches, whose positions are relative to where it begins.
type recalled struct {
	text    []byte
	before  int // how many bytes of text stand before the ARN
	matches []Match
}

// An arnMemory is what a scan remembers of ARNs. It belongs to one program.
type arnMemory struct {
	p     *Program
	seed  maphash.Seed
	slots []*recalled

	text   []byte    // of the ARN at hand, if it can be remembered
	before int       // how many bytes of text stand before it
	at     int       // its position
	slot   int       // where it is remembered, there or in the next
	taking *recalled // what is noted now, or nil
	end    int       // no match of an ARN found so far reaches beyond this place
}

// arnStops has a bit for each byte at which every ARN ends, see arnByte.
var arnStops = [4]uint64{
	1<<(' '+1) - 1 | 1<<'"' | 1<<'\'' | 1<<'<' | 1<<'>', 1<<('`'-64) | 1<<(0x7f-64), 1<<64 - 1, 1<<64 - 1,
}

// meets prepares for the ARN at data[pos] and returns what is remembered of
// it, or nil. Whether the chains of matches have come to pos (see chain) is no
// matter of the ARN's text: one that another may reach into is left out, and
// so is one that has another in it.
func (m *arnMemory) meets(s *scan, pos int, binary bool) *recalled {
	m.text = nil
	if binary || s.p.forgetful || pos < m.end || s.edge > 0 && pos < s.edge+(maxARN+maxARNHead)*maxEscape {
		return nil
	}
	stop := pos
	for limit := min(len(s.data), pos+maxRecall+1); stop < limit; stop++ {
		if c := s.data[stop]; arnStops[c>>6]>>(c&63)&1 != 0 {
			break
		}
	}
	if stop-pos > maxRecall {
		return nil
	}
	if m.p != s.p {
		*m = arnMemory{p: s.p, seed: maphash.MakeSeed(), slots: make([]*recalled, recallSlots), end: m.end}
	}
	from, after := max(0, pos-recallBefore), recallAfter
	if stop < len(s.data) && s.data[stop] == '<' {
		after = recallTemplate
	}
	m.text, m.before, m.at = s.data[from:min(len(s.data), stop+after)], pos-from, pos
	m.slot = int(maphash.Bytes(m.seed, m.text) % (recallSlots / 2) * 2)
	for _, r := range m.slots[m.slot : m.slot+2] {
		if r != nil && r.before == m.before && bytes.Equal(r.text, m.text) {
			return r
		}
	}
	return nil
}

// begin makes note of the matches that follow, if they can be remembered.
func (m *arnMemory) begin() {
	if m.text == nil || bytes.Contains(bytes.ToLower(m.text[m.before+3:]), []byte("arn")) {
		return
	}
	m.taking = &recalled{text: bytes.Clone(m.text), before: m.before}
}

// note remembers a match.
func (m *arnMemory) note(match *Match) {
	if m.taking == nil {
		return
	}
	c := *match
	c.Fields = append([]Field(nil), match.Fields...)
	c.Start, c.End, c.SecretStart, c.SecretEnd = c.Start-m.at, c.End-m.at, c.SecretStart-m.at, c.SecretEnd-m.at
	m.taking.matches = append(m.taking.matches, c)
}

// done ends the note.
func (m *arnMemory) done() {
	if m.taking != nil {
		m.slots[m.slot+1] = m.slots[m.slot]
		m.slots[m.slot], m.taking = m.taking, nil
	}
}

// meet reports the matches of the ARN at data[pos] and returns true if it is
// remembered; else it makes note of those that follow.
func (s *scan) meet(pos int, binary bool) bool {
	if r := s.arns.meets(s, pos, binary); r != nil {
		s.recall(r, pos)
		return true
	}
	s.arns.begin()
	return false
}

// recall reports the matches of r again, at pos.
func (s *scan) recall(r *recalled, pos int) {
	for i := range r.matches {
		s.match = r.matches[i]
		m := &s.match
		m.Start, m.End, m.SecretStart, m.SecretEnd = m.Start+pos, m.End+pos, m.SecretStart+pos, m.SecretEnd+pos
		s.found(m)
	}
}

// recalls reports whether every rule with patterns for ARNs judges them by
// nothing but their own text, so that they can be remembered.
func (p *Program) recalls() bool {
	for i := range p.patterns {
		if p.patterns[i].arn.service == "" {
			continue
		}
		for _, v := range p.Rules[p.patterns[i].rule].Validators {
			if v != "aws-kms-key" && v != "aws-kms-alias" && v != "aws-iam-name" {
				return false
			}
		}
	}
	return true
}
