package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRespond(t *testing.T) {
	b := newBench(t)
	p := b.plan()
	res := b.run(t, p)
	if !res.Done() || len(res.Outcomes) != 1 || res.Outcomes[0].State != Effective || res.Outcomes[0].RequestID != "req-1" {
		t.Fatalf("got %+v", res)
	}
	if n := b.aws.rotations(&p.Actions[0]); n != 1 {
		t.Errorf("%d rotations", n)
	}
	if again := b.run(t, p); !again.Done() || !strings.Contains(again.Outcomes[0].Evidence, "done before") || b.aws.rotations(&p.Actions[0]) != 1 {
		t.Errorf("the same plan again: %+v", again)
	}
	var events []string
	for line := range strings.Lines(read(t, b.Ledger.Folder(), auditFile)) {
		var l struct{ Body AuditEvent }
		must(t, json.Unmarshal([]byte(line), &l))
		events = append(events, l.Body.Event)
		if l.Body.User == "" || l.Body.Plan != p.Hash || l.Body.Approval != "by hash" {
			t.Errorf("who or why is missing: %+v", l.Body)
		}
		if l.Body.Event == "confirmed" && (l.Body.Caller == "" || l.Body.Before == "" || l.Body.After == "" || l.Body.RequestID != "req-1") {
			t.Errorf("the line says too little: %+v", l.Body)
		}
	}
	if got := strings.Join(events, " "); got != "planned intent answered confirmed planned" {
		t.Errorf("the audit log says %s", got)
	}
	timeline := strings.Join(b.steps, "\n")
	for _, want := range []string{"approved by hash", "checked again: ", "intent of rotate-on-demand", "AWS accepted", "waiting for the effect", "confirmed: "} {
		if !strings.Contains(timeline, want) {
			t.Errorf("%q is missing in the timeline\n%s", want, timeline)
		}
	}
}

// TestRule02Approval: without the plan's own approval nothing is done.
func TestRule02Approval(t *testing.T) {
	b := newBench(t)
	p := b.plan()
	other := planOf(func(f *Facts, _ *Operator) { f.Subject.Found[0].Fingerprint = "f2" })
	forOther, err := ApproveHash(other, other.Hash)
	must(t, err)
	for name, by := range map[string]Approval{"none": {}, "another plan's": forOther} {
		if _, err := b.Run(t.Context(), p, by); err == nil {
			t.Errorf("carried out with the approval: %s", name)
		}
	}
	if _, err := ApproveTyped(p, p.Hash[:7]); err == nil {
		t.Error("seven digits were enough")
	}
	if _, err := ApproveTyped(p, " "+strings.ToUpper(p.Hash[:8])+"\n"); err != nil {
		t.Error(err)
	}
	if _, err := ApproveHash(p, other.Hash); err == nil {
		t.Error("another plan's hash approved it")
	}
	if _, err := ApproveStanding(p, b.Operator); err == nil {
		t.Error("the standing policy of an operator who has none approved it")
	}
	b.Operator.Standing.Apply = []Kind{RotateOnDemand}
	if _, err := ApproveStanding(p, b.Operator); err != nil {
		t.Error(err)
	}
	by, err := ApproveHash(p, p.Hash)
	must(t, err)
	changed := *p
	changed.Actions = slices.Clone(p.Actions)
	changed.Actions[0].Target.Resource = "key/other"
	if _, err := b.Run(t.Context(), &changed, by); err == nil {
		t.Error("a plan that was changed after its approval was carried out")
	}
	b.Operator.Digest = "d2"
	if _, err := b.Run(t.Context(), p, by); err == nil {
		t.Error("a plan of another operator's file was carried out")
	}
	if b.aws.rotations(&p.Actions[0]) != 0 {
		t.Error("a key was rotated")
	}
}

