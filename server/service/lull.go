package service

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A lull is when no delivery is being answered, and none was a moment ago. A
// server that starts again after a crash has everything to go on with at once:
// pushes, messages, its ledger. It begins with each in a lull, since hosts have
// little patience and what comes of their deliveries can wait.
type lull struct {
	mu       sync.Mutex
	inFlight int
	last     time.Time // when the last one was answered
}

const (
	// lullAfter is how long after the last answer there is a lull.
	lullAfter = 50 * time.Millisecond
	// lullWait is how long something waits for one at most: on a busy day there
	// is none.
	lullWait = 500 * time.Millisecond
	lullLook = 10 * time.Millisecond
)

// watch counts the deliveries that h answers.
func (l *lull) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.count(1)
		defer l.count(-1)
		h.ServeHTTP(w, r)
	})
}

func (l *lull) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight += n
	l.last = time.Now()
}

// wait waits for a lull that begins now at the earliest, for lullWait at most, or
// until ctx ends.
func (l *lull) wait(ctx context.Context) {
	begun := time.Now()
	tick := time.NewTicker(lullLook)
	defer tick.Stop()
	for time.Since(begun) < lullWait && !l.quiet(begun) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// quiet reports whether there is a lull, and was none before the time.
func (l *lull) quiet(since time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.After(since) {
		since = l.last
	}
	return l.inFlight == 0 && time.Since(since) >= lullAfter
}
