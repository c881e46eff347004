package scanner

import (
	"bytes"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/spillgate/spillgate/rules"
)

// A collector turns the hits of one source into findings. Its emit is called
// from several goroutines.
type collector struct {
	detectors []Detector
	near      []NearStage
	watchers  []Watcher
	workers   sync.Pool // of *worker

	mu       sync.Mutex
	findings []*Finding
	texts    map[string]string        // interned: versions of a file repeat their lines
	fields   map[string][]rules.Field // the latest of a secret, which most of its findings have
}

func newCollector(detectors []Detector, stages []Stage) *collector {
	c := &collector{detectors: detectors, texts: map[string]string{}, fields: map[string][]rules.Field{}}
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
	w.chunk, w.last = chunk, position{}
	chunk.sought = "" // of a text before, if the source uses the chunk again
	for _, d := range c.detectors {
		d.Detect(chunk, w.hit)
	}
	if wide := w.widen(chunk); wide != nil {
		w.chunk, w.last = wide, position{}
		for _, d := range c.detectors {
			d.Detect(wide, w.hit)
		}
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
}

// take makes a finding of a hit, if it touches something new.
func (w *worker) take(h *Hit) {
	c := w.chunk
	first := w.place(h.Start)
	start := w.place(h.SecretStart)
	end := w.place(h.SecretEnd)
	w.first, w.end = first, end
	last := end.line + bytes.Count(c.Data[h.SecretEnd:max(h.SecretEnd, h.End-1)], newline)
	fresh := c.Object.New == nil || c.Object.New.Touches(first.line, last)
	if !fresh && len(w.near) == 0 {
		return
	}
	f := &Finding{
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
		return
	}
	secret := h.Text
	if secret == nil {
		secret = c.Data[h.SecretStart:h.SecretEnd]
	}
	around := surroundings(c.Data, h.Start, h.End)
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Secret = Secret{w.intern(secret)}
	if f.Fields = w.fields[f.Secret.text]; !slices.Equal(f.Fields, h.Fields) {
		f.Fields = slices.Clone(h.Fields)
		w.fields[f.Secret.text] = f.Fields
	}
	f.Context = Secret{w.intern(around)}
	w.findings = append(w.findings, f)
}

func (c *collector) intern(b []byte) string {
	if s, ok := c.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	c.texts[s] = s
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

// surroundings returns the lines of data[start:end] and the line before, cut
// to contextMax with the finding in its middle.
func surroundings(data []byte, start, end int) []byte {
	room := max(0, contextMax-(end-start)) / 2
	lo, hi := max(0, start-room), min(len(data), end+room)
	if i := bytes.LastIndexByte(data[lo:start], '\n'); i >= 0 {
		if j := bytes.LastIndexByte(data[lo:lo+i], '\n'); j >= 0 {
			lo += j + 1
		}
	}
	if i := bytes.IndexByte(data[end:hi], '\n'); i >= 0 {
		hi = end + i
	}
	return data[lo:min(hi, lo+contextMax)]
}
