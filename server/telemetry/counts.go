package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// A tally is how many incidents are open, by severity, and how many of them wait
// for AWS to be asked again.
type tally struct {
	open    map[string]int
	waiting int
}

// counts keep the last tally. All incidents must be read
// for it, and whoever may ask for metrics may ask as often as he likes. So they are
// read at most twice a minute and for a twentieth of the time (half of it where it
// fails), and beside the requests: one that comes meanwhile gets what was counted
// last, unless that is long ago.
type counts struct {
	// now is the clock; nil for time.Now.
	now func() time.Time

	mu   sync.Mutex
	last *tally // nil before the first one, and after one that failed
	err  error
	// next is when they may be read again; until late, last is given meanwhile.
	next, late time.Time
	// reading is closed when a reading is done, and nil while nobody reads.
	reading chan struct{}
}

const (
	// countEvery is for how long a count holds at least.
	countEvery = 30 * time.Second
	// countShare is how many times as long as its reading took a count holds
	// at least.
	countShare = 20
	// countFor bounds the reading.
	countFor = 2 * time.Minute
)

// get returns the last count, and has it made anew if it is old.
func (c *counts) get(ctx context.Context, incidents Incidents) (*tally, error) {
	c.mu.Lock()
	now := c.clock()
	if c.reading == nil && !now.Before(c.next) {
		c.reading = make(chan struct{})
		go c.read(incidents)
	}
	last, err, reading, late := c.last, c.err, c.reading, now.After(c.late)
	c.mu.Unlock()
	if reading == nil || last != nil && !late {
		return last, err
	}
	select {
	case <-reading:
	case <-ctx.Done():
		return nil, fmt.Errorf("counting incidents: %w", ctx.Err())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last, c.err
}

func (c *counts) clock() time.Time {
	if c.now != nil {
		return c.now()
	}
	return time.Now()
}

func (c *counts) read(incidents Incidents) {
	ctx, cancel := context.WithTimeout(context.Background(), countFor)
	defer cancel()
	begun := c.clock()
	last, err := count(ctx, incidents)
	now := c.clock()
	holds := now.Sub(begun)
	if err == nil {
		holds *= countShare
	}
	holds = max(holds, countEvery)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last, c.err, c.next, c.late = last, err, now.Add(holds), now.Add(2*holds)
	close(c.reading)
	c.reading = nil
}

// count reads all incidents.
func count(ctx context.Context, incidents Incidents) (*tally, error) {
	t := &tally{open: map[string]int{"info": 0, "low": 0, "medium": 0, "high": 0, "critical": 0}}
	err := incidents.Each(ctx, func(i *incident.Incident) error {
		if !i.Open() {
			return nil
		}
		severity := i.Judgement().Severity
		if _, known := t.open[severity]; !known {
			severity = "medium" // what the gate holds at, for a word from elsewhere
		}
		t.open[severity]++
		if i.Waits() != nil {
			t.waiting++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}
