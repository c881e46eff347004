package rules

import (
	"bytes"
	"hash/maphash"
)

// The versions of a file have the same candidates again, and to judge one, by
// validators and by what an earlier pattern of its rule finds there, takes longer
// than to find it. What comes of it is a matter of the text around the candidate,
// as far as it was looked at. So a scan of versions (MatchMarked) remembers what
// came of candidates, and one that it meets again in the same text costs a
// comparison.

// looksAtMatch reports whether the validator of that name looks at nothing but
// the match, as it was before it or as it makes it, and reachAround bytes to
// either side, unless it says so itself (Match.sees). What another one had a say
// in is not remembered.
func looksAtMatch(name string) bool {
	switch name {
	case "aws-access-key-id", "aws-bedrock-key", "aws-bedrock-short-term-key", "aws-secret", "aws-xks-secret",
		"age-secret-key", "assignment", "url-password", "authorization-header",
		"github-checksum", "gitlab-routable", "npm-checksum", "mixed", "random", "token", "token-dash",
		"jwt", "azure-emulator", "jwt-base64", "basic-credential", "password", "discord-token",
		"atlassian-data-center-token", "base58check", "not-a-known-key", "mixed-case", "plain-word",
		"nkey-seed", "pypi-macaroon", "nuget-sample", "not-in-base64", "not-digest", "secret-name":
		return true
	}
	return false
}

// reachAround is a little more than the longest escape before a token, or word
// before a key, that those validators look at.
const reachAround = 16

// A sight is how much of a text was looked at.
type sight struct {
	from, to int
	// endless says that how much is not known.
	endless bool
}

// see widens s to data[from:to] and, where that is more than there is, to the
// ends of the text.
func (s *sight) see(from, to int) { s.from, s.to = min(s.from, from), max(s.to, to) }

// seeValidator widens s to what the validator of that name looked at, whose
// match was data[start:end] before it.
func (s *sight) seeValidator(name string, m *Match, start, end int) {
	if !looksAtMatch(name) {
		s.endless = true
		return
	}
	s.see(min(start, m.Start)-reachAround, max(end, m.End)+reachAround)
	if m.sawTo != 0 {
		s.see(m.sawFrom, m.sawTo)
	}
}

// What becomes of a candidate.
type fate uint8

const (
	refused  fate = iota // by a validator
	repeated             // an earlier pattern of the rule finds the same
	matched
)

// Bounds of what is remembered: candidates, bytes of text in all, and bytes of
// text to either side of a candidate.
const (
	recallFates = 4096
	maxFates    = 2 << 20
	fateReach   = 2 << 10
)

// A judged candidate is what came of one: its text with what surrounds it, and
// the match, whose positions are relative to the candidate. A text that an end of
// what was scanned cuts off has fewer bytes on that side than any later one that
// is not, since the windows of a pattern only grow.
type judged struct {
	text           []byte
	pattern        int
	before, length int // bytes of text before the candidate, and its own
	fate           fate
	match          Match
	saw            bool // sees was called of match
}

// A fateSlot has a candidate, or the hash of one that was met once: most of those
// that are marked (see marks.go) are not met again.
type fateSlot struct {
	hash uint64
	*judged
}

// A fateMemory is what a scan remembers of candidates. It belongs to one
// program.
type fateMemory struct {
	p     *Program
	seed  maphash.Seed
	slots []fateSlot
	bytes int // of all texts
	// before and after are, for each pattern, how much around its candidates
	// was ever looked at.
	before, after []uint16
}

// window returns what of data surrounds a candidate of pattern i as far as is
// remembered, as a judged candidate without a fate, and its hash.
func (f *fateMemory) window(data []byte, i, start, end int) (j judged, hash uint64) {
	from, to := max(0, start-int(f.before[i])), min(len(data), end+int(f.after[i]))
	j = judged{text: data[from:to], pattern: i, before: start - from, length: end - start}
	return j, maphash.Bytes(f.seed, j.text) + uint64(i)<<32 + uint64(j.before)<<16 + uint64(j.length)
}

// of makes f the memory of p, if it is not yet.
func (f *fateMemory) of(p *Program) {
	if f.p == p {
		return
	}
	*f = fateMemory{p: p, seed: maphash.MakeSeed(), slots: make([]fateSlot, recallFates)}
	n := len(p.patterns)
	reach := make([]uint16, 2*n)
	f.before, f.after = reach[:n], reach[n:]
}

// recallFate returns what is remembered of the candidate data[start:end] of
// pattern i, or nil.
func (s *scan) recallFate(i, start, end int) *judged {
	f := &s.fates
	f.of(s.p)
	at, hash := f.window(s.data, i, start, end)
	j := f.slots[hash%recallFates].judged
	if j == nil || j.pattern != i || j.before != at.before || j.length != at.length || !bytes.Equal(j.text, at.text) {
		return nil
	}
	s.match = j.match
	s.match.shift(start)
	if j.saw {
		s.match.sawFrom, s.match.sawTo = j.match.sawFrom+start, j.match.sawTo+start
	}
	return j
}

// shift moves the match and its secret.
func (m *Match) shift(by int) {
	m.Start, m.End, m.SecretStart, m.SecretEnd = m.Start+by, m.End+by, m.SecretStart+by, m.SecretEnd+by
}

// rememberFate remembers what came of the candidate data[start:end] of pattern i:
// if its anchor may get a mark, the second time that it is met.
func (s *scan) rememberFate(i, start, end int, fate fate) {
	f, seen := &s.fates, &s.seen
	before, after := start-seen.from, seen.to-end
	if seen.endless || max(before, after) > fateReach || end-start > fateReach {
		return
	}
	f.before[i], f.after[i] = max(f.before[i], uint16(max(before, 0))), max(f.after[i], uint16(max(after, 0)))
	j, hash := f.window(s.data, i, start, end)
	slot := &f.slots[hash%recallFates]
	if slot.hash != hash && fate == refused && s.match.sawTo > 0 {
		slot.hash = hash
		return
	}
	if f.bytes += len(j.text); f.bytes > maxFates {
		clear(f.slots)
		f.bytes = 0
		return
	}
	j.fate, j.text, j.match = fate, bytes.Clone(j.text), s.match
	j.match.Fields = append([]Field(nil), s.match.Fields...)
	j.match.grades = nil
	j.match.shift(-start)
	if j.saw = j.match.sawTo != 0; j.saw {
		j.match.sawFrom, j.match.sawTo = j.match.sawFrom-start, j.match.sawTo-start
	}
	*slot = fateSlot{hash, &j}
}
