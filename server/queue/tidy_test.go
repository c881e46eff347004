package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/table"
)

// sizeOf returns how many bytes the files of a stream's messages have.
func sizeOf(t *testing.T, q *Queue, stream string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(q.options.Dir, "jetstream", "$G", "streams", stream, "msgs"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		if err == nil {
			size += i.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// beside opens a work queue with a consumer.
func beside(t *testing.T, q *Queue) (jetstream.JetStream, *tidied, jetstream.Consumer) {
	t.Helper()
	js, s, err := q.Beside(t.Context(), "BESIDE", "", []string{"beside"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.CreateOrUpdateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "c", AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return js, &tidied{stream: s}, c
}

// do takes the next message and ends it.
func do(t *testing.T, c jetstream.Consumer) string {
	t.Helper()
	m, err := c.Next(jetstream.FetchMaxWait(Patience))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	return string(m.Data()[:8])
}

func tidy(t *testing.T, s *tidied) (due bool) {
	t.Helper()
	due, err := s.tidy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// TestTidy: what is done takes no room once nothing waits, and what waits or is in
// hand stays; also when the server is started again.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	q := open(t, Options{Dir: dir})
	js, s, c := beside(t, q)
	put := func(n int) {
		t.Helper()
		if _, err := js.Publish(t.Context(), "beside", fmt.Appendf(nil, "%08d%4000d", n, 0)); err != nil {
			t.Fatal(err)
		}
	}
	const n = tidyAfter + 10
	for i := range n {
		put(i)
	}
	for range n - 2 {
		do(t, c)
	}
	held, err := c.Next(jetstream.FetchMaxWait(Patience))
	if err != nil {
		t.Fatal(err)
	}
	if !tidy(t, s) || sizeOf(t, q, "BESIDE") < 4000*n {
		t.Error("a stream that is not empty was tidied")
	}
	do(t, c)
	if !tidy(t, s) {
		t.Error("a stream of which a message is in hand was tidied")
	}
	if err := held.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tidy(t, s) || sizeOf(t, q, "BESIDE") > 100_000 {
		t.Errorf("after it was tidied the stream has %d bytes", sizeOf(t, q, "BESIDE"))
	}
	put(n)
	put(n + 1)
	if got := do(t, c); got != fmt.Sprintf("%08d", n) {
		t.Errorf("then comes %s", got)
	}
	q.Close()
	q = open(t, Options{Dir: dir})
	_, s, c = beside(t, q)
	if !tidy(t, s) { // a server that starts does not know what was tidied
		t.Error("a stream that is not empty was tidied")
	}
	if got := do(t, c); got != fmt.Sprintf("%08d", n+1) {
		t.Errorf("after a start comes %s", got)
	}
}

// TestTidyMeanwhile: of messages that are put while the stream is tidied again and
// again, none is lost.
func TestTidyMeanwhile(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	js, s, c := beside(t, q)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	times := 0
	wg.Go(func() {
		for ; ctx.Err() == nil; times++ {
			s.upTo = 0
			if i, err := s.stream.Info(t.Context()); err == nil && i.State.LastSeq < tidyAfter {
				continue
			}
			if _, err := s.tidy(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range tidyAfter + 1000 {
		if _, err := js.Publish(t.Context(), "beside", fmt.Appendf(nil, "%08d", i)); err != nil {
			t.Fatal(err)
		}
		if got := do(t, c); got != fmt.Sprintf("%08d", i) {
			t.Fatalf("instead of message %d comes %s", i, got)
		}
	}
	stop()
	wg.Wait()
	if i, err := s.stream.Info(t.Context()); err != nil || i.State.Msgs != 0 || i.State.LastSeq != tidyAfter+1000 || times < 10 {
		t.Errorf("%+v after %d times, %v", i.State, times, err)
	}
}

// TestEntriesApart: a table with an entry for each record does not lie among the
// pages of the others.
func TestEntriesApart(t *testing.T) {
	q := open(t, Options{Dir: t.TempDir()})
	entries, err := q.Table(t.Context(), table.Options{Name: "entries"})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := q.Table(t.Context(), table.Options{Name: "pages", Pages: 1})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := errors.Join(entries.Put(t.Context(), fmt.Sprint(n), nil), pages.Put(t.Context(), fmt.Sprint(n), nil)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]uint64{"KV_SPILLGATE_TABLE_ENTRIES": 3, "KV_" + recordsBucket: 1} {
		s, err := q.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if i, err := s.Info(t.Context(), jetstream.WithSubjectFilter("$KV.>")); err != nil || uint64(len(i.State.Subjects)) != want+probes(i) {
			t.Errorf("%s has %v, %v", name, i.State.Subjects, err)
		}
	}
}

// probes counts what heal has written to the table of what is done.
func probes(i *jetstream.StreamInfo) (n uint64) {
	for subject := range i.State.Subjects {
		if strings.Contains(subject, ".done.") {
			n++
		}
	}
	return n
}
