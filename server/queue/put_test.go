package queue

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/webhook"
)

// A lateBucket answers once something is stored in the stream.
type lateBucket struct {
	jetstream.KeyValue
	stream jetstream.Stream
	asked  chan error // whether that came before the asker gave up
}

func (b lateBucket) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	for {
		i, err := b.stream.Info(ctx)
		if err != nil {
			b.asked <- err
			return nil, err
		}
		if i.State.Msgs > 0 {
			b.asked <- nil
			return b.KeyValue.Get(ctx, key)
		}
	}
}

// TestPutAsksMeanwhile shows that a push is stored while it is asked whether it
// was worked on before: the one does not wait for the other.
func TestPutAsksMeanwhile(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	late := lateBucket{nil, q.pushes, make(chan error, 1)}
	q.done = q.done.Through(func(b jetstream.KeyValue) jetstream.KeyValue { late.KeyValue = b; return late })
	if put(t, q, numbered(1)) {
		t.Error("a new push is a duplicate")
	}
	if err := <-late.asked; err != nil {
		t.Errorf("it was not stored before the question was given up: %v", err)
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

// TestPutTooMuch shows that a queue is full of large pushes, too.
func TestPutTooMuch(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	var err error
	for n := 0; err == nil && n <= manyBytes/900_000+1; n++ {
		_, err = q.js.Publish(t.Context(), pushSubject, make([]byte, 900_000))
	}
	if err == nil {
		t.Fatal("it takes everything")
	}
	for range manyBytes / 100_000 { // the rest of the room
		if _, err := q.js.Publish(t.Context(), pushSubject, make([]byte, 100_000)); err != nil {
			break
		}
	}
	p := numbered(1)
	p.Repository = strings.Repeat("a", 120_000)
	if _, err := q.Put(t.Context(), p); !errors.Is(err, webhook.ErrFull) {
		t.Errorf("got %v", err)
	}
}
