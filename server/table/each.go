package table

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ahead is how many entries are asked for at a time. A watcher of a bucket gets
	// all that there are as fast as they come from the disk, and tens of megabytes
	// of them wait in memory until it is their turn.
	ahead = 8
	// silence is for how long NATS may say nothing in the middle of a list.
	silence = 30 * time.Second
	// maxLost is how often a list may be gone on with when its consumer is lost,
	// as with the node of a cluster that had it.
	maxLost = 3
)

var errSilent = fmt.Errorf("NATS has said nothing for %s", silence)

// An entry is one of a bucket. Its value is for the call only that it is given to.
type entry struct {
	key   string
	value []byte
	at    time.Time
}

// A lister gives the entries of a bucket whose keys are like that to use, those
// that were written last at the end.
type lister struct {
	stream jetstream.Stream // of the bucket
	prefix string           // of its subjects
	keys   string           // with wildcards
	use    func(entry) error

	last   uint64 // the number of the last entry that use was given
	failed bool   // whether use did
}

// each gives every entry of the bucket that the stream is of to f.
func each(ctx context.Context, stream jetstream.Stream, keys string, f func(entry) error) error {
	l := &lister{stream: stream, prefix: "$KV." + strings.TrimPrefix(stream.CachedInfo().Config.Name, "KV_") + ".", keys: keys, use: f}
	var err error
	for range maxLost {
		if err = l.list(ctx); err == nil || l.failed || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// list gives the entries after the last one.
func (l *lister) list(ctx context.Context) error {
	config := jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: l.prefix + l.keys,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 2 * silence,
	}
	if l.last > 0 { // every entry is the last of its subject: there is no history
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, l.last+1
	}
	c, err := l.stream.CreateConsumer(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = l.stream.DeleteConsumer(ctx, c.CachedInfo().Name) // it ends by itself otherwise, later
	}()
	left, nth := c.CachedInfo().NumPending, uint64(0)
	for left > 0 {
		if left, nth, err = l.fetch(ctx, c, int(min(left, ahead)), nth); err != nil {
			return err
		}
	}
	return nil
}

// fetch gives the next entries, n at most, of which the consumer has sent nth
// before. It returns how many are left, and the number of the last one.
func (l *lister) fetch(ctx context.Context, c jetstream.Consumer, n int, nth uint64) (left, last uint64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, silence, errSilent)
	defer cancel()
	batch, err := c.Fetch(n, jetstream.FetchContext(ctx))
	if err != nil {
		return 0, 0, err
	}
	last = nth
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return 0, 0, err
		}
		if last++; meta.Sequence.Consumer != last {
			return 0, 0, errors.New("an entry got lost on its way")
		}
		if m.Headers().Get("KV-Operation") == "" { // it was not deleted
			if err := l.use(entry{strings.TrimPrefix(m.Subject(), l.prefix), m.Data(), meta.Timestamp}); err != nil {
				l.failed = true
				return 0, 0, err
			}
		}
		l.last, left = meta.Sequence.Stream, meta.NumPending
	}
	switch {
	case ctx.Err() != nil:
		return 0, 0, context.Cause(ctx)
	case batch.Error() != nil:
		return 0, 0, batch.Error()
	case last == nth:
		return 0, 0, errSilent
	}
	return left, last, nil
}
