package kms

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/live"
)

// A State is what a service or a watch needs to know of a key: whether it can
// be used, rotates, and who may use it. What could not be found out is unknown,
// and says why.
type State struct {
	ARN    live.ARN    `json:"arn"`
	At     time.Time   `json:"at"`
	Status live.Status `json:"status"`
	Why    string      `json:"why,omitempty"`
	// Deletion is the zero time where none is scheduled.
	Deletion live.Fact[time.Time]           `json:"deletion"`
	Rotation live.Fact[live.RotationStatus] `json:"rotation"`
	Policy   live.Fact[string]              `json:"policy"`
	// Grants are the ids of the grants, sorted.
	Grants live.Fact[[]string] `json:"grants"`
	// Exposures say how strangers can use the key; weak ones are left out.
	Exposures live.Fact[[]string] `json:"exposures"`
}

// Check asks for the state of one key, with the key's ARN: four requests, of
// which three go at once. Accounts and organisations in allowed are no
// strangers. An error means that nothing could be asked; a key that does not
// exist, or that the caller may not see, is a State.
func (s *Session) Check(ctx context.Context, key live.ARN, allowed ...string) (State, error) {
	if !key.IsKey() {
		return State{}, fmt.Errorf("%.60q is not the ARN of a KMS key", key)
	}
	if err := plausible(key); err != nil {
		return State{}, err
	}
	caller, err := s.Caller(ctx, key)
	if classOfError(err) == Credentials {
		return State{}, fmt.Errorf("checking %s: %w", key, err)
	}
	var k live.KeyFacts
	state := State{ARN: key, At: time.Now().UTC()}
	var failed error
	state.Status, state.Why, failed = s.ask(ctx, key, caller.Account, &k, scope{policy: true, grants: true, rotation: true})
	if classOfError(err) == NotAccepted && classOfError(failed) == NotAccepted {
		return State{}, fmt.Errorf("checking %s: %w", key, failed)
	}
	if err := ctx.Err(); err != nil {
		return State{}, fmt.Errorf("checking %s: %w", key, err)
	}
	state.Deletion, state.Rotation, state.Policy = k.DeletionDate, k.Rotation, k.Policy
	state.Grants = live.Unknown[[]string](k.Grants.Because())
	if grants, ok := k.Grants.Get(); ok {
		ids := []string{}
		for _, g := range grants {
			ids = append(ids, g.ID)
		}
		slices.Sort(ids)
		state.Grants = live.Known(ids)
	}
	state.Exposures = exposures(key, &k, allowed)
	return state, nil
}

// exposures are known only if policy and grants are.
func exposures(key live.ARN, k *live.KeyFacts, allowed []string) live.Fact[[]string] {
	policy, ok := k.Policy.Get()
	if !ok {
		return live.Unknown[[]string](k.Policy.Because())
	}
	grants, ok := k.Grants.Get()
	if !ok {
		return live.Unknown[[]string](k.Grants.Because())
	}
	all, err := live.Exposures(key, policy, grants, allowed)
	if err != nil {
		return live.Unknown[[]string](err.Error())
	}
	texts := []string{}
	for i := range all {
		if !all[i].Weak() {
			texts = append(texts, all[i].String())
		}
	}
	slices.Sort(texts)
	return live.Known(texts)
}

// A Change is a difference between two states of a key.
type Change struct {
	Kind     string         `json:"kind"`
	Severity rules.Severity `json:"severity"`
	Text     string         `json:"text"`
}

// The kinds of change. Scripts depend on them.
const (
	RotationOff       = "rotation-off"
	RotationOn        = "rotation-on"
	PeriodChanged     = "period-changed"
	DeletionScheduled = "deletion-scheduled"
	StatusChanged     = "status-changed"
	PolicyOpened      = "policy-opened" // by policy or grant, to a stranger
	PolicyClosed      = "policy-closed"
	PolicyChanged     = "policy-changed"
	GrantAdded        = "grant-added"
	GrantRemoved      = "grant-removed"
)

// Changes returns what changed from an earlier state to a later one. What is
// unknown in either is no change: see Merge.
func Changes(before, after State) []Change {
	var all []Change
	add := func(kind string, s rules.Severity, format string, args ...any) {
		all = append(all, Change{kind, s, fmt.Sprintf(format, args...)})
	}
	switch {
	case before.Status == after.Status || !answered(before.Status) || !answered(after.Status):
	case after.Status == live.PendingDeletion:
		when := ""
		if d := after.Deletion.Or(time.Time{}); !d.IsZero() {
			when = " at " + d.Format(time.RFC3339)
		}
		add(DeletionScheduled, rules.Critical, "the key is scheduled for deletion%s", when)
	default:
		add(StatusChanged, rules.High, "the key was %s and is %s", before.Status, after.Status)
	}
	if b, a, ok := both(before.Rotation, after.Rotation); ok && after.Status != live.PendingDeletion {
		switch {
		case b.Enabled && !a.Enabled:
			add(RotationOff, rules.High, "automatic rotation was switched off")
		case !b.Enabled && a.Enabled:
			add(RotationOn, rules.Info, "automatic rotation was switched on, every %d days", a.PeriodInDays)
		case a.PeriodInDays != b.PeriodInDays:
			add(PeriodChanged, rules.Medium, "the rotation period was %d days and is %d", b.PeriodInDays, a.PeriodInDays)
		}
	}
	opened := len(all)
	if b, a, ok := both(before.Exposures, after.Exposures); ok {
		for _, e := range without(a, b) {
			add(PolicyOpened, rules.Critical, "%s", e)
		}
		for _, e := range without(b, a) {
			add(PolicyClosed, rules.Info, "no longer: %s", e)
		}
	}
	opened = len(all) - opened
	if b, a, ok := both(before.Policy, after.Policy); ok && a != b && opened == 0 {
		add(PolicyChanged, rules.Medium, "the key policy changed, and opened nothing to strangers")
	}
	if b, a, ok := both(before.Grants, after.Grants); ok {
		for _, g := range without(a, b) {
			add(GrantAdded, rules.Medium, "grant %s was added", g)
		}
		for _, g := range without(b, a) {
			add(GrantRemoved, rules.Info, "grant %s is gone", g)
		}
	}
	return all
}

// answered reports whether a status says something about the key.
func answered(s live.Status) bool {
	return s != "" && s != live.StatusUnknown && s != live.NoAccess
}

func both[T any](before, after live.Fact[T]) (b, a T, ok bool) {
	b, known := before.Get()
	a, ok = after.Get()
	return b, a, known && ok
}

// without returns what a sorted list has more than another.
func without(list, other []string) []string {
	var more []string
	for _, s := range list {
		if _, ok := slices.BinarySearch(other, s); !ok {
			more = append(more, s)
		}
	}
	return more
}

// Merge returns after with what it does not know taken from before, so that a
// change is noticed across a time in which nothing could be found out.
func Merge(before, after State) State {
	if !answered(after.Status) && answered(before.Status) {
		after.Status, after.Why = before.Status, before.Why
	}
	keep(&after.Deletion, before.Deletion)
	keep(&after.Rotation, before.Rotation)
	keep(&after.Policy, before.Policy)
	keep(&after.Grants, before.Grants)
	keep(&after.Exposures, before.Exposures)
	return after
}

func keep[T any](f *live.Fact[T], before live.Fact[T]) {
	if !f.IsKnown() && before.IsKnown() {
		*f = before
	}
}
