// Package table keeps many small records in few entries of a key-value bucket of
// JetStream.
//
// JetStream keeps an index of every subject in memory, some 250 bytes of each. With
// a subject for each record, a server's memory would rise with everything that it
// remembers. So the keys of a table are hashed to a fixed number of pages, and a page
// is one entry of the bucket:
//
//	key --hash--> page --> record, record, record
//
// A change writes the whole page, by compare-and-set on its revision: of two that
// change a page at a time one begins again, with what the other has written. What
// is written at a change grows with the number of records, by one for each so many
// as there are pages; what is in memory does not.
//
// That is for records of some bytes. JetStream holds a file of up to four megabytes
// in memory for a while when anything is read of it, and pages are read all over the
// table: where records have a kilobyte, as incidents do, those files would be more
// than the index. Such a table has an entry for each record, which lies among what
// was written at the same time.
//
// Tables of pages share one bucket, since JetStream also keeps the last megabytes in
// memory of each stream that is written to. A table of entries has one of its own.
package table

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say what a table is. Name and Pages must be set.
type Options struct {
	// Name is that of the table, a word.
	Name string
	// Pages is the number of pages; 0 for an entry for each record, whose keys have
	// letters, digits, - and _ only. It can never be changed: where a record lies
	// follows from it. A page must stay below what NATS takes in one message, a
	// megabyte by default.
	Pages uint32
	// TTL is for how long a record is there after it was written; 0 for ever. It is
	// removed when its page is written next.
	TTL time.Duration
}

// A Record is a key with its value.
type Record struct {
	Key   string
	Value []byte
	// At is when the record was written, by the clock of who wrote it.
	At time.Time
}

// A Table is safe for concurrent use, also by several processes.
type Table struct {
	kv     jetstream.KeyValue
	stream jetstream.Stream // of the bucket
	o      Options
	now    func() time.Time
}

// A Bucket is what tables lie in.
type Bucket struct {
	kv     jetstream.KeyValue
	stream jetstream.Stream
}

// OpenBucket opens a bucket for tables, of which so many servers of a cluster keep a
// copy, and makes it if it is not there.
//
// It is a key-value bucket like another but for its window of duplicates, which is
// of no use for what is written by compare-and-set, and of which JetStream reads
// everything again when it starts.
func OpenBucket(ctx context.Context, js jetstream.JetStream, name string, replicas int) (*Bucket, error) {
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "KV_" + name, Subjects: []string{"$KV." + name + ".>"}, Description: "tables of records, in pages",
		Storage: jetstream.FileStorage, Replicas: replicas, MaxMsgsPerSubject: 1, Duplicates: shortest,
		MaxMsgs: -1, MaxBytes: -1, MaxMsgSize: -1, MaxConsumers: -1,
		Discard: jetstream.DiscardNew, AllowRollup: true, DenyDelete: true, AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making the bucket %s: %w", name, err)
	}
	kv, err := js.KeyValue(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("opening the bucket %s: %w", name, err)
	}
	return &Bucket{kv, stream}, nil
}

// shortest is the shortest window of duplicates that JetStream takes.
const shortest = 100 * time.Millisecond

// Open opens a table in the bucket. One that is not there is empty.
func Open(b *Bucket, o Options) *Table { return &Table{b.kv, b.stream, o, time.Now} }

// Through returns the table as it is reached through another view of its bucket:
// one that is slow, or fails, in a test.
func (t *Table) Through(view func(jetstream.KeyValue) jetstream.KeyValue) *Table {
	return &Table{view(t.kv), t.stream, t.o, t.now}
}

// MaxKey bounds a key, in bytes.
const MaxKey = 512

// place returns the key of the page that a record's key belongs to.
func (t *Table) place(key string) string {
	if t.o.Pages == 0 {
		return t.o.Name + "." + key
	}
	sum := sha256.Sum256([]byte(key))
	return t.o.Name + "." + strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[:])%t.o.Pages), 10)
}

// check reports what keeps a key from being one.
func (t *Table) check(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("a key of %s has 1 to %d bytes, not %d", t.o.Name, MaxKey, len(key))
	}
	if t.o.Pages == 0 && strings.ContainsFunc(key, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	}) {
		return fmt.Errorf("a key of %s has letters, digits, - and _ only: %.80q", t.o.Name, key)
	}
	return nil
}

