package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/user"
	"strings"
	"time"
)

// A Responder carries out plans. It takes one action after the other, and for
// each one asks again whether it may be done, writes the intent, announces it,
// makes the one call, writes what AWS answered, and waits until AWS shows the
// effect. The first failure ends the run: what failed once is likely to fail
// again, and somebody should look.
//
// All fields but Later and Step must be set.
type Responder struct {
	Actor    Actor
	Operator *Operator
	Ledger   *Ledger
	Audit    *AuditLog
	// Later leaves it to Look to find out what came of the actions: a run neither
	// resolves what earlier ones left open nor waits for an effect. It ends at the
	// first call that fails, as ever; what AWS accepts and carries out later does
	// not hold up the next action. For a server, which goes on looking.
	Later bool
	// Step is told what happens, when it happens; nil for nobody.
	Step func(at time.Time, what string)

	getenv func(string) string // os.Getenv; another in tests
	first  time.Duration       // of the waits between two looks; 2 s
	hook   func(step string)   // called between any two steps, in tests
}

// An Outcome is what became of an action.
type Outcome struct {
	Action Action `json:"action"`
	// State is as in the ledger; empty for an action that was not begun.
	State EntryState `json:"state,omitempty"`
	// Reasons say why it was not begun, or what is not known; Evidence how its
	// effect is known.
	Reasons   []string `json:"reasons,omitempty"`
	Evidence  string   `json:"evidence,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
}

// A Result is what a run has done.
type Result struct {
	// Earlier are the outcomes of actions that an earlier run left open.
	Earlier  []Outcome `json:"earlier,omitempty"`
	Outcomes []Outcome `json:"outcomes"`
	// Stopped says what ended the run early; empty if nothing did.
	Stopped string `json:"stopped,omitempty"`
}

// Done reports whether every action took effect and nothing is left open.
func (r *Result) Done() bool {
	for i := range r.Earlier {
		if state := r.Earlier[i].State; state != Effective && state != Refused {
			return false
		}
	}
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.State != Effective && o.Action.Kind != NarrowPolicy {
			return false
		}
	}
	return r.Stopped == ""
}

// errBreaker ends a run after an outcome that was written already.
var errBreaker = errors.New("the first failure ends the run")

// Run carries out the plan. It resolves first what earlier runs left open. The
// error is for what kept it from working at all; what became of the actions is
// in the result, which is there in any case.
func (r *Responder) Run(ctx context.Context, p *Plan, by Approval) (*Result, error) {
	res := &Result{}
	if by.hash == "" || by.hash != p.Hash || p.Hash != p.hash() {
		return res, errors.New("the plan is not approved: the approval is for another one")
	}
	if p.Operator != r.Operator.Digest {
		return res, errors.New("the plan was made with another operator's file; make it again")
	}
	if err := RefuseUnmerged(r.env); err != nil {
		return res, err
	}
	if err := r.Operator.stopped(r.env); err != nil {
		res.Stopped = err.Error()
		return res, r.Audit.Write(&AuditEvent{At: time.Now(), Event: "stopped", User: osUser(), Plan: p.Hash, Approval: by.by, Note: res.Stopped})
	}
	if err := r.Audit.Write(&AuditEvent{At: time.Now(), Event: "planned", User: osUser(), Plan: p.Hash, Approval: by.by,
		Note: fmt.Sprintf("%d actions", p.Acts())}); err != nil {
		return res, err
	}
	r.step("plan %.16s is carried out, approved %s", p.Hash, by.by)
	if !r.Later {
		var err error
		if res.Earlier, err = r.Resolve(ctx); err != nil {
			return res, err
		}
	}
	return res, r.all(ctx, p, by, res)
}

// all carries out the actions of the plan.
func (r *Responder) all(ctx context.Context, p *Plan, by Approval, res *Result) error {
	acts := 0
	for i := range p.Actions {
		a := p.Actions[i]
		if a.Kind == NarrowPolicy {
			res.Outcomes = append(res.Outcomes, Outcome{Action: a, Reasons: []string{"for a person to review and put"}})
			continue
		}
		if res.Stopped != "" {
			res.Outcomes = append(res.Outcomes, Outcome{Action: a, Reasons: []string{"not begun: " + res.Stopped}})
			continue
		}
		e, err := r.Ledger.find(a.ID())
		if err != nil {
			return err
		}
		if e != nil && e.State == Effective {
			res.Outcomes = append(res.Outcomes, Outcome{Action: a, State: Effective, RequestID: e.RequestID,
				Evidence: fmt.Sprintf("done before: the ledger says that this finding was answered so at %s", e.Intent.UTC().Format(time.RFC3339))})
			continue
		}
		t := turn{r: r, a: a, plan: p.Hash, by: by.by, acts: acts}
		o, err := t.take(ctx)
		res.Outcomes = append(res.Outcomes, o)
		if o.State != "" {
			acts++
		}
		if err != nil {
			res.Stopped = err.Error()
			note := &AuditEvent{At: time.Now(), Event: "stopped", User: osUser(), Plan: p.Hash, Approval: by.by, Action: &a, Note: res.Stopped}
			if err := r.Audit.Write(note); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Responder) step(format string, args ...any) {
	if r.Step != nil {
		r.Step(time.Now(), fmt.Sprintf(format, args...))
	}
}

func (r *Responder) env(name string) string {
	if r.getenv != nil {
		return r.getenv(name)
	}
	return os.Getenv(name)
}

func (r *Responder) at(step string) {
	if r.hook != nil {
		r.hook(step)
	}
}

// A turn is one action on its way.
type turn struct {
	r      *Responder
	a      Action
	plan   string
	by     string
	acts   int // begun in this run
	caller string
	before string
}

// take does the action. The error ends the run.
func (t *turn) take(ctx context.Context) (Outcome, error) {
	r, o := t.r, Outcome{Action: t.a}
	if err := r.Operator.stopped(r.env); err != nil {
		o.Reasons = []string{err.Error()}
		return o, err
	}
	reasons, err := t.check(ctx)
	if err != nil || len(reasons) > 0 {
		o.Reasons = reasons
		if err != nil {
			o.Reasons = []string{err.Error()}
			return o, err
		}
		r.step("refused: %s of %s: %s", t.a.Kind, t.a.Target, strings.Join(reasons, "; "))
		return o, nil
	}
	r.at("checked")
	if err := r.Ledger.Intend(t.a, t.plan, time.Now()); err != nil {
		o.Reasons = []string{err.Error()}
		if errors.Is(err, ErrDone) {
			return o, nil
		}
		return o, err
	}
	r.step("intent of %s of %s written", t.a.Kind, t.a.Target)
	r.at("intended")
	return t.act(ctx, o)
}

// check asks again whether the action may be done.
func (t *turn) check(ctx context.Context) ([]string, error) {
	r := t.r
	fresh := t.a
	fresh.describe()
	if fresh.Call != t.a.Call || fresh.Undo != t.a.Undo {
		return []string{"the call that the plan shows is not the one that the action makes"}, nil
	}
	if t.acts >= r.Operator.perRun() {
		return []string{fmt.Sprintf("the cap of %d actions per run is reached (limits.per_run)", r.Operator.perRun())}, nil
	}
	now := time.Now()
	if n := r.Ledger.Recent(now.Add(-day)); n >= r.Operator.PerDay() {
		return []string{fmt.Sprintf("the cap of %d actions in 24 hours is reached (limits.per_day)", r.Operator.PerDay())}, nil
	}
	f, err := r.Actor.Recheck(ctx, t.a)
	if err != nil {
		return nil, fmt.Errorf("checking %s again: %w", t.a.Target, err)
	}
	if f.Subject.ARN == (ARN{}) && t.a.Kind != DeactivateAccessKey {
		f.Subject.ARN = t.a.Target
	}
	if f.Subject.AccessKeyID == "" {
		f.Subject.AccessKeyID = t.a.AccessKeyID
	}
	t.caller, t.before = f.Caller.Or(Caller{}).ARN, f.summary()
	r.step("checked again: %s", t.before)
	past, err := r.Ledger.About(&t.a)
	if err != nil {
		return nil, err
	}
	return objections(&t.a, f, r.Operator, past, now), nil
}

// act announces the action, whose intent is written, makes the call and waits
// for its effect.
func (t *turn) act(ctx context.Context, o Outcome) (Outcome, error) {
	r := t.r
	began := time.Now()
	if err := t.announce(ctx); err != nil {
		return t.settle(ctx, o, Refused, "not called: "+err.Error(), err)
	}
	r.at("announced")
	receipt, err := r.Actor.Do(ctx, t.a)
	r.at("called")
	if err != nil {
		return t.failed(ctx, o, began, err)
	}
	if receipt.At.IsZero() {
		receipt.At = time.Now()
	}
	if err := r.Ledger.Receive(&t.a, receipt); err != nil {
		return o, err
	}
	r.at("received")
	o.State, o.RequestID = Answered, receipt.RequestID
	r.step("AWS accepted %s of %s, request %s", t.a.Kind, t.a.Target, orText(receipt.RequestID, "without an id"))
	if err := t.write("answered", receipt.RequestID, receipt.Note); err != nil {
		return o, err
	}
	r.at("answered")
	return t.await(ctx, o, began)
}

// announce writes the intent to the audit log, tells people, and reads the kill
// switch for the last time.
func (t *turn) announce(ctx context.Context) error {
	if err := t.write("intent", "", ""); err != nil {
		return err
	}
	t.r.at("logged")
	if err := t.tell(ctx, "before", "", ""); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.r.Operator.stopped(t.r.env)
}

// failed judges a call that came back with an error. Only an error that rules
// out that the change was made is taken for "not done".
func (t *turn) failed(ctx context.Context, o Outcome, began time.Time, err error) (Outcome, error) {
	var known interface{ MayHaveHappened() bool }
	if errors.As(err, &known) && !known.MayHaveHappened() {
		return t.settle(ctx, o, Refused, err.Error(), fmt.Errorf("%w: %w", errBreaker, err))
	}
	o.State = Intended
	t.r.step("whether %s of %s was done is unknown (%v); AWS is asked", t.a.Kind, t.a.Target, err)
	o, waitErr := t.await(ctx, o, began)
	return o, errors.Join(fmt.Errorf("%w: %w", errBreaker, err), waitErr)
}

// await waits for the effect of a call, unless that is looked for later.
func (t *turn) await(ctx context.Context, o Outcome, began time.Time) (Outcome, error) {
	if t.r.Later {
		return o, nil
	}
	state, evidence := t.r.confirm(ctx, &t.a, began, time.Now().Add(t.r.Operator.Limits.Confirm.or(defaultConfirm)), o.State)
	switch state {
	case Effective:
		o.Evidence = evidence
		return t.settle(ctx, o, Effective, evidence, nil)
	case Refused:
		return t.settle(ctx, o, Refused, evidence, errBreaker)
	case Abandoned:
		return t.settle(ctx, o, Abandoned, evidence, errBreaker)
	}
	o.Reasons = append(o.Reasons, evidence)
	t.r.step("not confirmed in time: %s; the next run asks again", evidence)
	return o, fmt.Errorf("%w: %s of %s is not confirmed: %s", errBreaker, t.a.Kind, t.a.Target, evidence)
}

// settle writes what became of the action, and tells people.
func (t *turn) settle(ctx context.Context, o Outcome, state EntryState, note string, why error) (Outcome, error) {
	r := t.r
	if err := r.Ledger.Settle(&t.a, state, note, time.Now()); err != nil {
		return o, err
	}
	o.State = state
	if state != Effective {
		o.Reasons = append(o.Reasons, note)
	}
	r.at("settled")
	r.step("%s: %s of %s: %s", state, t.a.Kind, t.a.Target, note)
	if err := t.write(string(state), o.RequestID, note); err != nil {
		return o, err
	}
	r.at("closed")
	if err := t.tell(context.WithoutCancel(ctx), "after", string(state), note); err != nil {
		why = errors.Join(why, err)
	}
	return o, why
}

func (t *turn) write(event, request, note string) error {
	e := &AuditEvent{
		At: time.Now(), Event: event, Caller: t.caller, User: osUser(), Plan: t.plan, Approval: t.by, Action: &t.a,
		RequestID: request, Note: note,
	}
	if event == "intent" {
		e.Before = t.before
	} else {
		e.Before, e.After = t.before, note
	}
	return t.r.Audit.Write(e)
}

func (t *turn) tell(ctx context.Context, event, state, note string) error {
	return t.r.Operator.tell(ctx, &Notice{
		Event: event, At: time.Now().UTC(), Plan: t.plan, Approval: t.by, Caller: t.caller, Action: &t.a,
		State: state, Note: note, AuditHead: t.r.Audit.Head(),
	})
}

// osUser returns the name of the operating system's user, or his number.
func osUser() string {
	u, err := user.Current()
	if err != nil {
		return fmt.Sprintf("uid %d", os.Getuid())
	}
	return u.Username
}

// jitter returns d, give or take a fifth, so that many responders do not ask at
// the same moment.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}
