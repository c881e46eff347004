package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/push"
)

// A Handler works on a push. It may be called again for the same push, after a
// crash in the middle. The attempt is 1, and one more for each that ended with an
// error. An error means: try again later; a Hopeless one: never; a Later one: for
// as long as it takes.
type Handler func(ctx context.Context, p push.Push, attempt int) error

// Hopeless marks an error that no further attempt will cure.
type Hopeless struct{ Err error }

// Error is that of Err.
func (h *Hopeless) Error() string { return h.Err.Error() }

// Unwrap returns the error.
func (h *Hopeless) Unwrap() error { return h.Err }

// Later marks an error that is nobody's fault: something has to become known
// first. The push comes again after In, and never dies of it.
type Later struct {
	Err error
	In  time.Duration
}

// Error is that of Err.
func (l *Later) Error() string { return l.Err.Error() }

// Unwrap returns the error.
func (l *Later) Unwrap() error { return l.Err }

// Work gives pushes to n handlers at a time until ctx ends; then it waits for
// those at work. A push whose process dies is given to another after AckWait, or
// with an embedded server when that is started again.
func (q *Queue) Work(ctx context.Context, n int, log *slog.Logger, handle Handler) error {
	if err := q.Retake(ctx, q.pushes, q.workers()); err != nil {
		log.Warn("going on with what was cut off", "err", err) // it comes after AckWait
	}
	var wg sync.WaitGroup
	f := newFloor(n)
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil {
				q.next(ctx, f, log, handle)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// Patience is how long one question for a message waits for one to come.
const Patience = 2 * time.Second

// Idle reports whether a question for a message that was asked at the time ended
// because none came: the next may be asked at once. The client says so in several
// ways, of which one, a timeout, can also mean that nobody answers; then it comes
// early.
func Idle(err error, asked time.Time) bool {
	return errors.Is(err, jetstream.ErrNoMessages) ||
		(errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded)) && time.Since(asked) > Patience/2
}

// OnDead has f called with every push that is given up, and why, before its
// message ends: again where that fails, or the process ends in between. It is set
// before Work.
func (q *Queue) OnDead(f func(ctx context.Context, p push.Push, why string) error) { q.onDead = f }

// OnReplay has f called with every dead push that is put back, before it is. It is
// set before Replay.
func (q *Queue) OnReplay(f func(ctx context.Context, p push.Push) error) { q.onReplay = f }

// next waits for one push, at most for Patience, and works on it. It has its place
// before it asks: a push that is handed over and waits would be cut off by a crash
// that is none of its.
func (q *Queue) next(ctx context.Context, f *floor, log *slog.Logger, handle Handler) {
	f.enter()
	defer f.leave()
	asked := time.Now()
	msg, err := q.consumer.Next(jetstream.FetchMaxWait(Patience))
	if err != nil {
		if !Idle(err, asked) && ctx.Err() == nil {
			log.Warn("waiting for a push", "err", err)
			pause(ctx, time.Second)
		}
		return
	}
	if ctx.Err() != nil {
		q.pass(ctx, msg)
		return
	}
	if err := q.work(ctx, f, msg, handle); err != nil {
		log.Error("a push", "err", err)
	}
}

// pass gives a push that was not worked on to another process, at once.
func (q *Queue) pass(ctx context.Context, msg jetstream.Msg) {
	if meta, err := msg.Metadata(); err == nil {
		if h, err := q.history(context.WithoutCancel(ctx), meta); err == nil {
			_ = q.noteSpared(ctx, meta, h)
		}
	}
	_ = msg.Nak()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// askTimeout bounds one question to JetStream. A node that dies answers
// nothing, and nothing else would end the wait.
const askTimeout = 5 * time.Second

// ack ends the message. Where its end is not confirmed in time it comes again,
// and is found done.
func ack(ctx context.Context, msg jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return msg.DoubleAck(ctx)
}

// isDone reports whether the push was worked on.
func (q *Queue) isDone(ctx context.Context, key string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	known, err := q.done.Get(ctx, key)
	return known != nil, err
}

// setDone remembers that the push was worked on. It is tried for as long as
// it takes a cluster to choose another leader: else the work is done again.
func (q *Queue) setDone(ctx context.Context, key string) error {
	var err error
	for range 5 {
		once, cancel := context.WithTimeout(ctx, askTimeout)
		err = q.done.Put(once, key, nil)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause(ctx, time.Second)
	}
	return err
}

// work handles a message and says what became of it, to JetStream and, where
// it is an error, to the caller.
func (q *Queue) work(ctx context.Context, f *floor, msg jetstream.Msg, handle Handler) error {
	meta, err := msg.Metadata()
	if err != nil {
		return err
	}
	var p push.Push
	if err := json.Unmarshal(msg.Data(), &p); err != nil {
		return q.bury(ctx, msg, meta, &Dead{Push: p, Reason: fmt.Sprintf("reading a stored push: %v", err)})
	}
	key := key(&p)
	past, err := q.history(ctx, meta)
	if err != nil {
		return again(msg, time.Second, fmt.Errorf("asking for the attempts at the push of %s: %w", p.Repository, err))
	}
	if done, err := q.isDone(ctx, key); done {
		return ack(ctx, msg) // another worker did it, and died before it could say so
	} else if err != nil {
		err = errors.Join(fmt.Errorf("asking whether the push of %s is done: %w", p.Repository, err), q.noteSpared(ctx, meta, past))
		return again(msg, time.Second, err)
	}
	crashes := past.cutOff(meta)
	if crashes >= q.options.MaxCrashes {
		why := &Crashed{crashes, past.Error}
		return q.bury(ctx, msg, meta, &Dead{Push: p, Reason: why.Error(), Attempts: past.Failed, Crashes: crashes})
	}
	err = q.alive(ctx, msg, func(ctx context.Context) error {
		if crashes >= aloneAfter {
			reopen, err := q.alone(ctx, f, meta, past)
			if err != nil {
				return err
			}
			defer reopen()
		}
		return handle(ctx, p, past.Failed+1)
	})
	return q.judge(ctx, msg, meta, &p, past, err)
}

// alone waits until the push can be worked on alone. What ends the process while it
// waits is another push: that is written down before, and taken back when its own
// turn has come.
func (q *Queue) alone(ctx context.Context, f *floor, meta *jetstream.MsgMetadata, past history) (reopen func(), err error) {
	if err := q.noteSpared(ctx, meta, past); err != nil {
		return nil, err
	}
	if reopen, err = f.clear(ctx, 3*q.options.AckWait); err != nil {
		return nil, err
	}
	if err := q.writeHistory(ctx, meta, past); err != nil {
		reopen()
		return nil, err
	}
	return reopen, nil
}

// judge says what an attempt at a push came to.
func (q *Queue) judge(ctx context.Context, msg jetstream.Msg, meta *jetstream.MsgMetadata, p *push.Push, past history, err error) error {
	var hopeless *Hopeless
	var later *Later
	attempt := past.Failed + 1
	switch {
	case err == nil:
		if err := q.setDone(ctx, key(p)); err != nil {
			err = errors.Join(fmt.Errorf("noting that the push of %s is done: %w", p.Repository, err), q.noteSpared(ctx, meta, past))
			return again(msg, time.Second, err)
		}
		return ack(ctx, msg)
	case ctx.Err() != nil:
		// The process is asked to end; nothing is wrong with the push.
		return errors.Join(q.noteSpared(ctx, meta, past), msg.Nak())
	case errors.Is(err, errBusy):
		return msg.NakWithDelay(time.Second) // noted by alone
	case errors.As(err, &later):
		return again(msg, later.In, errors.Join(fmt.Errorf("push of %s: %w", p.Repository, err), q.noteSpared(ctx, meta, past)))
	case errors.As(err, &hopeless) || attempt >= q.options.MaxAttempts:
		return q.bury(ctx, msg, meta, &Dead{Push: *p, Reason: err.Error(), Attempts: attempt, Crashes: past.cutOff(meta)})
	}
	why := fmt.Errorf("push of %s, attempt %d of %d: %w", p.Repository, attempt, q.options.MaxAttempts, err)
	return again(msg, q.delay(attempt), errors.Join(why, q.noteFailed(ctx, meta, past, err)))
}

func again(msg jetstream.Msg, in time.Duration, why error) error {
	if err := msg.NakWithDelay(in); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// delay returns how long to wait after the attempt.
func (q *Queue) delay(attempt int) time.Duration {
	b := q.options.Backoff
	return b[min(max(attempt, 1), len(b))-1]
}

// alive runs f and tells JetStream meanwhile that the push is worked on.
func (q *Queue) alive(ctx context.Context, msg jetstream.Msg, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(q.options.AckWait / 3)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				_ = msg.InProgress()
			}
		}
	})
	defer wg.Wait()
	defer cancel()
	return f(ctx)
}

