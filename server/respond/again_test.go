package respond_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/respond"
)

// down lets a push come while AWS gives no answer about its key, and go as one that
// was tried often enough.
func down(t *testing.T, r *respond.Responder, fake *kmsfake.Server, n int) {
	t.Helper()
	fake.Inject(kmsfake.Fault{Action: "kms:DescribeKey", Key: key(n), Code: "KMSInternalException"}) // not tried again by the SDK
	r.AskFor = respond.DefaultAskFor
	var unanswered *incident.Unanswered
	if err := answer(t, r, n); !errors.As(err, &unanswered) {
		t.Fatalf("got %v, want that AWS gives no answer", err)
	}
}

// sweep has a server look for what is due at a time, and returns in how long it looks
// again.
func sweep(t *testing.T, r *respond.Responder, in time.Duration) time.Duration {
	t.Helper()
	next, err := respond.Sweep(t.Context(), r, time.Now().Add(in))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func get(t *testing.T, r *respond.Responder, id string) *incident.Incident {
	t.Helper()
	i, err := r.Incidents.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// rotations holds how often keys were rotated, from the first on.
func rotations(t *testing.T, m *kmsfake.Model, want ...int) {
	t.Helper()
	for n := range want {
		if got := m.OnDemandRotations(key(n + 1)); got != want[n] {
			t.Errorf("key %d was rotated %d times, want %d", n+1, got, want[n])
		}
	}
}

// TestAskedAgainWithoutPush: what AWS did not tell when it was pushed is asked again
// by the server itself, judged, told and answered once; not before its time, and by
// whichever server comes first.
func TestAskedAgainWithoutPush(t *testing.T) {
	a, b, m, fake := serversAndAWS(t, 1, 10)
	down(t, a, fake, 1)
	w := get(t, a, "f1").Waits()
	if w == nil || !strings.Contains(w.Why, "kms:DescribeKey") || w.Times != 0 {
		t.Fatalf("it waits for %+v", w)
	}
	// Meanwhile strangers may use the key.
	m.Change(func() { m.Keys[0].Policy = open })
	fake.Heal()
	calls := len(fake.Calls())
	b.AskFor = a.AskFor
	if next := sweep(t, b, time.Minute); len(fake.Calls()) != calls || next < time.Minute || next > 6*time.Minute {
		t.Errorf("asked %d times before its time; the next look is in %s", len(fake.Calls())-calls, next)
	}
	told := map[string]string{}
	b.Tell = func(_ context.Context, id string, i *incident.Incident) error {
		told[id] = i.Gravity().Severity
		return nil
	}
	sweep(t, b, 7*time.Minute)
	rotations(t, m, 1)
	if i := get(t, b, "f1"); i.Waiting != nil || i.Gravity() != (incident.Gravity{Severity: "critical", Status: "enabled"}) {
		t.Errorf("it waits for %+v, and is %+v", i.Waiting, i.Gravity())
	}
	if told["f1-1"] != "critical" {
		t.Errorf("told %v, want that it is graver", told)
	}
	watch(t, b, func(told map[string]int) bool { return told["f1-1-answered"] > 0 })
	calls = len(fake.Calls())
	for _, r := range []*respond.Responder{a, b} {
		if next := sweep(t, r, 24*time.Hour); next != 30*time.Minute {
			t.Errorf("nothing waits, and the next look is in %s", next)
		}
	}
	if len(fake.Calls()) != calls {
		t.Errorf("asked %d times more", len(fake.Calls())-calls)
	}
	rotations(t, m, 1)
}

// TestAskAgain: the server does so by itself until it ends.
func TestAskAgain(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	down(t, a, fake, 1)
	fake.Heal()
	ctx, end := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() { respond.AskAgainFrom(ctx, a, time.Now().Add(7*time.Minute)) })
	for begun := time.Now(); get(t, a, "f1").Waiting != nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatal("nobody asks again")
		}
	}
	end()
	asking.Wait()
	rotations(t, m, 1)
}

