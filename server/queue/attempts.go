package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// JetStream counts how often a push was given to a worker, and nothing else. An
// attempt ends in one of three ways, which weigh differently:
//
//   - it fails, with an error: MaxAttempts of those, and the push is dead;
//   - it ends early for a reason that is not the push's, as when the process is
//     asked to end, or something has to become known first: that counts nothing;
//   - the process ends and nobody says anything: it was cut off. That may be
//     anybody's fault, so that MaxCrashes is higher; but a push that itself ends the
//     server must not do so for ever.
//
// The first two are written down when they happen, and what was given to a worker
// and is neither was cut off. So a push that is scanned at the first attempt costs
// no write.
type history struct {
	// Failed attempts ended with an error, the last one with Error.
	Failed int    `json:"failed,omitempty"`
	Error  string `json:"error,omitempty"`
	// Spared attempts count for nothing.
	Spared int `json:"spared,omitempty"`
}

// Histories lie in a table, by the number of the message: a push that is replayed
// begins anew. historyAge is for how long a history is kept after the last attempt; longer than
// any wait between two.
const historyAge = 30 * 24 * time.Hour

// maxKept bounds an error that is kept, in bytes.
const maxKept = 1 << 10

func historyKey(meta *jetstream.MsgMetadata) string {
	return strconv.FormatUint(meta.Sequence.Stream, 10)
}

// history returns what is known of the attempts before this one.
func (q *Queue) history(ctx context.Context, meta *jetstream.MsgMetadata) (history, error) {
	var h history
	if meta.NumDelivered < 2 {
		return h, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	known, err := q.attempts.Get(ctx, historyKey(meta))
	if known != nil {
		err = json.Unmarshal(known.Value, &h)
	}
	return h, err
}

// cutOff returns how many attempts before this one ended with nobody saying so.
func (h *history) cutOff(meta *jetstream.MsgMetadata) int {
	return max(0, int(meta.NumDelivered)-1-h.Failed-h.Spared)
}

// noteFailed writes down that this attempt ended with an error, noteSpared that it counts
// for nothing. Where that cannot be written it will look cut off.
func (q *Queue) noteFailed(ctx context.Context, meta *jetstream.MsgMetadata, h history, why error) error {
	h.Failed++
	h.Error = why.Error()
	h.Error = h.Error[:min(len(h.Error), maxKept)]
	return q.writeHistory(ctx, meta, h)
}

func (q *Queue) noteSpared(ctx context.Context, meta *jetstream.MsgMetadata, h history) error {
	h.Spared++
	return q.writeHistory(ctx, meta, h)
}

func (q *Queue) writeHistory(ctx context.Context, meta *jetstream.MsgMetadata, h history) error {
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	// Also when the process is asked to end: that is what is to be written.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	if err := q.attempts.Put(ctx, historyKey(meta), body); err != nil {
		return fmt.Errorf("noting how an attempt ended: %w", err)
	}
	return nil
}

// A Crashed is the reason of a push that is dead because the server ended again
// and again while it was worked on.
type Crashed struct {
	Times int
	// Last is the error of the last attempt that failed by itself; empty for none.
	Last string
}

// Error says how often, and what is to be made of it.
func (c *Crashed) Error() string {
	text := fmt.Sprintf("the server ended %d times while it worked on this push, the last times on nothing else; if it was not this push that ended it, replay it", c.Times)
	if c.Last != "" {
		text += "; the last error of an attempt that ended by itself: " + c.Last
	}
	return text
}

// aloneAfter is how often a push may be cut off before it is worked on alone:
// what else is under way when the server ends is not at fault, and by itself it
// gets done.
const aloneAfter = 3

// A floor is where pushes are worked on: n places, or one push alone.
type floor struct {
	entry sync.Mutex // held by who waits to be alone, and is
	place chan struct{}
}

func newFloor(n int) *floor { return &floor{place: make(chan struct{}, n)} }

// enter takes a place, and waits while somebody is alone.
func (f *floor) enter() {
	f.entry.Lock()
	f.place <- struct{}{}
	f.entry.Unlock()
}

func (f *floor) leave() { <-f.place }

// errBusy says that somebody else wants to be alone.
var errBusy = errors.New("another push is worked on alone")

// clear waits until who has a place is alone, at most for patience: what takes
// longer than that goes on beside it. The function returned lets the others in.
func (f *floor) clear(ctx context.Context, patience time.Duration) (reopen func(), err error) {
	if !f.entry.TryLock() {
		return nil, errBusy
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	taken := 0
	free := func() {
		for range taken {
			<-f.place
		}
	}
	for taken < cap(f.place)-1 {
		select {
		case f.place <- struct{}{}:
			taken++
			continue
		case <-late.C:
			free()
			f.entry.Unlock()
			return func() {}, nil
		case <-ctx.Done():
			free()
			f.entry.Unlock()
			return nil, ctx.Err()
		}
	}
	return func() { free(); f.entry.Unlock() }, nil
}