// A Dead is a push that could not be scanned, and why.
type Dead struct {
	// Seq is its number, for Replay and Forget.
	Seq    uint64    `json:"-"`
	Push   push.Push `json:"push"`
	Reason string    `json:"reason"`
	// Attempts is how many failed; Crashes how many were cut off by the end of
	// the process.
	Attempts int       `json:"attempts"`
	Crashes  int       `json:"crashes,omitempty"`
	At       time.Time `json:"at"`
}

// bury moves the push to the dead ones, and only then ends its message.
func (q *Queue) bury(ctx context.Context, msg jetstream.Msg, meta *jetstream.MsgMetadata, d *Dead) error {
	d.At = time.Now().UTC()
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	p := &d.Push
	id := fmt.Sprintf("%s-%d", key(p), meta.Sequence.Stream)
	if _, err := q.js.Publish(ctx, deadSubject, body, jetstream.WithMsgID(id)); err != nil {
		return again(msg, time.Minute, fmt.Errorf("burying the push of %s: %w", p.Repository, err))
	}
	if q.onDead != nil {
		if err := q.onDead(ctx, *p, d.Reason); err != nil {
			return again(msg, time.Minute, fmt.Errorf("saying that the push of %s is given up: %w", p.Repository, err))
		}
	}
	if err := msg.Term(); err != nil {
		return err
	}
	return fmt.Errorf("push of %s given up after %d failed attempts and %d that were cut off: %s", p.Repository, d.Attempts, d.Crashes, d.Reason)
}

