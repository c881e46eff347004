package respond_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/respond"
)

// answer has a server answer a push with one key, and returns the error.
func answer(t *testing.T, r *respond.Responder, n int) error {
	t.Helper()
	found, err := r.Incidents.Found(t.Context(), incident.Incident{ID: fmt.Sprint("f", n), Severity: "medium", ARN: key(n)}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.Enrich(t.Context(), []byte(report(n)), []*incident.Incident{found})
	if err != nil || answer == nil {
		t.Fatalf("no answer: %v", err)
	}
	return answer(t.Context())
}

// told counts what people were told of, by id.
type told struct {
	sync.Mutex
	ids map[string]int
}

// watch runs the server's looks until cond holds.
func watch(t *testing.T, r *respond.Responder, cond func(told map[string]int) bool) {
	t.Helper()
	said := told{ids: map[string]int{}}
	r.Tell = func(_ context.Context, id string, _ *incident.Incident) error {
		said.Lock()
		defer said.Unlock()
		said.ids[id]++
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		said.Lock()
		ok := cond(said.ids)
		said.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to that; told %v", said.ids)
		}
	}
}

// stages returns whether an incident has reached a stage, and its notes.
func stages(t *testing.T, r *respond.Responder, id string, s incident.Stage) (bool, string) {
	t.Helper()
	i, err := r.Incidents.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	_, reached := i.First(s)
	var notes []string
	for _, e := range i.Timeline {
		if e.Stage == incident.Noted {
			notes = append(notes, e.Note)
		}
	}
	return reached, strings.Join(notes, "\n")
}

// TestSlowRotationHoldsUpNobody: a rotation that takes AWS an hour keeps no other
// key from being answered, and is confirmed and told of when it is done.
func TestSlowRotationHoldsUpNobody(t *testing.T) {
	a, _, m := servers(t, 2, 10)
	m.RotationTakes = time.Hour
	for n := 1; n <= 2; n++ {
		if i := push(t, a, n); i.Answered() {
			t.Errorf("incident %d is answered before AWS shows it: %+v", n, i.Timeline)
		}
		if got := m.OnDemandRotations(key(n)); got != 1 {
			t.Errorf("key %d was rotated %d times", n, got)
		}
	}
	later := time.Now().Add(time.Hour + time.Minute)
	m.Change(func() { m.Clock = func() time.Time { return later } })
	watch(t, a, func(told map[string]int) bool { return told["f1-1-answered"] > 0 && told["f2-1-answered"] > 0 })
	for n := 1; n <= 2; n++ {
		if ok, _ := stages(t, a, fmt.Sprint("f", n), incident.Confirmed); !ok {
			t.Errorf("incident %d is not confirmed", n)
		}
	}
	entries, err := live.ReadLedger(a.Folder)
	if err != nil || len(entries) != 2 || entries[0].State != live.Effective || entries[1].State != live.Effective {
		t.Errorf("the ledger holds %+v, %v", entries, err)
	}
}

// TestLostAnswer: whether a call happened whose answer was lost is found out
// beside other work; a key that was rotated is not rotated again, and one that
// was not is rotated once the push comes again.
func TestLostAnswer(t *testing.T) {
	for name, fault := range map[string]kmsfake.Fault{"it happened": {CutAfter: true}, "it did not": {Cut: true}} {
		t.Run(name, func(t *testing.T) {
			a, _, m, fake := serversAndAWS(t, 2, 10)
			a.Operator.Limits.Confirm = live.Duration(time.Second)
			fault.Action, fault.Key, fault.Times = "kms:RotateKeyOnDemand", key(1), 1
			fake.Inject(fault)
			var later *queue.Later
			if err := answer(t, a, 1); !errors.As(err, &later) {
				t.Fatalf("got %v, want that the push comes again later", err)
			}
			if err := answer(t, a, 2); err != nil || m.OnDemandRotations(key(2)) != 1 {
				t.Fatalf("another key: rotated %d times, %v", m.OnDemandRotations(key(2)), err)
			}
			watch(t, a, func(told map[string]int) bool {
				_, notes := stages(t, a, "f1", incident.Confirmed)
				return told["f2-1-answered"] > 0 && (told["f1-1-answered"] > 0 || strings.Contains(notes, "not done"))
			})
			for deadline := time.Now().Add(time.Minute); answer(t, a, 1) != nil; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the push is never done")
				}
			}
			watch(t, a, func(map[string]int) bool {
				ok, _ := stages(t, a, "f1", incident.Confirmed)
				return ok
			})
			if got := m.OnDemandRotations(key(1)); got != 1 {
				t.Errorf("rotated %d times", got)
			}
			fake.Forgive()
		})
	}
}

