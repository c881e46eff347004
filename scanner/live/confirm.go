package live

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The waits between two looks at whether an action has taken effect: they grow
// from the first to the last.
const (
	firstWait = 2 * time.Second
	lastWait  = 30 * time.Second
)

// confirm asks AWS until the action's effect is known, the deadline has passed
// or ctx ends. It returns the state that the ledger should hold; Intended or
// Answered where nothing is known yet.
func (r *Responder) confirm(ctx context.Context, a *Action, since, deadline time.Time, state EntryState) (EntryState, string) {
	wait := r.first
	if wait == 0 {
		wait = firstWait
	}
	r.step("waiting for the effect of %s of %s", a.Kind, a.Target)
	for {
		now, evidence, over := r.look(ctx, a, since, deadline, state)
		if now != state || over {
			return now, evidence
		}
		timer := time.NewTimer(min(jitter(wait), max(time.Until(deadline), time.Millisecond)))
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		wait = min(wait*3/2, lastWait)
	}
}

// look asks AWS once. It returns the state that the ledger should hold, which is
// the given one where nothing is known, and whether there is no more time.
func (r *Responder) look(ctx context.Context, a *Action, since, deadline time.Time, state EntryState) (now EntryState, evidence string, over bool) {
	c, err := r.Actor.Confirm(ctx, *a, since)
	evidence = c.Evidence
	switch {
	case err != nil:
		evidence = err.Error()
	case c.Progress == Confirmed:
		return Effective, evidence, true
	case c.Progress == Failed && state == Answered:
		return Abandoned, "AWS accepted it and then failed: " + evidence, true
	case c.Progress == Failed:
		return Refused, evidence, true
	}
	r.at("asked")
	if over = !time.Now().Before(deadline) || ctx.Err() != nil; !over {
		return state, evidence, false
	}
	if ctx.Err() == nil && err == nil && state == Intended && r.noTrace(ctx, a, since) {
		return Refused, fmt.Sprintf("AWS shows no trace of it since %s: %s", since.UTC().Format(time.RFC3339), evidence), true
	}
	return state, evidence, true
}

// noTrace reports whether AWS surely has not begun the action. The calls other
// than that for a rotation say the same however often they are made, so that
// their missing effect is enough; a rotation must also be neither in progress
// nor listed.
func (r *Responder) noTrace(ctx context.Context, a *Action, since time.Time) bool {
	if a.Kind != RotateOnDemand {
		return true
	}
	f, err := r.Actor.Recheck(ctx, *a)
	if err != nil || f.Key == nil {
		return false
	}
	status, ok := f.Key.Rotation.Get()
	if !ok || !status.OnDemandStarted.IsZero() {
		return false
	}
	rotations, ok := f.Key.Rotations.Get()
	if !ok {
		return false
	}
	const clocks = 5 * time.Minute // by how much AWS's clock and this one may differ
	for _, rotation := range rotations {
		if rotation.Type != "AUTOMATIC" && rotation.At.After(since.Add(-clocks)) {
			return false
		}
	}
	return true
}

// Resolve finds out what became of the actions that earlier runs left open. It
// comes before anything else is planned or done, and changes nothing in AWS.
func (r *Responder) Resolve(ctx context.Context) ([]Outcome, error) {
	var all []Outcome
	for _, e := range r.Ledger.Open() {
		r.step("an earlier run left %s of %s open since %s", e.Action.Kind, e.Action.Target, e.Intent.Format(time.RFC3339))
		state, evidence := r.confirm(ctx, &e.Action, e.Intent, r.deadline(e), e.State)
		o := opened(e, state, evidence)
		err := r.Settle(ctx, e, &o, "an earlier run")
		all = append(all, o)
		if err != nil {
			return all, fmt.Errorf("resolving what an earlier run left open: %w", err)
		}
	}
	return all, nil
}

// Look asks AWS once what came of an action that is open in the ledger, without
// waiting and without writing anything: that is for Settle, once whoever has to
// know does. Over says that the action has had all the time that the operator
// gives (limits.confirm); one that is still open then is one that a person should
// look at, and may yet be known at another look.
//
// It may be called while others are looked at and while a run acts, but not for
// an action that the run has in hand.
func (r *Responder) Look(ctx context.Context, e *Entry) (o Outcome, over bool) {
	state, evidence, over := r.look(ctx, &e.Action, e.Intent, r.deadline(e), e.State)
	return opened(e, state, evidence), over
}

// deadline returns until when the effect of an action is waited for.
func (r *Responder) deadline(e *Entry) time.Time {
	return e.Intent.Add(r.Operator.Limits.Confirm.or(defaultConfirm))
}

// opened returns the outcome of an open entry whose state should be another, or
// is the same.
func opened(e *Entry, state EntryState, evidence string) Outcome {
	o := Outcome{Action: e.Action, State: state, RequestID: e.RequestID, Evidence: evidence}
	if state == e.State {
		o.Evidence, o.Reasons = "", []string{evidence}
	}
	return o
}

// Settle writes what came of an open action, as Look found it, to the ledger and
// the audit log; where that is nothing new, it writes nothing. By says who acted.
func (r *Responder) Settle(ctx context.Context, e *Entry, o *Outcome, by string) error {
	if o.State == e.State {
		r.step("still open: %s", strings.Join(o.Reasons, "; "))
		return nil
	}
	t := turn{r: r, a: e.Action, plan: e.Plan, by: by}
	settled, err := t.settle(ctx, *o, o.State, o.Evidence, nil)
	*o = settled
	return err
}

// summary describes the facts in one line, for the audit log.
func (f *Facts) summary() string {
	parts := []string{"status " + orText(string(f.Status), string(StatusUnknown))}
	if k := f.Key; k != nil {
		parts = append(parts, "state "+k.KeyState.Or("unknown"))
		if r, ok := k.Rotation.Get(); ok {
			switch {
			case r.NotApplicable != "":
				parts = append(parts, "rotation not applicable")
			case r.Enabled:
				parts = append(parts, fmt.Sprintf("rotation on, every %d days", r.PeriodInDays))
			default:
				parts = append(parts, "rotation off")
			}
		}
		if all, ok := k.Rotations.Get(); ok {
			n, last := 0, time.Time{}
			for _, r := range all {
				if r.Type != "AUTOMATIC" {
					n++
				}
				if r.At.After(last) {
					last = r.At
				}
			}
			parts = append(parts, fmt.Sprintf("%d of %d on-demand rotations used", n, MaxOnDemandRotations))
			if !last.IsZero() {
				parts = append(parts, "last rotated "+last.UTC().Format(time.RFC3339))
			}
		}
		if g, ok := k.Grants.Get(); ok {
			parts = append(parts, fmt.Sprintf("%d grants", len(g)))
		}
	}
	if k := f.AccessKey; k != nil {
		parts = append(parts, "access key "+k.Status.Or("unknown"))
	}
	if s := f.Secret; s != nil {
		if at, ok := s.LastRotated.Get(); ok && !at.IsZero() {
			parts = append(parts, "last rotated "+at.UTC().Format(time.RFC3339))
		}
	}
	return strings.Join(parts, ", ")
}
