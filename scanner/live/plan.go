package live

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Plan is what a response would do, and what it refuses to do and why. It is
// made of facts alone and changes nothing; the same facts make the same plan.
type Plan struct {
	Version int `json:"version"`
	// Operator is the digest of the operator's file.
	Operator string   `json:"operator"`
	Actions  []Action `json:"actions"`
	// Hash is the SHA-256 of the version, the operator's digest and the
	// actions, as JSON. Who approves a plan names it.
	Hash     string    `json:"hash"`
	Refusals []Refusal `json:"refusals"`
}

// A Refusal is an action that was considered and may not be done.
type Refusal struct {
	Subject string   `json:"subject"`
	Kind    Kind     `json:"kind"`
	Reasons []string `json:"reasons"`
	// Capped says that nothing but a cap of the operator's refuses it, of a run or
	// of a day: later it may be done.
	Capped bool `json:"capped,omitempty"`
}

const planVersion = 1

// NewPlan returns the plan for all that is known of the subjects, as far as the
// operator allows it. History is what the ledger holds, nil for nothing; the error
// is its own. An action is planned only if every one of its conditions is known to hold: what is
// unknown refuses.
func NewPlan(all []*Facts, op *Operator, history History, now time.Time) (*Plan, error) {
	p := &Plan{Version: planVersion, Operator: op.Digest, Actions: []Action{}, Refusals: []Refusal{}}
	if history == nil {
		history = Entries(nil)
	}
	acts := 0
	for _, f := range all {
		v := Judge(f, op.Trusted)
		for _, a := range candidates(f, &v, op) {
			var reasons []string
			capped := false
			switch {
			case v.Severity < op.minSeverity():
				reasons = []string{fmt.Sprintf("its severity is %s; the operator answers from %s on", v.Severity, op.minSeverity())}
			case p.has(&a):
				reasons = []string{"it is in this plan already, for another finding of the same resource"}
			case a.Kind == NarrowPolicy: // nothing is done, so nothing is asked
			default:
				past, err := history.About(&a)
				if err != nil {
					return nil, err
				}
				if reasons = objections(&a, f, op, past, now); len(reasons) == 0 {
					reasons = caps(op, acts, history, now)
					capped = len(reasons) > 0
				}
			}
			if len(reasons) > 0 {
				p.Refusals = append(p.Refusals, Refusal{a.Subject, a.Kind, reasons, capped})
				continue
			}
			if a.Kind != NarrowPolicy {
				acts++
			}
			p.Actions = append(p.Actions, a)
		}
	}
	p.Hash = p.hash()
	return p, nil
}

// caps returns which of the operator's caps is reached by a run of which acts
// actions are planned; nil for none.
func caps(op *Operator, acts int, history History, now time.Time) []string {
	if acts >= op.perRun() {
		return []string{fmt.Sprintf("the cap of %d actions per run is reached (limits.per_run)", op.perRun())}
	}
	if n := history.Recent(now.Add(-day)); n+acts >= op.PerDay() {
		return []string{fmt.Sprintf("the cap of %d actions in 24 hours is reached: %d done, %d planned (limits.per_day)", op.PerDay(), n, acts)}
	}
	return nil
}

// has reports whether the plan does the same already.
func (p *Plan) has(a *Action) bool {
	return slices.ContainsFunc(p.Actions, func(b Action) bool { return a.Same(&b) })
}

// Same reports whether two actions change the same thing in the same way,
// whichever finding they answer.
func (a *Action) Same(b *Action) bool {
	return a.Kind == b.Kind && a.Target == b.Target && a.GrantID == b.GrantID && a.AccessKeyID == b.AccessKeyID
}

