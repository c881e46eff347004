package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/table"
)

// plan makes a plan of what this server may do, and claims its actions. What
// another server claims while this one plans is planned again without; and
// where all servers together have done what a day allows, with a history that
// says so.
func (r *Responder) plan(ctx context.Context, all []*live.Facts, ledger *live.Ledger) (*live.Plan, error) {
	var elsewhere live.Entries
	for {
		plan, err := live.NewPlan(all, r.Operator, live.Histories{ledger, elsewhere}, time.Now())
		if err != nil {
			return nil, err
		}
		taken := false
		for i := range plan.Actions {
			a := &plan.Actions[i]
			if a.Kind == live.NarrowPolicy || r.Claims == nil {
				continue
			}
			mine, since, err := r.claim(ctx, a)
			switch {
			case errors.Is(err, errCap):
				taken = true
				for range r.Operator.PerDay() {
					elsewhere = append(elsewhere, &live.Entry{State: live.Abandoned, Intent: time.Now(), Note: "done by all servers together"})
				}
			case err != nil:
				return nil, err
			case !mine:
				taken = true
				elsewhere = append(elsewhere, &live.Entry{ID: a.ID(), Action: *a, State: live.Abandoned, Intent: since, Note: "another server has begun it"})
			}
		}
		if !taken {
			return plan, nil
		}
	}
}

// claim reports whether this server may carry out the action: it is the first
// to claim it, or claimed it before. A first claim counts for the day; errCap
// says that the day's are used up.
func (r *Responder) claim(ctx context.Context, a *live.Action) (mine bool, since time.Time, err error) {
	first, err := r.Claims.Get(ctx, a.ID())
	if err != nil {
		return false, time.Time{}, fmt.Errorf("reading who claimed a response: %w", err)
	}
	if first == nil {
		// Counted first: what dies in between counts for nothing done, which
		// errs to the side of doing less.
		if err := r.count(ctx, time.Now()); err != nil {
			return false, time.Time{}, err
		}
		first, err = r.Claims.Change(ctx, a.ID(), func(old *table.Record) ([]byte, error) {
			if old != nil {
				return nil, nil // another server was faster
			}
			return []byte(r.Name), nil
		})
		if err != nil {
			return false, time.Time{}, fmt.Errorf("claiming a response: %w", err)
		}
	}
	return string(first.Value) == r.Name, first.At, nil
}

// capKey is where the table of claims holds how many were made in each hour of
// the last day, by all servers.
const capKey = "claimed-by-hour"

var errCap = errors.New("the servers together have reached the cap of a day")

// count counts a claim, unless the cap of 24 hours is reached. Hours are counted
// as a whole, so that a claim counts for up to an hour longer.
func (r *Responder) count(ctx context.Context, now time.Time) error {
	hour := func(t time.Time) string { return t.UTC().Format("2006-01-02T15") }
	_, err := r.Claims.Change(ctx, capKey, func(old *table.Record) ([]byte, error) {
		hours := map[string]int{}
		if old != nil {
			if err := json.Unmarshal(old.Value, &hours); err != nil {
				return nil, fmt.Errorf("reading how many responses there were: %w", err)
			}
		}
		total := 0
		for at, n := range hours {
			if at < hour(now.Add(-24*time.Hour)) {
				delete(hours, at)
				continue
			}
			total += n
		}
		if total >= r.Operator.PerDay() {
			return nil, errCap
		}
		hours[hour(now)]++
		return json.Marshal(hours)
	})
	if err != nil && !errors.Is(err, errCap) {
		return fmt.Errorf("counting a response: %w", err)
	}
	return err
}
