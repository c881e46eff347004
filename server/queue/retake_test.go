package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/push"
)

// TestRetake: what a process had in hand when it died is worked on when the
// embedded server is started again, however long a worker may be silent, counts as
// cut off, and comes once.
func TestRetake(t *testing.T) {
	options := Options{Dir: t.TempDir(), AckWait: time.Hour, MaxCrashes: 2}
	q := open(t, options)
	put(t, q, numbered(1))
	put(t, q, numbered(2))
	for range 2 {
		crash(t, q)
		q.Close()
		q = open(t, options)
		if err := q.Retake(t.Context(), q.pushes, q.workers()); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	var worked []string
	until(t, q, 2, func() bool {
		s, err := q.State(t.Context())
		return err == nil && s.Waiting+s.InWork == 0
	}, func(_ context.Context, p push.Push, _ int) error {
		mu.Lock()
		defer mu.Unlock()
		worked = append(worked, p.Delivery)
		return nil
	})
	dead, err := q.DeadPushes(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dead {
		worked = append(worked, d.Push.Delivery)
	}
	if slices.Sort(worked); !slices.Equal(worked, []string{"d1", "d2"}) {
		t.Errorf("worked on, or given up: %v", worked)
	}
	if c, err := q.pushes.Consumer(t.Context(), workConsumer); err != nil || c.CachedInfo().Config.AckWait != time.Hour {
		t.Errorf("a worker may then be silent for %v, %v", c.CachedInfo().Config.AckWait, err)
	}
}

// A silentBucket answers nothing.
type silentBucket struct {
	jetstream.KeyValue
	ended chan error
}

func (b silentBucket) Get(ctx context.Context, _ string) (jetstream.KeyValueEntry, error) {
	<-ctx.Done()
	b.ended <- ctx.Err()
	return nil, ctx.Err()
}

// TestPutDoesNotWait: a push that is stored is answered without waiting until the
// question whether it was done is given up by itself.
func TestPutDoesNotWait(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	silent := silentBucket{nil, make(chan error, 1)}
	q.done = q.done.Through(func(jetstream.KeyValue) jetstream.KeyValue { return silent })
	if put(t, q, numbered(1)) {
		t.Error("a new push is a duplicate")
	}
	if err := <-silent.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the question ended by %v", err)
	}
}
