package respond

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// DefaultAskFor is for how long an incident is asked about where nobody says.
const DefaultAskFor = 7 * 24 * time.Hour

const (
	// firstAgain is the wait before AWS is asked again for the first time. Each is
	// twice the one before it, up to lastAgain, give or take a fifth.
	firstAgain = 5 * time.Minute
	lastAgain  = 6 * time.Hour
	// mostBetween is how long there is between two sweeps at most: by then is found
	// what another server of a cluster has left.
	mostBetween = 30 * time.Minute
	// readAtMost bounds what reading all incidents takes: of so much time one part.
	readAtMost = 50
	// runOf is how many incidents are answered by one plan at most: what the
	// operator caps for a run is capped for it.
	runOf = 16
	// maxDue bounds how many incidents one sweep takes up. The next one takes up
	// the others.
	maxDue = 256
)

// again is what AskAgain needs. Its zero value will do; tests set the clock.
type again struct {
	clock   func() time.Time // nil for time.Now
	between time.Duration    // at least, between two sweeps; 0 for a minute
	pace    time.Duration    // between two runs of a sweep; 0 for a second, since AWS's quotas are not for us alone

	once  sync.Once
	began chan struct{} // see waitingBegan
}

func (a *again) now() time.Time {
	if a.clock != nil {
		return a.clock().UTC()
	}
	return time.Now().UTC()
}

// waitingBegan returns what gets a value when an incident begins to wait.
func (a *again) waitingBegan() chan struct{} {
	a.once.Do(func() { a.began = make(chan struct{}, 1) })
	return a.began
}

// wait returns what an incident has that begins to wait; nil where nobody asks again.
func (r *Responder) wait(why string) *incident.Waiting {
	if r.AskFor <= 0 {
		return nil
	}
	select {
	case r.again.waitingBegan() <- struct{}{}:
	default:
	}
	now := r.again.now()
	return &incident.Waiting{Why: why, Since: now, Next: now.Add(againIn(0))}
}

// againIn returns how long it is until AWS is asked again about what it was asked
// about again so many times.
func againIn(times int) time.Duration {
	d := lastAgain
	if times < 10 {
		d = min(firstAgain<<times, lastAgain)
	}
	return d*4/5 + rand.N(d*2/5+1)
}

// AskAgain asks again, until ctx ends, about open incidents of which not all is
// known, and has those answered whose answer is allowed and could not be begun: a
// push is tried some times and then let go, and what it brought would stay unjudged
// until somebody happens to push it once more.
//
// What an incident waits for, and until when, stands in the incident. A server takes
// it by writing into it when it is asked next after this time. So of several servers
// one asks, and what one had taken that was killed is asked again at that time. What
// is found out goes the way of what a push brings: verdict, plan, claim, ledger.
func (r *Responder) AskAgain(ctx context.Context) {
	if r.AskFor <= 0 {
		return
	}
	// Not at once: a server that starts has more urgent things to do than to read
	// all incidents.
	next := cmp.Or(r.FirstSweep, time.Minute)
	for {
		begun := time.Now()
		t := time.NewTimer(next)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-r.again.waitingBegan():
			t.Stop()
			next = min(max(next-time.Since(begun), 0), firstAgain)
			continue
		case <-t.C:
		}
		soonest, err := r.sweep(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			r.Log.Warn("asking again about what is not known", "err", err)
			soonest = firstAgain
		}
		next = max(soonest, cmp.Or(r.again.between, time.Minute))
		next += rand.N(next/10 + 1) // several servers that were started together
	}
}

// A due is an incident that is to be asked about, and since when.
type due struct {
	id   string
	next time.Time
}

// longest returns the n that are due for the longest.
func longest(all []due, n int) []due {
	slices.SortFunc(all, func(a, b due) int { return a.next.Compare(b.next) })
	return all[:min(n, len(all))]
}

// sweep looks through all incidents, asks about those that are due, and returns how
// long it is until the next ones may be. It holds the names of some.
func (r *Responder) sweep(ctx context.Context) (soonest time.Duration, err error) {
	now, begun := r.again.now(), time.Now()
	soonest = mostBetween
	var all []due
	var over []string
	left := false
	err = r.Incidents.Each(ctx, func(i *incident.Incident) error {
		w := r.waits(i)
		switch {
		case w == nil:
		case now.Sub(w.Since) > r.AskFor && len(over) == maxDue:
			left = true
		case now.Sub(w.Since) > r.AskFor:
			over = append(over, i.ID)
		case w.Next.After(now):
			soonest = min(soonest, w.Next.Sub(now))
		default:
			if all = append(all, due{i.ID, w.Next}); len(all) == 4*maxDue {
				all, left = longest(all, maxDue), true
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	reading := time.Since(begun)
	for _, id := range over {
		if err := r.end(ctx, id); err != nil {
			return 0, err
		}
	}
	left = left || len(all) > maxDue
	all = longest(all, maxDue)
	quiet := silence{}
	for run := range slices.Chunk(all, runOf) {
		if err := r.askRun(ctx, run, quiet); err != nil {
			return 0, err
		}
		if !pause(ctx, cmp.Or(r.again.pace, time.Second)) {
			return 0, ctx.Err()
		}
	}
	switch {
	case left:
		soonest = 0
	case len(all) > 0:
		soonest = min(soonest, firstAgain)
	}
	return max(soonest, readAtMost*reading), nil
}

// pause reports false where ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
