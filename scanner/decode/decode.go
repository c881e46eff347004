// Package decode finds what another detector would find if secrets were written
// plainly. It is a scanner.Detector around another one, which it runs a second
// time on what the encoded parts of a chunk decode to:
//
//   - base64 of either alphabet, padded or not, also wrapped over lines;
//   - hexadecimal digits;
//   - percent-encoding;
//   - strings with escapes (\n \" \u0041 \x41 \101);
//   - gzip and zlib, UTF-16 and messages of the AWS Encryption SDK inside those,
//
// nested up to a depth. A hit keeps its place in the original, as exactly as
// the encoding allows, carries the decoded secret as Match.Text, and says in
// the field "decoded-from" how it was written.
//
// The cost is linear in the chunk, whatever it holds. No byte loop goes over
// the text: a run of base64 that is long enough to matter covers a window of
// sixteen bytes at a stride of nine, so looking at those windows finds them all,
// and the beginning of a run tells whether the rest is worth decoding (names and
// checksums are not). Backslashes and percent signs are found by
// bytes.IndexByte. In a history the places where something may be encoded come
// with the chunk, and so does what is known of them (Anchorer). Each layer is no
// longer than the one above it, but for
// decompression, which has a budget.
//
// What decodes to no text is treated as binary content: rules that are for text
// only do not see it, hits of low confidence do not count in it, and it has to
// hold readable characters to be looked at.
//
// A run that is longer than a chunk is decoded in the pieces in which the
// chunks show it: a hit belongs to the chunk in which it begins, as a hit in
// plain text does. Where the beginning of the run is out of sight, its letters
// are grouped in fours so that a text results. What is compressed is read only
// where its beginning is in sight, up to the end of that chunk.
package decode

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// DefaultDepth is how many encodings inside each other are undone by default.
const DefaultDepth = 3

// MaxDepth bounds Options.Depth.
const MaxDepth = 16

// Options say how far decoding goes. The zero value is the default.
type Options struct {
	// Depth is how many encodings inside each other are undone, at most MaxDepth;
	// base64 of gzip is two. Zero means DefaultDepth.
	Depth int
}

// A Detector runs another one on a chunk and on what is encoded in it.
type Detector struct {
	inner   scanner.Detector
	depth   int
	limited atomic.Int64
	states  sync.Pool // of *state
}

// New returns a detector that runs inner on chunks and what they encode.
func New(inner scanner.Detector, o Options) *Detector {
	d := &Detector{inner: inner, depth: min(o.Depth, MaxDepth)}
	if d.depth <= 0 {
		d.depth = DefaultDepth
	}
	d.states.New = func() any {
		s := &state{detector: d, layers: make([]layer, d.depth+1)}
		s.onRaw, s.onDecoded = s.raw, s.decoded // made once: a method value allocates
		return s
	}
	return d
}

// Limited returns how many compressed texts were not read to their end, because
// those of one chunk came to more than 16 MiB.
func (d *Detector) Limited() int64 { return d.limited.Load() }

// Detect implements scanner.Detector.
func (d *Detector) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	s := d.states.Get().(*state)
	s.chunk, s.hit, s.room, s.copied, s.sorted = c, hit, inflated, false, false
	s.plain = s.plain[:0]
	if c.Encoded {
		s.collect()
	}
	d.inner.Detect(c, s.onRaw)
	root := &s.layers[0]
	root.data, root.binary = c.Data, c.Object.Binary
	s.explore(root)
	s.release()
	d.states.Put(s)
}

// A state is the memory of one call of Detect.
type state struct {
	detector *Detector
	chunk    *scanner.Chunk
	hit      func(*scanner.Hit)
	layers   []layer // by depth
	inflater inflater
	room     int                // how much may still be decompressed
	found    int                // hits in what was decoded, also such as do not count
	spots    [anchorKinds]spots // of the chunk, if it came with them

	onRaw, onDecoded func(*scanner.Hit)
	current          *layer            // that onDecoded is called for
	objects          [2]scanner.Object // of the chunk, as text and as binary content
	copied           bool              // objects are those of this chunk
	sub              scanner.Chunk
	match            scanner.Hit

	plain  []place // hits in the chunk itself
	sorted bool    // plain is in order
	seen   map[seenKey]span
}