// TestRule05Recheck: what changed since the plan was made stops it.
func TestRule05Recheck(t *testing.T) {
	for want, change := range map[string]func(*Facts){
		"tagged":           func(f *Facts) { f.Key.Tags = Known(map[string]string{NoRotateTag: ""}) },
		"caller's account": func(f *Facts) { f.Caller = Known(Caller{Account: foreign}) },
		"key state is":     func(f *Facts) { f.Key.KeyState = Known("Disabled") },
		"5 of its 25":      func(f *Facts) { f.Key.Rotations = onDemand(20, 9999*time.Hour) },
		"rests for": func(f *Facts) {
			f.Key.Rotations = Known([]Rotation{{At: time.Now().Add(-time.Hour), Type: "ON_DEMAND"}})
		},
		"is unknown":         func(f *Facts) { f.Key = &KeyFacts{} },
		"in progress":        func(f *Facts) { f.Key.Rotation = Known(RotationStatus{OnDemandStarted: now}) },
		"which answers with": nil,
	} {
		b := newBench(t)
		p := b.plan()
		if change == nil {
			want = "another key"
			change = func(f *Facts) { f.Key.ARN = Known(testKey.In("us-east-1")) }
		}
		b.aws.change = change
		res := b.run(t, p)
		if res.Done() || b.aws.rotations(&p.Actions[0]) != 0 || !strings.Contains(fmt.Sprint(res.Outcomes[0].Reasons), want) {
			t.Errorf("%s: got %+v", want, res.Outcomes)
		}
		if len(entriesOf(t, b.Ledger)) != 0 {
			t.Errorf("%s: an intent was written", want)
		}
	}
}

// A plan whose words were exchanged says one thing and does another.
func TestPlanThatLies(t *testing.T) {
	b := newBench(t)
	p := b.plan()
	p.Actions[0].Call = strings.Replace(p.Actions[0].Call, own, foreign, 1)
	p.Hash = p.hash()
	if res := b.run(t, p); res.Done() || b.aws.rotations(&p.Actions[0]) != 0 {
		t.Errorf("got %+v", res)
	}
}

// TestRule05CircuitBreaker: the first failure ends the run; a call that AWS
// surely refused may be tried again another time.
func TestRule05CircuitBreaker(t *testing.T) {
	b := newBench(t)
	b.aws.broken = &fakeError{}
	second := keyFacts()
	second.Subject.ARN.Resource = "key/0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
	second.Key.ARN = Known(second.Subject.ARN)
	p := mustPlan([]*Facts{keyFacts(), second}, b.Operator, nil, now)
	if p.Acts() != 2 {
		t.Fatalf("planned %s", kinds(p))
	}
	res := b.run(t, p)
	if res.Done() || res.Stopped == "" || res.Outcomes[0].State != Refused || res.Outcomes[1].State != "" || b.aws.rechecks != 1 {
		t.Errorf("got %+v after %d checks", res, b.aws.rechecks)
	}
	b.aws.broken = nil
	if res := b.run(t, b.plan()); !res.Done() || b.aws.rotations(&p.Actions[0]) != 1 {
		t.Errorf("once it works: %+v", res)
	}
}

// TestRule06UncertainCall: a call whose answer was lost is asked about and not
// repeated.
func TestRule06UncertainCall(t *testing.T) {
	for name, broken := range map[string]error{"says so": &fakeError{happened: true}, "says nothing": errors.New("connection reset")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Operator.Limits.Confirm = Duration(50 * time.Millisecond)
			b.aws.broken = broken
			p := b.plan()
			res := b.run(t, p)
			want := 0 // "says nothing" fails before the change
			state := Refused
			if name == "says so" {
				want, state = 1, Effective
			}
			if res.Stopped == "" || res.Outcomes[0].State != state || b.aws.rotations(&p.Actions[0]) != want {
				t.Errorf("got %+v, %d rotations", res, b.aws.rotations(&p.Actions[0]))
			}
			b.aws.broken = nil
			again := b.plan()
			if again.Acts() > 0 {
				b.run(t, again)
			}
			if n := b.aws.rotations(&p.Actions[0]); n != 1 {
				t.Errorf("%d rotations in the end", n)
			}
		})
	}
}

// TestRule06NotConfirmedInTime: a rotation that takes long stays open, is not
// repeated, and the next run learns of it.
func TestRule06NotConfirmedInTime(t *testing.T) {
	b := newBench(t)
	b.aws.takes, b.Operator.Limits.Confirm = 300*time.Millisecond, Duration(30*time.Millisecond)
	p := b.plan()
	res := b.run(t, p)
	if res.Done() || res.Outcomes[0].State != Answered || len(b.Ledger.Open()) != 1 {
		t.Fatalf("got %+v", res)
	}
	if again := b.plan(); again.Acts() != 0 {
		t.Errorf("planned again while it is open: %s", kinds(again))
	}
	time.Sleep(300 * time.Millisecond)
	earlier, err := b.Resolve(t.Context())
	must(t, err)
	if len(earlier) != 1 || earlier[0].State != Effective || b.aws.rotations(&p.Actions[0]) != 1 {
		t.Errorf("got %+v", earlier)
	}
}

