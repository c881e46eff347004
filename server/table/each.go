package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
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
	// maxLost is how often a list may be begun, since its consumer is lost with the
	// node of a cluster that had it.
	maxLost = 3
)

var errSilent = fmt.Errorf("NATS has said nothing for %s", silence)

// A stop is an error of the caller's own function.
type stop struct{ error }

// Each gives every record to f, in no order, each once, and holds one page at a
// time: a record's value is f's during the call only. It ends with the first error
// of f.
func (t *Table) Each(ctx context.Context, f func(*Record) error) error {
	text, given := new(bytes.Buffer), map[uint64]struct{}{}
	err := each(ctx, t.stream, t.o.Name+".*", func(e entry) error {
		id := maphash.String(seed, e.key)
		if _, again := given[id]; again {
			return nil // it was written meanwhile
		}
		given[id] = struct{}{}
		p, err := t.unpack(e.key, e.value, text)
		if err != nil {
			return err
		}
		for i := range p {
			if err := f(&p[i]); err != nil {
				return &stop{err}
			}
		}
		return nil
	})
	var own *stop
	if errors.As(err, &own) {
		return own.error
	}
	if err != nil {
		return fmt.Errorf("listing %s: %w", t.o.Name, err)
	}
	return nil
}

var seed = maphash.MakeSeed()

// An entry is one of a bucket. Its value is for the call only that it is given to.
type entry struct {
	key   string
	value []byte
	at    time.Time
}

// A lister gives the entries of a bucket whose keys are like that to use, in the
// order in which they were written, so that JetStream reads its files one after the
// other. One that is written meanwhile comes where it stands then, and so perhaps
// twice.
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
	for lost := 0; ; {
		end, err := l.list(ctx)
		switch {
		case err == nil && end:
			return nil
		case err == nil:
			continue
		case l.failed || ctx.Err() != nil:
			return err
		}
		if lost++; lost == maxLost {
			return err
		}
	}
}

// list gives the entries after the last one, and reports whether there was none.
// There is no history: every entry is the last of its subject. While entries are
// written a consumer sometimes takes what is left for nothing, so that only a new
// one says that this is the end.
func (l *lister) list(ctx context.Context) (end bool, err error) {
	c, err := l.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: l.last + 1, FilterSubject: l.prefix + l.keys,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 2 * silence,
	})
	if err != nil {
		return false, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = l.stream.DeleteConsumer(ctx, c.CachedInfo().Name) // it ends by itself otherwise, later
	}()
	left, nth := c.CachedInfo().NumPending, uint64(0)
	end = left == 0
	for left > 0 {
		if left, nth, err = l.fetch(ctx, c, int(min(left, ahead)), nth); err != nil {
			return false, err
		}
	}
	return end, nil
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
