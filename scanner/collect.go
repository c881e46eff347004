package scanner

import (
	"bytes"
	"slices"
	"sync"
	"unicode/utf8"
)

// A collector turns the hits of one source into places of sightings. Its emit
// is called from several goroutines.
type collector struct {
	detectors []Detector
	near      []NearStage
	watchers  []Watcher
	table     *table
	workers   sync.Pool // of *worker

	mu      sync.Mutex
	batches []batch
}

func newCollector(t *table, detectors []Detector, stages []Stage) *collector {
	c := &collector{detectors: detectors, table: t}
	for _, s := range stages {
		if n, ok := s.(NearStage); ok {
			c.near = append(c.near, n)
		}
		if w, ok := s.(Watcher); ok {
			c.watchers = append(c.watchers, w)
		}
	}
	c.workers.New = func() any {
		w := &worker{collector: c}
		w.hit = w.take // made once: a method value allocates
		return w
	}
	return c
}

// emit runs the detectors over chunk.
func (c *collector) emit(chunk *Chunk) error {
	w := c.workers.Get().(*worker)
	chunk.sought = "" // of a text before, if the source uses the chunk again
	w.detect(chunk)
	if wide := w.widen(chunk); wide != nil {
		w.detect(wide)
	}
	for _, s := range c.watchers {
		s.Watch(chunk)
	}
	w.chunk = nil
	c.workers.Put(w)
	return nil
}

// A worker holds what one call of emit needs.
type worker struct {
	*collector
	chunk *Chunk
	last  position // of the latest place asked for, relative to the chunk
	// first and end are where the latest hit begins and its secret ends: many
	// hits in one encoded text share them, however long it is.
	first, end position
	hit        func(*Hit)
	wide       []byte // see widen
	finding    Finding
	places     []place // in the chunk
	memory     memory
}

// detect runs the detectors over one text.
func (w *worker) detect(c *Chunk) {
	w.chunk, w.last, w.places = c, position{}, w.places[:0]
	w.memory.begin()
	for _, d := range w.detectors {
		d.Detect(c, w.hit)
	}
	if len(w.places) == 0 {
		return
	}
	b := batch{c.Object, c.Offset, c.Line, slices.Clone(w.places)}
	w.mu.Lock()
	w.batches = append(w.batches, b)
	w.mu.Unlock()
	if cap(w.places) > maxKeptPlaces {
		w.places = nil
	}
}

// maxKeptPlaces bounds how many places a worker has room for beyond one text.
const maxKeptPlaces = 1 << 16

// take makes a place of a hit, if it touches something new.
func (w *worker) take(h *Hit) {
	around := surroundings(w.chunk.Data, h.Start, h.End)
	if w.recall(h, around) {
		return
	}
	s := w.judge(h, around)
	if s == nil {
		return
	}
	s, number := w.table.add(s)
	if s.quiet {
		w.memory.remember(w.table.seed, s, number)
	}
	w.note(h, number)
}

// note notes a place.
func (w *worker) note(h *Hit, sighting uint32) {
	line := w.memory.lineOf(w.chunk, h.SecretStart)
	w.places = append(w.places, place{sighting, uint32(h.SecretStart), uint32(line)})
}

// judge returns what a hit is a sighting of, or nil if it touches nothing new.
func (w *worker) judge(h *Hit, around vicinity) *sighting {
	c := w.chunk
	first := w.place(h.Start)
	start := w.place(h.SecretStart)
	end := w.place(h.SecretEnd)
	w.first, w.end = first, end
	last := end.line + bytes.Count(c.Data[h.SecretEnd:max(h.SecretEnd, h.End-1)], newline)
	fresh := c.Object.New == nil || c.Object.New.Touches(first.line, last)
	if !fresh && len(w.near) == 0 {
		return nil
	}
	f := &w.finding
	*f = Finding{
		Rule: h.Rule, Severity: h.Severity, Confidence: h.Confidence,
		Location: Location{
			Object: c.Object, Offset: c.Offset + int64(h.SecretStart),
			StartLine: start.line, StartColumn: start.column + 1,
			EndLine: end.line, EndColumn: end.column + 1,
		},
		Occurrences: 1,
		settled:     h.Settled,
	}
	if f.EndLine == f.StartLine && f.EndColumn <= f.StartColumn {
		f.EndColumn = f.StartColumn + 1 // an empty secret is shown as one column
	}
	if h.Placeholder != "" {
		f.Suppression = &Suppression{By: "placeholder", Reason: h.Placeholder, InSource: true}
	}
	for _, s := range w.near {
		s.JudgeNear(f, c, h)
	}
	if !fresh {
		return nil
	}
	lines := c.Data[around.from:around.to]
	f.Secret, f.Context, f.Fields = NewSecret(w.secret(h)), NewSecret(lines), slices.Clone(h.Fields)
	s := sightingOf(f)
	*f = Finding{}
	if w.recallable(h, around) && w.isQuiet(lines) {
		s.quiet, s.secretAt, s.span = true, h.SecretStart-around.from, h.SecretEnd-h.SecretStart
	}
	return s
}

// place returns the line and the characters before offset at of the chunk. It
// counts on from the latest place when it can.
func (w *worker) place(at int) position {
	c := w.chunk
	switch {
	case w.last.line == 0:
		w.last = position{line: c.Line, column: c.Column}
		w.first, w.end = w.last, w.last
	case at == w.end.at:
		w.last = w.end
	case at >= w.last.at:
	case at >= w.first.at:
		w.last = w.first
	default:
		w.last = position{line: c.Line, column: c.Column}
	}
	data := c.Data
	if bytes.Count(data[w.last.at:at], newline) > 0 {
		w.last.line += bytes.Count(data[w.last.at:at], newline)
		w.last.at = bytes.LastIndexByte(data[:at], '\n') + 1
		w.last.column = 0
	}
	w.last.column += utf8.RuneCount(data[w.last.at:at])
	w.last.at = at
	return w.last
}

// contextMax bounds the text around a finding in bytes.
const contextMax = 4 << 10

// A vicinity is the text around a finding: its lines and the line before, cut to
// contextMax with the finding in its middle.
type vicinity struct {
	from, to int
	// whole says that nothing was cut.
	whole bool
}

// surroundings returns what is near data[start:end].
func surroundings(data []byte, start, end int) vicinity {
	room := max(0, contextMax-(end-start)) / 2
	n := vicinity{from: max(0, start-room), to: min(len(data), end+room)}
	head, tail := n.from == 0, n.to == len(data)
	if i := bytes.LastIndexByte(data[n.from:start], '\n'); i >= 0 {
		if j := bytes.LastIndexByte(data[n.from:n.from+i], '\n'); j >= 0 {
			n.from, head = n.from+j+1, true
		}
	}
	if i := bytes.IndexByte(data[end:n.to], '\n'); i >= 0 {
		n.to, tail = end+i, true
	}
	n.whole = head && tail && n.to-n.from <= contextMax
	n.to = min(n.to, n.from+contextMax)
	return n
}