// TestAskedAgain: what keeps a key from being answered for now is tried again.
func TestAskedAgain(t *testing.T) {
	for name, fault := range map[string]kmsfake.Fault{
		"AWS is down":           {Action: "kms:DescribeKey", Status: 500, Code: "KMSInternalException"},
		"AWS throttles":         {Action: "kms:GetKeyRotationStatus", Code: "ThrottlingException"},
		"the call was refused":  {Action: "kms:RotateKeyOnDemand", Code: "AccessDeniedException"},
		"the tags are not told": {Action: "kms:ListResourceTags", Code: "AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, m, fake := serversAndAWS(t, 1, 10)
			fake.Inject(fault)
			var unanswered *incident.Unanswered
			if err := answer(t, a, 1); !errors.As(err, &unanswered) {
				t.Fatalf("got %v, want that the push is tried again", err)
			}
			if got := m.OnDemandRotations(key(1)); got != 0 {
				t.Fatalf("rotated %d times", got)
			}
			fake.Heal()
			if err := answer(t, a, 1); err != nil || m.OnDemandRotations(key(1)) != 1 {
				t.Errorf("rotated %d times, %v", m.OnDemandRotations(key(1)), err)
			}
		})
	}
}

// TestReadsAgain: a server that may only read asks again what AWS did not tell,
// and the incident says what it told then.
func TestReadsAgain(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	a.Operator = nil
	fake.Inject(kmsfake.Fault{Action: "kms:DescribeKey", Status: 500, Code: "KMSInternalException"})
	found, err := a.Incidents.Found(t.Context(), incident.Incident{ID: "f1", Severity: "medium", ARN: key(1)}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Enrich(t.Context(), []byte(report(1)), []*incident.Incident{found})
	if err != nil || again == nil {
		t.Fatalf("nothing is tried again: %v", err)
	}
	var unanswered *incident.Unanswered
	if err := again(t.Context()); !errors.As(err, &unanswered) {
		t.Fatalf("got %v, want that the push is tried again", err)
	}
	fake.Heal()
	if again, err = a.Enrich(t.Context(), []byte(report(1)), []*incident.Incident{found}); err != nil || again != nil {
		t.Fatalf("tried again although all is known: %v", err)
	}
	latest, err := a.Incidents.Get(t.Context(), "f1")
	if err != nil {
		t.Fatal(err)
	}
	last := latest.Timeline[len(latest.Timeline)-1]
	if last.Stage != incident.Enriched || !strings.HasPrefix(last.Note, string(live.Enabled)) || m.OnDemandRotations(key(1)) != 0 {
		t.Errorf("the timeline ends with %+v", last)
	}
}

// An actor does something before it makes a call.
type actor struct {
	live.Actor
	before func(live.Action)
}

func (a actor) Do(ctx context.Context, action live.Action) (live.Receipt, error) {
	a.before(action)
	return a.Actor.Do(ctx, action)
}

// TestSettledMeanwhile: a push has two keys, and it becomes known that one was not
// rotated while the other is being planned, or rotated: the push must come again.
func TestSettledMeanwhile(t *testing.T) {
	for name, meanwhile := range map[string]func(a *respond.Responder, settle func()){
		"while it is rotated": func(a *respond.Responder, settle func()) {
			a.Actor = actor{a.Actor, func(action live.Action) {
				if action.Finding == "f2" {
					settle()
				}
			}}
		},
		"while it is planned": func(a *respond.Responder, settle func()) {
			a.Claims = a.Claims.Through(func(b jetstream.KeyValue) jetstream.KeyValue { return claims{b, sync.OnceFunc(settle)} })
		},
	} {
		t.Run(name, func(t *testing.T) { settledMeanwhile(t, meanwhile) })
	}
}

// claims is the bucket of claims; the first question to it does something else too.
type claims struct {
	jetstream.KeyValue
	asked func()
}

func (c claims) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	c.asked()
	return c.KeyValue.Get(ctx, key)
}