// TestRule11KillSwitch: each form of it, before the run and right before the
// call.
func TestRule11KillSwitch(t *testing.T) {
	for name, pull := range map[string]func(b *bench){
		"variable": func(b *bench) { b.getenv = func(k string) string { return map[string]string{StopVariable: "1"}[k] } },
		"own variable": func(b *bench) {
			b.Operator.Stop.Env = "HALT"
			b.getenv = func(k string) string { return map[string]string{"HALT": "yes"}[k] }
		},
		"file": func(b *bench) {
			b.Operator.Stop.File = filepath.Join(b.dir, "stop")
			if err := os.WriteFile(b.Operator.Stop.File, nil, 0o600); err != nil {
				panic(err)
			}
		},
		"file that cannot be looked at": func(b *bench) { b.Operator.Stop.File = filepath.Join(b.dir, "aws\x00json") },
	} {
		for _, step := range []string{"", "checked", "intended", "logged"} {
			b := newBench(t)
			p := b.plan()
			if step == "" {
				pull(b)
			} else {
				b.hook = func(at string) {
					if at == step {
						pull(b)
					}
				}
			}
			res := b.run(t, p)
			if res.Done() || !strings.Contains(res.Stopped, "kill switch") || b.aws.rotations(&p.Actions[0]) != 0 {
				t.Errorf("%s at %q: got %+v", name, step, res)
			}
			if open := b.Ledger.Open(); len(open) != 0 {
				t.Errorf("%s at %q: left open: %+v", name, step, open)
			}
		}
	}
	b := newBench(t)
	b.getenv = func(k string) string { return map[string]string{StopVariable: "0"}[k] }
	if res := b.run(t, b.plan()); !res.Done() {
		t.Errorf("0 stops: %+v", res)
	}
}

// TestRule08Respond: the guard stands before the first question.
func TestRule08Respond(t *testing.T) {
	b := newBench(t)
	b.getenv = func(k string) string { return map[string]string{"GITHUB_EVENT_NAME": "pull_request"}[k] }
	p := b.plan()
	by, err := ApproveHash(p, p.Hash)
	must(t, err)
	if _, err := b.Run(t.Context(), p, by); err == nil || b.aws.rechecks != 0 {
		t.Errorf("got %v after %d checks", err, b.aws.rechecks)
	}
}

// TestRule10Notifications: people are told before and after, without the
// credentials; who cannot be told before is not surprised.
func TestRule10Notifications(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	b := newBench(t)
	log := filepath.Join(b.dir, "told")
	t.Setenv("AWS_SESSION_TOKEN", "made-up")
	b.Operator.Notify.Command = []string{"/bin/sh", "-c", `cat >>"$1"; echo "aws:$AWS_SESSION_TOKEN" >>"$1"`, "sh", log}
	p := b.plan()
	if res := b.run(t, p); !res.Done() {
		t.Fatalf("got %+v", res)
	}
	text := read(t, b.dir, "told")
	if !strings.Contains(text, `"event":"before"`) || !strings.Contains(text, `"event":"after"`) || !strings.Contains(text, `"state":"confirmed"`) || strings.Contains(text, "made-up") {
		t.Errorf("told:\n%s", text)
	}
	mute := newBench(t)
	mute.Operator.Notify.Command = []string{"/bin/false"}
	if res := mute.run(t, mute.plan()); res.Done() || mute.aws.rotations(&p.Actions[0]) != 0 || len(mute.Ledger.Open()) != 0 {
		t.Errorf("nobody could be told: %+v", res)
	}
	slow := newBench(t)
	slow.Operator.Notify = Notify{Command: []string{"/bin/sh", "-c", "sleep 30"}, Timeout: Duration(50 * time.Millisecond)}
	if res := slow.run(t, slow.plan()); res.Done() || slow.aws.rotations(&p.Actions[0]) != 0 {
		t.Errorf("nobody could be told in time: %+v", res)
	}
}

