// Package respond is the live stage within the server: it asks AWS about what
// a push leaked, writes the verdicts into the incidents, and carries out what
// the operator's standing policy allows.
//
// What makes a response happen once is scanner/live's ledger, which lies in a
// folder of this process. Several servers may share a queue, and each has its
// own ledger; so an action is first claimed in a bucket that they share, in
// the name of the server, and who finds a claim of another leaves the action
// to it. A claim is made before the ledger's intent and is never given back:
// if its server does not come back, a person decides. The bucket also counts
// the claims of a day, so that the operator's cap is one for all servers.
package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/table"
)

// Table is the table of claims.
var Table = table.Options{Name: "responses", Pages: 256}

// A Responder is the live stage. Enricher and Incidents must be set; without
// an Operator it only reads.
type Responder struct {
	Enricher  live.Enricher
	Incidents *incident.Store
	// Trusted are accounts and organisations that may use keys, where no
	// Operator says so.
	Trusted []string
	// Operator allows responses, Actor makes the calls, Folder holds ledger
	// and audit log.
	Operator *live.Operator
	Actor    live.Actor
	Folder   string
	// Claims is the table that all servers share, Name this server's name,
	// the same after a restart.
	Claims *table.Table
	Name   string
	// Tell tells people what was done about an incident, or that it is graver than
	// it was said to be, under an id that makes it happen once; nil tells nobody.
	Tell func(ctx context.Context, id string, i *incident.Incident) error
	// AskFor is for how long AskAgain asks about an incident after the last push
	// that brought it; 0 for never.
	AskFor time.Duration
	// FirstSweep is how long after its start AskAgain looks for the first time; 0
	// for a minute.
	FirstSweep time.Duration
	Log        *slog.Logger

	mu     sync.Mutex // one plan at a time
	book   book
	waking sync.Once
	wake   chan struct{} // see woken
	again  again
}

// Enrich asks about what the report's incidents name, and returns what answers
// them as far as that may be; nil where nothing may be answered. Without an
// operator that only says whether AWS is worth asking again. Both can be called
// again for the same report.
func (r *Responder) Enrich(ctx context.Context, report []byte, incidents []*incident.Incident) (answer func(context.Context) error, err error) {
	subjects, err := live.Subjects(bytes.NewReader(report))
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	known, waited := map[string]bool{}, map[string]bool{}
	for _, i := range incidents {
		known[i.ID], waited[i.ID] = true, i.Waiting != nil
	}
	var all []*live.Facts
	quiet := silence{}
	for _, s := range subjects {
		ids := incidentsOf(&s, known)
		if len(ids) == 0 {
			continue
		}
		f, err := r.enrich(ctx, s, ids, quiet, true)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		return nil, nil
	}
	if r.Operator == nil {
		if err := r.settlePush(ctx, all, waited, nil); err != nil {
			return nil, err
		}
		for _, f := range all {
			if f.Status == live.StatusUnknown && f.Key != nil {
				return func(context.Context) error { return unanswered(all) }, nil
			}
		}
		return nil, nil
	}
	return func(ctx context.Context) error {
		held := holds{}
		err := r.answer(ctx, all, known, held)
		var stopped *incident.Unanswered
		if err == nil || errors.As(err, &stopped) {
			err = errors.Join(err, r.settlePush(ctx, all, waited, held))
		}
		if err != nil {
			return err
		}
		return unanswered(all)
	}, nil
}

// unanswered returns an error where something that was not known may have kept a
// subject from being answered: AWS that is down or throttles is asked again.
func unanswered(all []*live.Facts) error {
	var why []string
	for _, f := range all {
		if what := unknown(f); what != "" {
			why = append(why, f.Subject.ID()+": "+what)
		}
	}
	if len(why) == 0 {
		return nil
	}
	return &incident.Unanswered{Err: errors.New("not everything is known that an answer needs: " + strings.Join(why, "; "))}
}

// unknown says why something is not known that an answer asks for; it is empty
// where all is known, or is not to be had.
func unknown(f *live.Facts) string {
	switch {
	case f.Status == live.StatusUnknown && (f.Key != nil || f.Secret != nil):
		return f.Why
	case f.Status != live.Enabled || f.Key == nil:
		return ""
	}
	k := f.Key
	for _, because := range []string{
		f.Caller.Because(), k.KeyState.Because(), k.Rotation.Because(), k.Rotations.Because(), k.Tags.Because(), k.Policy.Because(), k.Grants.Because(),
	} {
		if because != "" {
			return because
		}
	}
	return ""
}