// Get returns the record with the key; nil where there is none.
func (t *Table) Get(ctx context.Context, key string) (*Record, error) {
	if t.check(key) != nil {
		return nil, nil
	}
	p, _, err := t.page(ctx, t.place(key))
	if err != nil {
		return nil, err
	}
	i, found := p.search(key)
	if !found {
		return nil, nil
	}
	return &p[i], nil
}

// page returns a page, and its revision: 0 where nothing was ever written to it.
func (t *Table) page(ctx context.Context, place string) (page, uint64, error) {
	e, err := t.kv.Get(ctx, place)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading a page of %s: %w", t.o.Name, err)
	}
	p, err := t.unpack(e.Key(), e.Value(), new(bytes.Buffer))
	return p, e.Revision(), err
}

// unpack returns what a page holds that is not too old.
func (t *Table) unpack(place string, stored []byte, text *bytes.Buffer) (page, error) {
	p, err := decode(stored, text)
	if err != nil {
		return nil, fmt.Errorf("reading page %s: %w", place, err)
	}
	if t.o.TTL > 0 {
		eldest := t.now().Add(-t.o.TTL)
		p = slices.DeleteFunc(p, func(r Record) bool { return r.At.Before(eldest) })
	}
	return p, nil
}

// maxRaces bounds how often a change is begun again because another was faster.
const maxRaces = 200

// Change changes a record, atomically. change gets what is there, or nil, and
// returns what shall be, or nil for no change; it may be called several times. Its
// error is returned as it is. Change returns what is there afterwards, or nil.
func (t *Table) Change(ctx context.Context, key string, change func(old *Record) ([]byte, error)) (*Record, error) {
	if err := t.check(key); err != nil {
		return nil, err
	}
	var now *Record
	err := t.rewrite(ctx, t.place(key), func(p page) (page, error) {
		i, found := p.search(key)
		now = nil
		if found {
			now = &p[i]
		}
		value, err := change(now)
		if err != nil || value == nil {
			return nil, err
		}
		fresh := Record{Key: key, Value: value, At: t.now().UTC()}
		now = &fresh
		if found {
			p[i] = fresh
			return p, nil
		}
		return slices.Insert(p, i, fresh), nil
	})
	if err != nil {
		return nil, err
	}
	return now, nil
}

// Put writes a record, whatever was there.
func (t *Table) Put(ctx context.Context, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	_, err := t.Change(ctx, key, func(*Record) ([]byte, error) { return value, nil })
	return err
}

// Delete removes a record, if it is there.
func (t *Table) Delete(ctx context.Context, key string) error {
	if t.check(key) != nil {
		return nil
	}
	return t.rewrite(ctx, t.place(key), func(p page) (page, error) {
		i, found := p.search(key)
		if !found {
			return nil, nil
		}
		return append(page{}, slices.Delete(p, i, i+1)...), nil
	})
}

// rewrite replaces a page by what change makes of it; nil leaves it.
func (t *Table) rewrite(ctx context.Context, place string, change func(page) (page, error)) error {
	for race := range maxRaces {
		p, revision, err := t.page(ctx, place)
		if err != nil {
			return err
		}
		fresh, err := change(p)
		if err != nil || fresh == nil {
			return err
		}
		body := fresh.encode()
		if revision == 0 {
			_, err = t.kv.Create(ctx, place, body)
		} else {
			_, err = t.kv.Update(ctx, place, body, revision)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, nats.ErrMaxPayload):
			return fmt.Errorf("writing a page of %s: its %d records have %d bytes together: %w; raise max_payload of the NATS cluster", t.o.Name, len(fresh), len(body), err)
		case !changed(err):
			return fmt.Errorf("writing a page of %s: %w", t.o.Name, err)
		}
		if err := pause(ctx, race); err != nil {
			return err
		}
	}
	return fmt.Errorf("writing a page of %s: others changed it %d times in a row", t.o.Name, maxRaces)
}

// changed reports whether JetStream refused a write because the entry has changed
// (error 10071).
func changed(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// pause waits before a change is begun again: not the first times, and then by
// chance, so that not the same ones meet again. A node of a cluster may answer for
// a moment with the revision of before.
func pause(ctx context.Context, race int) error {
	if race < 3 {
		return ctx.Err()
	}
	wait := time.NewTimer(rand.N(time.Duration(min(race, 50)) * time.Millisecond))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}
