package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// source gives incidents one by one, and counts how often. Before each reading it
// may change them.
type source struct {
	all      []*Incident
	readings int
	change   func(reading int)
}

func (s *source) each(ctx context.Context, f func(*Incident) error) error {
	if s.readings++; s.change != nil {
		s.change(s.readings)
	}
	for _, i := range s.all {
		if err := f(i); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// TestListInOrder lists incidents with more and with less room, and has them change
// between the readings.
func TestListInOrder(t *testing.T) {
	const n = 100
	for _, tc := range []struct {
		name     string
		most     int
		open     bool
		change   func(s *source, reading int)
		readings int // at least; 1 is exact
		lacks    []string
	}{
		{name: "all fit", most: 1 << 20, readings: 1},
		{name: "some fit", most: 1000, readings: 3},
		{name: "one fits", most: 1, readings: n},
		{name: "one is gone", most: 1000, readings: 3, lacks: []string{"id 50"},
			change: func(s *source, reading int) {
				s.all = slices.DeleteFunc(s.all, func(i *Incident) bool { return i.ID == "id 50" })
			}},
		{name: "one is closed", most: 1000, readings: 3,
			change: func(s *source, reading int) { closeOf(s, "id 50") }},
		{name: "one is closed, and open ones are listed", most: 1000, open: true, readings: 3, lacks: []string{"id 50"},
			change: func(s *source, reading int) { closeOf(s, "id 50") }},
		{name: "one is new", most: 1000, readings: 3, change: func(s *source, reading int) { s.all = append(s.all, lived("new", noon, Found)) }},
	} {
		s, want := filled(n, tc.lacks)
		x, err := NewIndex(t.Context(), s.each)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(s.all) // the store knows no order
		s.readings = 0
		if tc.change != nil {
			s.change = func(reading int) { tc.change(s, reading) }
		}
		var got []string
		err = list(t.Context(), s.each, x.Lines, tc.open, tc.most, func(text []byte) error {
			var i Incident
			if err := json.Unmarshal(text, &i); err != nil || i.Facts != nil || i.Plan != nil || string(i.Verdict) != `{"severity":"low"}` {
				t.Errorf("%s: %v in %s", tc.name, err, text)
			}
			got = append(got, i.ID)
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\ngot  %s\nwant %s", tc.name, err, strings.Join(got, ", "), strings.Join(want, ", "))
		}
		if s.readings < tc.readings || tc.readings == 1 && s.readings != 1 || s.readings > n {
			t.Errorf("%s: read %d times, want %d", tc.name, s.readings, tc.readings)
		}
	}
}

// filled is a source of incidents, the newest first. want are their ids without
// those that will be lacking.
func filled(n int, lacks []string) (s *source, want []string) {
	s = new(source)
	for k := range n {
		i := lived(fmt.Sprintf("id %02d", k), noon.Add(-time.Duration(k)*time.Minute), Found, Enriched)
		i.Facts, i.Plan, i.Verdict = []byte(`{"a":1}`), []byte(`[]`), []byte(`{"severity":"low"}`)
		s.all = append(s.all, i)
		if !slices.Contains(lacks, i.ID) {
			want = append(want, i.ID)
		}
	}
	return s, want
}

// closeOf closes an incident.
func closeOf(s *source, id string) {
	for _, i := range s.all {
		if i.ID == id && i.Open() {
			i.Timeline = append(i.Timeline, Entry{Stage: Closed, At: noon})
		}
	}
}

// TestListHoldsLittle: what is held while many are listed stays within bounds.
func TestListHoldsLittle(t *testing.T) {
	const most = 10_000
	var all []*Incident
	for k := range 500 {
		i := lived(fmt.Sprintf("%032x", k), noon.Add(time.Duration(k*7%500)*time.Second), Found)
		i.Fix = strings.Repeat(fmt.Sprint(k), 1+k%50)
		all = append(all, i)
	}
	x, err := NewIndex(t.Context(), of(all...))
	if err != nil {
		t.Fatal(err)
	}
	b := newBatch(x.Lines, false, most, newSqueezer())
	for _, i := range all {
		if err := b.add(i); err != nil {
			t.Fatal(err)
		}
		held := 0
		for _, h := range b.held {
			held += len(h)
		}
		if held > most || held != b.bytes {
			t.Fatalf("%d bytes are held and %d counted, of at most %d", held, b.bytes, most)
		}
	}
	if b.end < 20 || b.end == len(x.Lines) || slices.ContainsFunc(b.held[:b.end], func(h []byte) bool { return h == nil }) {
		t.Errorf("%d of %d are in the batch", b.end, len(x.Lines))
	}
}

// TestListErrors: a store that cannot be read on, and a reader who is gone.
func TestListErrors(t *testing.T) {
	s := &source{}
	for k := range 100 {
		s.all = append(s.all, lived(fmt.Sprint(k), noon, Found))
	}
	x, err := NewIndex(t.Context(), s.each)
	if err != nil {
		t.Fatal(err)
	}
	s.readings = 0
	ctx, cancel := context.WithCancel(t.Context())
	s.change = func(reading int) {
		if reading == 3 {
			cancel()
		}
	}
	given := 0
	err = list(ctx, s.each, x.Lines, false, 300, func([]byte) error { given++; return nil })
	if !errors.Is(err, context.Canceled) || given == 0 || given == len(x.Lines) {
		t.Errorf("a store that ends in the middle: %v, after %d", err, given)
	}
	gone := errors.New("gone")
	if err := list(t.Context(), s.each, x.Lines, false, 300, func([]byte) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("a reader who is gone: %v", err)
	}
}

// TestSqueezer: every text comes back, whatever the first one was.
func TestSqueezer(t *testing.T) {
	long := strings.Repeat("as long as no window is ", 4000)
	for _, texts := range [][]string{{"a", "", "a", long, "b"}, {"", "a"}, {long, "a", long + "b", long[40_000:]}, {"\x00\xff", "\xff"}} {
		z := newSqueezer()
		var held [][]byte
		for _, text := range texts {
			held = append(held, z.squeeze([]byte(text)))
		}
		for n, h := range held {
			if back, err := z.expand(h); err != nil || string(back) != texts[n] {
				t.Errorf("%.20q after %.20q is %.20q, %v", texts[n], texts[0], back, err)
			}
		}
	}
}
