package incident

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A Store keeps incidents. It is safe for concurrent use, also by several
// processes.
type Store struct {
	kv jetstream.KeyValue
	// Now is the clock; nil for time.Now.
	Now func() time.Time

	indexed *indexed
}

// Bucket is the name of the key-value bucket.
const Bucket = "SPILLGATE_INCIDENTS"

// NewStore returns the store in the bucket.
func NewStore(kv jetstream.KeyValue) *Store { return &Store{kv: kv, indexed: newIndexed()} }

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
	i, _, err := s.get(ctx, id)
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

// maxID is more than any fingerprint has. An id becomes part of a subject of
// NATS, whose server closes the connection on one that is too long.
const maxID = 128

func (s *Store) get(ctx context.Context, id string) (*Incident, uint64, error) {
	if len(id) > maxID {
		return nil, 0, fmt.Errorf("%w: %.20q…", ErrNotFound, id)
	}
	e, err := s.kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return nil, 0, fmt.Errorf("%w: %q", ErrNotFound, id)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading incident %s: %w", id, err)
	}
	i, err := unpack(e.Value())
	if err != nil {
		return nil, 0, fmt.Errorf("reading incident %s: %w", id, err)
	}
	return i, e.Revision(), nil
}

// maxRaces bounds how often a change is repeated because another was faster.
const maxRaces = 50

// Update changes an incident, atomically. change gets what is there, or nil,
// and returns what shall be, or nil for no change; it may be called several
// times.
func (s *Store) Update(ctx context.Context, id string, change func(*Incident) (*Incident, error)) (*Incident, error) {
	for range maxRaces {
		old, revision, err := s.get(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		fresh, err := change(old)
		if err != nil {
			return nil, err
		}
		if fresh == nil {
			return old, nil
		}
		body, err := pack(fresh)
		if err != nil {
			return nil, err
		}
		if revision == 0 {
			_, err = s.kv.Create(ctx, id, body)
		} else {
			_, err = s.kv.Update(ctx, id, body, revision)
		}
		switch {
		case err == nil:
			return fresh, nil
		case errors.Is(err, jetstream.ErrKeyExists) || wrongRevision(err):
			continue
		}
		return nil, fmt.Errorf("writing incident %s: %w", id, err)
	}
	return nil, fmt.Errorf("writing incident %s: others changed it %d times in a row", id, maxRaces)
}

// wrongRevision reports whether JetStream refused an update because the entry
// has changed (error 10071).
func wrongRevision(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
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

// Each gives every incident to f, in no order, and holds one at a time: an
// organisation has tens of thousands. It ends with the first error of f.
func (s *Store) Each(ctx context.Context, f func(*Incident) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := s.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("listing incidents: %w", err)
	}
	defer func() { _ = watch.Stop() }()
	for {
		var e jetstream.KeyValueEntry
		select {
		case <-ctx.Done():
			return fmt.Errorf("listing incidents: %w", ctx.Err())
		case e = <-watch.Updates():
		case <-time.After(silence):
			return fmt.Errorf("listing incidents: NATS has said nothing for %s", silence)
		}
		if e == nil {
			return nil // what follows is new
		}
		i, err := unpack(e.Value())
		if err != nil {
			return fmt.Errorf("reading incident %s: %w", e.Key(), err)
		}
		if err := f(i); err != nil {
			return err
		}
	}
}

// silence is for how long NATS may say nothing in the middle of a list.
const silence = 30 * time.Second
