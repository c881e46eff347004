package incident

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A list in the order of an index is not the order in which incidents lie on the
// disk. To get many one by one, JetStream would keep most of its files in memory:
// each is read as a whole for one incident of it. So all are read in the order in
// which they lie, and what is listed is held, compressed, until it is its turn. As
// many as do not fit come in another reading.
const (
	// fewLines is how many are got one by one.
	fewLines = 64
	// maxHeld bounds what is held, in bytes: some twenty thousand incidents.
	maxHeld = 8 << 20
)

// List gives the incidents of the lines to f, in their order, as JSON without
// Facts and Plan, which are most of an incident. They are as they are now: what is
// gone is left out, and with open what is closed. The text is f's during the call
// only. It ends with the first error of f.
func (s *Store) List(ctx context.Context, lines []Line, open bool, f func(text []byte) error) error {
	if len(lines) > fewLines {
		return list(ctx, s.Each, lines, open, maxHeld, f)
	}
	for n := range lines {
		i, err := s.Get(ctx, lines[n].ID)
		switch {
		case errors.Is(err, ErrNotFound), err == nil && open && !i.Open():
			continue
		case err != nil:
			return err
		}
		text, err := listed(i)
		if err != nil {
			return err
		}
		if err := f(text); err != nil {
			return err
		}
	}
	return nil
}

// listed returns the incident as a list has it.
func listed(i *Incident) ([]byte, error) {
	short := *i
	short.Facts, short.Plan = nil, nil
	text, err := json.Marshal(&short)
	if err != nil {
		return nil, fmt.Errorf("incident %s: %w", i.ID, err)
	}
	return text, nil
}

// list is List for more than a few, of what each gives, in as many readings as are
// needed to hold no more than most.
func list(ctx context.Context, each func(context.Context, func(*Incident) error) error, lines []Line, open bool, most int, f func(text []byte) error) error {
	z := newSqueezer()
	for len(lines) > 0 {
		b := newBatch(lines, open, most, z)
		if err := each(ctx, b.add); err != nil {
			return err
		}
		for _, held := range b.held[:b.end] {
			if held == nil {
				continue
			}
			text, err := z.expand(held)
			if err != nil {
				return err
			}
			if err := f(text); err != nil {
				return err
			}
		}
		lines = lines[b.end:]
	}
	return nil
}

// A batch holds the first incidents of a list, as many as there is room for.
type batch struct {
	open     bool
	most     int
	squeezer *squeezer
	// at are the positions of the lines' incidents, held the incidents, end
	// is where the next batch begins.
	at    map[string]int
	held  [][]byte
	end   int
	bytes int
}

func newBatch(lines []Line, open bool, most int, z *squeezer) *batch {
	b := &batch{open: open, most: most, squeezer: z, at: make(map[string]int, len(lines)), held: make([][]byte, len(lines)), end: len(lines)}
	for n := range lines {
		b.at[lines[n].ID] = n
	}
	return b
}

// add holds the incident if it is of the batch. Where there is no room, the batch
// ends earlier.
func (b *batch) add(i *Incident) error {
	n, listing := b.at[i.ID]
	if !listing || n >= b.end {
		return nil
	}
	if b.open && !i.Open() {
		return nil
	}
	text, err := listed(i)
	if err != nil {
		return err
	}
	b.hold(n, b.squeezer.squeeze(text))
	for b.bytes > b.most && b.end > 1 {
		b.end--
		b.hold(b.end, nil)
	}
	return nil
}

func (b *batch) hold(n int, held []byte) {
	b.bytes += len(held) - len(b.held[n])
	b.held[n] = held
}

// A squeezer compresses and expands texts, one at a time. They resemble each other:
// with the first as the dictionary, the others take a quarter of what they would
// take without, and less time.
type squeezer struct {
	dictionary []byte
	w          *flate.Writer // nil before the first
	r          io.Reader
	text       bytes.Buffer
}

func newSqueezer() *squeezer { return &squeezer{r: flate.NewReader(nil)} }

func (z *squeezer) squeeze(text []byte) []byte {
	if z.w == nil {
		z.dictionary = bytes.Clone(text)
		z.w, _ = flate.NewWriterDict(io.Discard, 2, z.dictionary) // an error only for another level; 2 is the fastest with a dictionary
	}
	z.text.Reset()
	z.w.Reset(&z.text)
	_, _ = z.w.Write(text) // a buffer takes everything
	_ = z.w.Close()
	return bytes.Clone(z.text.Bytes())
}

// expand returns the text, which the next call overwrites.
func (z *squeezer) expand(b []byte) ([]byte, error) {
	z.text.Reset()
	if err := z.r.(flate.Resetter).Reset(bytes.NewReader(b), z.dictionary); err != nil {
		return nil, err
	}
	_, err := z.text.ReadFrom(z.r)
	return z.text.Bytes(), err
}
