package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spillgate/spillgate/server/table"
)

// A Store keeps incidents. It is safe for concurrent use, also by several
// processes.
type Store struct {
	records *table.Table
	// Now is the clock; nil for time.Now.
	Now func() time.Time

	indexed *indexed
}

// Table is the table that incidents lie in, an entry for each.
var Table = table.Options{Name: "incidents"}

// NewStore returns the store in the table.
func NewStore(records *table.Table) *Store { return &Store{records: records, indexed: newIndexed()} }

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

// ErrNotFound is the error for an id that no incident has.
var ErrNotFound = errors.New("no such incident")

// idLength is the length of an incident's id, a fingerprint, in bytes.
const idLength = 32

// Get returns an incident. The id may be cut short as long as it is unique; all
// incidents are read for one that is.
func (s *Store) Get(ctx context.Context, id string) (*Incident, error) {
	i, err := s.get(ctx, id)
	if !errors.Is(err, ErrNotFound) || len(id) < 4 || len(id) >= idLength {
		return i, err
	}
	var match *Incident
	listErr := s.Each(ctx, func(o *Incident) error {
		if len(o.ID) > len(id) && o.ID[:len(id)] == id {
			if match != nil {
				return fmt.Errorf("%q stands for several incidents", id)
			}
			match = o
		}
		return nil
	})
	switch {
	case listErr != nil:
		return nil, listErr
	case match == nil:
		return nil, err
	}
	return match, nil
}

// get returns the incident with the whole id.
func (s *Store) get(ctx context.Context, id string) (*Incident, error) {
	r, err := s.records.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading incident %.64s: %w", id, err)
	}
	if r == nil {
		return nil, fmt.Errorf("%w: %.64q", ErrNotFound, id)
	}
	return read(r)
}

// read reads a record; nil for none.
func read(r *table.Record) (*Incident, error) {
	if r == nil {
		return nil, nil
	}
	i, err := unpack(r.Value)
	if err != nil {
		return nil, fmt.Errorf("reading incident %s: %w", r.Key, err)
	}
	return i, nil
}

// Update changes an incident, atomically. change gets what is there, or nil,
// and returns what shall be, or nil for no change; it may be called several
// times.
func (s *Store) Update(ctx context.Context, id string, change func(*Incident) (*Incident, error)) (*Incident, error) {
	var now *Incident
	_, err := s.records.Change(ctx, id, func(r *table.Record) ([]byte, error) {
		old, err := read(r)
		if err != nil {
			return nil, err
		}
		now = old
		fresh, err := change(old)
		if err != nil || fresh == nil {
			return nil, err
		}
		now = fresh
		return json.Marshal(fresh)
	})
	if err != nil {
		return nil, err
	}
	return now, nil
}

// Found records that a secret was found in a place, pushed at the time. A
// closed incident whose secret turns up in a new place is open again.
func (s *Store) Found(ctx context.Context, found Incident, p Place, pushed time.Time) (*Incident, error) {
	return s.Update(ctx, found.ID, func(old *Incident) (*Incident, error) {
		if old == nil {
			fresh := found
			fresh.Places, fresh.Timeline, fresh.Occurrences = nil, nil, 0
			fresh.addPlace(p)
			if !pushed.IsZero() {
				fresh.add(Entry{Stage: Pushed, At: pushed, By: p.Pusher, Note: p.Repository + " " + p.Ref})
			}
			fresh.add(Entry{Stage: Found, At: s.now(), By: "spillgate-server", Note: fmt.Sprintf("%s in %s:%d", found.Title, p.Path, p.Line)})
			return &fresh, nil
		}
		if !old.addPlace(p) {
			return nil, nil
		}
		if !old.Open() {
			key := fmt.Sprintf("again %d", old.Occurrences)
			old.add(Entry{Stage: Found, At: s.now(), Key: key, By: "spillgate-server", Note: "again, in " + p.Repository + " " + p.Path})
		}
		return old, nil
	})
}

// Advance adds an entry to the timeline, once for its stage and key. set may
// change other fields; it may be nil.
func (s *Store) Advance(ctx context.Context, id string, e Entry, set func(*Incident)) (*Incident, error) {
	if e.At.IsZero() {
		e.At = s.now()
	}
	return s.Update(ctx, id, func(old *Incident) (*Incident, error) {
		if old == nil {
			return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
		}
		added := old.add(e)
		if set != nil {
			set(old)
		} else if !added {
			return nil, nil
		}
		return old, nil
	})
}

// Close closes an incident. A closed one is found open again when its secret
// turns up in a new place.
func (s *Store) Close(ctx context.Context, id, by, reason string) (*Incident, error) {
	i, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	defer s.indexed.closings.Add(1)
	return s.Update(ctx, i.ID, func(old *Incident) (*Incident, error) {
		if old == nil {
			return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
		}
		if !old.Open() {
			return nil, nil
		}
		at := s.now()
		old.add(Entry{Stage: Closed, At: at, Key: at.Format(time.RFC3339Nano), By: by, Note: reason})
		return old, nil
	})
}

// Each gives every incident to f, in no order, each once, and holds one at a time: an
// organisation has tens of thousands. It ends with the first error of f.
func (s *Store) Each(ctx context.Context, f func(*Incident) error) error {
	return s.records.Each(ctx, func(r *table.Record) error {
		i, err := read(r)
		if err != nil {
			return err
		}
		return f(i)
	})
}
