package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// store gives n open incidents, and counts how often it is read.
type store struct {
	mu       sync.Mutex
	n, reads int
	err      error
	begun    chan struct{} // if not nil, gets a value when a reading begins
	hold     chan struct{} // if not nil, a reading takes a value to end
}

func (s *store) Each(_ context.Context, f func(*incident.Incident) error) error {
	s.mu.Lock()
	s.reads++
	n, err := s.n, s.err
	s.mu.Unlock()
	if s.begun != nil {
		s.begun <- struct{}{}
	}
	if s.hold != nil {
		<-s.hold
	}
	for range n {
		i := &incident.Incident{Severity: "high", Waiting: &incident.Waiting{Why: "AWS gave no answer"}}
		if err := f(i); err != nil {
			return err
		}
	}
	return err
}

// TestScrapedOften: whoever asks again and again for metrics does not have all
// incidents read each time, nor when that fails.
func TestScrapedOften(t *testing.T) {
	for _, s := range []*store{{n: 1}, {err: errors.New("no route")}} {
		h := NewMetrics(Options{Incidents: s, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}).Handler()
		for range 20 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			for _, line := range []string{`spillgate_incidents_open{severity="high"} 1`, "\nspillgate_incidents_waiting 1\n"} {
				if text := w.Body.String(); strings.Contains(text, line) != (s.err == nil) {
					t.Fatalf("%v: code %d\n%s", s.err, w.Code, text)
				}
			}
		}
		if s.reads != 1 {
			t.Errorf("%v: read %d times for 20 requests", s.err, s.reads)
		}
	}
}

// TestCounts follows a count: made, given again, given once more while the next one
// is made, and waited for when it is of long ago.
func TestCounts(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := &counts{now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }}
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	s := &store{n: 1, begun: make(chan struct{}, 1), hold: make(chan struct{}, 1)}
	get := func(what string, want int) {
		t.Helper()
		if last, err := c.get(t.Context(), s); err != nil || last.open["high"] != want {
			t.Fatalf("%s: %v, %v, want %d", what, last, err, want)
		}
	}
	s.hold <- struct{}{}
	get("at first", 1)
	<-s.begun
	s.n = 2
	pass(29 * time.Second)
	get("of half a minute", 1)
	pass(2 * time.Second)
	get("while the next is made", 1)
	<-s.begun
	get("while the next is still made", 1)
	pass(3 * time.Second) // which is how long it takes
	reading := c.reading
	s.hold <- struct{}{}
	<-reading
	get("when it is made", 2)
	s.n = 3
	pass(59 * time.Second)
	get("of a minute, which is not long for what takes three seconds", 2)
	pass(70 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if open, err := c.get(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait gets %v, %v", open, err)
	}
	<-s.begun
	s.hold <- struct{}{}
	get("of long ago", 3)
	s.err = errors.New("no route")
	pass(time.Hour)
	s.hold <- struct{}{}
	if last, err := c.get(t.Context(), s); err == nil || last != nil {
		t.Errorf("where it cannot be read: %v, %v", last, err)
	}
	<-s.begun
	if s.reads != 4 {
		t.Errorf("read %d times", s.reads)
	}
}
