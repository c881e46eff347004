package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
)

// waits returns what an open incident waits for; nil for nothing. One that says
// nothing of it, as one that was found before a crash or an update, waits if what is
// known of it lacks something, unless it is too old.
func (r *Responder) waits(i *incident.Incident) *incident.Waiting {
	if w := i.Waits(); w != nil {
		return w
	}
	w := i.Waiting
	opened := i.Opened()
	if !i.Open() || w != nil && !w.Since.Before(opened) || i.RespondedSince(opened) {
		return nil
	}
	s := subjectOf(i)
	if s == nil {
		return nil
	}
	since, why := opened, waitsFor(unasked(*s, ""))
	if f := factsOf(i); f != nil {
		since, why = f.Asked, waitsFor(f)
	}
	if why == "" || r.again.now().Sub(since) > r.AskFor {
		return nil
	}
	return &incident.Waiting{Why: why, Since: since, Next: since.Add(firstAgain)}
}

// factsOf returns what is known of the incident since it was opened; nil for
// nothing.
func factsOf(i *incident.Incident) *live.Facts {
	f := new(live.Facts)
	if len(i.Facts) == 0 || json.Unmarshal(i.Facts, f) != nil || f.Asked.Before(i.Opened()) {
		return nil
	}
	return f
}

// subjectOf returns what AWS is asked about an incident: what it was asked about
// with the push, or else what its places say. It is nil where AWS cannot be asked.
func subjectOf(i *incident.Incident) *live.Subject {
	if f := factsOf(i); f != nil {
		return &f.Subject
	}
	arn, err := live.ParseARN(i.ARN)
	if err != nil || !arn.IsKey() && !arn.IsAlias() && arn.Service != "secretsmanager" {
		return nil
	}
	var severity rules.Severity
	if severity.UnmarshalText([]byte(i.Judgement().Before)) != nil {
		return nil
	}
	s := &live.Subject{ARN: arn, Places: i.Occurrences}
	for _, p := range i.Places {
		s.Found = append(s.Found, live.Locator{
			Rule: i.Rule, Severity: severity, Fingerprint: i.ID, Path: p.Path, Line: p.Line, Commit: p.Commit, Account: arn.Account,
		})
	}
	if len(s.Found) == 0 {
		return nil
	}
	return s
}

// end writes into an incident that it is not asked about any more.
func (r *Responder) end(ctx context.Context, id string) error {
	i, err := r.Incidents.Get(ctx, id)
	if err != nil {
		return err
	}
	w := i.Waits()
	if w == nil {
		return nil
	}
	e := incident.Entry{
		Stage: incident.Noted, Key: "not asked any more, since " + w.Since.UTC().Format(time.RFC3339), By: "spillgate-server",
		Note: fmt.Sprintf("asked again %d times since %s, and not any more until it is pushed again: %s", w.Times, w.Since.UTC().Format(time.RFC3339), w.Why),
	}
	r.Log.Warn("an incident is not asked about any more", "incident", id, "times", w.Times, "why", w.Why)
	_, err = r.Incidents.Advance(ctx, id, e, func(i *incident.Incident) {
		if now := i.Waits(); now != nil && now.Since.Equal(w.Since) {
			ended := *now
			ended.Ended = true
			i.Waiting = &ended
		}
	})
	return err
}

// leaveFor is how long an incident is left to the server that has claimed its
// answer, and alone may begin it. Later others ask too, so that at least it is
// judged.
const leaveFor = time.Hour

// take takes an incident, so that no other server asks about it before its time has
// come again; nil where there is nothing to take.
func (r *Responder) take(ctx context.Context, id string) (*incident.Incident, error) {
	now := r.again.now()
	i, err := r.Incidents.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if w := r.waits(i); w == nil {
		return nil, nil
	} else if now.Sub(w.Next) < leaveFor {
		if other, err := r.claimedElsewhere(ctx, i); err != nil || other {
			return nil, err
		}
	}
	taken := false
	i, err = r.Incidents.Update(ctx, id, func(i *incident.Incident) (*incident.Incident, error) {
		taken = false
		if i == nil {
			return nil, nil
		}
		w := r.waits(i)
		if w == nil || w.Next.After(now) {
			return nil, nil
		}
		fresh := *w
		fresh.Times++
		fresh.Next = now.Add(againIn(fresh.Times))
		i.Waiting, taken = &fresh, true
		return i, nil
	})
	if err != nil || !taken {
		return nil, err
	}
	return i, nil
}

