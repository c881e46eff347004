package respond_test

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// A late bucket says at the first question about each entry that there is none, as
// a node of a cluster that has not heard of it yet.
type late struct {
	jetstream.KeyValue
	mu    sync.Mutex
	asked map[string]bool
}

func (l *late) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	l.mu.Lock()
	again := l.asked[key]
	l.asked[key] = true
	l.mu.Unlock()
	if !again {
		return nil, jetstream.ErrKeyNotFound
	}
	return l.KeyValue.Get(ctx, key)
}

// TestClaimedMeanwhile: a server that learns only when it claims a response that
// another one has claimed it leaves it to that.
func TestClaimedMeanwhile(t *testing.T) {
	a, b, m := servers(t, 1, 10)
	push(t, a, 1)
	b.Claims = b.Claims.Through(func(all jetstream.KeyValue) jetstream.KeyValue {
		return &late{KeyValue: all, asked: map[string]bool{}}
	})
	push(t, b, 1)
	if got := m.OnDemandRotations(key(1)); got != 1 {
		t.Errorf("rotated %d times", got)
	}
}
