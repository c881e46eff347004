package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/push"
)

// crash has the queue give a push to a worker that says nothing any more, as one
// whose process ended.
func crash(t *testing.T, q *Queue) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if msg, err := q.consumer.Next(); err == nil {
			_ = msg
			return
		}
	}
	t.Fatal("no push came within 20 s")
}

// TestCutOffIsNoFailure: a push that was cut off more often than it may fail is
// tried on, and its attempts count from 1.
func TestCutOffIsNoFailure(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), MaxAttempts: 2, MaxCrashes: 10, AckWait: 100 * time.Millisecond, Backoff: []time.Duration{time.Millisecond}})
	put(t, q, numbered(1))
	for range 5 {
		crash(t, q)
	}
	var attempts []int
	done := make(chan struct{})
	until(t, q, 1, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}, func(_ context.Context, _ push.Push, attempt int) error {
		if attempts = append(attempts, attempt); len(attempts) == 1 {
			return errors.New("the host is down")
		}
		close(done)
		return nil
	})
	if fmt.Sprint(attempts) != "[1 2]" {
		t.Errorf("the attempts were numbered %v", attempts)
	}
	if s, err := q.State(t.Context()); err != nil || s.Dead != 0 {
		t.Errorf("%d dead, %v", s.Dead, err)
	}
}

// TestPoison: a push that ends the process again and again is dead in the end, with
// the reason; and who is to know is told before, also where that fails at first.
func TestPoison(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), MaxAttempts: 5, MaxCrashes: 3, AckWait: 100 * time.Millisecond, Backoff: []time.Duration{time.Millisecond}})
	put(t, q, numbered(1))
	until(t, q, 1, func() bool { s, err := q.State(t.Context()); return err == nil && s.InWork == 1 && s.Waiting == 0 },
		func(context.Context, push.Push, int) error { return errors.New("the host is down") })
	for range 3 {
		crash(t, q)
	}
	var told atomic.Int32
	q.OnDead(func(_ context.Context, p push.Push, why string) error {
		told.Add(1)
		if p.Delivery != "d1" || !strings.Contains(why, "the server ended 3 times") {
			t.Errorf("told of %s: %s", p.Delivery, why)
		}
		return nil
	})
	var failed atomic.Int32
	until(t, q, 1, func() bool { s, err := q.State(t.Context()); return err == nil && s.Dead == 1 && told.Load() > 0 },
		func(context.Context, push.Push, int) error { failed.Add(1); return errors.New("not again") })
	dead, err := q.DeadPushes(t.Context(), 10)
	if err != nil || len(dead) != 1 || told.Load() != 1 {
		t.Fatalf("%d dead, told %d times, %v", len(dead), told.Load(), err)
	}
	if d := dead[0]; d.Crashes != 3 || !strings.Contains(d.Reason, "the host is down") || failed.Load() > 0 {
		t.Errorf("it is dead after %d crashes and %d further attempts: %s", d.Crashes, failed.Load(), d.Reason)
	}
	// Replayed it begins anew.
	if err := q.Replay(t.Context(), dead[0].Seq); err != nil {
		t.Fatal(err)
	}
	var attempt atomic.Int32
	until(t, q, 1, func() bool { return attempt.Load() > 0 }, func(_ context.Context, _ push.Push, n int) error { attempt.Store(int32(n)); return nil })
	if attempt.Load() != 1 {
		t.Errorf("after the replay it is attempt %d", attempt.Load())
	}
}

// TestSpared: that the process is asked to end, or that something has to become
// known, counts neither as a failure nor as a crash.
func TestSpared(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, MaxAttempts: 2, MaxCrashes: 1, AckWait: 500 * time.Millisecond}
	q := open(t, o)
	put(t, q, numbered(1))
	for range 3 {
		var begun atomic.Bool
		until(t, q, 1, begun.Load, func(ctx context.Context, _ push.Push, attempt int) error {
			if attempt != 1 {
				t.Errorf("attempt %d", attempt)
			}
			begun.Store(true)
			<-ctx.Done()
			return ctx.Err()
		})
		q.Close()
		q = open(t, o)
	}
	var n atomic.Int32
	until(t, q, 1, func() bool { return n.Load() == 4 }, func(context.Context, push.Push, int) error {
		if n.Add(1) < 4 {
			return &Later{Err: errors.New("not known yet"), In: time.Millisecond}
		}
		return nil
	})
	if s, err := q.State(t.Context()); err != nil || s.Dead != 0 {
		t.Errorf("%d dead, %v", s.Dead, err)
	}
}

// TestAlone: a push that was cut off three times is worked on while no other is,
// and the others go on after it.
func TestAlone(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir(), AckWait: 500 * time.Millisecond})
	put(t, q, numbered(0))
	for range aloneAfter {
		crash(t, q)
	}
	for n := range 20 {
		put(t, q, numbered(n+1))
	}
	var mu sync.Mutex
	at, most, beside, done := 0, 0, 0, 0
	until(t, q, 4, func() bool { mu.Lock(); defer mu.Unlock(); return done == 21 }, func(_ context.Context, p push.Push, _ int) error {
		mu.Lock()
		at++
		most = max(most, at)
		mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if p.Delivery == "d0" {
			beside = at - 1
		}
		at--
		done++
		return nil
	})
	if beside != 0 || most < 2 {
		t.Errorf("%d beside the one that was cut off; %d at once otherwise", beside, most)
	}
}

// TestAloneNotForEver: who takes long holds up the one that wants to be alone for
// a while, and not until it ends; of two that want to be, one waits outside.
func TestAloneNotForEver(t *testing.T) {
	f := newFloor(3)
	f.enter() // it stays
	f.enter()
	reopen, err := f.clear(t.Context(), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	f.enter() // there is room again
	f.leave()
	reopen()
	f.leave()
	f.enter()
	f.leave()
	f.enter()
	if f.leave(); len(f.place) != 1 {
		t.Fatalf("%d places are taken, want 1", len(f.place))
	}
	if reopen, err = f.clear(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := f.clear(t.Context(), time.Minute); !errors.Is(err, errBusy) {
		t.Errorf("a second one that wants to be alone: %v", err)
	}
	in := make(chan struct{})
	go func() { f.enter(); close(in) }()
	select {
	case <-in:
		t.Error("somebody came in")
	case <-time.After(50 * time.Millisecond):
	}
	reopen()
	<-in
}
