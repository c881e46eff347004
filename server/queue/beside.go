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
	duplicates := time.Hour
	if maxAge > 0 {
		duplicates = min(duplicates, maxAge)
	}
	s, err := q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name, Description: description, Subjects: subjects, Retention: jetstream.WorkQueuePolicy,
		Storage: jetstream.FileStorage, Replicas: q.options.Replicas, MaxAge: maxAge,
		Discard: jetstream.DiscardNew, MaxMsgs: q.options.MaxPending, Duplicates: duplicates,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("making the stream %s: %w", name, err)
	}
	return q.js, s, nil
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
