package scanner

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// Most of what is found in a history was found in the same lines before. A
// worker recalls a sighting by these lines and what the detector says, if no
// stage has anything to say that would hang on more (QuietStage): then nothing
// is judged or counted again but the line.

// A QuietStage is a NearStage that can tell that it has nothing to say, so that
// it need not be asked of each finding.
type QuietStage interface {
	NearStage
	// Quiet reports whether JudgeNear does nothing, and notes nothing, for a
	// finding in a chunk of which QuietIn is true. lines are those of the finding
	// and the one before, perhaps with the next one; they are all that the answer
	// may hang on. It may be called from several goroutines.
	Quiet(lines []byte) bool
	// QuietIn says the same of the chunk as a whole.
	QuietIn(c *Chunk) bool
}

// recallSets is by how many hashes a worker recalls sightings, and recallWays how
// many with the same: several rules find the same secret in the same lines.
const (
	recallSets = 1024
	recallWays = 4
)

// A recalled sighting is one with its number and the hash of its texts.
type recalled struct {
	*sighting
	hash   uint64
	number uint32
}

// A memory is what a worker knows of the latest sightings, and of the chunk at
// hand.
type memory struct {
	sets [][recallWays]recalled
	turn int // the way that is overwritten next
	// line is that of the byte at counted, from 0 on and relative to the chunk.
	line, counted int
	// quiet says whether the near stages are QuietIn the chunk, once asked.
	asked, quiet bool
}

// begin forgets the chunk before.
func (m *memory) begin() { m.line, m.counted, m.asked = 0, 0, false }

// lineOf returns the line of c.Data[at], from 0 on and relative to the chunk. It
// counts on from the latest place asked for.
func (m *memory) lineOf(c *Chunk, at int) int {
	if at >= m.counted {
		m.line += bytes.Count(c.Data[m.counted:at], newline)
	} else {
		m.line -= bytes.Count(c.Data[at:m.counted], newline)
	}
	m.counted = at
	return m.line
}

// isQuiet reports whether no near stage has anything to say of a finding with
// these lines in the chunk at hand.
func (w *worker) isQuiet(lines []byte) bool {
	for _, s := range w.near {
		if q, ok := s.(QuietStage); !ok || !q.Quiet(lines) {
			return false
		}
	}
	return w.isQuietIn()
}

func (w *worker) isQuietIn() bool {
	m := &w.memory
	if !m.asked {
		m.asked, m.quiet = true, true
		for _, s := range w.near {
			if q, ok := s.(QuietStage); !ok || !q.QuietIn(w.chunk) {
				m.quiet = false
			}
		}
	}
	return m.quiet
}

// recallable reports whether what h is a sighting of hangs on nothing but h and
// the lines around it, and on what the near stages say.
func (w *worker) recallable(h *Hit, around vicinity) bool {
	c := w.chunk
	return around.whole && (around.from > 0 || c.Column == 0) && c.Object.New == nil && h.SecretEnd <= around.to
}

// recall notes the place of a hit whose sighting it knows, or returns false.
func (w *worker) recall(h *Hit, around vicinity) bool {
	m := &w.memory
	if m.sets == nil || !w.recallable(h, around) {
		return false
	}
	secret, lines := w.secret(h), w.chunk.Data[around.from:around.to]
	hash := hashOf(w.table.seed, secret, lines)
	set := &m.sets[hash%recallSets]
	for i := range set {
		if r := &set[i]; r.hash == hash && r.sighting != nil && r.is(h, h.SecretStart-around.from, secret, lines) && w.isQuietIn() {
			w.note(h, r.number)
			return true
		}
	}
	return false
}

// is reports whether s is what h, of which at is where the secret begins in
// lines, is a sighting of, if it was not judged.
func (s *sighting) is(h *Hit, at int, secret, lines []byte) bool {
	if s.rule != h.Rule || s.severity != h.Severity || s.confidence != h.Confidence || s.settled != h.Settled ||
		s.secretAt != at || s.span != h.SecretEnd-h.SecretStart || s.secret != string(secret) || s.context != string(lines) {
		return false
	}
	placeholder := ""
	if s.suppression != nil {
		placeholder = s.suppression.Reason
	}
	return placeholder == h.Placeholder && slices.Equal(s.fields, h.Fields)
}

// remember makes a sighting one that recall knows.
func (m *memory) remember(seed maphash.Seed, s *sighting, number uint32) {
	if m.sets == nil {
		m.sets = make([][recallWays]recalled, recallSets)
	}
	hash := hashText(seed, s.secret, s.context)
	m.sets[hash%recallSets][m.turn] = recalled{s, hash, number}
	m.turn = (m.turn + 1) % recallWays
}

// secret returns the bytes of the secret of h.
func (w *worker) secret(h *Hit) []byte {
	if h.Text != nil {
		return h.Text
	}
	return w.chunk.Data[h.SecretStart:h.SecretEnd]
}