// claimedElsewhere reports whether another server has claimed what answers the
// incident, as its last plan has it.
func (r *Responder) claimedElsewhere(ctx context.Context, i *incident.Incident) (bool, error) {
	var plan live.Plan
	if r.Claims == nil || len(i.Plan) == 0 || json.Unmarshal(i.Plan, &plan) != nil {
		return false, nil
	}
	for n := range plan.Actions {
		a := &plan.Actions[n]
		if a.Kind == live.NarrowPolicy {
			continue
		}
		if who, err := r.claimant(ctx, a); err != nil || who != "" && who != r.Name {
			return err == nil, err
		}
	}
	return false, nil
}

// claimant returns which server has claimed the action; empty for none.
func (r *Responder) claimant(ctx context.Context, a *live.Action) (string, error) {
	claim, err := r.Claims.Get(ctx, a.ID())
	if err != nil {
		return "", fmt.Errorf("reading who claimed a response: %w", err)
	}
	if claim == nil {
		return "", nil
	}
	return string(claim.Value), nil
}

// askRun asks about incidents that are due, and has them answered by one plan.
func (r *Responder) askRun(ctx context.Context, run []due, quiet silence) error {
	taken := map[string]*incident.Incident{}
	facts := map[string]*live.Facts{} // by incident
	known := map[string]bool{}
	var all []*live.Facts
	for _, d := range run {
		i, err := r.Incidents.Get(ctx, d.id)
		if err != nil {
			return err
		}
		s := subjectOf(i)
		if s == nil || quiet.holds(s) {
			continue // it stays due
		}
		if i, err = r.take(ctx, d.id); err != nil {
			return err
		}
		if i == nil {
			continue
		}
		taken[i.ID] = i
		if facts[i.ID] != nil {
			continue // asked with another incident that names the same
		}
		f, ids, err := r.askAbout(ctx, *s, i.ID, quiet)
		if err != nil {
			return err
		}
		for _, id := range ids {
			facts[id], known[id] = f, true
		}
		if f.Status != live.StatusUnknown && f.Status != live.NoAccess {
			all = append(all, f)
		}
	}
	held := holds{}
	var failed error
	if r.Operator != nil && len(all) > 0 {
		failed = r.answer(ctx, all, known, held)
	}
	var later *queue.Later
	var unanswered *incident.Unanswered
	if failed != nil && !errors.As(failed, &later) && !errors.As(failed, &unanswered) {
		return failed // all of them wait on
	}
	for id, i := range taken {
		if err := r.settleAgain(ctx, i, facts[id], held[id], later); err != nil {
			return err
		}
	}
	return nil
}

// askAbout asks about the subject of an incident, writes down what is known, and
// tells of it. ids are the open incidents that name it.
func (r *Responder) askAbout(ctx context.Context, s live.Subject, id string, quiet silence) (f *live.Facts, ids []string, err error) {
	ids = []string{id}
	seen := map[string]bool{id: true}
	for _, l := range s.Found {
		if seen[l.Fingerprint] {
			continue
		}
		seen[l.Fingerprint] = true
		// Not Get, which looks for what begins so.
		other, err := r.Incidents.Update(ctx, l.Fingerprint, func(*incident.Incident) (*incident.Incident, error) { return nil, nil })
		if err != nil {
			return nil, nil, err
		}
		if other != nil && other.Open() {
			ids = append(ids, other.ID)
		}
	}
	if f, err = r.enrich(ctx, s, ids, quiet, false); err != nil || r.Tell == nil {
		return f, ids, err
	}
	for _, id := range ids {
		i, err := r.Incidents.Get(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if err := r.Tell(ctx, incident.OpenedID(i), i); err != nil {
			return nil, nil, err
		}
	}
	return f, ids, nil
}

// settleAgain writes into an incident that was taken what it waits for now. A push
// that came meanwhile has said that itself.
func (r *Responder) settleAgain(ctx context.Context, taken *incident.Incident, f *live.Facts, why string, later *queue.Later) error {
	latest, err := r.Incidents.Get(ctx, taken.ID)
	if err != nil {
		return err
	}
	elsewhere, err := r.leftToAnother(ctx, taken.ID)
	if err != nil {
		return err
	}
	did := latest.RespondedSince(latest.Opened())
	switch unknown := waitsFor(f); {
	case why != "":
	case unknown != "":
		why = unknown
	case did:
	case later != nil:
		why = later.Error()
	case elsewhere:
		why = "another server has claimed the response, and has not begun it"
	}
	r.Log.Info("asked again", "incident", taken.ID, "times", taken.Waiting.Times, "status", string(f.Status), "waits", why)
	_, err = r.Incidents.Update(ctx, taken.ID, func(i *incident.Incident) (*incident.Incident, error) {
		if i == nil || i.Waiting == nil || !i.Waiting.Since.Equal(taken.Waiting.Since) {
			return nil, nil
		}
		fresh := *i.Waiting
		fresh.Why = why
		if i.Waiting = &fresh; why == "" {
			i.Waiting = nil
		}
		return i, nil
	})
	return err
}
