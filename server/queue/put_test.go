package queue

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/webhook"
)

// A lateBucket answers only once it may, or its asker gives up.
type lateBucket struct {
	jetstream.KeyValue
	may  chan struct{}
	gone chan error // why an asker gave up
}

func (b lateBucket) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	select {
	case <-b.may:
		return b.KeyValue.Get(ctx, key)
	case <-ctx.Done():
		b.gone <- ctx.Err()
		return nil, ctx.Err()
	}
}

// TestPutWaitsForTheDiskAlone shows that a push is put as soon as it is stored,
// although nobody says whether it was worked on before; and that it is stored then.
func TestPutWaitsForTheDiskAlone(t *testing.T) {
	dir := t.TempDir()
	q := open(t, Options{Dir: dir})
	late := lateBucket{q.done, make(chan struct{}), make(chan error, 1)}
	q.done = late
	if put(t, q, numbered(1)) {
		t.Fatal("a new push is a duplicate")
	}
	if err := <-late.gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the question ended by %v, and not because the push was put", err)
	}
	stored, err := q.pushes.Info(t.Context())
	if err != nil || stored.State.Msgs != 1 {
		t.Fatalf("stored: %+v, %v", stored, err)
	}
}

// TestPutDone shows that a push that was worked on is a duplicate in a queue that
// takes no more, and that what is new is refused.
func TestPutDone(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), MaxPending: 1})
	old := numbered(1)
	if err := q.setDone(t.Context(), key(&old)); err != nil {
		t.Fatal(err)
	}
	put(t, q, numbered(2))
	if !put(t, q, old) {
		t.Error("what was done is taken for new")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := q.Put(ctx, numbered(3)); !errors.Is(err, webhook.ErrFull) {
		t.Errorf("a new push in a full queue: %v", err)
	}
}

// TestPutIsOnDisk shows that the embedded server syncs what it stores before it
// says that it is stored, and that Put returns upon that: what was put is there in
// a copy of the folder of that moment.
func TestPutIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	q := open(t, Options{Dir: dir})
	if !q.embedded.JetStreamConfig().SyncAlways {
		t.Error("the embedded server does not sync what it stores")
	}
	put(t, q, numbered(1))
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := open(t, Options{Dir: crashed})
	if s, err := again.State(t.Context()); err != nil || s.Waiting != 1 {
		t.Errorf("after a crash %+v, %v", s, err)
	}
}
