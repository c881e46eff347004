package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// of gives the incidents one by one, as a store does.
func of(all ...*Incident) func(context.Context, func(*Incident) error) error {
	return func(_ context.Context, f func(*Incident) error) error {
		for _, i := range all {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
}

// lived makes an incident that got to each of the stages a minute after the one
// before.
func lived(id string, at time.Time, stages ...Stage) *Incident {
	i := &Incident{ID: id, Severity: "medium", Places: []Place{{Repository: "team/app"}}}
	for n, s := range stages {
		i.Timeline = append(i.Timeline, Entry{Stage: s, At: at.Add(time.Duration(n) * time.Minute)})
	}
	return i
}

func TestIndex(t *testing.T) {
	judged := lived("judged", noon.Add(time.Second), Found, Enriched)
	judged.Verdict = []byte(`{"severity":"critical"}`)
	judged.Places = []Place{{Repository: "b"}, {Repository: "a"}, {Repository: "b"}}
	zone := time.FixedZone("", 3600)
	x, err := NewIndex(t.Context(), of(
		lived("old", noon.Add(-time.Hour), Found, Noted),
		lived("b", noon.In(zone), Found),
		lived("a", noon, Found),
		judged,
		lived("again", noon.Add(-time.Minute), Found, Closed, Found),
		&Incident{ID: "bare"},
		lived("closed", noon.Add(time.Hour), Pushed, Found, Closed),
	))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range x.Lines {
		words := []string{l.ID, string(l.Stage), l.Severity, l.Found.Format("15:04:05")}
		for _, n := range l.Repositories {
			words = append(words, x.Repositories[n])
		}
		got = append(got, strings.Join(words, " "))
	}
	want := []string{
		"judged enriched critical 12:00:01 b a",
		"a found medium 12:00:00 team/app",
		"b found medium 12:00:00 team/app",
		"again found medium 11:59:00 team/app",
		"old found medium 11:00:00 team/app",
		"bare found  00:00:00",
		"closed closed medium 13:01:00 team/app",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	torn := errors.New("torn")
	if _, err := NewIndex(t.Context(), func(context.Context, func(*Incident) error) error { return torn }); !errors.Is(err, torn) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

// TestPaces: the time to a step counts from the push, or from the finding; and
// ten thousand years are not more than can be counted.
func TestPaces(t *testing.T) {
	years := make([]*Incident, 10_000)
	for n := range years {
		years[n] = lived(fmt.Sprint(n), noon, Found)
		years[n].Timeline = append(years[n].Timeline, Entry{Stage: Closed, At: noon.AddDate(1, 0, 0)})
	}
	for _, tc := range []struct {
		name string
		all  []*Incident
		want string
	}{
		{"none", nil, ""},
		{"from the push", []*Incident{lived("a", noon, Pushed, Found, Enriched, Planned)}, "found 1m0s of 1, enriched 2m0s of 1, planned 3m0s of 1"},
		{"from the finding", []*Incident{lived("a", noon, Found, Enriched), lived("b", noon, Found, Responded, Enriched)}, "enriched 1m30s of 2, responded 1m0s of 1"},
		{"nothing known", []*Incident{{ID: "a"}}, ""},
		{"before the push", []*Incident{lived("a", noon, Found, Pushed)}, "found 0s of 1"},
		{"the first time", []*Incident{lived("a", noon, Found, Closed, Found, Closed)}, "closed 1m0s of 1"},
		{"years", years, "closed 8760h0m0s of 10000"},
	} {
		x, err := NewIndex(t.Context(), of(tc.all...))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range x.Paces {
			if p.N > 0 || p.Mean() != 0 {
				got = append(got, fmt.Sprintf("%s %s of %d", p.Stage, p.Mean(), p.N))
			}
		}
		if all := strings.Join(got, ", "); all != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, all, tc.want)
		}
	}
}

// TestIndexIsSmall: an index keeps a line of each incident, and nothing of what is
// large in it.
func TestIndexIsSmall(t *testing.T) {
	const n, most = 5000, 200
	facts := []byte(`{"policy":"` + strings.Repeat("x", 4096) + `"}`)
	alive := func() int64 {
		runtime.GC()
		runtime.GC() // what was in pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := alive()
	x, err := NewIndex(t.Context(), func(_ context.Context, f func(*Incident) error) error {
		for k := range n {
			i := lived(fmt.Sprintf("%032x", k), noon.Add(time.Duration(k)*time.Second).In(time.FixedZone("", k%1000)), Pushed, Found, Enriched)
			i.Facts, i.Plan = facts, facts
			i.Places[0].Repository = fmt.Sprint("team/", k%300)
			// As it comes from the store: nothing of it is anybody else's.
			stored, err := json.Marshal(i)
			if err != nil {
				return err
			}
			if i, err = unpack(stored); err != nil {
				return err
			}
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(x.Lines) != n {
		t.Fatalf("%d lines, %v", len(x.Lines), err)
	}
	if each := (alive() - before) / n; each > most {
		t.Errorf("a line takes %d bytes, want at most %d", each, most)
	} else {
		t.Logf("a line takes %d bytes", each)
	}
	runtime.KeepAlive(x)
}
