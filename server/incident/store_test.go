package incident_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
)

func newStore(t *testing.T) *incident.Store {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	kv, err := q.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	return incident.NewStore(kv)
}

const id = "0123456789abcdef0123456789abcdef"

func found(n int) (incident.Incident, incident.Place) {
	return incident.Incident{ID: id, Title: "AWS KMS key ARN", Severity: "medium"},
		incident.Place{Source: "hub", Repository: "team/app", Path: fmt.Sprint("f", n), Line: 1, Commit: "c"}
}

// TestOnePlaceOnce has several workers record the same places at once: each is
// there once, and the incident is opened once.
func TestOnePlaceOnce(t *testing.T) {
	s := newStore(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 5 {
				i, p := found(n)
				if _, err := s.Found(t.Context(), i, p, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	i, err := s.Get(t.Context(), id)
	if err != nil || len(i.Places) != 5 || i.Occurrences != 5 || i.Openings() != 1 {
		t.Fatalf("got %+v, %v", i, err)
	}
}

func TestLife(t *testing.T) {
	s := newStore(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Now = func() time.Time { now = now.Add(time.Second); return now }
	i, p := found(1)
	if _, err := s.Found(t.Context(), i, p, now); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as after a crash
		for _, e := range []incident.Entry{{Stage: incident.Enriched}, {Stage: incident.Responded, Key: "a"}, {Stage: incident.Responded, Key: "b"}, {Stage: incident.Confirmed, Key: "a"}} {
			if _, err := s.Advance(t.Context(), id, e, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var stages []string
	for n, e := range got.Timeline {
		stages = append(stages, string(e.Stage))
		if n > 0 && e.At.Before(got.Timeline[n-1].At) {
			t.Errorf("entry %d is before the one above it", n)
		}
	}
	if all := strings.Join(stages, " "); all != "pushed found enriched responded responded confirmed" {
		t.Errorf("timeline: %s", all)
	}
	if got, err = s.Close(t.Context(), id[:6], "ann", "done"); err != nil || got.Open() {
		t.Fatalf("closed: %+v, %v", got, err)
	}
	entries := len(got.Timeline)
	if got, err = s.Close(t.Context(), id, "bob", "again"); err != nil || len(got.Timeline) != entries {
		t.Errorf("closed twice: %+v, %v", got, err)
	}
	// In the place that is known the secret is still there, and no news.
	if got, err = s.Found(t.Context(), i, p, now); err != nil || got.Open() {
		t.Errorf("found where it was: %+v, %v", got, err)
	}
	i, p = found(2)
	if got, err = s.Found(t.Context(), i, p, now); err != nil || !got.Open() || got.Openings() != 2 {
		t.Errorf("found elsewhere: %+v, %v", got, err)
	}
}

func TestManyPlaces(t *testing.T) {
	s := newStore(t)
	for n := range incident.MaxPlaces + 3 {
		i, p := found(n)
		if _, err := s.Found(t.Context(), i, p, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	i, err := s.Get(t.Context(), id)
	if err != nil || len(i.Places) != incident.MaxPlaces || i.Occurrences != incident.MaxPlaces+3 {
		t.Errorf("%d places listed, %d counted, %v", len(i.Places), i.Occurrences, err)
	}
}

func TestUnknown(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{"", "none", "a.b", "*", ">", "../x", strings.Repeat("x", 5000)} {
		if _, err := s.Get(t.Context(), id); !errors.Is(err, incident.ErrNotFound) {
			t.Errorf("Get(%.10q): %v, want %v", id, err, incident.ErrNotFound)
		}
	}
	i, p := found(1)
	for _, other := range []string{"aaaa1", "aaaa2"} {
		i.ID = other
		if _, err := s.Found(t.Context(), i, p, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Get(t.Context(), "aaaa"); err == nil || errors.Is(err, incident.ErrNotFound) {
		t.Errorf("an id that stands for two: %v", err)
	}
	// A whole id is not looked for as the beginning of another: all incidents
	// would be read for each.
	i.ID = strings.Repeat("b", 40)
	if _, err := s.Found(t.Context(), i, p, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), i.ID[:31]); err != nil {
		t.Errorf("an id that is cut short: %v", err)
	}
	if _, err := s.Get(t.Context(), i.ID[:32]); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("a whole id that no incident has: %v", err)
	}
	if _, err := s.Advance(t.Context(), "none", incident.Entry{Stage: incident.Closed}, nil); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("Advance of nothing: %v", err)
	}
}

// TestEach: every incident comes once, with all that is known of it, and the end
// comes.
func TestEach(t *testing.T) {
	s := newStore(t)
	if err := s.Each(t.Context(), func(*incident.Incident) error { return errors.New("there is none") }); err != nil {
		t.Fatal(err)
	}
	const n = 300
	for k := range n {
		i, p := found(k)
		i.ID = fmt.Sprintf("%032x", k)
		i.Facts = []byte(`{"k":1}`)
		if _, err := s.Found(t.Context(), i, p, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	err := s.Each(t.Context(), func(i *incident.Incident) error {
		if len(i.Facts) == 0 {
			t.Errorf("%s lacks its facts", i.ID)
		}
		seen[i.ID]++
		return nil
	})
	if err != nil || len(seen) != n {
		t.Fatalf("%d of %d seen, %v", len(seen), n, err)
	}
	enough := errors.New("enough")
	if err := s.Each(t.Context(), func(*incident.Incident) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

// TestIndexIsKept: who takes one of an age does not have the store read for it
// again, except for what was closed; who takes none of an age does.
func TestIndexIsKept(t *testing.T) {
	s := newStore(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Now = func() time.Time { return now }
	i, p := found(1)
	if _, err := s.Found(t.Context(), i, p, now); err != nil {
		t.Fatal(err)
	}
	index := func(age time.Duration) *incident.Index {
		x, err := s.Index(t.Context(), age)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	first := index(0)
	now = now.Add(1900 * time.Millisecond)
	if index(2*time.Second) != first {
		t.Error("it is made anew before two seconds are over")
	}
	if _, err := s.Close(t.Context(), id, "ann", "done"); err != nil {
		t.Fatal(err)
	}
	second := index(time.Minute)
	if second.Lines[0].Open() || !first.Lines[0].Open() {
		t.Errorf("after the close it is %s, and in the earlier index %s", second.Lines[0].Stage, first.Lines[0].Stage)
	}
	now = now.Add(time.Millisecond)
	third := index(0)
	if third == second {
		t.Error("one of now is of before")
	}
	now = now.Add(2001 * time.Millisecond)
	fourth := index(2 * time.Second)
	if fourth == third {
		t.Error("it is not made anew after two seconds")
	}
	now = now.Add(-time.Hour)
	if index(2*time.Second) == fourth {
		t.Error("it is not made anew when the clock was put back")
	}
	now = now.Add(3 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Index(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("who asks no more: %v", err)
	}
	index(0) // nothing is held up by that
}

// TestIndexTogether: of several who ask at once one reads, and the others get what
// it read if it began after they asked.
func TestIndexTogether(t *testing.T) {
	s := newStore(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Now = func() time.Time { return now }
	i, p := found(1)
	if _, err := s.Found(t.Context(), i, p, now); err != nil {
		t.Fatal(err)
	}
	var all [8]*incident.Index
	var wg sync.WaitGroup
	for n := range all {
		wg.Go(func() { all[n], _ = s.Index(t.Context(), 0) })
	}
	wg.Wait()
	for _, x := range all {
		if x == nil || x != all[0] || len(x.Lines) != 1 {
			t.Fatalf("of several who ask at once one got %+v", x)
		}
	}
}

// packed returns an incident as an earlier version stored it.
func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteByte(1)
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPacked: what earlier versions stored is read, and what is damaged is an
// error and no other incident.
func TestPacked(t *testing.T) {
	q, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	kv, err := q.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	s := incident.NewStore(kv)
	text := `{"id":"plain","title":"of an earlier version"}`
	for key, value := range map[string][]byte{
		"plain": []byte(text), "packed": packed(t, text), "empty": {}, "torn": packed(t, text)[:9], "other": []byte("\x02{}"),
	} {
		if err := kv.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"plain", "packed"} {
		if i, err := s.Get(t.Context(), key); err != nil || i.Title != "of an earlier version" {
			t.Errorf("%s: got %+v, %v", key, i, err)
		}
	}
	for _, key := range []string{"empty", "torn", "other"} {
		if i, err := s.Get(t.Context(), key); err == nil || errors.Is(err, incident.ErrNotFound) {
			t.Errorf("%s: got %+v, %v", key, i, err)
		}
	}
}