// TestAskedAgainByOne: of two servers that look at the same moment one asks.
func TestAskedAgainByOne(t *testing.T) {
	a, b, m, fake := serversAndAWS(t, 1, 10)
	down(t, a, fake, 1)
	b.AskFor = a.AskFor
	fake.Forget()
	at := time.Now().Add(7 * time.Minute)
	done := make(chan error)
	for _, r := range []*respond.Responder{a, b} {
		go func() {
			_, err := respond.Sweep(t.Context(), r, at)
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := fake.Count("kms:DescribeKey"); n != 1 {
		t.Errorf("AWS was asked %d times", n)
	}
	if w := get(t, a, "f1").Waits(); w == nil || w.Times != 1 || w.Next.Before(at.Add(8*time.Minute)) {
		t.Errorf("it waits for %+v", w)
	}
	rotations(t, m, 0)
}

// TestWaitsGrow: AWS is asked again after five minutes and at last every six hours.
func TestWaitsGrow(t *testing.T) {
	for times, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 360, 360, 360, 360, 360} {
		for range 20 {
			if got := respond.AgainIn(times); got < want*time.Minute*4/5 || got > want*time.Minute*6/5+1 {
				t.Errorf("after %d times: %s, want some %d minutes", times, got, want)
			}
		}
	}
	if got := respond.AgainIn(1 << 20); got > 8*time.Hour {
		t.Errorf("got %s", got)
	}
}

// TestKilledWhileAskingAgain: what a server had taken that was killed is asked again
// when its time has come, by another process with the same folder, and rotated once,
// wherever the server was killed.
func TestKilledWhileAskingAgain(t *testing.T) {
	for _, at := range []string{"before AWS is asked", "before the call", "after the call"} {
		t.Run(at, func(t *testing.T) {
			a, b, m, fake := serversAndAWS(t, 1, 10)
			a.Operator.Limits.Confirm = live.Duration(time.Second)
			down(t, a, fake, 1)
			fake.Heal()
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			enricher, act := a.Enricher, a.Actor
			switch at {
			case "before AWS is asked":
				a.Enricher = killer{enricher, kill}
			case "before the call":
				a.Actor = actor{act, func(live.Action) { kill() }}
			case "after the call":
				fake.Inject(kmsfake.Fault{Action: "kms:RotateKeyOnDemand", CutAfter: true, Times: 1})
				a.Actor = actor{act, func(live.Action) { time.AfterFunc(20*time.Millisecond, kill) }}
			}
			_, err := respond.Sweep(ctx, a, time.Now().Add(7*time.Minute))
			t.Logf("killed: %v", err)
			if w := get(t, a, "f1").Waits(); w == nil || w.Times != 1 {
				t.Fatalf("it waits for %+v", w)
			}
			fake.Forgive()
			// As after a start: the same folder and name, and nothing in memory.
			if err := respond.CloseBook(a); err != nil {
				t.Fatal(err)
			}
			again := &respond.Responder{
				Enricher: enricher, Actor: act, Incidents: a.Incidents, Operator: a.Operator, Folder: a.Folder, Claims: a.Claims, Name: a.Name,
				AskFor: a.AskFor, Log: a.Log,
			}
			b.AskFor = a.AskFor
			ctx, stop := context.WithCancel(t.Context())
			var looking sync.WaitGroup
			looking.Go(func() { again.Run(ctx) })
			defer looking.Wait()
			defer stop()
			in := 7 * time.Minute
			for begun := time.Now(); !get(t, a, "f1").Answered(); time.Sleep(100 * time.Millisecond) {
				in += 10 * time.Minute
				sweep(t, again, in)
				sweep(t, b, in)
				if time.Since(begun) > time.Minute {
					t.Fatalf("it is never answered: %+v", get(t, a, "f1").Timeline)
				}
			}
			sweep(t, again, in+15*time.Hour)
			rotations(t, m, 1)
			if i := get(t, a, "f1"); i.Waits() != nil || !i.Answered() {
				t.Errorf("it waits for %+v; answered: %v", i.Waits(), i.Answered())
			}
		})
	}
}

// A killer is an enricher whose process ends when it is to ask.
type killer struct {
	live.Enricher
	kill func()
}

func (k killer) Enrich(ctx context.Context, s live.Subject) (*live.Facts, error) {
	k.kill()
	return k.Enricher.Enrich(ctx, s)
}

// TestClosedMeanwhile: nobody asks about an incident that somebody has closed; found
// anew, it is.
func TestClosedMeanwhile(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	down(t, a, fake, 1)
	if _, err := a.Incidents.Close(t.Context(), "f1", "ann", "it is a key of a test"); err != nil {
		t.Fatal(err)
	}
	fake.Forget()
	fake.Heal()
	sweep(t, a, 7*time.Minute)
	sweep(t, a, 10*24*time.Hour)
	if n := len(fake.Calls()); n != 0 {
		t.Errorf("asked %d times", n)
	}
	if i := get(t, a, "f1"); i.Timeline[len(i.Timeline)-1].Stage != incident.Closed {
		t.Errorf("the timeline goes on: %+v", i.Timeline)
	}
	// A crash before AWS is asked about the new place: nothing says that it waits.
	if _, err := a.Incidents.Found(t.Context(), incident.Incident{ID: "f1"}, incident.Place{Path: "b.txt", At: time.Now()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	sweep(t, a, time.Minute)
	rotations(t, m, 0)
	sweep(t, a, 7*time.Minute)
	rotations(t, m, 1)
}

// TestPolicyChangedMeanwhile: what holds is the operator's file of when AWS tells.
func TestPolicyChangedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(*respond.Responder){
		"it allows nothing": func(r *respond.Responder) {
			forbids := *r.Operator
			forbids.Actions, forbids.Digest = nil, "another"
			r.Operator = &forbids
		},
		"it is gone":             func(r *respond.Responder) { r.Operator = nil },
		"it wants a person":      func(r *respond.Responder) { r.Operator.Standing.Apply = nil },
		"it is for other places": func(r *respond.Responder) { r.Operator.Regions = []string{"eu-west-1"} },
	} {
		t.Run(name, func(t *testing.T) {
			a, _, m, fake := serversAndAWS(t, 1, 10)
			down(t, a, fake, 1)
			fake.Heal()
			change(a)
			sweep(t, a, 7*time.Minute)
			rotations(t, m, 0)
			if i := get(t, a, "f1"); i.Waits() != nil || i.Gravity().Status != "enabled" {
				t.Errorf("it waits for %+v, and is %+v", i.Waits(), i.Gravity())
			}
		})
	}
	t.Run("it allows it now", func(t *testing.T) {
		a, _, m, fake := serversAndAWS(t, 1, 10)
		operator := a.Operator
		a.Operator = nil
		fake.Inject(kmsfake.Fault{Action: "kms:DescribeKey", Code: "KMSInternalException"})
		a.AskFor = respond.DefaultAskFor
		look(t, a, 1, report(1))
		fake.Heal()
		a.Operator = operator
		sweep(t, a, 7*time.Minute)
		rotations(t, m, 1)
	})
}

// TestAWSNeverComesBack: after a week nobody asks any more, which the timeline says
// once, and the questions are few. The next push begins anew.
func TestAWSNeverComesBack(t *testing.T) {
	a, b, m, fake := serversAndAWS(t, 1, 10)
	down(t, a, fake, 1)
	b.AskFor = a.AskFor
	fake.Forget()
	for in := time.Duration(0); in < 8*24*time.Hour; in += 30 * time.Minute {
		sweep(t, a, in)
		sweep(t, b, in)
	}
	if n := fake.Count("kms:DescribeKey"); n < 25 || n > 50 {
		t.Errorf("asked %d times in a week", n)
	}
	ended := 0
	i := get(t, a, "f1")
	for _, e := range i.Timeline {
		if strings.Contains(e.Note, "not any more until it is pushed again: kms:DescribeKey") {
			ended++
		}
	}
	if ended != 1 || len(i.Timeline) > 6 || i.Waits() != nil {
		t.Errorf("the end stands %d times in the timeline: %+v", ended, i.Timeline)
	}
	fake.Heal()
	push(t, a, 1)
	rotations(t, m, 1)
}

// TestDeniedForAWhile: in the caller's own account "access denied" is asked again.
func TestDeniedForAWhile(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	a.AskFor = respond.DefaultAskFor
	fake.Inject(kmsfake.Fault{Key: key(1), Code: "AccessDeniedException"})
	if i := push(t, a, 1); i.Waits() == nil || i.Gravity().Status != string(live.NoAccess) {
		t.Fatalf("it waits for %+v, and is %+v", i.Waits(), i.Gravity())
	}
	fake.Heal()
	sweep(t, a, 7*time.Minute)
	rotations(t, m, 1)
}

// TestBlindIsAskedAgain: an incident that stays as grave as it was, since AWS is down
// when it is pushed again, is asked about again until AWS says otherwise.
func TestBlindIsAskedAgain(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	a.Operator, a.AskFor = nil, respond.DefaultAskFor
	m.Change(func() { m.Keys[0].Policy = open })
	if g := look(t, a, 1, report(1)).Gravity(); g.Severity != "critical" {
		t.Fatalf("everybody may use the key: %+v", g)
	}
	age(t, a)
	fake.Inject(kmsfake.Fault{Key: key(1), Code: "KMSInternalException"})
	if i := look(t, a, 1, report(1)); i.Gravity().Severity != "critical" || i.Waits() == nil {
		t.Fatalf("AWS is down: %+v, it waits for %+v", i.Gravity(), i.Waits())
	}
	fake.Heal()
	m.Change(func() { m.Keys[0].Policy = kmsfake.DefaultPolicy(account) })
	sweep(t, a, 7*time.Minute)
	if i := get(t, a, "f1"); i.Gravity() != (incident.Gravity{Severity: "medium", Status: "enabled"}) || i.Waits() != nil {
		t.Errorf("AWS is back: %+v, it waits for %+v", i.Gravity(), i.Waits())
	}
}

// TestOneAccountHoldsUpNobody: a role that cannot be assumed in one account is
// written down as not known; the keys of other accounts are answered.
func TestOneAccountHoldsUpNobody(t *testing.T) {
	a, _, m, _ := serversAndAWS(t, 1, 10)
	a.AskFor = respond.DefaultAskFor
	const other = "310987654321"
	m.Change(func() { m.Roles = []string{"arn:aws:iam::" + account + ":role/read"} })
	s, err := kms.Open(t.Context(), kms.Options{Role: "arn:{partition}:iam::{account}:role/read"})
	if err != nil {
		t.Fatal(err)
	}
	a.Enricher = s
	foreign := strings.NewReplacer(account, other, `"f1"`, `"f2"`).Replace(strings.SplitAfter(report(1), "\n")[0])
	var incidents []*incident.Incident
	for n, arn := range []string{key(1), strings.Replace(key(1), account, other, 1)} {
		i, err := a.Incidents.Found(t.Context(), incident.Incident{ID: fmt.Sprint("f", n+1), Severity: "medium", ARN: arn}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		incidents = append(incidents, i)
	}
	answer, err := a.Enrich(t.Context(), []byte(foreign+report(1)), incidents)
	if err != nil || answer == nil {
		t.Fatalf("no answer: %v", err)
	}
	var unanswered *incident.Unanswered
	if err := answer(t.Context()); !errors.As(err, &unanswered) {
		t.Errorf("got %v, want that the role cannot be assumed", err)
	}
	rotations(t, m, 1)
	if i := get(t, a, "f2"); i.Gravity().Status != "unknown" || i.Waits() == nil || !strings.Contains(i.Waits().Why, "sts:AssumeRole") {
		t.Errorf("the other account: %+v, it waits for %+v", i.Gravity(), i.Waits())
	}
	m.Change(func() { m.Roles = nil }) // it is rolled out there
	sweep(t, a, 7*time.Minute)
	if i := get(t, a, "f2"); i.Gravity().Status != string(live.NotFound) || i.Waits() != nil {
		t.Errorf("the role is there: %+v, it waits for %+v", i.Gravity(), i.Waits())
	}
}

// TestFewQuestionsWhileDown: many incidents wait, AWS is still down, and each look
// asks about a few of them; when AWS is back, one look answers all.
func TestFewQuestionsWhileDown(t *testing.T) {
	const n = respond.RunOf + 4
	a, _, m, fake := serversAndAWS(t, n, 100)
	a.Operator.Limits.PerRun = n
	for k := 1; k <= n; k++ {
		down(t, a, fake, k)
	}
	fake.Forget()
	sweep(t, a, 7*time.Minute)
	if got := fake.Count("kms:DescribeKey"); got != 3 {
		t.Errorf("asked about %d keys, want 3", got)
	}
	fake.Heal()
	if next := sweep(t, a, 8*time.Minute); next > 6*time.Minute {
		t.Errorf("the next look is in %s", next)
	}
	sweep(t, a, 30*time.Minute)
	for k := 1; k <= n; k++ {
		if got := m.OnDemandRotations(key(k)); got != 1 {
			t.Errorf("key %d was rotated %d times", k, got)
		}
	}
}

// TestNeverAskedAgain: without time to ask in, nothing waits.
func TestNeverAskedAgain(t *testing.T) {
	a, _, _, fake := serversAndAWS(t, 1, 10)
	down(t, a, fake, 1)
	a.AskFor = 0
	var unanswered *incident.Unanswered
	if err := answer(t, a, 1); !errors.As(err, &unanswered) {
		t.Fatal(err)
	}
	if i := get(t, a, "f1"); i.Waiting != nil {
		t.Errorf("it waits for %+v", i.Waiting)
	}
	a.AskAgain(t.Context()) // returns
}
