package kms

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

func action(t *testing.T, kind live.Kind) live.Action {
	t.Helper()
	return live.Action{Kind: kind, Target: mustARN(t, keyARN), Finding: "f1"}
}

func actor(t *testing.T, server *kmsfake.Server) *Actor {
	t.Helper()
	s := open(t, server, Options{Attempts: 3, Timeout: 5 * time.Second})
	return NewActor(s, s)
}

func confirm(t *testing.T, x *Actor, a live.Action, since time.Time) live.Confirmation {
	t.Helper()
	c, err := x.Confirm(context.Background(), a, since)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRotate: a rotation is confirmed when it is no longer in progress and
// ListKeyRotations shows it; one of before does not count.
func TestRotate(t *testing.T) {
	key := fullKey()
	key.Rotations = []kmsfake.Rotation{{At: time.Now().Add(-time.Hour), Type: "ON_DEMAND"}, {At: time.Now().Add(time.Minute), Type: "AUTOMATIC"}}
	m := model(key)
	m.RotationTakes = time.Hour
	var ahead time.Duration
	m.Clock = func() time.Time { return time.Now().Add(ahead) }
	server := kmsfake.New(t, m)
	x, a := actor(t, server), action(t, live.RotateOnDemand)
	since := time.Now()
	if c := confirm(t, x, a, since); c.Progress != live.Pending || !strings.Contains(c.Evidence, "none since") {
		t.Errorf("before: %+v", c)
	}
	r, err := x.Do(context.Background(), a)
	if err != nil || r.RequestID == "" || r.At.Before(since) {
		t.Fatalf("%+v, %v", r, err)
	}
	if c := confirm(t, x, a, since); c.Progress != live.Pending || !strings.Contains(c.Evidence, "in progress since") {
		t.Errorf("at once: %+v", c)
	}
	m.Change(func() { ahead = 2 * time.Hour })
	if c := confirm(t, x, a, since); c.Progress != live.Confirmed || c.At.Before(since.Add(-roundOff)) || !strings.Contains(c.Evidence, "ON_DEMAND") {
		t.Errorf("later: %+v", c)
	}
	if n := m.OnDemandRotations(keyARN); n != 1 {
		t.Errorf("%d rotations", n)
	}
	server.Deny("kms:ListKeyRotations")
	if _, err := x.Confirm(context.Background(), a, since); err == nil || !strings.Contains(err.Error(), "kms:ListKeyRotations: access denied") {
		t.Errorf("half an answer confirms nothing: %v", err)
	}
}

// TestChangesAreSentOnce: whatever is answered, a change is one request; and
// the error says whether it may have happened.
func TestChangesAreSentOnce(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "9")
	t.Setenv("AWS_RETRY_MODE", "adaptive")
	for _, c := range []struct {
		name        string
		fault       kmsfake.Fault
		mayHave     bool
		class       Class
		rotationsOf int
	}{
		{"throttled", kmsfake.Fault{Code: "ThrottlingException"}, false, Throttled, 0},
		{"conflict", kmsfake.Fault{Code: "ConflictException"}, false, Refused, 0},
		{"limit", kmsfake.Fault{Code: "LimitExceededException"}, false, Refused, 0},
		{"broken inside", kmsfake.Fault{Code: "KMSInternalException", Status: 500}, true, Refused, 0},
		{"error page", kmsfake.Fault{HTML: true}, true, NotAWS, 0},
		{"answer lost", kmsfake.Fault{CutAfter: true}, true, Network, 1},
		{"slow", kmsfake.Fault{Delay: time.Minute}, true, Network, 0},
	} {
		m := model(fullKey())
		server := kmsfake.New(t, m)
		c.fault.Action = "kms:RotateKeyOnDemand"
		server.Inject(c.fault)
		x := actor(t, server)
		_, err := x.Do(context.Background(), action(t, live.RotateOnDemand))
		var e *Error
		if !errors.As(err, &e) || e.MayHaveHappened() != c.mayHave || e.Class != c.class {
			t.Errorf("%s: %v (%+v)", c.name, err, e)
		}
		if n := server.Count("kms:RotateKeyOnDemand"); n > 1 || n == 0 && c.fault.Delay == 0 {
			t.Errorf("%s: %d requests", c.name, n)
		}
		if n := m.OnDemandRotations(keyARN); n != c.rotationsOf {
			t.Errorf("%s: %d rotations, want %d", c.name, n, c.rotationsOf)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	s, err := Open(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := NewActor(s, s).Do(context.Background(), action(t, live.RotateOnDemand)); !errors.As(err, &e) || e.MayHaveHappened() {
		t.Errorf("a refused connection changes nothing: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for code, change := range map[string]func(k *kmsfake.Key){
		"DisabledException":             func(k *kmsfake.Key) { k.State = "Disabled" },
		"KMSInvalidStateException":      func(k *kmsfake.Key) { k.State = "PendingDeletion" },
		"UnsupportedOperationException": func(k *kmsfake.Key) { k.Spec = "RSA_2048" },
		"ConflictException":             func(k *kmsfake.Key) { k.AutomaticRotationInProgress = true },
		"LimitExceededException":        func(k *kmsfake.Key) { k.OnDemandUsed = kmsfake.MaxOnDemand },
		"AccessDeniedException":         func(k *kmsfake.Key) { k.Manager = "AWS" },
	} {
		key := fullKey()
		change(key)
		x := actor(t, kmsfake.New(t, model(key)))
		_, err := x.Do(context.Background(), action(t, live.RotateOnDemand))
		var e *Error
		if !errors.As(err, &e) || e.ErrorCode() != code || e.MayHaveHappened() {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestEnable(t *testing.T) {
	m := model(&kmsfake.Key{ARN: keyARN})
	x, a := actor(t, kmsfake.New(t, m)), action(t, live.EnableRotation)
	a.PeriodInDays = 180
	if c := confirm(t, x, a, time.Now()); c.Progress != live.Pending {
		t.Errorf("before: %+v", c)
	}
	if _, err := x.Do(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if c := confirm(t, x, a, time.Now()); c.Progress != live.Confirmed || !strings.Contains(c.Evidence, "180") {
		t.Errorf("after: %+v", c)
	}
	a.PeriodInDays = 90
	if c := confirm(t, x, a, time.Now()); c.Progress != live.Pending {
		t.Errorf("another period: %+v", c)
	}
}

// TestRevoke: a dry run goes first, and where it fails nothing is changed.
func TestRevoke(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	x, a := actor(t, server), action(t, live.RevokeGrant)
	a.GrantID = "last"
	if _, err := x.Do(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if n := server.Count("kms:RevokeGrant"); n != 2 {
		t.Errorf("%d requests, want a dry run and the revocation", n)
	}
	if c := confirm(t, x, a, time.Now()); c.Progress != live.Confirmed {
		t.Errorf("%+v", c)
	}
	a.GrantID = "ga"
	if c := confirm(t, x, a, time.Now()); c.Progress != live.Pending {
		t.Errorf("a grant that is there: %+v", c)
	}
	server.Deny("kms:RevokeGrant")
	server.Forget()
	var e *Error
	if _, err := x.Do(context.Background(), a); !errors.As(err, &e) || e.Class != Denied || e.MayHaveHappened() {
		t.Errorf("%v", err)
	}
	if n := server.Count("kms:RevokeGrant"); n != 1 {
		t.Errorf("%d requests after a denied dry run", n)
	}
}

func TestDeactivateAndRotateSecret(t *testing.T) {
	id := "AKIA" + "Y3FDNQ4RZ7KWTB2M"
	arn := "arn:aws:secretsmanager:eu-west-1:" + homeAccount + ":secret:db-Ab12Cd"
	m := model()
	m.AccessKeys = []*kmsfake.AccessKey{{ID: id, Account: homeAccount, User: "ci", Status: "Active"}}
	m.Secrets = []*kmsfake.Secret{{ARN: arn, Name: "db", RotationLambda: "x"}}
	server := kmsfake.New(t, m)
	x := actor(t, server)
	for _, a := range []live.Action{
		{Kind: live.DeactivateAccessKey, Target: live.ARN{Partition: "aws", Service: "iam", Account: homeAccount, Resource: "user/ci"}, AccessKeyID: id, User: "ci"},
		{Kind: live.RotateSecret, Target: mustARN(t, arn), Finding: "f2"},
	} {
		since := time.Now()
		if c := confirm(t, x, a, since); c.Progress != live.Pending {
			t.Errorf("%s before: %+v", a.Kind, c)
		}
		if r, err := x.Do(context.Background(), a); err != nil || r.RequestID == "" {
			t.Fatalf("%s: %+v, %v", a.Kind, r, err)
		}
		if c := confirm(t, x, a, since); c.Progress != live.Confirmed {
			t.Errorf("%s after: %+v", a.Kind, c)
		}
	}
	if _, err := x.Do(context.Background(), live.Action{Kind: live.NarrowPolicy}); err == nil {
		t.Error("nobody narrows a policy automatically")
	}
}

// TestRecheck: the facts are fresh, and the caller is who will act.
func TestRecheck(t *testing.T) {
	m := model(fullKey())
	server := kmsfake.New(t, m)
	read := open(t, server, Options{})
	write := open(t, server, Options{Role: "arn:aws:iam::{account}:role/respond"})
	x := NewActor(read, write)
	f, err := x.Recheck(context.Background(), action(t, live.RotateOnDemand))
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Caller.Or(live.Caller{}); !strings.Contains(c.ARN, "assumed-role/respond") {
		t.Errorf("caller %+v", c)
	}
	m.Change(func() { m.Keys[0].State = "Disabled" })
	if f, err = x.Recheck(context.Background(), action(t, live.RotateOnDemand)); err != nil || f.Status != live.Disabled {
		t.Errorf("%q, %v", f.Status, err)
	}
	wantUnknown(t, "last use", f.Key.LastUse, "not asked")
}