// maxKept bounds the size in bytes of buffers that are kept for the next chunk.
const maxKept = 1 << 20

// release drops what belongs to the chunk, and buffers that one large chunk made
// grow.
func (s *state) release() {
	s.chunk, s.hit, s.current = nil, nil, nil
	s.sub, s.match = scanner.Chunk{}, scanner.Hit{}
	s.objects = [2]scanner.Object{}
	clear(s.seen)
	s.layers[0].data = nil
	for i := range s.layers {
		l := &s.layers[i]
		l.data = nil
		if cap(l.out) > maxKept {
			l.out = nil
		}
		if cap(l.compact) > maxKept {
			l.compact = nil
		}
		if cap(l.pieces) > maxKept/16 {
			l.pieces = nil
		}
		if cap(l.lines) > maxKept/16 {
			l.lines = nil
		}
	}
	if cap(s.plain) > maxKept/16 {
		s.plain = nil
	}
}

// explore undoes the encodings in l.
func (s *state) explore(l *layer) {
	if l.depth == s.detector.depth {
		return
	}
	s.runs(l)
	if l.binary {
		s.messages(l)
		return
	}
	s.percents(l)
	s.escapes(l)
}

// descend runs the detector on a layer and on what is encoded in it.
func (s *state) descend(l *layer) {
	deeper := l.depth < s.detector.depth
	f := recognise(l.data[:min(len(l.data), 64)])
	switch {
	case !deeper:
	case f == gzipped || f == zlibbed:
		if child := &s.layers[l.depth+1]; s.inflate(child, l, f) {
			s.descend(child)
			return
		}
	case f == wideLE || f == wideBE:
		child := &s.layers[l.depth+1]
		child.narrow(l, f == wideBE)
		s.descend(child)
		return
	}
	if l.num == l.den && len(l.pieces) > 0 {
		l.binary = bytes.IndexByte(l.data, 0) >= 0 // text with escapes
	} else {
		l.binary = f != text || !isText(l.data)
	}
	if l.binary && !readable(l.data) {
		return
	}
	s.detect(l)
	s.explore(l)
}

// detect runs the detector on a layer.
func (s *state) detect(l *layer) {
	if !s.copied {
		s.copied = true
		s.objects[0], s.objects[1] = *s.chunk.Object, *s.chunk.Object
		s.objects[0].Binary, s.objects[1].Binary = false, true
	}
	o := &s.objects[0]
	if l.binary {
		o = &s.objects[1]
	}
	s.sub = scanner.Chunk{Object: o, Data: l.data, To: len(l.data), First: true, Last: true, Line: 1}
	s.current = l
	s.detector.inner.Detect(&s.sub, s.onDecoded)
}

// raw passes a hit in the chunk itself on.
func (s *state) raw(h *scanner.Hit) {
	s.plain = append(s.plain, place{h.Rule, span{h.SecretStart, h.SecretEnd}})
	s.hit(h)
}

// decoded passes a hit in a layer on, with its place in the chunk.
func (s *state) decoded(h *scanner.Hit) {
	l := s.current
	s.found++
	if l.binary && h.Confidence == rules.ConfidenceLow {
		return
	}
	m := &s.match
	m.Start, m.End = l.root(h.Start, h.End)
	if m.Start < s.chunk.From || m.Start >= s.chunk.To {
		return // another chunk's
	}
	m.SecretStart, m.SecretEnd = l.root(h.SecretStart, h.SecretEnd)
	m.Text = h.Text
	if m.Text == nil {
		m.Text = l.data[h.SecretStart:h.SecretEnd]
	}
	if s.known(h.Rule, l, span{m.SecretStart, m.SecretEnd}, m.Text) {
		return
	}
	m.Rule, m.Severity, m.Confidence, m.Placeholder = h.Rule, h.Severity, h.Confidence, h.Placeholder
	m.Fields = append(append(m.Fields[:0], h.Fields...), rules.Field{Name: "decoded-from", Value: l.labels()})
	s.hit(m)
}
