package respond_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/respond"
)

// look has a server ask about what a push brought, and returns the incident.
func look(t *testing.T, r *respond.Responder, n int, report string) *incident.Incident {
	t.Helper()
	r.Incidents.Now = func() time.Time { return time.Now().Add(-time.Hour) } // of its opening
	found, err := r.Incidents.Found(t.Context(), incident.Incident{ID: fmt.Sprint("f", n), Severity: "medium", ARN: key(n)}, incident.Place{Path: "a.txt", At: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Enrich(t.Context(), []byte(report), []*incident.Incident{found}); err != nil {
		t.Fatal(err)
	}
	latest, err := r.Incidents.Get(t.Context(), found.ID)
	if err != nil {
		t.Fatal(err)
	}
	return latest
}

// age makes what was found out of the first incident old enough to be asked again.
func age(t *testing.T, r *respond.Responder) {
	t.Helper()
	_, err := r.Incidents.Update(t.Context(), "f1", func(i *incident.Incident) (*incident.Incident, error) {
		var facts map[string]json.RawMessage
		if err := json.Unmarshal(i.Facts, &facts); err != nil {
			return nil, err
		}
		facts["asked"], _ = json.Marshal(time.Now().Add(-20 * time.Minute))
		var err error
		i.Facts, err = json.Marshal(facts)
		return i, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// open lets everybody use a key.
const open = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}`

// TestWhatWasKnownStands: that AWS cannot be asked, in whole or in part, makes
// nothing less grave; what it does say does.
func TestWhatWasKnownStands(t *testing.T) {
	a, _, m, fake := serversAndAWS(t, 1, 10)
	fake.Inject(kmsfake.Fault{Key: key(1), Status: 400, Code: "AccessDeniedException"}) // not tried again by the SDK
	if g := look(t, a, 1, report(1)).Gravity(); g != (incident.Gravity{Severity: "medium", Status: "no access"}) {
		t.Fatalf("AWS refuses: %+v", g)
	}
	fake.Heal()
	age(t, a)
	m.Keys[0].Policy = open
	if g := look(t, a, 1, report(1)).Gravity(); g != (incident.Gravity{Severity: "critical", Status: "enabled"}) {
		t.Fatalf("everybody may use the key: %+v", g)
	}
	age(t, a)
	fake.Inject(kmsfake.Fault{Key: key(1), Status: 500, Code: "KMSInternalException"})
	i := look(t, a, 1, report(1))
	if g := i.Gravity(); g != (incident.Gravity{Severity: "critical", Status: "enabled"}) {
		t.Errorf("AWS is down again: %+v", g)
	}
	if last := i.Timeline[len(i.Timeline)-1]; !strings.Contains(last.Note, "it stays critical") {
		t.Errorf("the timeline ends with %+v", last)
	}
	fake.Heal()
	age(t, a)
	fake.Inject(kmsfake.Fault{Action: "kms:GetKeyPolicy", Key: key(1), Status: 400, Code: "AccessDeniedException"})
	if g := look(t, a, 1, report(1)).Gravity(); g.Severity != "critical" {
		t.Errorf("the policy cannot be read: %+v", g)
	}
	fake.Heal()
	m.Keys[0].Policy = kmsfake.DefaultPolicy(account)
	if g := look(t, a, 1, report(1)).Gravity(); g.Severity != "medium" {
		t.Errorf("the policy was narrowed: %+v", g)
	}
}

// withCredential is the report of a push that brings an access key of the key's
// account in the same commit.
func withCredential(n int) string {
	with := func(line, rule, fields, fingerprint string) string {
		return fmt.Sprintf(`{"type":"finding","rule":%q,"severity":"medium","confidence":"high","match":"x","fields":[%s],"fingerprint":%q,`+
			`"location":{"kind":"content","path":"b.txt","start_line":%s,"commit":{"id":"c1"}}}`+"\n", rule, fields, fingerprint, line)
	}
	return with("1", "aws-kms-key-arn", fmt.Sprintf(`{"name":"arn","value":%q},{"name":"region","value":"eu-central-1"},{"name":"account","value":%q}`, key(n), account), fmt.Sprint("f", n)) +
		with("2", "aws-access-key-id", fmt.Sprintf(`{"name":"account","value":%q}`, account), "other") +
		`{"type":"coverage","schema_version":1,"summary":{"complete":true}}` + "\n"
}

// TestEvidenceOfEarlierPushes: a credential that comes in the next push, minutes
// later, counts at once; and the push after that, with the ARN alone, does not
// take it back. A new opening begins anew.
func TestEvidenceOfEarlierPushes(t *testing.T) {
	a, _, _, fake := serversAndAWS(t, 1, 10)
	if g := look(t, a, 1, report(1)).Gravity(); g.Severity != "medium" {
		t.Fatalf("the ARN alone: %+v", g)
	}
	calls := len(fake.Calls())
	if i := look(t, a, 1, withCredential(1)); i.Gravity().Severity != "critical" || len(fake.Calls()) != calls {
		t.Fatalf("a credential beside it: %+v, and %d questions more", i.Gravity(), len(fake.Calls())-calls)
	}
	for range 2 {
		if g := look(t, a, 1, report(1)).Gravity(); g.Severity != "critical" {
			t.Errorf("the ARN alone again: %+v", g)
		}
		age(t, a)
	}
	a.Incidents.Now = nil
	if _, err := a.Incidents.Close(t.Context(), "f1", "ann", "the credential is revoked"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Incidents.Found(t.Context(), incident.Incident{ID: "f1"}, incident.Place{Path: "c.txt"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if g := look(t, a, 1, report(1)).Gravity(); g.Severity != "medium" {
		t.Errorf("opened again: %+v", g)
	}
}