// DeadPushes returns the dead pushes, the oldest first, at most limit.
func (q *Queue) DeadPushes(ctx context.Context, limit int) ([]Dead, error) {
	info, err := q.dead.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the dead pushes: %w", err)
	}
	var dead []Dead
	for seq := info.State.FirstSeq; seq != 0 && seq <= info.State.LastSeq && len(dead) < limit; seq++ {
		m, err := q.dead.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading dead push %d: %w", seq, err)
		}
		d := Dead{Seq: seq}
		if err := json.Unmarshal(m.Data, &d); err != nil {
			return nil, fmt.Errorf("reading dead push %d: %w", seq, err)
		}
		d.Seq = seq
		dead = append(dead, d)
	}
	return dead, nil
}

// ErrNoDead is the error for a number that no dead push has.
var ErrNoDead = errors.New("no such dead push")

// Replay puts a dead push into the queue again and forgets its death.
func (q *Queue) Replay(ctx context.Context, seq uint64) error {
	m, err := q.dead.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("%w: %d", ErrNoDead, seq)
	}
	if err != nil {
		return fmt.Errorf("reading dead push %d: %w", seq, err)
	}
	var d Dead
	if err := json.Unmarshal(m.Data, &d); err != nil {
		return fmt.Errorf("reading dead push %d: %w", seq, err)
	}
	body, err := json.Marshal(d.Push)
	if err != nil {
		return err
	}
	if q.onReplay != nil {
		if err := q.onReplay(ctx, d.Push); err != nil {
			return fmt.Errorf("saying that dead push %d is put back: %w", seq, err)
		}
	}
	// Another message id than the delivery's, which may still be remembered.
	if _, err := q.js.Publish(ctx, pushSubject, body, jetstream.WithMsgID(fmt.Sprintf("replay-%d", seq))); err != nil {
		return fmt.Errorf("putting dead push %d back: %w", seq, err)
	}
	return q.Forget(ctx, seq)
}

// Forget removes a dead push.
func (q *Queue) Forget(ctx context.Context, seq uint64) error {
	if _, err := q.dead.GetMsg(ctx, seq); errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("%w: %d", ErrNoDead, seq)
	}
	if err := q.dead.DeleteMsg(ctx, seq); err != nil {
		return fmt.Errorf("removing dead push %d: %w", seq, err)
	}
	return nil
}
