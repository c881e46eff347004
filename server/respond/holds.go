package respond

import (
	"context"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
)

// holds says of incidents what the operator allows for them and could not be begun,
// and why.
type holds map[string]string

func (h holds) hold(id, why string) {
	if h != nil && id != "" && h[id] == "" {
		h[id] = why
	}
}

// capped takes what only a cap of the operator's keeps from being done.
func (h holds) capped(plan *live.Plan, all []*live.Facts) {
	for _, f := range all {
		for i := range plan.Refusals {
			if r := &plan.Refusals[i]; r.Capped && r.Subject == f.Subject.ID() {
				h.hold(f.Finding(), string(r.Kind)+": "+strings.Join(r.Reasons, ", "))
			}
		}
	}
}

// notBegun takes what of the plan the run did not begin, or began and knows not to
// have happened.
func (h holds) notBegun(plan *live.Plan, result *live.Result) {
	for i := range plan.Actions {
		a := &plan.Actions[i]
		if a.Kind == live.NarrowPolicy {
			continue
		}
		at := slices.IndexFunc(result.Outcomes, func(o live.Outcome) bool { return o.Action.ID() == a.ID() })
		switch {
		case at < 0: // the run was stopped before it
			h.hold(a.Finding, string(a.Kind)+": "+result.Stopped)
		case result.Outcomes[at].State == "" || result.Outcomes[at].State == live.Refused:
			h.hold(a.Finding, string(a.Kind)+": "+strings.Join(result.Outcomes[at].Reasons, ", "))
		}
	}
}

// waitsFor says what is not known of a subject, and may be known later; it is empty
// where all is known, or AWS has said that it tells somebody else only.
func waitsFor(f *live.Facts) string {
	if f.Key == nil && f.Secret == nil {
		return "" // nobody can be asked
	}
	caller, ok := f.Caller.Get()
	foreign := ok && caller.Account != f.Subject.ARN.Account
	switch {
	case f.Status == live.StatusUnknown || f.Status == "":
		return orNoAnswer(f.Why)
	case foreign:
		return ""
	case f.Status == live.NoAccess:
		return orNoAnswer(f.Why)
	case f.Status == live.NotFound:
		return ""
	}
	if why := unknown(f); why != "" {
		return why
	}
	if f.Key == nil || !blind(f) {
		return ""
	}
	for _, k := range append([]live.KeyFacts{*f.Key}, f.Key.Replicas...) {
		for _, because := range []string{k.Policy.Because(), k.Grants.Because()} {
			if because != "" {
				return because
			}
		}
	}
	return ""
}

func orNoAnswer(why string) string {
	if why == "" {
		return "AWS gave no answer"
	}
	return why
}

// settlePush writes into the incidents of a push what could not be begun, and takes
// away what they waited for before. What is not known stands in them already; and
// what another server has claimed and not begun waits for that one.
func (r *Responder) settlePush(ctx context.Context, all []*live.Facts, waited map[string]bool, held holds) error {
	for id, did := range waited {
		if !did && held[id] == "" || slices.ContainsFunc(all, func(f *live.Facts) bool {
			return waitsFor(f) != "" && len(incidentsOf(&f.Subject, map[string]bool{id: true})) > 0
		}) {
			continue
		}
		if held[id] == "" {
			if left, err := r.leftToAnother(ctx, id); err != nil {
				return err
			} else if left {
				continue
			}
		}
		if _, err := r.Incidents.Update(ctx, id, func(i *incident.Incident) (*incident.Incident, error) {
			if i == nil || i.Waiting == nil && held[id] == "" {
				return nil, nil
			}
			i.Waiting = nil
			if held[id] != "" {
				i.Waiting = r.wait(held[id])
			}
			return i, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// leftToAnother reports whether another server has claimed what answers the
// incident, and has not begun it.
func (r *Responder) leftToAnother(ctx context.Context, id string) (bool, error) {
	i, err := r.Incidents.Get(ctx, id)
	if err != nil || i.RespondedSince(i.Opened()) {
		return false, err
	}
	return r.claimedElsewhere(ctx, i)
}
