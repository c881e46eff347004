package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
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
)

var errSilent = fmt.Errorf("NATS has said nothing for %s", silence)

// A stop is an error of the caller's own function.
type stop struct{ error }

// Each gives every record to f, in no order, each once, and holds one page at a
// time: a record's value is f's during the call only. It ends with the first error
// of f.
//
// The pages come in the order in which they were written, so that JetStream reads
// its files one after the other. What is written meanwhile may not come that way,
// nor the rest when a consumer is lost, as with the node of a cluster that had it:
// those pages are asked for one by one.
func (t *Table) Each(ctx context.Context, f func(*Record) error) error {
	text, given := new(bytes.Buffer), make([]bool, t.o.Pages)
	give := func(n uint64, value []byte) error {
		p, err := t.unpack(t.pageKey(uint32(n)), value, text)
		if err != nil {
			return &stop{err}
		}
		for i := range p {
			if err := f(&p[i]); err != nil {
				return &stop{err}
			}
		}
		given[n] = true
		return nil
	}
	err := list(ctx, t.stream, t.o.Name+".*", func(e entry) error {
		n, err := strconv.ParseUint(strings.TrimPrefix(e.key, t.o.Name+"."), 10, 32)
		if err != nil || n >= uint64(len(given)) || given[n] {
			return nil
		}
		return give(n, e.value)
	})
	for n := 0; n < len(given) && !isStop(err); n++ {
		if given[n] {
			continue
		}
		var e jetstream.KeyValueEntry
		if e, err = t.kv.Get(ctx, t.pageKey(uint32(n))); errors.Is(err, jetstream.ErrKeyNotFound) {
			err = nil // nothing was ever written to it
			continue
		}
		if err != nil {
			return fmt.Errorf("listing %s: %w", t.o.Name, err)
		}
		err = give(uint64(n), e.Value())
	}
	if own := (*stop)(nil); errors.As(err, &own) {
		return own.error
	}
	return nil
}

func isStop(err error) bool {
	var own *stop
	return errors.As(err, &own)
}

// An entry is one of a bucket. Its value is for the call only that it is given to.
type entry struct {
	key   string
	value []byte
	at    time.Time
}

// list gives the entries of the bucket that the stream is of whose keys are like
// that to f, those that were written last at the end. What is written meanwhile may
// be left out.
func list(ctx context.Context, stream jetstream.Stream, keys string, f func(entry) error) error {
	prefix := "$KV." + strings.TrimPrefix(stream.CachedInfo().Config.Name, "KV_") + "."
	c, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: prefix + keys,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 2 * silence,
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = stream.DeleteConsumer(ctx, c.CachedInfo().Name) // it ends by itself otherwise, later
	}()
	left, nth := c.CachedInfo().NumPending, uint64(0)
	for left > 0 {
		if left, nth, err = fetch(ctx, c, int(min(left, ahead)), nth, func(m jetstream.Msg, at time.Time) error {
			if m.Headers().Get("KV-Operation") != "" { // it was deleted
				return nil
			}
			return f(entry{strings.TrimPrefix(m.Subject(), prefix), m.Data(), at})
		}); err != nil {
			return err
		}
	}
	return nil
}

// fetch gives the next messages, n at most, of which the consumer has sent nth
// before. It returns how many are left, and the number of the last one.
func fetch(ctx context.Context, c jetstream.Consumer, n int, nth uint64, f func(jetstream.Msg, time.Time) error) (left, last uint64, err error) {
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
		if err := f(m, meta.Timestamp); err != nil {
			return 0, 0, err
		}
		left = meta.NumPending
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