// An interrupt before the call leaves nothing open; one after it leaves what
// the next run resolves.
func TestInterrupted(t *testing.T) {
	for step, want := range map[string]struct{ rotations, open int }{
		"checked": {0, 0}, "logged": {0, 0}, "received": {1, 1},
	} {
		b := newBench(t)
		b.aws.takes = time.Minute
		p := b.plan()
		by, err := ApproveHash(p, p.Hash)
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		b.hook = func(at string) {
			if at == step {
				cancel()
			}
		}
		res, err := b.Run(ctx, p, by)
		must(t, err)
		if res.Done() || b.aws.rotations(&p.Actions[0]) != want.rotations || len(b.Ledger.Open()) != want.open {
			t.Errorf("%s: %+v, %d rotations, open %+v", step, res, b.aws.rotations(&p.Actions[0]), b.Ledger.Open())
		}
		cancel()
	}
}

// What is resolved is what an earlier process left: another finding of the key
// waits for it.
func TestResolveBeforeAnythingElse(t *testing.T) {
	b := newBench(t)
	b.Operator.Limits.Confirm = Duration(20 * time.Millisecond)
	a := action("f0")
	must(t, b.Ledger.Intend(a, "p0", time.Now().Add(-48*time.Hour)))
	if p := b.plan(); p.Acts() != 0 {
		t.Fatalf("planned %s while an act on the key is unresolved", kinds(p))
	}
	earlier, err := b.Resolve(t.Context())
	must(t, err)
	if len(earlier) != 1 || earlier[0].State != Refused || !strings.Contains(earlier[0].Evidence, "no trace") {
		t.Fatalf("got %+v", earlier)
	}
	if res := b.run(t, b.plan()); !res.Done() {
		t.Errorf("after it: %+v", res)
	}
}

// What cannot be asked about stays open.
func TestResolveWithoutAnswer(t *testing.T) {
	for name, change := range map[string]func(*Facts){
		"rotations unknown": func(f *Facts) { f.Key.Rotations = Unknown[[]Rotation]("throttled") },
		"status unknown":    func(f *Facts) { f.Key.Rotation = Unknown[RotationStatus]("throttled") },
		"nothing known":     func(f *Facts) { f.Key = &KeyFacts{} },
		"clocks that differ": func(f *Facts) {
			f.Key.Rotations = Known([]Rotation{{At: time.Now().Add(-time.Hour - time.Minute), Type: "ON_DEMAND"}})
		},
	} {
		b := newBench(t)
		b.Operator.Limits.Confirm = Duration(20 * time.Millisecond)
		must(t, b.Ledger.Intend(action("f0"), "p0", time.Now().Add(-time.Hour)))
		b.aws.change = change
		earlier, err := b.Resolve(t.Context())
		must(t, err)
		if len(earlier) != 1 || earlier[0].State != Intended || len(b.Ledger.Open()) != 1 {
			t.Errorf("%s: got %+v", name, earlier)
		}
	}
}

// TestRule12HonestWords: every action says what it does not fix.
func TestRule12HonestWords(t *testing.T) {
	for _, k := range []Kind{RotateOnDemand, EnableRotation, RevokeGrant, DeactivateAccessKey, RotateSecret, NarrowPolicy} {
		a := Action{Kind: k, Target: testKey}
		a.describe()
		if len(a.Leaves) == 0 || a.Undo == "" || a.Call == "" {
			t.Errorf("%s: %+v", k, a)
		}
	}
	a := Action{Kind: RotateOnDemand, Target: testKey}
	a.describe()
	all := strings.Join(a.Leaves, "\n")
	for _, want := range []string{"encrypted before", "data keys", "grants", "policy", "git history"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in what a rotation leaves:\n%s", want, all)
		}
	}
}

// A failing disk stops everything before the call.
func TestNoDiskNoCall(t *testing.T) {
	b := newBench(t)
	p := b.plan()
	must(t, b.Ledger.journal.Close())
	by, err := ApproveHash(p, p.Hash)
	must(t, err)
	res, err := b.Run(t.Context(), p, by)
	must(t, err)
	if res.Done() || b.aws.rotations(&p.Actions[0]) != 0 {
		t.Errorf("got %+v", res)
	}
	b = newBench(t)
	must(t, b.Audit.journal.Close())
	if _, err := b.Run(t.Context(), p, by); err == nil || b.aws.rotations(&p.Actions[0]) != 0 {
		t.Errorf("without an audit log: %v", err)
	}
}
