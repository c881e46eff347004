package kms

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// TestReplicas: every related key is asked where it is, and has its own policy.
func TestReplicas(t *testing.T) {
	arn := func(region string) string { return "arn:aws:kms:" + region + ":" + homeAccount + ":" + mrkID }
	regions := []string{"eu-west-1", "us-east-2", "ap-south-1"}
	var keys []*kmsfake.Key
	for i, r := range regions {
		k := &kmsfake.Key{ARN: arn(r), Role: "REPLICA", Primary: arn(regions[0]), Replicas: []string{arn(regions[1]), arn(regions[2])},
			Policy: fmt.Sprintf(`{"Statement":[],"Id":"%s"}`, r)}
		if i == 0 {
			k.Role = "PRIMARY"
		}
		keys = append(keys, k)
	}
	server := kmsfake.New(t, model(keys...))
	f := enrich(t, open(t, server, Options{}), arn("us-east-2"))
	if m := f.Key.MultiRegion.Or(live.MultiRegion{}); m.Role != "REPLICA" || m.Primary != mustARN(t, arn("eu-west-1")) || len(m.Replicas) != 2 {
		t.Errorf("%+v", m)
	}
	if len(f.Key.Replicas) != 2 {
		t.Fatalf("%d related keys, want 2", len(f.Key.Replicas))
	}
	for _, r := range f.Key.Replicas {
		a := r.ARN.Or(live.ARN{})
		if a.Region == "us-east-2" || !strings.Contains(r.Policy.Or(""), a.Region) || !r.Grants.IsKnown() {
			t.Errorf("%s: policy %q", a, r.Policy.Or(r.Policy.Because()))
		}
	}
	server.Inject(kmsfake.Fault{Action: "kms:DescribeKey", Region: "ap-south-1", Code: "ThrottlingException"})
	f = enrich(t, open(t, server, Options{Attempts: 1}), arn("us-east-2"))
	wantUnknown(t, "replica that did not answer", f.Key.Replicas[1].ARN, "ap-south-1", "throttled")
	wantUnknown(t, "its policy", f.Key.Replicas[1].Policy, "DescribeKey gave no answer")
}

// TestRotationNotApplicable: for keys that cannot rotate it is not asked.
func TestRotationNotApplicable(t *testing.T) {
	for _, c := range []struct {
		key   kmsfake.Key
		asked bool
	}{
		{kmsfake.Key{Spec: "RSA_2048", Usage: "SIGN_VERIFY"}, false},
		{kmsfake.Key{Spec: "HMAC_256"}, false},
		{kmsfake.Key{Origin: "AWS_CLOUDHSM"}, false},
		{kmsfake.Key{Origin: "EXTERNAL_KEY_STORE"}, false},
		{kmsfake.Key{Origin: "EXTERNAL"}, true},
	} {
		c.key.ARN = keyARN
		server := kmsfake.New(t, model(&c.key))
		f := enrich(t, open(t, server, Options{}), keyARN)
		if r, ok := f.Key.Rotation.Get(); !ok || r.NotApplicable == "" || !f.Key.Rotations.IsKnown() {
			t.Errorf("%s %s: %+v", c.key.Spec, c.key.Origin, f.Key.Rotation)
		}
		if asked := server.Count("kms:GetKeyRotationStatus") > 0; asked != c.asked {
			t.Errorf("%s %s: asked: %v", c.key.Spec, c.key.Origin, asked)
		}
	}
}

func TestStates(t *testing.T) {
	for state, status := range map[string]live.Status{
		"Enabled": live.Enabled, "Disabled": live.Disabled, "PendingDeletion": live.PendingDeletion, "PendingReplicaDeletion": live.PendingDeletion,
		"PendingImport": live.PendingImport, "Unavailable": live.Unavailable, "Creating": live.Unavailable, "Updating": live.Unavailable,
		"SomethingNew": live.StatusUnknown,
	} {
		server := kmsfake.New(t, model(&kmsfake.Key{ARN: keyARN, State: state, Deletion: day}))
		f := enrich(t, open(t, server, Options{}), keyARN)
		if f.Status != status {
			t.Errorf("%s: %q, want %q", state, f.Status, status)
		}
		want(t, "deletion date", f.Key.DeletionDate, day)
	}
}

