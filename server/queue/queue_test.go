package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/webhook"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t *testing.T, o Options) *Queue {
	t.Helper()
	q, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func numbered(n int) push.Push {
	return push.Push{Delivery: fmt.Sprint("d", n), Source: "s", Repository: "team/app", Ref: "refs/heads/main", After: "1111111111111111111111111111111111111111"}
}

func put(t *testing.T, q *Queue, p push.Push) bool {
	t.Helper()
	duplicate, err := q.Put(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return duplicate
}

// until works until done returns true, at most ten seconds.
func until(t *testing.T, q *Queue, n int, done func() bool, h Handler) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { _ = q.Work(ctx, n, quiet, h) })
	for !done() && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	late := ctx.Err() != nil
	cancel()
	wg.Wait()
	if late {
		t.Fatal("not done within 20 s")
	}
}

func TestOnce(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	if put(t, q, numbered(1)) || !put(t, q, numbered(1)) || put(t, q, numbered(2)) {
		t.Fatal("the first push must be new, the same a duplicate, another new")
	}
	var worked atomic.Int32
	until(t, q, 2, func() bool {
		s, err := q.State(t.Context())
		return err == nil && worked.Load() == 2 && s.Waiting+s.InWork == 0
	}, func(context.Context, push.Push, int) error { worked.Add(1); return nil })
	if !put(t, q, numbered(1)) {
		t.Error("a push that is done was taken again")
	}
}

// TestRestart shows that pushes outlive the process, and that one which was
// done stays done after a restart, when JetStream's own window is gone.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	q := open(t, Options{Dir: dir})
	put(t, q, numbered(1))
	put(t, q, numbered(2))
	var worked atomic.Int32
	until(t, q, 1, func() bool { return worked.Load() == 1 }, func(_ context.Context, p push.Push, _ int) error {
		if p.Delivery == "d1" {
			worked.Add(1)
			return nil
		}
		return context.Canceled
	})
	q.Close()

	q = open(t, Options{Dir: dir, AckWait: time.Second})
	if !put(t, q, numbered(1)) {
		t.Error("a push done before the restart was taken again")
	}
	var got sync.Map
	until(t, q, 1, func() bool { _, ok := got.Load("d2"); return ok }, func(_ context.Context, p push.Push, _ int) error {
		got.Store(p.Delivery, true)
		return nil
	})
	if _, again := got.Load("d1"); again {
		t.Error("a push done before the restart was worked on again")
	}
}

func TestFull(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), MaxPending: 2})
	put(t, q, numbered(1))
	put(t, q, numbered(2))
	if _, err := q.Put(t.Context(), numbered(3)); !errors.Is(err, webhook.ErrFull) {
		t.Fatalf("got %v, want %v", err, webhook.ErrFull)
	}
}

func TestAgainAndDead(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), MaxAttempts: 3, Backoff: []time.Duration{time.Millisecond}})
	put(t, q, numbered(1))
	put(t, q, numbered(2))
	var attempts atomic.Int32
	until(t, q, 1, func() bool {
		s, err := q.State(t.Context())
		return err == nil && s.Dead == 2
	}, func(_ context.Context, p push.Push, attempt int) error {
		if p.Delivery == "d2" {
			return &Hopeless{errors.New("too large")}
		}
		attempts.Store(int32(attempt))
		return errors.New("the host is down")
	})
	if attempts.Load() != 3 {
		t.Errorf("%d attempts, want 3", attempts.Load())
	}
	dead, err := q.DeadPushes(t.Context(), 10)
	if err != nil || len(dead) != 2 {
		t.Fatalf("%d dead, %v", len(dead), err)
	}
	reasons := map[string]string{dead[0].Push.Delivery: dead[0].Reason, dead[1].Push.Delivery: dead[1].Reason}
	if reasons["d1"] != "the host is down" || reasons["d2"] != "too large" {
		t.Errorf("reasons %v", reasons)
	}
	put := map[string]bool{}
	q.OnReplay(func(_ context.Context, p push.Push) error { put[p.Delivery] = true; return nil })
	for _, d := range dead {
		if err := q.Replay(t.Context(), d.Seq); err != nil {
			t.Fatal(err)
		}
	}
	var worked atomic.Int32
	until(t, q, 1, func() bool { return worked.Load() == 2 }, func(context.Context, push.Push, int) error { worked.Add(1); return nil })
	if s, err := q.State(t.Context()); err != nil || s.Dead != 0 || !put["d1"] || !put["d2"] {
		t.Errorf("%d dead after the replay, told of %v, %v", s.Dead, put, err)
	}
	if err := q.Replay(t.Context(), 99); err == nil {
		t.Error("replaying a push that is not there succeeded")
	}
}

// TestLater: a push that waits for something to become known is never dead of it.
func TestLater(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), MaxAttempts: 2})
	put(t, q, numbered(1))
	var attempts atomic.Int32
	until(t, q, 1, func() bool {
		s, err := q.State(t.Context())
		return err == nil && attempts.Load() == 5 && s.Waiting+s.InWork == 0
	}, func(context.Context, push.Push, int) error {
		if attempts.Add(1) < 5 {
			return fmt.Errorf("responding: %w", &Later{Err: errors.New("not known yet"), In: time.Millisecond})
		}
		return nil
	})
	if s, err := q.State(t.Context()); err != nil || s.Dead != 0 {
		t.Errorf("%d dead, %v", s.Dead, err)
	}
}

// TestIdle: that no push comes is no warning, and nothing to wait after.
func TestIdle(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	q.next(ctx, newFloor(1), slog.New(slog.NewTextHandler(&log, nil)), func(context.Context, push.Push, int) error { return nil })
	if log.Len() > 0 {
		t.Errorf("an idle worker says: %s", &log)
	}
	for _, err := range []error{nats.ErrTimeout, context.DeadlineExceeded, jetstream.ErrNoMessages} {
		if !Idle(err, time.Now().Add(-Patience)) {
			t.Errorf("%v after all the time is not idle", err)
		}
	}
	for _, err := range []error{nats.ErrTimeout, nats.ErrConnectionClosed, errors.New("other")} {
		if Idle(err, time.Now()) {
			t.Errorf("%v at once is idle: the worker would ask without a pause", err)
		}
	}
}

// TestLongWork shows that a push whose handler takes longer than AckWait is
// not given to another one meanwhile.
func TestLongWork(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), AckWait: 300 * time.Millisecond})
	put(t, q, numbered(1))
	var started, ended atomic.Int32
	until(t, q, 2, func() bool { return ended.Load() > 0 }, func(context.Context, push.Push, int) error {
		started.Add(1)
		time.Sleep(time.Second)
		ended.Add(1)
		return nil
	})
	if started.Load() != 1 {
		t.Errorf("worked on %d times", started.Load())
	}
}