// hash returns the hash of what the plan would do.
func (p *Plan) hash() string {
	text, err := json.Marshal(struct {
		Version  int
		Operator string
		Actions  []Action
	}{p.Version, p.Operator, p.Actions})
	if err != nil {
		return "" // never: an action holds texts and numbers alone
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Acts counts the actions that change something.
func (p *Plan) Acts() int {
	n := 0
	for i := range p.Actions {
		if p.Actions[i].Kind != NarrowPolicy {
			n++
		}
	}
	return n
}

// ParsePlan reads a plan that was written as JSON. A plan that was edited is an
// error: its hash is another.
func ParsePlan(text []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", quiet(err))
	}
	if p.Version != planVersion {
		return nil, fmt.Errorf("reading the plan: version %d; this program reads version %d", p.Version, planVersion)
	}
	if h := p.hash(); p.Hash == "" || p.Hash != h {
		return nil, fmt.Errorf("reading the plan: its hash does not fit what it does: it was changed after it was made")
	}
	return &p, nil
}

// Approved reports whether approval names the plan: its hash, or at least the
// first 16 digits of it.
func (p *Plan) Approved(approval string) bool {
	approval = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(approval)), "sha256:")
	return len(approval) >= 16 && p.Hash != "" && strings.HasPrefix(p.Hash, approval)
}

// Standing reports whether the operator's standing policy allows every action
// that changes something.
func (p *Plan) Standing(op *Operator) bool {
	for i := range p.Actions {
		if a := &p.Actions[i]; a.Kind != NarrowPolicy && !slices.Contains(op.Standing.Apply, a.Kind) {
			return false
		}
	}
	return true
}

// maxPlanLines is how many lines of text a plan may take for one subject, so
// that a person reads all of it.
const maxPlanLines = 20

// Text returns the plan for people: what would be done to which resource, why,
// how it is undone, what it leaves, and what was refused; at most 20 lines for
// each resource.
func (p *Plan) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s\n%d to do, %d for a person, %d refused\n", p.Hash, p.Acts(), len(p.Actions)-p.Acts(), len(p.Refusals))
	var order []string
	lines := map[string][]string{}
	add := func(subject string, more ...string) {
		if _, seen := lines[subject]; !seen {
			order = append(order, subject)
		}
		lines[subject] = append(lines[subject], more...)
	}
	leaves := map[string][]string{}
	acts := map[string]int{}
	for i := range p.Actions {
		acts[p.Actions[i].Subject]++
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		add(a.Subject)
		switch {
		case a.Kind == NarrowPolicy:
		case acts[a.Subject] > maxPlanLines/5:
			add(a.Subject, "  do: "+a.Call) // every call is shown, if nothing else
		default:
			add(a.Subject, a.lines()...)
		}
		for _, l := range a.Leaves {
			if !slices.Contains(leaves[a.Subject], l) {
				leaves[a.Subject] = append(leaves[a.Subject], l)
			}
		}
	}
	for i := range p.Refusals {
		r := &p.Refusals[i]
		add(r.Subject, fmt.Sprintf("  refused: %s: %s", r.Kind, strings.Join(r.Reasons, "; ")))
	}
	for _, subject := range order {
		if len(leaves[subject]) > 0 {
			add(subject, "  leaves: "+strings.Join(leaves[subject], "; "))
		}
	}
	for i := range p.Actions { // last, since a policy may be long
		if a := &p.Actions[i]; a.Kind == NarrowPolicy {
			add(a.Subject, a.lines()...)
		}
	}
	for _, subject := range order {
		fmt.Fprintf(&b, "\n%s\n", subject)
		all := lines[subject]
		if n := len(all) - (maxPlanLines - 1); n > 0 {
			all = append(all[:maxPlanLines-2:maxPlanLines-2], fmt.Sprintf("  … %d more lines; --format json has all", n+1))
		}
		b.WriteString(strings.Join(all, "\n") + "\n")
	}
	return b.String()
}

// lines describes an action.
func (a *Action) lines() []string {
	if a.Kind == NarrowPolicy {
		lines := []string{"  for a person: " + a.Reason}
		for line := range strings.Lines(a.Diff) {
			if title := strings.HasPrefix(line, "  statement "); title || line[0] != ' ' {
				lines = append(lines, "    "+strings.TrimRight(line, "\n"))
			}
		}
		return lines
	}
	where := "account " + a.Account()
	if a.Target.Region != "" {
		where += ", Region " + a.Target.Region
	}
	return []string{
		fmt.Sprintf("  do: %s of %s in %s", a.Kind, a.Target.Resource, where),
		"    " + a.Call, "    why: " + a.Reason, "    undo: " + a.Undo,
	}
}
