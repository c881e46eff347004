package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Beside opens another work queue in the same NATS, kept as durably as the
// pushes: for what is to be done after a scan, such as telling people. Each
// message lives until its consumer acknowledges it, at most for maxAge; 0 for
// ever. Messages are published on subjects, through the JetStream returned.
func (q *Queue) Beside(ctx context.Context, name, description string, subjects []string, maxAge time.Duration) (jetstream.JetStream, jetstream.Stream, error) {
	known := duplicates
	if maxAge > 0 {
		known = min(known, maxAge)
	}
	s, err := q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name, Description: description, Subjects: subjects, Retention: jetstream.WorkQueuePolicy,
		Storage: jetstream.FileStorage, Replicas: q.options.Replicas, MaxAge: maxAge,
		Discard: jetstream.DiscardNew, MaxMsgs: q.options.MaxPending, MaxBytes: q.options.maxBytes(), Duplicates: known,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("making the stream %s: %w", name, err)
	}
	q.willTidy(s)
	return q.js, s, nil
}

// Retake has what a process took from a work queue and had not ended when it died
// given out again at once, and not after AckWait. It is called before anything is
// taken from the queue, with its consumer as it is to be. In a cluster it does
// nothing: another process may be at work on it.
func (q *Queue) Retake(ctx context.Context, stream jetstream.Stream, c jetstream.ConsumerConfig) error {
	if q.embedded == nil {
		return nil
	}
	now, err := stream.Consumer(ctx, c.Durable)
	if err != nil {
		return fmt.Errorf("asking what the consumer %s has in hand: %w", c.Durable, err)
	}
	if now.CachedInfo().NumAckPending == 0 {
		return nil
	}
	// JetStream looks again who is late, a tenth of a second after AckWait is another.
	hasty := c
	hasty.AckWait = time.Millisecond
	if _, err := stream.UpdateConsumer(ctx, hasty); err != nil {
		return fmt.Errorf("taking back what the consumer %s has in hand: %w", c.Durable, err)
	}
	pause(ctx, 150*time.Millisecond)
	if _, err := stream.UpdateConsumer(context.WithoutCancel(ctx), c); err != nil {
		return fmt.Errorf("taking back what the consumer %s has in hand: %w", c.Durable, err)
	}
	return nil
}

// Oldest returns when the oldest push that is not done yet was stored. False
// means that nothing waits.
func (q *Queue) Oldest(ctx context.Context) (time.Time, bool, error) {
	i, err := q.pushes.Info(ctx)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("asking for the age of the queue: %w", err)
	}
	return i.State.FirstTime, i.State.Msgs > 0, nil
}
