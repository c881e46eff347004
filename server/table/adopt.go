package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// maxAdopted is how many bytes of values are held while they are moved: a page is
// written once for all that comes into it at a time. A test sets less.
var maxAdopted = 16 << 20

// Adopt moves what an earlier version of this program kept in a bucket of its own,
// an entry for each record, into tables, and removes the bucket. into returns the
// table that an entry's key belongs to, and its key there; nil leaves it out. What a
// table has already stays as it is; a move that is cut off is begun again by the
// next call. No bucket of the name is nothing to move.
func Adopt(ctx context.Context, js jetstream.JetStream, bucket string, into func(key string) (*Table, string)) error {
	old, err := js.Stream(ctx, "KV_"+bucket)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err == nil {
		err = adopt(ctx, old, into)
	}
	if err == nil {
		err = js.DeleteKeyValue(ctx, bucket)
	}
	if err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) { // another server has moved it meanwhile
		return fmt.Errorf("moving the bucket %s into tables: %w", bucket, err)
	}
	return nil
}

func adopt(ctx context.Context, old jetstream.Stream, into func(key string) (*Table, string)) error {
	type where struct {
		table *Table
		place string
	}
	pages, size := map[where][]Record{}, 0
	flush := func() error {
		for w, fresh := range pages {
			if err := w.table.merge(ctx, w.place, fresh); err != nil {
				return err
			}
		}
		clear(pages)
		size = 0
		return nil
	}
	err := each(ctx, old, ">", func(e entry) error {
		t, key := into(e.key)
		if t == nil {
			return nil
		}
		w := where{t, t.place(key)}
		pages[w] = append(pages[w], Record{key, bytes.Clone(e.value), e.at.UTC()})
		if size += len(e.value); size < maxAdopted {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// merge adds records to a page that are not in it.
func (t *Table) merge(ctx context.Context, place string, fresh []Record) error {
	return t.rewrite(ctx, place, func(p page) (page, error) {
		for _, r := range fresh {
			if i, found := p.search(r.Key); !found {
				p = slices.Insert(p, i, r)
			}
		}
		return p, nil
	})
}
