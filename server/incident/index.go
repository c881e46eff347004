package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// An Index is what a list of all incidents is sorted, filtered and counted by. It
// holds some 130 bytes of each, where an incident takes kilobytes: who shows some
// of them asks the store for those. It does not change, and is for all readers.
type Index struct {
	// Lines are the incidents: open ones first, then the newest first.
	Lines []Line
	// Repositories are the names of all repositories, in no order.
	Repositories []string
	// Paces say how fast each step was reached, in the order of the stages
	// from Found on.
	Paces []Pace
}

// A Line is what the index knows of an incident.
type Line struct {
	ID    string
	Stage Stage
	// Severity is after enrichment, as the verdict words it.
	Severity string
	// Found is when the secret was first found.
	Found time.Time
	// Repositories are those of the incident's places, by their position in
	// the index's Repositories; each once.
	Repositories []uint32
}

// Open reports whether the incident is open.
func (l *Line) Open() bool { return l.Stage != Closed }

// Compare orders open incidents first, then the newest first. Of two that were
// found at once the ids decide, so that a list can be gone on with.
func (l *Line) Compare(o *Line) int {
	if l.Open() != o.Open() {
		if l.Open() {
			return -1
		}
		return 1
	}
	return cmp.Or(o.Found.Compare(l.Found), cmp.Compare(l.ID, o.ID))
}

// A Pace is how long incidents took to get to a stage from their push, or from
// the finding where no push is known.
type Pace struct {
	Stage Stage
	// N is how many incidents got there.
	N int
	// sum is in microseconds: of nanoseconds there are too many in ten
	// thousand incidents that were closed after two weeks.
	sum int64
}

// Mean returns the mean time; 0 where no incident got there.
func (p Pace) Mean() time.Duration {
	if p.N == 0 {
		return 0
	}
	return time.Duration(p.sum/int64(p.N)) * time.Microsecond
}

// add counts an incident that got to the stage.
func (p *Pace) add(i *Incident) {
	from, known := i.First(Pushed)
	if !known {
		if from, known = i.First(Found); !known || p.Stage == Found {
			return
		}
	}
	if at, reached := i.First(p.Stage); reached {
		p.sum += max(0, at.Sub(from)).Microseconds()
		p.N++
	}
}

// An indexer makes an index of incidents that come one by one.
type indexer struct {
	index Index
	// words are severities and stages that were seen, so that each is in
	// memory once.
	words map[string]string
	// repositories are names and their positions, sets lists of positions:
	// most incidents stand in one repository, and many in the same.
	repositories map[string]uint32
	sets         map[string][]uint32
}

// NewIndex makes an index of the incidents that each gives, of which it holds one
// at a time. Its error is each's.
func NewIndex(ctx context.Context, each func(context.Context, func(*Incident) error) error) (*Index, error) {
	x := newIndexer()
	if err := each(ctx, func(i *Incident) error { x.add(i); return nil }); err != nil {
		return nil, err
	}
	slices.SortFunc(x.index.Lines, func(a, b Line) int { return a.Compare(&b) })
	x.index.Lines = slices.Clip(x.index.Lines)
	return &x.index, nil
}

func newIndexer() *indexer {
	x := &indexer{words: map[string]string{}, repositories: map[string]uint32{}, sets: map[string][]uint32{}}
	for _, stage := range Stages()[1:] { // what is pushed only is no incident
		x.index.Paces = append(x.index.Paces, Pace{Stage: stage})
	}
	return x
}

// add takes in an incident, and keeps nothing of it but its line.
func (x *indexer) add(i *Incident) {
	l := Line{ID: i.ID, Stage: Stage(x.word(string(i.Stage()))), Severity: x.word(i.Judgement().Severity)}
	if at, ok := i.First(Found); ok {
		l.Found = at.UTC() // a zone would be kept for each
	}
	l.Repositories = x.set(i.Places)
	x.index.Lines = append(x.index.Lines, l)
	for n := range x.index.Paces {
		x.index.Paces[n].add(i)
	}
}

func (x *indexer) word(w string) string {
	known, ok := x.words[w]
	if !ok {
		x.words[w], known = w, w
	}
	return known
}

// set returns the positions of the places' repositories.
func (x *indexer) set(places []Place) []uint32 {
	var set []uint32
	var key []byte
	for n := range places {
		name := places[n].Repository
		at, ok := x.repositories[name]
		if !ok {
			at = uint32(len(x.index.Repositories))
			x.repositories[name] = at
			x.index.Repositories = append(x.index.Repositories, name)
		}
		if !slices.Contains(set, at) {
			set = append(set, at)
			key = append(strconv.AppendUint(key, uint64(at), 36), ' ')
		}
	}
	if known, ok := x.sets[string(key)]; ok {
		return known
	}
	set = slices.Clip(set)
	x.sets[string(key)] = set
	return set
}

// An indexed is what a store keeps of its last index.
type indexed struct {
	// reading holds one value while somebody reads the store.
	reading chan struct{}
	// closings counts what was closed here: whoever closed an incident does
	// not want to see it open.
	closings atomic.Int64

	index *Index
	// begun is when its reading began, took how long it took, before the count
	// of closings at its beginning.
	begun  time.Time
	took   time.Duration
	before int64
}

func newIndexed() *indexed { return &indexed{reading: make(chan struct{}, 1)} }

// Index returns an index of all incidents. All must be read for it, which only one
// does at a time; who waits for that shares what was begun since it asked. With an
// age, an index may be that old, or as old as its reading took if that was longer:
// a page that is loaded again and again must not keep the store busy. What was
// closed through this store is closed in it at once.
func (s *Store) Index(ctx context.Context, age time.Duration) (*Index, error) {
	c, asked := s.indexed, s.now()
	select {
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
	case <-ctx.Done():
		return nil, fmt.Errorf("listing incidents: %w", ctx.Err())
	}
	now, closings := s.now(), c.closings.Load()
	if age > 0 {
		age = max(age, c.took)
	}
	// One from the future is of a clock that was put back.
	if c.index != nil && c.before == closings && !c.begun.Before(asked.Add(-age)) && !c.begun.After(now) {
		return c.index, nil
	}
	x, err := NewIndex(ctx, s.Each)
	if err != nil {
		return nil, err
	}
	c.index, c.begun, c.took, c.before = x, now, s.now().Sub(now), closings
	return x, nil
}
