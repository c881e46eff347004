package respond

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
)

// The waits between two looks at an action whose outcome is not known: from the
// first on each is half as long again as the one before it, up to the last.
const (
	firstLook = time.Second
	lastLook  = time.Minute
	// looksAtOnce bounds how many actions are asked about at a time.
	looksAtOnce = 8
)

// A look is when an open action is asked about next.
type look struct {
	at    time.Time
	wait  time.Duration
	noted bool // that it had all its time
	over  bool // its outcome is known; the same action may be begun anew
}

// Run finds out what became of the actions that AWS accepted, and of those that a
// crash left open, until ctx ends: an action that takes AWS minutes holds up no
// other. What is known is written into the incident, told, and only then settled
// in the ledger, so that a crash in between has it looked at again.
func (r *Responder) Run(ctx context.Context) {
	if r.Operator == nil {
		return
	}
	looks := map[string]*look{}
	for ctx.Err() == nil {
		next, err := r.round(ctx, looks)
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("looking what became of responses", "err", err)
			next = max(next, 5*time.Second)
		}
		if next == 0 {
			next = time.Hour // nothing is open; who answers says so
		}
		t := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-r.woken():
		}
		t.Stop()
	}
}

// woken returns what gets a value when there may be something new to look at.
func (r *Responder) woken() chan struct{} {
	r.waking.Do(func() { r.wake = make(chan struct{}, 1) })
	return r.wake
}

// round looks at every open action that is due and returns how long it is until
// the next one is; 0 where none is open.
func (r *Responder) round(ctx context.Context, looks map[string]*look) (next time.Duration, err error) {
	r.mu.Lock() // no run has anything in hand meanwhile
	ledger, audit, err := r.book.open(r.Folder)
	if err != nil {
		r.mu.Unlock()
		return firstLook, err
	}
	open := ledger.Open()
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.giveBack(err)
	}()
	still := map[string]bool{}
	var due []*live.Entry
	for _, e := range open {
		still[e.ID] = true
		if looks[e.ID] == nil {
			looks[e.ID] = &look{wait: firstLook} // at once: most are done when they are answered
		}
		if !time.Now().Before(looks[e.ID].at) {
			due = append(due, e)
		}
	}
	for id := range looks {
		if !still[id] {
			delete(looks, id)
		}
	}
	err = r.lookAt(ctx, &live.Responder{Actor: r.Actor, Operator: r.Operator, Ledger: ledger, Audit: audit, Later: true}, due, looks)
	for id, l := range looks {
		if l.over {
			delete(looks, id)
			continue
		}
		if in := max(time.Until(l.at), time.Millisecond); next == 0 || in < next {
			next = in
		}
	}
	return next, err
}

// lookAt looks at the entries, some at a time.
func (r *Responder) lookAt(ctx context.Context, run *live.Responder, due []*live.Entry, looks map[string]*look) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, looksAtOnce)
	errs := make([]error, len(due))
	for i, e := range due {
		l := looks[e.ID]
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var known bool
			if known, errs[i] = r.lookAtOne(ctx, run, e, l); known {
				l.over = true
				return
			}
			l.at, l.wait = time.Now().Add(l.wait), min(l.wait*3/2, lastLook)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// lookAtOne asks about one action, and reports whether its outcome is known and
// written down everywhere.
func (r *Responder) lookAtOne(ctx context.Context, run *live.Responder, e *live.Entry, l *look) (known bool, err error) {
	o, over := run.Look(ctx, e)
	if ctx.Err() != nil {
		return false, nil
	}
	why := strings.Join(o.Reasons, "; ")
	if o.State == e.State {
		if over && !l.noted {
			err = r.recordOpen(ctx, &o, why)
			l.noted = err == nil
		}
		return false, err
	}
	if err := r.recordOutcome(ctx, &o); err != nil {
		return false, err
	}
	if err := run.Settle(ctx, e, &o, "the run that began it"); err != nil {
		return false, fmt.Errorf("settling what became of a response: %w", err)
	}
	return true, nil
}

// recordOpen writes into the incident that AWS has shown no effect in the time
// that the operator gives, and tells of it.
func (r *Responder) recordOpen(ctx context.Context, o *live.Outcome, why string) error {
	r.Log.Warn("a response is not confirmed in time", "action", string(o.Action.Kind), "target", o.Action.Target.String(), "why", why)
	return r.recordNote(ctx, o, "not confirmed in time, and looked at again: "+why, true)
}

// recordOutcome writes what became of an action into its incident, and tells of
// it; not of one that was surely not done, which is done again.
func (r *Responder) recordOutcome(ctx context.Context, o *live.Outcome) error {
	if o.State == live.Refused {
		return r.recordNote(ctx, o, string(o.State)+": "+o.Evidence, false)
	}
	if err := r.recordState(ctx, &o.Action, o.State, o.Evidence, o.RequestID, nil); err != nil {
		return err
	}
	if o.State == live.Abandoned {
		return r.recordNote(ctx, o, string(o.State)+": "+o.Evidence, true)
	}
	return r.tellAnswered(ctx, o.Action.Finding)
}

// recordNote puts a note about an action on the timeline of its incident, once
// for its text up to the first colon, and tells of it.
func (r *Responder) recordNote(ctx context.Context, o *live.Outcome, text string, tell bool) error {
	what, _, _ := strings.Cut(text, ":")
	e := incident.Entry{
		Stage: incident.Noted, Key: what + " " + o.Action.ID(), By: "spillgate-server",
		Note: string(o.Action.Kind) + " of " + o.Action.Target.String() + ": " + text,
	}
	_, err := r.Incidents.Advance(ctx, o.Action.Finding, e, nil)
	if errors.Is(err, incident.ErrNotFound) {
		return nil // of spillgate-live, which may have used the folder
	}
	if err != nil || !tell {
		return err
	}
	return r.tellAnswered(ctx, o.Action.Finding)
}

// tellAnswered tells what was done about an incident.
func (r *Responder) tellAnswered(ctx context.Context, id string) error {
	if r.Tell == nil {
		return nil
	}
	i, err := r.Incidents.Get(ctx, id)
	if errors.Is(err, incident.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.Tell(ctx, incident.AnsweredID(i), i)
}