func TestTrailAndNames(t *testing.T) {
	m := model(fullKey())
	m.Accounts = map[string]string{homeAccount: "payroll"}
	for i := range 70 {
		m.Events = append(m.Events, kmsfake.Event{ID: fmt.Sprint(i), Name: "Decrypt", Resource: keyARN, Region: "eu-west-1",
			User: "arn:aws:iam::" + otherAccount + ":user/x", SourceIP: "192.0.2.7", At: day.Add(time.Duration(i) * time.Hour)})
	}
	m.Events[3].ErrorCode = "AccessDenied"
	server := kmsfake.New(t, m)
	f := enrich(t, open(t, server, Options{Trail: day.Add(150 * time.Minute), Organization: true}), keyARN)
	events := f.Key.Events.Or(nil)
	if len(events) != 67 || events[0].ID != "69" || events[66].ErrorCode != "AccessDenied" || events[66].SourceIP != "192.0.2.7" ||
		events[66].Principal != "arn:aws:iam::"+otherAccount+":user/x" {
		t.Errorf("%d events, unknown because %q", len(events), f.Key.Events.Because())
	}
	want(t, "account's name", f.Key.AccountName, "payroll")
}

func TestAccessKey(t *testing.T) {
	id := "AKIA" + "Y3FDNQ4RZ7KWTB2M" // made up; decodes to otherAccount
	old := "AKIA" + "J2345672345672QZ"
	canary := "AKIA" + "QYLPMN5HHHFPZAM2"
	ask := func(t *testing.T, s *Session, id string) *live.Facts {
		f, err := s.Enrich(context.Background(), live.Subject{AccessKeyID: id, Found: []live.Locator{{}}})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	m := model()
	m.AccessKeys = []*kmsfake.AccessKey{{ID: id, Account: otherAccount, User: "ci", Status: "Active", LastUsed: day}}
	server := kmsfake.New(t, m)
	offline := ask(t, open(t, server, Options{}), id)
	want(t, "account", offline.AccessKey.Account, otherAccount)
	wantUnknown(t, "user", offline.AccessKey.User, "not asked")
	if len(server.Calls()) != 0 {
		t.Errorf("the account of %s needs no call", id)
	}
	f := ask(t, open(t, server, Options{IAM: true}), id)
	wantUnknown(t, "user", f.AccessKey.User, "belongs to "+otherAccount)
	f = ask(t, open(t, server, Options{IAM: true, Role: "arn:aws:iam::{account}:role/read"}), id)
	want(t, "user", f.AccessKey.User, "ci")
	want(t, "status", f.AccessKey.Status, "Active")
	want(t, "last used", f.AccessKey.LastUsed, day)
	if f.Status != live.Enabled {
		t.Errorf("%q because %q", f.Status, f.Why)
	}
	server.Forget()
	f = ask(t, open(t, server, Options{IAM: true}), canary)
	if f.AccessKey.Canary == "" || len(server.Calls()) != 0 {
		t.Errorf("a canary: %+v after %d calls", f.AccessKey, len(server.Calls()))
	}
	f = ask(t, open(t, server, Options{IAM: true, Canaries: []string{otherAccount}}), id)
	if f.AccessKey.Canary == "" || len(server.Calls()) != 0 {
		t.Errorf("the operator's canary: %+v", f.AccessKey)
	}
	ask(t, open(t, server, Options{}), old)
	if server.Count("sts:GetAccessKeyInfo") != 1 {
		t.Error("an old id does not hold the account: STS is asked")
	}
}

func TestSecret(t *testing.T) {
	arn := "arn:aws:secretsmanager:eu-west-1:" + homeAccount + ":secret:db-Ab12Cd"
	m := model()
	m.Secrets = []*kmsfake.Secret{{ARN: arn, Name: "db", RotationLambda: "arn:aws:lambda:eu-west-1:" + homeAccount + ":function:r"}}
	server := kmsfake.New(t, m)
	s := open(t, server, Options{})
	if f := enrich(t, s, arn); f.Status != live.Enabled || !f.Secret.Rotation.Or(false) || f.Secret.ARN.Or(live.ARN{}) != mustARN(t, arn) {
		t.Errorf("%q because %q: %+v", f.Status, f.Why, f.Secret)
	}
	if f := enrich(t, s, arn+"x"); f.Status != live.NotFound {
		t.Errorf("%q because %q", f.Status, f.Why)
	}
	server.Deny("secretsmanager:DescribeSecret")
	if f := enrich(t, s, arn); f.Status != live.NoAccess {
		t.Errorf("%q because %q", f.Status, f.Why)
	}
	if f := enrich(t, s, "arn:aws:s3:::bucket"); f.Status != live.StatusUnknown || !strings.Contains(f.Why, "s3") {
		t.Errorf("%q because %q", f.Status, f.Why)
	}
}
