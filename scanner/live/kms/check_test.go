package kms

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

func check(t testing.TB, s *Session) State {
	t.Helper()
	a, err := live.ParseARN(keyARN)
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.Check(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func kinds(all []Change) string {
	var names []string
	for _, c := range all {
		names = append(names, c.Kind)
	}
	return strings.Join(names, " ")
}

const openPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}`

// TestChanges: what happens to a key is noticed once, and what cannot be seen
// is no change.
func TestChanges(t *testing.T) {
	key := &kmsfake.Key{ARN: keyARN, RotationOn: true, Grants: []kmsfake.Grant{{ID: "g1", Grantee: "arn:aws:iam::" + homeAccount + ":role/a", Operations: []string{"Decrypt"}}}}
	m := model(key)
	server := kmsfake.New(t, m)
	s := open(t, server, Options{Attempts: 1})
	last := check(t, s)
	for _, c := range []struct {
		what   string
		change func()
		kinds  string
	}{
		{"nothing", func() {}, ""},
		{"rotation off", func() { key.RotationOn = false }, "rotation-off"},
		{"rotation on", func() { key.RotationOn, key.Period = true, 90 }, "rotation-on"},
		{"period", func() { key.Period = 400 }, "period-changed"},
		{"policy opened", func() { key.Policy = openPolicy }, "policy-opened"},
		{"policy closed", func() { key.Policy = kmsfake.DefaultPolicy(homeAccount) }, "policy-closed"},
		{"policy rewritten", func() { key.Policy += " " }, "policy-changed"},
		{"grant added", func() {
			key.Grants = append(key.Grants, kmsfake.Grant{ID: "g2", Grantee: key.Grants[0].Grantee, Operations: []string{"Encrypt"}})
		}, "grant-added"},
		{"foreign grant added", func() {
			key.Grants = append(key.Grants, kmsfake.Grant{ID: "g3", Grantee: "arn:aws:iam::" + otherAccount + ":root", Operations: []string{"Decrypt"}})
		}, "policy-opened grant-added"},
		{"grants gone", func() { key.Grants = key.Grants[:1] }, "policy-closed grant-removed grant-removed"},
		{"disabled", func() { key.State = "Disabled" }, "status-changed"},
		{"to be deleted", func() { key.State, key.Deletion = "PendingDeletion", day }, "deletion-scheduled"},
	} {
		m.Change(c.change)
		now := check(t, s)
		if got := kinds(Changes(last, now)); got != c.kinds {
			t.Errorf("%s: %q, want %q", c.what, got, c.kinds)
		}
		last = now
	}
	m.Change(func() { key.State, key.Deletion, key.RotationOn = "Enabled", time.Time{}, true })
	last = check(t, s)
	server.Inject(kmsfake.Fault{Code: "ThrottlingException"})
	m.Change(func() { key.RotationOn, key.Policy = false, openPolicy })
	blind := check(t, s)
	if all := Changes(last, blind); len(all) > 0 || blind.Status != live.StatusUnknown {
		t.Errorf("changes that nobody saw: %v", all)
	}
	last = Merge(last, blind)
	server.Heal()
	if got := kinds(Changes(last, check(t, s))); got != "rotation-off policy-opened" {
		t.Errorf("after the blindness: %q", got)
	}
}

func TestCheckErrors(t *testing.T) {
	server := kmsfake.New(t, model())
	s := open(t, server, Options{})
	if state := check(t, s); state.Status != live.NotFound || state.Policy.IsKnown() || state.Exposures.IsKnown() {
		t.Errorf("%+v", state)
	}
	for _, bad := range []string{aliasARN, "arn:aws:s3:::bucket"} {
		if _, err := s.Check(context.Background(), mustARN(t, bad)); err == nil {
			t.Errorf("%s was checked", bad)
		}
	}
	server.Inject(kmsfake.Fault{Action: "sts:GetCallerIdentity", Code: "ExpiredToken"})
	s = open(t, server, Options{})
	if state := check(t, s); state.Status != live.NotFound {
		t.Errorf("STS alone refuses the credentials: %+v", state)
	}
	server.Inject(kmsfake.Fault{Code: "ExpiredTokenException"})
	if _, err := s.Check(context.Background(), mustARN(t, keyARN)); classOfError(err) != NotAccepted {
		t.Errorf("with credentials that expired: %v", err)
	}
}

// BenchmarkCheck measures a status check of one key against the fake, which
// answers at once: the client's own share of the time.
func BenchmarkCheck(b *testing.B) {
	server := kmsfake.New(b, model(&kmsfake.Key{ARN: keyARN}))
	s := open(b, server, Options{})
	s.pacer.off = true // else the pace would be measured, not the work
	check(b, s)
	var times []time.Duration
	for b.Loop() {
		at := time.Now()
		check(b, s)
		times = append(times, time.Since(at))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}

// A service asks for the state of its key at start-up and from time to time.
func ExampleSession_Check() {
	server, err := kmsfake.Start(&kmsfake.Model{Home: homeAccount, Keys: []*kmsfake.Key{{ARN: keyARN, RotationOn: true, Period: 180}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	for name, value := range server.Env() { // stands for the service's own AWS credentials
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	ctx := context.Background()
	session, err := Open(ctx, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := live.ParseARN(keyARN)
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := session.Check(ctx, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	rotation, known := state.Rotation.Get()
	fmt.Println(state.Status, known, rotation.Enabled, rotation.PeriodInDays, state.Exposures.Or(nil))
	// Output: enabled true true 180 []
}
