package scanner

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/spillgate/spillgate/rules"
)

// A history has what is found in one version of a file in the next thousand
// too. So a scan keeps apart what such findings have in common, a sighting,
// once, and for each of them where it stands, a place of twelve bytes. They are
// put together again as Findings one object at a time (batch.expand), for those
// steps that look at findings.

// A sighting is all of a finding but its object, line and offset. Nobody changes
// one that is in a table.
type sighting struct {
	rule       *rules.Rule
	severity   rules.Severity
	confidence rules.Confidence
	action     Action
	settled    bool
	// quiet says that no near stage has anything to say of it where none has
	// of the chunk as a whole (QuietStage), and that the next two tell its
	// columns: then it is recalled by its text (worker.recall).
	quiet bool
	// secretAt is where the secret begins in the context, and span how many
	// bytes of the chunk it takes; both only where quiet.
	secretAt, span int
	// lines is how many lines behind its first the secret ends.
	startColumn, lines, endColumn int
	secret, context               string
	fields                        []rules.Field
	suppression                   *Suppression
	noted                         []int

	// merged is the number of the result that places of it belong to, from 1
	// on, once that is known.
	merged uint32
}

// A place is where a sighting was had, relative to its batch.
type place struct{ sighting, offset, line uint32 }

// A batch has the places that one call of emit found in one object, in the
// order in which they were found.
type batch struct {
	object *Object
	offset int64 // of the chunk
	line   int   // of the chunk
	places []place
}

// A table has the sightings of a scan, each once. The number of one is its
// place in all.
type table struct {
	mu    sync.Mutex
	seed  maphash.Seed
	all   []*sighting
	heads map[uint64]uint32 // the latest sighting with a hash, plus one
	next  []uint32          // the one before it with the same hash, plus one
	texts map[string]string // interned: versions of a file repeat their lines
	// fields has the latest of a secret, which most of its sightings have.
	fields map[string][]rules.Field
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), heads: map[uint64]uint32{}, texts: map[string]string{}, fields: map[string][]rules.Field{}}
}

// hash returns the same for sightings that are the same.
func (t *table) hash(s *sighting) uint64 { return hashText(t.seed, s.secret, s.context) }

func hashText(seed maphash.Seed, secret, context string) uint64 {
	return maphash.String(seed, context) + 31*maphash.String(seed, secret)
}

// hashOf is hashText of bytes.
func hashOf(seed maphash.Seed, secret, context []byte) uint64 {
	return maphash.Bytes(seed, context) + 31*maphash.Bytes(seed, secret)
}

// add returns the equal of s in the table, which takes s over if it has none
// yet, and its number. The texts of s must be its own.
func (t *table) add(s *sighting) (*sighting, uint32) {
	h := t.hash(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := t.heads[h]; k > 0; k = t.next[k-1] {
		if known := t.all[k-1]; known.equal(s) {
			return known, k - 1
		}
	}
	s.secret, s.context = t.intern(s.secret), t.intern(s.context)
	if f := t.fields[s.secret]; slices.Equal(f, s.fields) {
		s.fields = f
	} else {
		t.fields[s.secret] = s.fields
	}
	n := uint32(len(t.all))
	t.all, t.next = append(t.all, s), append(t.next, t.heads[h])
	t.heads[h] = n + 1
	return s, n
}

// close gives up what only add needs.
func (t *table) close() { t.heads, t.next, t.texts, t.fields = nil, nil, nil, nil }

func (t *table) intern(s string) string {
	if known, ok := t.texts[s]; ok {
		return known
	}
	t.texts[s] = s
	return s
}

func (s *sighting) equal(o *sighting) bool {
	return s.rule == o.rule && s.severity == o.severity && s.confidence == o.confidence && s.action == o.action &&
		s.settled == o.settled && s.quiet == o.quiet && s.secretAt == o.secretAt && s.span == o.span &&
		s.startColumn == o.startColumn && s.lines == o.lines && s.endColumn == o.endColumn &&
		s.secret == o.secret && s.context == o.context && slices.Equal(s.fields, o.fields) &&
		sameSuppression(s.suppression, o.suppression) && slices.Equal(s.noted, o.noted)
}

func sameSuppression(a, b *Suppression) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// sightingOf returns what f is a sighting of.
func sightingOf(f *Finding) *sighting {
	return &sighting{
		rule: f.Rule, severity: f.Severity, confidence: f.Confidence, action: f.Action, settled: f.settled,
		startColumn: f.StartColumn, lines: f.EndLine - f.StartLine, endColumn: f.EndColumn,
		secret: f.Secret.text, context: f.Context.text, fields: f.Fields, suppression: f.Suppression, noted: f.Noted,
	}
}

// expand sets f to what was found at p.
func (b *batch) expand(f *Finding, t *table, p place) {
	s := t.all[p.sighting]
	line := b.line + int(p.line)
	*f = Finding{
		Rule: s.rule, Severity: s.severity, Confidence: s.confidence, Action: s.action,
		Location: Location{
			Object: b.object, Offset: b.offset + int64(p.offset),
			StartLine: line, StartColumn: s.startColumn, EndLine: line + s.lines, EndColumn: s.endColumn,
		},
		Secret: Secret{s.secret}, Context: Secret{s.context}, Fields: s.fields,
		Suppression: s.suppression, Noted: s.noted, Occurrences: 1, settled: s.settled,
	}
}

// keep returns p with what became of it, f, which expand had set.
func (t *table) keep(p place, f *Finding) place {
	s := t.all[p.sighting]
	if f.Severity == s.severity && f.Confidence == s.confidence && f.Action == s.action && f.settled == s.settled &&
		f.Suppression == s.suppression && sameFields(f.Fields, s.fields) {
		return p
	}
	_, p.sighting = t.add(sightingOf(f))
	return p
}

// sameFields reports whether a and b are the same memory.
func sameFields(a, b []rules.Field) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