// incidentsOf returns the incidents that the subject was found in.
func incidentsOf(s *live.Subject, known map[string]bool) []string {
	var ids []string
	for _, l := range s.Found {
		if known[l.Fingerprint] && !slices.Contains(ids, l.Fingerprint) {
			ids = append(ids, l.Fingerprint)
		}
	}
	return ids
}

// trusted returns who is no stranger.
func (r *Responder) trusted() []string {
	if r.Operator != nil {
		return r.Operator.Trusted
	}
	return r.Trusted
}

// answer plans, and carries out what the standing policy covers. What became of
// it is for Run to find out. What is allowed and could not be begun goes into held.
func (r *Responder) answer(ctx context.Context, all []*live.Facts, known map[string]bool, held holds) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ledger, audit, err := r.book.open(r.Folder)
	if err != nil {
		return err
	}
	defer func() { r.giveBack(err) }()
	run := &live.Responder{Actor: r.Actor, Operator: r.Operator, Ledger: ledger, Audit: audit, Later: true}
	// What a crash or a lost answer left open is not answered by this push, nor
	// given up by it: if it turns out not to have happened, it is to be done. That
	// is asked before the plan is made: what was open then is not in the plan, even
	// if a look settles it as not done while the plan is being made.
	waiting := pending(ledger, all, known)
	plan, err := r.plan(ctx, all, ledger)
	if err != nil {
		return err
	}
	if err := r.recordPlan(ctx, plan, all, known, waiting == nil); err != nil {
		return err
	}
	held.capped(plan, all)
	stopped, err := r.carryOut(ctx, run, plan, known, held)
	if err != nil {
		return err
	}
	select {
	case r.woken() <- struct{}{}:
	default:
	}
	if waiting == nil { // of what was begun just now
		waiting = pending(ledger, all, known)
	}
	if waiting != nil {
		return waiting
	}
	if stopped != "" {
		r.Log.Error("the response was stopped", "plan", plan.Hash, "why", stopped)
		return &incident.Unanswered{Err: errors.New("the response was stopped: " + stopped)}
	}
	return nil
}

// lateAfter is after how long a push comes again that waits for an outcome.
const lateAfter = 5 * time.Second

// pending returns an error where it is not known whether an action was done that
// is about what the push brought.
func pending(ledger *live.Ledger, all []*live.Facts, known map[string]bool) error {
	for _, e := range ledger.Open() {
		if e.State == live.Intended && concerns(e, all, known) {
			return &queue.Later{In: lateAfter, Err: fmt.Errorf("whether %s of %s was done is not known yet", e.Action.Kind, e.Action.Target)}
		}
	}
	return nil
}

// concerns reports whether an open action is about what the push brought.
func concerns(e *live.Entry, all []*live.Facts, known map[string]bool) bool {
	return known[e.Action.Finding] || slices.ContainsFunc(all, func(f *live.Facts) bool {
		return e.Action.Target == f.Subject.ARN || f.Key != nil && e.Action.Target == f.Key.ARN.Or(live.ARN{})
	})
}

// carryOut carries out the plan as far as the standing policy covers it, and
// returns what ended it early.
func (r *Responder) carryOut(ctx context.Context, run *live.Responder, plan *live.Plan, known map[string]bool, held holds) (stopped string, err error) {
	if plan.Acts() == 0 {
		return "", r.recordDone(ctx, run.Ledger, known)
	}
	approval, err := live.ApproveStanding(plan, r.Operator)
	if err != nil {
		r.Log.Info("a plan waits for a person", "plan", plan.Hash, "why", err)
		return "", nil
	}
	result, err := run.Run(ctx, plan, approval)
	if result == nil {
		return "", err
	}
	stopped = result.Stopped
	held.notBegun(plan, result)
	for i := range result.Outcomes {
		// What was planned and is refused when AWS is asked again may be allowed, or
		// refused for a reason that is shown, when all of it is asked once more.
		if o := &result.Outcomes[i]; stopped == "" && o.State == "" && o.Action.Kind != live.NarrowPolicy {
			stopped = fmt.Sprintf("%s of %s: %s", o.Action.Kind, o.Action.Target, strings.Join(o.Reasons, ", "))
		}
	}
	return stopped, errors.Join(err, r.record(ctx, result.Outcomes, known))
}