func settledMeanwhile(t *testing.T, meanwhile func(a *respond.Responder, settle func())) {
	a, _, m, fake := serversAndAWS(t, 2, 10)
	a.Operator.Limits.Confirm = live.Duration(time.Millisecond)
	fake.Inject(kmsfake.Fault{Action: "kms:RotateKeyOnDemand", Key: key(1), Cut: true, Times: 1})
	var later *queue.Later
	if err := answer(t, a, 1); !errors.As(err, &later) {
		t.Fatalf("got %v, want that the push comes again later", err)
	}
	ctx, did := t.Context(), 0
	meanwhile(a, func() {
		// Run waits for the plan that is being carried out; a look of before does not.
		ledger, audit := respond.BookOf(a)
		run := &live.Responder{Actor: a.Actor, Operator: a.Operator, Ledger: ledger, Audit: audit, Later: true}
		for _, e := range ledger.Open() {
			if e.Action.Finding != "f1" || e.State != live.Intended {
				continue
			}
			o, _ := run.Look(ctx, e)
			if err := run.Settle(ctx, e, &o, "a look"); err != nil || o.State != live.Refused {
				t.Errorf("settled as %s, %v", o.State, err)
			}
			did++
		}
	})
	var incidents []*incident.Incident
	for n := 1; n <= 2; n++ {
		i, err := a.Incidents.Found(t.Context(), incident.Incident{ID: fmt.Sprint("f", n), Severity: "medium", ARN: key(n)}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		incidents = append(incidents, i)
	}
	both := strings.SplitAfter(report(1), "\n")[0] + report(2)
	for attempt := 1; ; attempt++ {
		answer, err := a.Enrich(t.Context(), []byte(both), incidents)
		if err != nil || answer == nil {
			t.Fatalf("no answer: %v", err)
		}
		err = answer(t.Context())
		if err == nil {
			break
		}
		if !errors.As(err, &later) || attempt == 3 {
			t.Fatalf("attempt %d: %v", attempt, err)
		}
	}
	if did != 1 {
		t.Errorf("%d intents were settled meanwhile, want 1", did)
	}
	for n := 1; n <= 2; n++ {
		if got := m.OnDemandRotations(key(n)); got != 1 {
			t.Errorf("key %d was rotated %d times", n, got)
		}
	}
	fake.Forgive()
}

// doubter is an actor that does not know, when it is asked first, what state the
// key has that it is to change.
type doubter struct {
	live.Actor
	asked *int
}

func (d doubter) Recheck(ctx context.Context, a live.Action) (*live.Facts, error) {
	f, err := d.Actor.Recheck(ctx, a)
	if *d.asked++; *d.asked == 1 && err == nil {
		f.Status, f.Why = live.StatusUnknown, "throttled"
	}
	return f, err
}

// TestRefusedWhenAskedAgain: what was planned is refused right before the call,
// since something is not known: the push comes again, and is answered then.
func TestRefusedWhenAskedAgain(t *testing.T) {
	a, _, m, _ := serversAndAWS(t, 1, 10)
	asked := 0
	a.Actor = doubter{a.Actor, &asked}
	var unanswered *incident.Unanswered
	if err := answer(t, a, 1); !errors.As(err, &unanswered) {
		t.Fatalf("got %v, want that it is not answered yet", err)
	}
	if got := m.OnDemandRotations(key(1)); got != 0 {
		t.Fatalf("the key was rotated %d times although its state was not known", got)
	}
	if err := answer(t, a, 1); err != nil {
		t.Fatal(err)
	}
	if got := m.OnDemandRotations(key(1)); got != 1 || asked < 2 {
		t.Errorf("the key was rotated %d times, having been asked about %d times", got, asked)
	}
}
