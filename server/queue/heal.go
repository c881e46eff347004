package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// healEvery is how often it is tried whether the embedded server still writes.
const healEvery = 3 * time.Second

// probeKey is the key under which that is tried.
const probeKey = "probe"

var errStuck = errors.New("the queue does not write: its disk is full or cannot be written to")

// heal looks after the embedded server: it tidies its streams (see tidy), and
// starts its storage again when it has stopped for good:
// a write that failed, as on a full disk, is not tried again by it until it is
// started anew. What was stored is on the disk. It ends with ctx.
func (q *Queue) heal(ctx context.Context) {
	config := q.embedded.JetStreamConfig()
	tick := time.NewTicker(healEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := q.probe(ctx)
		if ctx.Err() != nil {
			return
		}
		if failed := q.failed.Load(); err == nil && failed {
			err = errStuck // another stream than that of the probe
		}
		q.stuck.Store(err != nil)
		if err == nil {
			if err := q.tidy(ctx); err != nil && ctx.Err() == nil {
				q.options.Log.Warn("tidying the queue", "err", err)
			}
		}
		if err == nil || !q.hasRoom() {
			continue
		}
		q.options.Log.Warn("the queue does not write; its storage is started again", "err", err)
		_ = q.embedded.ShutdownJetStream() // it may have ended by itself
		q.failed.Store(false)
		again := *config
		if err := q.embedded.EnableJetStream(&again); err != nil {
			q.options.Log.Error("starting the queue's storage again", "err", err)
			continue
		}
		err = q.probe(ctx)
		q.stuck.Store(err != nil)
		q.options.Log.Info("the queue's storage was started again", "err", err)
	}
}

// A listener hears the embedded server's log: that a stream has given up is said
// nowhere else.
type listener struct{ q *Queue }

// Errorf passes an error on.
func (l listener) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if strings.Contains(text, "write error") || strings.Contains(text, "out of") {
		l.q.failed.Store(true)
	}
	l.q.options.Log.Error("the queue's server", "err", text)
}

// Fatalf passes an error on; the embedded server does not end the process.
func (l listener) Fatalf(format string, v ...any) { l.Errorf(format, v...) }

// Warnf passes a warning on.
func (l listener) Warnf(format string, v ...any) {
	l.q.options.Log.Warn("the queue's server", "warning", fmt.Sprintf(format, v...))
}

// Noticef, Debugf and Tracef are of no use here.
func (l listener) Noticef(string, ...any) {}

// Debugf does nothing.
func (l listener) Debugf(string, ...any) {}

// Tracef does nothing.
func (l listener) Tracef(string, ...any) {}

// probe writes to the queue's disk, by the queue.
func (q *Queue) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return q.done.Put(ctx, probeKey, nil)
}

// roomNeeded is how much of the disk must be free for the storage to be started
// again, in bytes.
const roomNeeded = 1 << 20

// hasRoom reports whether the folder can be written to again.
func (q *Queue) hasRoom() bool {
	f, err := os.CreateTemp(q.options.Dir, ".room-*")
	if err != nil {
		return false
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, roomNeeded))
	return errors.Join(err, f.Sync(), f.Close()) == nil
}

// writable returns an error while the embedded server cannot store anything.
func (q *Queue) writable() error {
	if q.stuck.Load() {
		return fmt.Errorf("%w", errStuck)
	}
	return nil
}
