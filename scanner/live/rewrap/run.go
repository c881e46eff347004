package rewrap

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A Worker carries items out. Its methods are called concurrently for different
// items.
type Worker interface {
	// Change brings the item under the plan's new key, once and without retries
	// that could repeat the change. Before a file is replaced it calls prepared
	// with the SHA-256 of what is going to be there. An error that wraps
	// ErrChanged says that the item is not what was planned.
	Change(ctx context.Context, p *Plan, it *Item, prepared func(digest string) error) error
	// Check reads back what the item is now. prepared is what Change has said
	// in this or an earlier run, or empty.
	Check(ctx context.Context, p *Plan, it *Item, prepared string) (Found, error)
}

// ErrChanged says that an item is not what was planned: somebody has changed
// it since.
var ErrChanged = errors.New("it is no longer what was planned")

// Found is what a look at an item shows.
type Found struct {
	// Is tells the old state from the new one; neither means that somebody else
	// has changed the item.
	Is Side
	// Evidence says how that is known, for people.
	Evidence string
}

// A Side of a change.
type Side int

// The sides.
const (
	Neither Side = iota
	Old
	New
)

// An Outcome is what came of one item.
type Outcome struct {
	Place string `json:"place"`
	State State  `json:"state"`
	Note  string `json:"note,omitempty"`
}

// Options bound a run. The zero value is the default.
type Options struct {
	// Jobs is how many items are changed at a time; 0 is 4.
	Jobs int
	// Failures in succession stop the run; 0 is 5.
	Failures int
	// Each is told the outcome of each item, one call at a time.
	Each func(Outcome)
}

// A Result is what came of a run.
type Result struct {
	// Done and the others count items of the plan, those of earlier runs
	// included. Left are those that were not begun.
	Done, Failed, Changed, Left, ByHand int
	// Stopped says why the run ended early; empty if it did not.
	Stopped string
}

// Complete reports whether every item that the plan changes is under the new
// key.
func (r Result) Complete() bool { return r.Failed == 0 && r.Changed == 0 && r.Left == 0 }

// Run carries out what the ledger's plan says and the ledger does not hold as
// done. It returns the error of the context if that was cancelled, and that of
// the ledger if it cannot be written: nothing is changed then.
func Run(ctx context.Context, l *Ledger, w Worker, o Options) (Result, error) {
	if o.Jobs <= 0 {
		o.Jobs = 4
	}
	if o.Failures <= 0 {
		o.Failures = 5
	}
	p := l.Plan()
	if p == nil {
		return Result{}, fmt.Errorf("the ledger %s holds no plan", l.path)
	}
	r := &run{ledger: l, worker: w, options: o, plan: p}
	items := make(chan int)
	var wg sync.WaitGroup
	for range min(o.Jobs, max(1, len(p.Items))) {
		wg.Go(func() {
			for i := range items {
				r.one(ctx, i)
			}
		})
	}
	for i := range p.Items {
		if p.Items[i].Action == ByHand || !r.goesOn(ctx) {
			continue
		}
		if s, _ := l.State(i); s == Done || s == Changed {
			continue
		}
		items <- i
	}
	close(items)
	wg.Wait()
	if r.broken != nil {
		return Result{}, r.broken
	}
	return r.result(), ctx.Err()
}

type run struct {
	ledger  *Ledger
	worker  Worker
	options Options
	plan    *Plan

	mu       sync.Mutex
	row      int // failures in succession
	stopped  string
	broken   error // the ledger's
	reporter sync.Mutex
}

func (r *run) goesOn(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ctx.Err() == nil && r.stopped == "" && r.broken == nil
}

// one brings one item to its end, and writes each step before the next.
func (r *run) one(ctx context.Context, i int) {
	if !r.goesOn(ctx) {
		return
	}
	before, _ := r.ledger.State(i)
	if err := r.ledger.write(record{Type: "intent", Item: i + 1}); err != nil {
		r.fail(err)
		return
	}
	kind, note := r.carryOut(ctx, i, before == Intended || before == Failed)
	if kind == "" { // interrupted: the next run looks
		return
	}
	// What has happened is written down even if the run is being cancelled.
	if err := r.ledger.write(record{Type: kind, Item: i + 1, Note: note}); err != nil {
		r.fail(err)
		return
	}
	r.mu.Lock()
	if kind == "failed" {
		r.row++
		if r.row >= r.options.Failures && r.stopped == "" {
			r.stopped = fmt.Sprintf("%d items in succession failed; the last: %s", r.row, note)
		}
	} else {
		r.row = 0
	}
	r.mu.Unlock()
	if r.options.Each != nil {
		state, _ := r.ledger.State(i)
		r.reporter.Lock()
		defer r.reporter.Unlock()
		r.options.Each(Outcome{r.plan.Items[i].Place, state, note})
	}
}

// carryOut changes the item and reads it back, and returns the type of record
// that its end is; none if it was interrupted. Where an earlier run may have
// changed the item, it looks first.
func (r *run) carryOut(ctx context.Context, i int, again bool) (kind, note string) {
	it := &r.plan.Items[i]
	if again {
		found, err := r.worker.Check(ctx, r.plan, it, r.ledger.prepared(i))
		switch {
		case ctx.Err() != nil:
			return "", ""
		case err != nil:
			return "failed", err.Error()
		case found.Is == New:
			return "done", "an earlier run had changed it: " + found.Evidence
		case found.Is == Neither:
			return "changed", found.Evidence
		}
	}
	changeErr := r.worker.Change(ctx, r.plan, it, func(digest string) error {
		return r.ledger.write(record{Type: "prepared", Item: i + 1, Prepared: digest})
	})
	if errors.Is(changeErr, ErrChanged) {
		return "changed", changeErr.Error()
	}
	found, err := r.worker.Check(ctx, r.plan, it, r.ledger.prepared(i))
	switch {
	case err == nil && found.Is == New:
		return "done", found.Evidence
	case ctx.Err() != nil:
		return "", ""
	case changeErr != nil:
		return "failed", changeErr.Error()
	case err != nil:
		return "failed", "reading back: " + err.Error()
	case found.Is == Neither:
		return "changed", found.Evidence
	}
	return "failed", "reading back shows the old key still: " + found.Evidence
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.broken = err
	}
}

func (r *run) result() Result {
	out := Result{Stopped: r.stopped}
	for i := range r.plan.Items {
		if r.plan.Items[i].Action == ByHand {
			out.ByHand++
			continue
		}
		switch s, _ := r.ledger.State(i); s {
		case Done:
			out.Done++
		case Failed:
			out.Failed++
		case Changed:
			out.Changed++
		default:
			out.Left++
		}
	}
	return out
}
