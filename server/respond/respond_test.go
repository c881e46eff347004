package respond_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/respond"
)

const account = "471938265017"

func key(n int) string {
	return "arn:aws:kms:eu-central-1:" + fmt.Sprintf("%s:key/5f0c7d1e-93ab-4e26-8d74-b1c60fa%05d", account, n)
}

// report is a scan's report with one key in one place.
func report(n int) string {
	return fmt.Sprintf(`{"type":"finding","rule":"aws-kms-key-arn","severity":"medium","confidence":"high","match":"x","fields":[{"name":"arn","value":%q},`+
		`{"name":"region","value":"eu-central-1"},{"name":"account","value":%q}],"fingerprint":"f%d","location":{"kind":"content","path":"a.txt","start_line":1}}`+"\n"+
		`{"type":"coverage","schema_version":1,"summary":{"complete":true}}`+"\n", key(n), account, n)
}

// servers are two servers with one queue, and their AWS.
func servers(t *testing.T, keys, perDay int) (a, b *respond.Responder, m *kmsfake.Model) {
	t.Helper()
	a, b, m, _ = serversAndAWS(t, keys, perDay)
	return a, b, m
}

func serversAndAWS(t *testing.T, keys, perDay int) (a, b *respond.Responder, m *kmsfake.Model, fake *kmsfake.Server) {
	t.Helper()
	m = &kmsfake.Model{Home: account, Regions: []string{"eu-central-1"}}
	for i := range keys {
		m.Keys = append(m.Keys, &kmsfake.Key{ARN: key(i + 1), Policy: kmsfake.DefaultPolicy(account)})
	}
	fake = kmsfake.New(t, m)
	for name, value := range fake.Env() {
		t.Setenv(name, value)
	}
	for _, ci := range []string{"CI", "GITHUB_ACTIONS", "GITHUB_EVENT_NAME"} {
		t.Setenv(ci, "")
	}
	operator, err := live.ParseOperator("operator.toml", fmt.Appendf(nil, `accounts = [%q]
regions = ["eu-central-1"]
actions = ["rotate-on-demand"]
resources = ["arn:aws:kms:*:%s:key/*"]
[limits]
per_run = 10
per_day = %d
[standing]
apply = ["rotate-on-demand"]
`, account, account, perDay))
	if err != nil {
		t.Fatal(err)
	}
	session, err := kms.Open(t.Context(), kms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	incidents, err := q.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := q.Table(t.Context(), respond.Table)
	if err != nil {
		t.Fatal(err)
	}
	server := func(name string) *respond.Responder {
		return &respond.Responder{
			Enricher: session, Incidents: incident.NewStore(incidents), Operator: operator, Actor: kms.NewActor(session, session),
			Folder: t.TempDir(), Claims: claims, Name: name, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
	}
	return server("a"), server("b"), m, fake
}

// push has a server answer what a push brought, and returns the incident.
func push(t *testing.T, r *respond.Responder, n int) *incident.Incident {
	t.Helper()
	found, err := r.Incidents.Found(t.Context(), incident.Incident{ID: fmt.Sprint("f", n), Severity: "medium", ARN: key(n)}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.Enrich(t.Context(), []byte(report(n)), []*incident.Incident{found})
	if err != nil || answer == nil {
		t.Fatalf("no answer: %v", err)
	}
	if err := answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	latest, err := r.Incidents.Get(t.Context(), found.ID)
	if err != nil {
		t.Fatal(err)
	}
	return latest
}

// TestOneCapForAllServers: what the operator allows in a day is not multiplied
// by the number of servers, and an incident says why nothing was done.
func TestOneCapForAllServers(t *testing.T) {
	a, b, m := servers(t, 3, 2)
	push(t, a, 1)
	push(t, b, 2)
	third := push(t, a, 3)
	for n, want := range []int{1, 1, 0} {
		if got := m.OnDemandRotations(key(n + 1)); got != want {
			t.Errorf("key %d was rotated %d times, want %d", n+1, got, want)
		}
	}
	said := false
	for _, e := range third.Timeline {
		said = said || e.Stage == incident.Noted && strings.Contains(e.Note, "the cap of 2 actions in 24 hours is reached")
	}
	if _, planned := third.First(incident.Planned); planned || !said {
		t.Errorf("the timeline does not say why nothing was done: %+v", third.Timeline)
	}
}

// TestAnsweredByOneServer: the same finding, pushed to two servers.
func TestAnsweredByOneServer(t *testing.T) {
	a, b, m := servers(t, 1, 10)
	for range 2 {
		push(t, a, 1)
		push(t, b, 1)
	}
	if got := m.OnDemandRotations(key(1)); got != 1 {
		t.Errorf("rotated %d times", got)
	}
}

// TestGoesOnWhereItWas: what AWS said a moment ago is not asked again, so that
// a push with many keys gets on although the server is killed again and again.
func TestGoesOnWhereItWas(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	found, err := a.Incidents.Found(t.Context(), incident.Incident{ID: "f1", Severity: "medium", ARN: key(1)}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ask := func() func(context.Context) error {
		t.Helper()
		answer, err := a.Enrich(t.Context(), []byte(report(1)), []*incident.Incident{found})
		if err != nil || answer == nil {
			t.Fatal(err)
		}
		return answer
	}
	ask()
	calls := len(fake.Calls())
	answer := ask()
	if n := len(fake.Calls()); n != calls || n == 0 {
		t.Errorf("asked %d times and then %d times", calls, n-calls)
	}
	if err := answer(t.Context()); err != nil || m.OnDemandRotations(key(1)) != 1 {
		t.Errorf("answered from what was remembered: rotated %d times, %v", m.OnDemandRotations(key(1)), err)
	}
}

// TestLedgerIsGivenBack: after a while of rest spillgate-live may use the
// ledger, and the server goes on with what it finds.
func TestLedgerIsGivenBack(t *testing.T) {
	a, _, _ := servers(t, 2, 10)
	push(t, a, 1)
	var ledger *live.Ledger
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var err error
		if ledger, err = live.OpenLedger(a.Folder); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if n := ledger.Recent(time.Time{}); n != 1 {
		t.Errorf("%d entries", n)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	push(t, a, 2)
}
