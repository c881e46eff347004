package respond_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/respond"
)

// TestRefusedCallIsMadeLater: a call that AWS refuses for a while is made later, by
// the server that has claimed it.
func TestRefusedCallIsMadeLater(t *testing.T) {
	a, b, m, fake := serversAndAWS(t, 1, 10)
	a.AskFor, b.AskFor = respond.DefaultAskFor, respond.DefaultAskFor
	fake.Inject(kmsfake.Fault{Action: "kms:RotateKeyOnDemand", Code: "AccessDeniedException"})
	var unanswered *incident.Unanswered
	if err := answer(t, a, 1); !errors.As(err, &unanswered) {
		t.Fatalf("got %v", err)
	}
	if w := get(t, a, "f1").Waits(); w == nil || !strings.Contains(w.Why, "rotate-on-demand: ") {
		t.Fatalf("it waits for %+v", w)
	}
	fake.Heal()
	// Pushed again, to a server that must not make the call.
	push(t, b, 1)
	if w := get(t, b, "f1").Waits(); w == nil || !strings.Contains(w.Why, "rotate-on-demand: ") {
		t.Errorf("after a push to the other server it waits for %+v", w)
	}
	// The server that has claimed it makes the call, and no other; which asks
	// too if that one does not come for long.
	sweep(t, b, 7*time.Minute)
	if w := get(t, b, "f1").Waits(); w == nil || w.Times != 0 {
		t.Errorf("the other server took it: %+v", w)
	}
	sweep(t, b, 90*time.Minute)
	if w := get(t, b, "f1").Waits(); w == nil || w.Times != 1 || !strings.Contains(w.Why, "another server has claimed") {
		t.Errorf("the other server asks too: %+v", w)
	}
	rotations(t, m, 0)
	sweep(t, a, 2*time.Hour)
	rotations(t, m, 1)
}

// TestHeldUpIsDoneLater: what the kill switch or a cap of the operator's holds up is
// done when that is over.
func TestHeldUpIsDoneLater(t *testing.T) {
	t.Run("the kill switch", func(t *testing.T) {
		a, _, m, _ := serversAndAWS(t, 1, 10)
		a.AskFor = respond.DefaultAskFor
		t.Setenv(live.StopVariable, "1")
		var unanswered *incident.Unanswered
		if err := answer(t, a, 1); !errors.As(err, &unanswered) {
			t.Fatalf("got %v", err)
		}
		sweep(t, a, 7*time.Minute)
		rotations(t, m, 0)
		t.Setenv(live.StopVariable, "")
		sweep(t, a, 30*time.Minute)
		rotations(t, m, 1)
	})
	t.Run("the cap of a run", func(t *testing.T) {
		a, _, m, fake := serversAndAWS(t, 5, 10)
		a.Operator.Limits.PerRun = 2
		for n := 1; n <= 5; n++ {
			down(t, a, fake, n)
		}
		fake.Heal()
		sweep(t, a, 7*time.Minute)
		if got := m.AllOnDemandRotations(); got != 2 {
			t.Errorf("the first run rotated %d keys", got)
		}
		for in := 20 * time.Minute; in < 2*time.Hour; in += 10 * time.Minute {
			sweep(t, a, in)
		}
		rotations(t, m, 1, 1, 1, 1, 1)
	})
	t.Run("the cap of a day", func(t *testing.T) {
		a, _, m, _ := serversAndAWS(t, 2, 1)
		a.AskFor = respond.DefaultAskFor
		push(t, a, 1)
		i := push(t, a, 2)
		if w := i.Waits(); w == nil || !strings.Contains(w.Why, "limits.per_day") {
			t.Fatalf("it waits for %+v", w)
		}
		sweep(t, a, 7*time.Minute)
		rotations(t, m, 1, 0)
		a.Operator.Limits.PerDay = 2
		sweep(t, a, time.Hour)
		rotations(t, m, 1, 1)
		if w := get(t, a, "f2").Waits(); w != nil {
			t.Errorf("it waits for %+v", w)
		}
	})
}

// TestRefusedIsNotAskedAgain: what the operator's file refuses, what AWS tells only
// its owner, and what is gone waits for nothing.
func TestRefusedIsNotAskedAgain(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	a.AskFor = respond.DefaultAskFor
	m.Change(func() { m.Keys[0].Tags = map[string]string{live.NoRotateTag: "1"} })
	if i := push(t, a, 1); i.Waits() != nil {
		t.Errorf("a key that must not be rotated: it waits for %+v", i.Waits())
	}
	if i := push(t, a, 9); i.Waits() != nil || i.Gravity().Status != string(live.NotFound) {
		t.Errorf("a key that there is not: it waits for %+v, and is %+v", i.Waits(), i.Gravity())
	}
	m.Change(func() { m.Home = "210987654399" })
	fake.Inject(kmsfake.Fault{Key: key(7), Code: "AccessDeniedException"})
	s, err := kms.Open(t.Context(), kms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.Enricher = stranger{s}
	if i := push(t, a, 7); i.Waits() != nil || i.Gravity().Status != string(live.NoAccess) {
		t.Errorf("a key of somebody else: it waits for %+v, and is %+v", i.Waits(), i.Gravity())
	}
	rotations(t, m, 0)
}

// A stranger asks as somebody of another account.
type stranger struct{ live.Enricher }

func (s stranger) Enrich(ctx context.Context, subject live.Subject) (*live.Facts, error) {
	f, err := s.Enricher.Enrich(ctx, subject)
	if err == nil {
		f.Caller = live.Known(live.Caller{Account: "210987654399"})
	}
	return f, err
}
