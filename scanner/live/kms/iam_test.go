package kms

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// allowed returns the actions that a policy in docs/iam allows.
func allowed(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile("../../../docs/iam/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Version   string
		Statement []struct {
			Sid, Effect      string
			Action, Resource any
			Condition        map[string]map[string]string
		}
	}
	if err := json.Unmarshal(data, &policy); err != nil || policy.Version != "2012-10-17" {
		t.Fatalf("%s: version %q, %v", file, policy.Version, err)
	}
	var all []string
	for _, s := range policy.Statement {
		if s.Effect != "Allow" || s.Resource == nil {
			t.Errorf("%s: statement %s: effect %q, resource %v", file, s.Sid, s.Effect, s.Resource)
		}
		switch a := s.Action.(type) {
		case string:
			all = append(all, a)
		case []any:
			for _, one := range a {
				name, _ := one.(string)
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// indirect are allowed actions that a service of AWS carries out under the
// caller's permissions, so that no call of ours shows them.
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
var indirect = []string{"lambda:InvokeFunction"}

// TestPoliciesAllowWhatIsCalled: a run that uses everything makes exactly the
// calls that the policies in docs/iam allow, each role its own.
func TestPoliciesAllowWhatIsCalled(t *testing.T) {
	id := "AKIA" + "Y3FDNQ4RZ7KWTB2M" // of otherAccount
	secret := "arn:aws:secretsmanager:us-east-2:" + otherAccount + ":secret:db-Ab12Cd"
	key := &kmsfake.Key{ARN: otherARN, Grants: []kmsfake.Grant{{ID: "g1", Grantee: "arn:aws:iam::" + homeAccount + ":root", Operations: []string{"Decrypt"}}}}
	server := kmsfake.New(t, &kmsfake.Model{
		Home: homeAccount, Keys: []*kmsfake.Key{key}, Regions: []string{"us-east-2"}, Accounts: map[string]string{otherAccount: "web"},
		AccessKeys: []*kmsfake.AccessKey{{ID: id, Account: otherAccount, User: "ci", Status: "Active"}},
		Secrets:    []*kmsfake.Secret{{ARN: secret, Name: "db", RotationLambda: "x"}},
	})
	role := "arn:{partition}:iam::{account}:role/spillgate-"
	read := open(t, server, Options{Role: role + "read", Trail: time.Now().Add(-time.Hour), IAM: true, Organization: true})
	write := open(t, server, Options{Role: role + "respond"})
	useEverything(t, read, NewActor(read, write), id, secret)

	called := map[string]map[string]bool{"read": {}, "respond": {}, "caller": {}}
	for _, c := range server.Calls() {
		who := "caller"
		if i := strings.Index(c.Caller, "assumed-role/spillgate-"); i >= 0 {
			who, _, _ = strings.Cut(c.Caller[i+len("assumed-role/spillgate-"):], "/")
		}
		if c.Code != "" && c.Code != "DryRunOperationException" {
			t.Errorf("%s by %s: %s", c.Name(), who, c.Code)
		}
		if c.Name() != "sts:GetCallerIdentity" { // needs no permission
			called[who][c.Name()] = true
		}
	}
	// An access key of the old kind names no account: nobody knows whose role
	// to assume, and any credentials may ask.
	delete(called["caller"], "sts:GetAccessKeyInfo")
	called["read"]["sts:GetAccessKeyInfo"] = true
	for who, names := range called {
		want := allowed(t, "spillgate-"+who+".json")
		want = slices.DeleteFunc(want, func(a string) bool { return slices.Contains(indirect, a) })
		if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, want) {
			t.Errorf("%s calls\n%q, and its policy allows\n%q", who, got, want)
		}
	}
}

// useEverything makes every question and every change of the package.
func useEverything(t *testing.T, read *Session, x *Actor, accessKey, secret string) {
	t.Helper()
	ctx := context.Background()
	for _, s := range []live.Subject{
		{ARN: mustARN(t, otherARN)}, {ARN: mustARN(t, secret)}, {AccessKeyID: accessKey},
	} {
		if _, err := read.Enrich(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	chain, err := Open(ctx, Options{})
	if err == nil {
		_, err = chain.Enrich(ctx, live.Subject{AccessKeyID: "AKIA" + "J2345672345672QZ"})
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := read.Accounts(ctx, "aws"); err != nil {
		t.Error(err)
	}
	if _, err := read.Regions(ctx, "aws", otherAccount); err != nil {
		t.Error(err)
	}
	surveyed := 0
	v := Surveyor{
		Each:   func(*live.Facts) { surveyed++ },
		Failed: func(_ Target, err error) { t.Error(err) },
		Listed: func(Target, int) {},
	}
	if err := v.Run(ctx, read, []Target{{"aws", otherAccount, "us-east-2"}}); err != nil || surveyed != 1 {
		t.Errorf("%d keys surveyed, %v", surveyed, err)
	}
	if _, err := read.Check(ctx, mustARN(t, otherARN)); err != nil {
		t.Error(err)
	}
	user := live.ARN{Partition: "aws", Service: "iam", Account: otherAccount, Resource: "user/ci"}
	for _, a := range []live.Action{
		{Kind: live.RotateOnDemand, Target: mustARN(t, otherARN)}, {Kind: live.EnableRotation, Target: mustARN(t, otherARN), PeriodInDays: 180},
		{Kind: live.RevokeGrant, Target: mustARN(t, otherARN), GrantID: "g1"},
		{Kind: live.DeactivateAccessKey, Target: user, AccessKeyID: accessKey, User: "ci"}, {Kind: live.RotateSecret, Target: mustARN(t, secret)},
	} {
		since := time.Now()
		if _, err := x.Recheck(ctx, a); err != nil {
			t.Errorf("%s: %v", a.Kind, err)
		}
		if _, err := x.Do(ctx, a); err != nil {
			t.Errorf("%s: %v", a.Kind, err)
		}
		if _, err := x.Confirm(ctx, a, since); err != nil {
			t.Errorf("%s: %v", a.Kind, err)
		}
	}
}
