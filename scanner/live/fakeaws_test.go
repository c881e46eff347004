package live

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fakeAWS is an Actor over a file: what it was told to do stays when the
// process dies, as in AWS.
type fakeAWS struct {
	path string
	hook func(string)
	// takes is how long a rotation is in progress; broken answers every call
	// after it with this error, which says happened of itself.
	takes    time.Duration
	broken   error
	change   func(*Facts)
	rechecks int
}

// fakeState is what the file holds: when each key's rotations were begun.
type fakeState map[string][]time.Time

func (x *fakeAWS) load() fakeState {
	s := fakeState{}
	text, err := os.ReadFile(x.path)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		panic(err)
	}
	return s
}

func (x *fakeAWS) at(step string) {
	if x.hook != nil {
		x.hook(step)
	}
}

func (x *fakeAWS) Recheck(_ context.Context, a Action) (*Facts, error) {
	x.rechecks++
	f := keyFacts()
	f.Subject.ARN, f.Key.ARN = a.Target, Known(a.Target)
	status := RotationStatus{Enabled: true, PeriodInDays: 365}
	var done []Rotation
	for _, at := range x.load()[a.Target.String()] {
		if time.Since(at) < x.takes {
			status.OnDemandStarted = at
		} else {
			done = append(done, Rotation{At: at, Type: "ON_DEMAND"})
		}
	}
	f.Key.Rotation, f.Key.Rotations = Known(status), Known(done)
	if x.change != nil {
		x.change(f)
	}
	return f, nil
}

type fakeError struct{ happened bool }

func (e *fakeError) Error() string         { return "kms:RotateKeyOnDemand: fails" }
func (e *fakeError) MayHaveHappened() bool { return e.happened }

func (x *fakeAWS) Do(_ context.Context, a Action) (Receipt, error) {
	x.at("sent")
	var known *fakeError
	if x.broken != nil && (!errors.As(x.broken, &known) || !known.happened) {
		return Receipt{}, x.broken
	}
	s := x.load()
	s[a.Target.String()] = append(s[a.Target.String()], time.Now())
	text, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(x.path+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(x.path+".new", x.path)
	}
	if err != nil {
		panic(err)
	}
	x.at("done in AWS")
	return Receipt{RequestID: "req-1", At: time.Now(), Note: "started"}, x.broken
}

func (x *fakeAWS) Confirm(ctx context.Context, a Action, since time.Time) (Confirmation, error) {
	f, _ := x.Recheck(ctx, a)
	x.rechecks--
	if r := f.Key.Rotation.Or(RotationStatus{}); !r.OnDemandStarted.IsZero() {
		return Confirmation{Progress: Pending, Evidence: "in progress"}, nil
	}
	for _, r := range f.Key.Rotations.Or(nil) {
		if !r.At.Before(since) {
			return Confirmation{Progress: Confirmed, Evidence: "ListKeyRotations: ON_DEMAND", At: r.At}, nil
		}
	}
	return Confirmation{Progress: Pending, Evidence: "none since"}, nil
}

// rotations counts the rotations of a key.
func (x *fakeAWS) rotations(a *Action) int { return len(x.load()[a.Target.String()]) }

// bench is a responder with all that it needs.
type bench struct {
	*Responder
	aws   *fakeAWS
	dir   string
	steps []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{dir: dir, aws: &fakeAWS{path: filepath.Join(dir, "aws.json"), takes: 20 * time.Millisecond}}
	l := openLedger(t, filepath.Join(dir, "ledger"))
	audit, err := OpenAudit(l)
	must(t, err)
	t.Cleanup(func() { _ = audit.Close() })
	op := permissive()
	op.Limits.Confirm = Duration(2 * time.Second)
	b.Responder = &Responder{
		Actor: b.aws, Operator: op, Ledger: l, Audit: audit, first: time.Millisecond,
		Step:   func(_ time.Time, what string) { b.steps = append(b.steps, what) },
		getenv: func(string) string { return "" },
	}
	return b
}

// plan returns the plan for an ordinary key, as a dry run makes it.
func (b *bench) plan() *Plan {
	return mustPlan([]*Facts{keyFacts()}, b.Operator, b.Ledger, now)
}

// run carries out the plan, approved by its hash.
func (b *bench) run(t *testing.T, p *Plan) *Result {
	t.Helper()
	by, err := ApproveHash(p, p.Hash)
	must(t, err)
	res, err := b.Run(t.Context(), p, by)
	must(t, err)
	if c := verify(t, b.Ledger.Folder(), ""); c.Bad != 0 {
		t.Errorf("the audit log does not verify: %+v", c)
	}
	return res
}
