package table_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/table"
)

// stream starts a NATS server in this process.
func stream(t *testing.T) jetstream.JetStream {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func open(t *testing.T, js jetstream.JetStream, o table.Options) *table.Table {
	t.Helper()
	bucket, err := table.OpenBucket(t.Context(), js, "RECORDS", 1)
	if err != nil {
		t.Fatal(err)
	}
	o.Name = "words"
	// Another table beside it is nothing to it.
	if err := table.Open(bucket, table.Options{Name: "others", Pages: o.Pages}).Put(t.Context(), "other", []byte("another's")); err != nil {
		t.Fatal(err)
	}
	return table.Open(bucket, o)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// all returns the values by their keys.
func all(t *testing.T, records *table.Table) map[string]string {
	t.Helper()
	held := map[string]string{}
	must(t, records.Each(t.Context(), func(r *table.Record) error {
		if _, twice := held[r.Key]; twice {
			t.Errorf("%s comes twice", r.Key)
		}
		held[r.Key] = string(r.Value)
		return nil
	}))
	return held
}

func value(t *testing.T, records *table.Table, key string) string {
	t.Helper()
	r, err := records.Get(t.Context(), key)
	must(t, err)
	if r == nil {
		return "nothing"
	}
	return string(r.Value)
}

func TestTable(t *testing.T) {
	for _, pages := range []uint32{0, 1, 2, 1024} {
		t.Run(fmt.Sprint(pages, " pages"), func(t *testing.T) {
			ctx, records := t.Context(), open(t, stream(t), table.Options{Pages: pages})
			if got := value(t, records, "1"); got != "nothing" {
				t.Errorf("an empty table has %q", got)
			}
			must(t, records.Delete(ctx, "1"))
			const n = 60
			for i := range n {
				must(t, records.Put(ctx, strconv.Itoa(i), []byte(strings.Repeat("x", i))))
			}
			must(t, records.Put(ctx, "none", nil))
			must(t, records.Put(ctx, "7", []byte("seven")))
			must(t, records.Delete(ctx, "8"))
			if got := value(t, records, "7"); got != "seven" {
				t.Errorf("7 is %q", got)
			}
			if got := value(t, records, "8"); got != "nothing" {
				t.Errorf("8 is %q", got)
			}
			held := all(t, records)
			for i := range n {
				want, is := strings.Repeat("x", i), i != 8
				if i == 7 {
					want = "seven"
				}
				if got, has := held[strconv.Itoa(i)]; has != is || is && got != want {
					t.Errorf("%d is %q, %v", i, got, has)
				}
			}
			if len(held) != n {
				t.Errorf("it holds %d records", len(held))
			}
			for i := range n {
				must(t, records.Delete(ctx, strconv.Itoa(i)))
			}
			if held := all(t, records); len(held) != 1 {
				t.Errorf("after all were deleted it holds %v", held)
			}
		})
	}
}

func TestChange(t *testing.T) {
	ctx, records := t.Context(), open(t, stream(t), table.Options{Pages: 2})
	r, err := records.Change(ctx, "a", func(old *table.Record) ([]byte, error) {
		if old != nil {
			t.Errorf("there is %v", old)
		}
		return nil, nil
	})
	if r != nil || err != nil {
		t.Errorf("no change of nothing is %v, %v", r, err)
	}
	before := time.Now()
	r, err = records.Change(ctx, "a", func(*table.Record) ([]byte, error) { return []byte("1"), nil })
	if err != nil || string(r.Value) != "1" || r.At.Before(before) || r.At.After(time.Now()) {
		t.Errorf("got %v, %v", r, err)
	}
	r, err = records.Change(ctx, "a", func(old *table.Record) ([]byte, error) { return nil, nil })
	if err != nil || string(r.Value) != "1" {
		t.Errorf("no change is %v, %v", r, err)
	}
	own := errors.New("own")
	if _, err := records.Change(ctx, "a", func(*table.Record) ([]byte, error) { return []byte("2"), own }); err != own {
		t.Errorf("the error is %v", err)
	}
	if err := records.Each(ctx, func(*table.Record) error { return own }); err != own {
		t.Errorf("the error of Each is %v", err)
	}
	if got := value(t, records, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
	for _, key := range []string{"", strings.Repeat("k", table.MaxKey+1)} {
		if err := records.Put(ctx, key, nil); err == nil {
			t.Errorf("a key of %d bytes is taken", len(key))
		}
	}
}

// TestKeys: where each record is an entry, a key is a word, and what is none is not
// there, instead of the end of the connection or all entries.
func TestKeys(t *testing.T) {
	ctx, records := t.Context(), open(t, stream(t), table.Options{})
	must(t, records.Put(ctx, "a-B_9", []byte("1")))
	for _, key := range []string{"", "*", ">", "a.b", "a b", "a\n", "ä", strings.Repeat("k", table.MaxKey+1), strings.Repeat("k", 1<<20)} {
		if r, err := records.Get(ctx, key); r != nil || err != nil {
			t.Errorf("%.20q: got %v, %v", key, r, err)
		}
		if err := records.Delete(ctx, key); err != nil {
			t.Errorf("%.20q: deleting it: %v", key, err)
		}
		if err := records.Put(ctx, key, nil); err == nil {
			t.Errorf("%.20q is taken", key)
		}
	}
	if held := all(t, records); len(held) != 1 || held["a-B_9"] != "1" {
		t.Errorf("it holds %v", held)
	}
}

// TestRaces: of many that count at a time in few pages, no count is lost, and none
// undoes what another wrote beside it.
func TestRaces(t *testing.T) {
	js := stream(t)
	const workers, rounds, keys = 8, 15, 5
	var wg sync.WaitGroup
	for w := range workers {
		records := open(t, js, table.Options{Pages: 2}) // each one's own, as of several processes
		wg.Go(func() {
			for n := range rounds {
				_, err := records.Change(t.Context(), fmt.Sprint("count ", (w+n)%keys), func(old *table.Record) ([]byte, error) {
					before := 0
					if old != nil {
						before, _ = strconv.Atoi(string(old.Value))
					}
					return []byte(strconv.Itoa(before + 1)), nil
				})
				if err != nil {
					t.Error(err)
				}
				if err := records.Put(t.Context(), fmt.Sprint("own ", w), []byte(strconv.Itoa(n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	held, total := all(t, open(t, js, table.Options{Pages: 2})), 0
	for n := range keys {
		count, _ := strconv.Atoi(held[fmt.Sprint("count ", n)])
		total += count
	}
	if total != workers*rounds {
		t.Errorf("counted %d of %d", total, workers*rounds)
	}
	for w := range workers {
		if held[fmt.Sprint("own ", w)] != strconv.Itoa(rounds-1) {
			t.Errorf("of worker %d there is %q", w, held[fmt.Sprint("own ", w)])
		}
	}
}

// TestFewEntries: however many records there are, JetStream keeps an index of a few
// entries in memory.
func TestFewEntries(t *testing.T) {
	js, pages := stream(t), uint32(8)
	records := open(t, js, table.Options{Pages: pages})
	for n := range 500 {
		must(t, records.Put(t.Context(), strconv.Itoa(n), nil))
	}
	s, err := js.Stream(t.Context(), "KV_RECORDS")
	must(t, err)
	if i := s.CachedInfo(); i.State.NumSubjects > uint64(pages)+1 || i.State.Msgs != i.State.NumSubjects { // and that of another table
		t.Errorf("%d subjects, %d messages", i.State.NumSubjects, i.State.Msgs)
	}
	if held := all(t, records); len(held) != 500 {
		t.Errorf("%d records", len(held))
	}
}

// A stale view answers the first questions with what was there before, as a node of
// a cluster may.
type stale struct {
	jetstream.KeyValue
	old   map[string]jetstream.KeyValueEntry
	times int
}

func (s *stale) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	if s.times--; s.times >= 0 {
		if e := s.old[key]; e != nil {
			return e, nil
		}
		return nil, jetstream.ErrKeyNotFound
	}
	return s.KeyValue.Get(ctx, key)
}

func TestStale(t *testing.T) {
	js := stream(t)
	records := open(t, js, table.Options{Pages: 1})
	bucket, err := js.KeyValue(t.Context(), "RECORDS")
	must(t, err)
	for name, old := range map[string]map[string]jetstream.KeyValueEntry{"nothing": {}, "one": nil} {
		must(t, records.Put(t.Context(), "a", []byte(name)))
		if old == nil {
			e, err := bucket.Get(t.Context(), "words.0")
			must(t, err)
			old = map[string]jetstream.KeyValueEntry{"words.0": e}
		}
		must(t, records.Put(t.Context(), "b", []byte(name)))
		late := records.Through(func(b jetstream.KeyValue) jetstream.KeyValue { return &stale{b, old, 5} })
		must(t, late.Put(t.Context(), "c", []byte(name)))
		if held := all(t, records); len(held) != 3 || held["a"] != name || held["b"] != name || held["c"] != name {
			t.Errorf("after a change that knew of %s: %v", name, held)
		}
	}
}

// memory is a bucket that needs no NATS, so that a test can move its clock.
type memory struct {
	jetstream.KeyValue
	entries map[string]entry
}

type entry struct {
	jetstream.KeyValueEntry
	key      string
	value    []byte
	revision uint64
}

func (e entry) Key() string      { return e.key }
func (e entry) Value() []byte    { return e.value }
func (e entry) Revision() uint64 { return e.revision }

func (m *memory) Get(_ context.Context, key string) (jetstream.KeyValueEntry, error) {
	if e, is := m.entries[key]; is {
		return e, nil
	}
	return nil, jetstream.ErrKeyNotFound
}

func (m *memory) Create(ctx context.Context, key string, value []byte, _ ...jetstream.KVCreateOpt) (uint64, error) {
	return m.Update(ctx, key, value, 0)
}

func (m *memory) Update(_ context.Context, key string, value []byte, last uint64) (uint64, error) {
	if m.entries[key].revision != last {
		return 0, jetstream.ErrKeyExists
	}
	m.entries[key] = entry{nil, key, value, last + 1}
	return last + 1, nil
}

// TestTTL: what is too old is not there, and what is written beside it does not
// keep it.
func TestTTL(t *testing.T) {
	records := open(t, stream(t), table.Options{Pages: 1, TTL: time.Hour})
	held := &memory{entries: map[string]entry{}}
	records = records.Through(func(jetstream.KeyValue) jetstream.KeyValue { return held })
	synctest.Test(t, func(t *testing.T) {
		must(t, records.Put(t.Context(), "a", []byte("1")))
		time.Sleep(40 * time.Minute)
		must(t, records.Put(t.Context(), "b", []byte("2")))
		if got := value(t, records, "a"); got != "1" {
			t.Errorf("a is %q in time", got)
		}
		time.Sleep(40 * time.Minute)
		if got := value(t, records, "a"); got != "nothing" {
			t.Errorf("a is %q too late", got)
		}
		size := len(held.entries["words.0"].value)
		must(t, records.Put(t.Context(), "b", []byte("2")))
		if now := len(held.entries["words.0"].value); now >= size {
			t.Errorf("the page had %d bytes, and has %d", size, now)
		}
		if got := value(t, records, "b"); got != "2" {
			t.Errorf("b is %q in time", got)
		}
	})
}

// TestEachGoesOn takes the consumer away in the middle, as a cluster does with the
// node that had it: every record comes all the same, once. Nothing is left behind.
func TestEachGoesOn(t *testing.T) {
	const n = 200
	ctx, js := t.Context(), stream(t)
	records := open(t, js, table.Options{Pages: 50})
	for i := range n {
		must(t, records.Put(ctx, strconv.Itoa(i), []byte("1")))
	}
	bucket, err := js.Stream(ctx, "KV_RECORDS")
	must(t, err)
	consumers := func() (names []string) {
		for name := range bucket.ConsumerNames(ctx).Name() {
			names = append(names, name)
		}
		return names
	}
	for _, losses := range []int{0, 1, 2, 3} {
		held, lost := map[string]int{}, 0
		err := records.Each(ctx, func(r *table.Record) error {
			if held[r.Key]++; lost < losses && len(held) > 60*lost {
				lost++
				for _, name := range consumers() {
					must(t, bucket.DeleteConsumer(ctx, name))
				}
			}
			return nil
		})
		if losses == 3 {
			if err == nil || len(held) == n {
				t.Errorf("%d records, %v after three losses", len(held), err)
			}
			continue
		}
		must(t, err)
		for key, times := range held {
			if times != 1 {
				t.Errorf("%s comes %d times", key, times)
			}
		}
		if len(held) != n || lost != losses {
			t.Errorf("%d records after %d losses, want %d", len(held), lost, n)
		}
	}
	if left := consumers(); len(left) > 0 {
		t.Errorf("the consumers %v are left", left)
	}
}

func TestDamaged(t *testing.T) {
	js := stream(t)
	records := open(t, js, table.Options{Pages: 1})
	bucket, err := js.KeyValue(t.Context(), "RECORDS")
	must(t, err)
	_, err = bucket.Put(t.Context(), "words.0", []byte{9})
	must(t, err)
	_, getErr := records.Get(t.Context(), "a")
	for what, err := range map[string]error{
		"Get": getErr, "Put": records.Put(t.Context(), "a", nil),
		"Each": records.Each(t.Context(), func(*table.Record) error { return nil }),
	} {
		if err == nil || !strings.Contains(err.Error(), "page words.0") {
			t.Errorf("%s of a damaged page: %v", what, err)
		}
	}
}

// TestTooLarge: what NATS does not take is an error that says what to do, and what
// was there stays.
func TestTooLarge(t *testing.T) {
	records := open(t, stream(t), table.Options{Pages: 1})
	large := make([]byte, 600_000) // and not to be compressed
	_, err := rand.Read(large)
	must(t, err)
	must(t, records.Put(t.Context(), "a", large))
	if err := records.Put(t.Context(), "b", large); !errors.Is(err, nats.ErrMaxPayload) || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("got %v", err)
	}
	if held := all(t, records); len(held) != 1 {
		t.Errorf("%d records are there", len(held))
	}
}

// TestAdopt: what lay in a bucket, a record in each entry, is in the table, once,
// and the bucket is gone; also where an earlier move was cut off.
func TestAdopt(t *testing.T) {
	for _, most := range []int{1, 20, 1 << 20} {
		t.Run(fmt.Sprint(most, " bytes at a time"), func(t *testing.T) {
			defer func(was int) { *table.MaxAdopted() = was }(*table.MaxAdopted())
			*table.MaxAdopted() = most
			adopt(t)
		})
	}
}

func adopt(t *testing.T) {
	ctx, js := t.Context(), stream(t)
	records := open(t, js, table.Options{Pages: 4})
	into := func(key string) (*table.Table, string) {
		if key == "left.out" {
			return nil, ""
		}
		return records, key
	}
	must(t, table.Adopt(ctx, js, "OLD", into))
	old, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "OLD"})
	must(t, err)
	for i := range 30 {
		_, err := old.Put(ctx, strconv.Itoa(i), []byte("old"))
		must(t, err)
	}
	must(t, old.Delete(ctx, "29"))
	_, err = old.Put(ctx, "left.out", nil)
	must(t, err)
	must(t, records.Put(ctx, "3", []byte("new")))
	before, err := old.Get(ctx, "4")
	must(t, err)
	must(t, table.Adopt(ctx, js, "OLD", into))
	held := all(t, records)
	if len(held) != 29 || held["3"] != "new" || held["4"] != "old" {
		t.Errorf("it holds %v", held)
	}
	if r, err := records.Get(ctx, "4"); err != nil || !r.At.Equal(before.Created()) {
		t.Errorf("4 is %v, %v; it was written at %v", r, err, before.Created())
	}
	if _, err := js.KeyValue(ctx, "OLD"); !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Errorf("the old bucket: %v", err)
	}
	must(t, table.Adopt(ctx, js, "OLD", into))
}
