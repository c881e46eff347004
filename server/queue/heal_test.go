package queue

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/push"
)

// TestHeals: the embedded server stops its storage for good when a write has
// failed, as on a full disk. What was stored is there afterwards, and more can
// be.
func TestHeals(t *testing.T) {
	q, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if _, err := q.Put(t.Context(), numbered(1)); err != nil {
		t.Fatal(err)
	}
	if err := q.embedded.ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	q.stuck.Store(true) // as the next probe will find
	if _, err := q.Put(t.Context(), numbered(2)); !errors.Is(err, errStuck) {
		t.Errorf("got %v, want to be told at once that nothing is written", err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err = q.Put(t.Context(), numbered(2)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := map[string]bool{}
	_ = q.Work(ctx, 1, quiet, func(_ context.Context, p push.Push, _ int) error {
		if got[p.Delivery] = true; len(got) == 2 {
			cancel()
		}
		return nil
	})
	if len(got) != 2 {
		t.Errorf("worked on %v", got)
	}
	if _, err := q.State(t.Context()); err != nil {
		t.Error(err)
	}
}