// recordPlan writes into the incidents what of the plan answers them, and into
// the others, if final is set, why nothing is done, once a day.
func (r *Responder) recordPlan(ctx context.Context, plan *live.Plan, all []*live.Facts, known map[string]bool, final bool) error {
	planned := map[string][]string{}
	for i := range plan.Actions {
		a := &plan.Actions[i]
		planned[a.Finding] = append(planned[a.Finding], string(a.Kind)+" of "+a.Target.String())
	}
	for id := range known {
		e := incident.Entry{Stage: incident.Planned, Key: plan.Hash, By: "spillgate-server", Note: strings.Join(planned[id], ", ") + "; plan " + plan.Hash[:16]}
		if len(planned[id]) == 0 {
			why := refusals(plan, all, id)
			if why == "" || !final {
				continue
			}
			e = incident.Entry{Stage: incident.Noted, Key: "not answered " + time.Now().UTC().Format(time.DateOnly), By: "spillgate-server", Note: "nothing is done: " + why}
			if _, err := r.Incidents.Advance(ctx, id, e, nil); err != nil {
				return err
			}
			continue
		}
		text, err := json.Marshal(part(plan, id))
		if err != nil {
			return err
		}
		if _, err := r.Incidents.Advance(ctx, id, e, func(i *incident.Incident) { i.Plan = text }); err != nil {
			return err
		}
	}
	return nil
}

// part returns what of the plan answers one incident, under the hash of the
// whole: a plan for hundreds of keys is not kept hundreds of times.
func part(plan *live.Plan, id string) *live.Plan {
	p := *plan
	p.Actions = slices.DeleteFunc(slices.Clone(plan.Actions), func(a live.Action) bool { return a.Finding != id })
	subjects := map[string]bool{}
	for i := range p.Actions {
		subjects[p.Actions[i].Subject] = true
	}
	p.Refusals = slices.DeleteFunc(slices.Clone(plan.Refusals), func(r live.Refusal) bool { return !subjects[r.Subject] })
	return &p
}

// refusals says why nothing is done about the subjects of an incident.
func refusals(plan *live.Plan, all []*live.Facts, id string) string {
	var why []string
	for _, f := range all {
		if !slices.Contains(incidentsOf(&f.Subject, map[string]bool{id: true}), id) {
			continue
		}
		for i := range plan.Refusals {
			if r := &plan.Refusals[i]; r.Subject == f.Subject.ID() {
				why = append(why, string(r.Kind)+": "+strings.Join(r.Reasons, ", "))
			}
		}
	}
	return strings.Join(why, "; ")
}

// record writes outcomes into the incidents.
func (r *Responder) record(ctx context.Context, outcomes []live.Outcome, known map[string]bool) error {
	for i := range outcomes {
		o := &outcomes[i]
		note := strings.Join(append(slices.Clone(o.Reasons), o.Evidence), "; ")
		if err := r.recordState(ctx, &o.Action, o.State, strings.Trim(note, "; "), o.RequestID, known); err != nil {
			return err
		}
	}
	return nil
}

// recordDone writes what the ledger knows of the incidents' actions: after a
// crash between the ledger's receipt and the incident's, nothing is planned
// any more and this is how the incident hears of it.
func (r *Responder) recordDone(ctx context.Context, ledger *live.Ledger, known map[string]bool) error {
	for id := range known {
		entries, err := ledger.Answers(id)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := r.recordState(ctx, &e.Action, e.State, e.Note, e.RequestID, known); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordState puts what became of an action on the timeline of its incident.
func (r *Responder) recordState(ctx context.Context, a *live.Action, state live.EntryState, note, request string, known map[string]bool) error {
	if !known[a.Finding] {
		_, err := r.Incidents.Get(ctx, a.Finding)
		if errors.Is(err, incident.ErrNotFound) {
			return nil // of spillgate-live, which may have used the folder
		}
		if err != nil {
			return err
		}
	}
	did := state == live.Answered || state == live.Effective || state == live.Abandoned
	if !did {
		return nil
	}
	text := string(a.Kind) + " of " + a.Target.String()
	e := incident.Entry{Stage: incident.Responded, Key: a.ID(), By: "spillgate-server", Note: text + ": " + string(state)}
	if request != "" {
		e.Note += " (request " + request + ")"
	}
	if _, err := r.Incidents.Advance(ctx, a.Finding, e, func(i *incident.Incident) {
		for _, l := range a.Leaves {
			if !slices.Contains(i.Leaves, l) {
				i.Leaves = append(i.Leaves, l)
			}
		}
	}); err != nil {
		return err
	}
	if state != live.Effective {
		return nil
	}
	e = incident.Entry{Stage: incident.Confirmed, Key: a.ID(), By: "AWS", Note: note}
	_, err := r.Incidents.Advance(ctx, a.Finding, e, nil)
	return err
}
