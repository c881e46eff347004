package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// tidyAfter is how many messages of a stream have to be gone before their room
	// is given up.
	tidyAfter = 1000
	// tidyLooks is how often it is looked at in a row for a moment when nothing is
	// in it, tidyPause how long between two looks.
	tidyLooks = 40
	tidyPause = 25 * time.Millisecond
)

// A tidied stream is a work queue, and up to which message its room was given up.
type tidied struct {
	stream jetstream.Stream
	upTo   uint64
}

// tidy has the embedded server give up the room of messages that are done. It
// writes a file on until that has four megabytes, whatever became of what stands
// in it, and holds it in memory while it is written to, and after a crash; unless
// it is asked to remove what is in an empty stream. It is asked to remove what
// comes before the next number: a message that is put meanwhile has that, and stays.
// A stream that is never empty is left as it is.
func (q *Queue) tidy(ctx context.Context) error {
	q.mu.Lock()
	streams := append([]*tidied(nil), q.tidied...)
	q.mu.Unlock()
	for range tidyLooks {
		var due []*tidied
		for _, t := range streams {
			again, err := t.tidy(ctx)
			if err != nil {
				return err
			}
			if again {
				due = append(due, t)
			}
		}
		if streams = due; len(due) == 0 {
			return nil
		}
		pause(ctx, tidyPause)
	}
	return nil
}

// tidy gives up the room of a stream, and reports whether that is to be tried again
// since there is something in it.
func (t *tidied) tidy(ctx context.Context) (due bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	i, err := t.stream.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("asking for the room of a stream: %w", err)
	}
	next := i.State.LastSeq + 1
	if next < t.upTo+tidyAfter {
		return false, nil
	}
	if i.State.Msgs > 0 {
		return true, nil
	}
	if err := t.stream.Purge(ctx, jetstream.WithPurgeSequence(next)); err != nil {
		return false, fmt.Errorf("giving up the room of what is done in %s: %w", i.Config.Name, err)
	}
	t.upTo = next
	return false, nil
}

// willTidy adds a work queue to those that are tidied.
func (q *Queue) willTidy(s jetstream.Stream) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidied = append(q.tidied, &tidied{stream: s})
}
