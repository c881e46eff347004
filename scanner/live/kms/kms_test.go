package kms

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// Made-up accounts and keys.
const (
	homeAccount  = "739104" + "826315"
	otherAccount = "608080" + "594723"
	keyARN       = "arn:aws:kms:eu-west-1:" + homeAccount + ":key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	otherARN     = "arn:aws:kms:us-east-2:" + otherAccount + ":key/c47d10b2-93ea-4f58-8a6c-e51b07d9f364"
	aliasARN     = "arn:aws:kms:eu-west-1:" + homeAccount + ":alias/payroll-master"
	mrkID        = "key/mrk-3f9a51c07be24d86a1d0e2b94c57f683"
)

func mustARN(t testing.TB, s string) live.ARN {
	t.Helper()
	a, err := live.ParseARN(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func subjectOf(t testing.TB, arn string) live.Subject {
	t.Helper()
	return live.Subject{ARN: mustARN(t, arn), Found: []live.Locator{{Rule: "aws-kms-key-arn", Severity: rules.Medium, Fingerprint: "f1"}}, Places: 1}
}

// open opens a session that sees nothing but the fake.
func open(t testing.TB, s *kmsfake.Server, o Options) *Session {
	t.Helper()
	for name, value := range s.Env() {
		setenv(t, name, value)
	}
	session, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func setenv(t testing.TB, name, value string) {
	t.Helper()
	t.Setenv(name, value)
}

func enrich(t testing.TB, s *Session, arn string) *live.Facts {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	f, err := s.Enrich(ctx, subjectOf(t, arn))
	if err != nil {
		t.Fatalf("Enrich(%s): %v", arn, err)
	}
	return f
}

// want fails unless a fact is known and equal.
func want[T comparable](t *testing.T, what string, f live.Fact[T], v T) {
	t.Helper()
	if got, ok := f.Get(); !ok || got != v {
		t.Errorf("%s: %v (unknown because %q), want %v", what, got, f.Because(), v)
	}
}

// wantUnknown fails unless a fact is unknown for a reason that says so.
func wantUnknown[T any](t *testing.T, what string, f live.Fact[T], because ...string) {
	t.Helper()
	if f.IsKnown() {
		t.Errorf("%s: known", what)
	}
	for _, b := range because {
		if !strings.Contains(f.Because(), b) {
			t.Errorf("%s: unknown because %q, which does not say %q", what, f.Because(), b)
		}
	}
}

func model(keys ...*kmsfake.Key) *kmsfake.Model {
	return &kmsfake.Model{Home: homeAccount, Keys: keys}
}

var day = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func fullKey() *kmsfake.Key {
	grants := make([]kmsfake.Grant, 120)
	for i := range grants {
		grants[i] = kmsfake.Grant{ID: "g" + strings.Repeat("0", i%7) + string(rune('a'+i%26)), Grantee: "arn:aws:iam::" + homeAccount + ":role/app", Operations: []string{"Decrypt"}, Issuer: homeAccount}
	}
	grants[119] = kmsfake.Grant{ID: "last", Service: "dynamodb.amazonaws.com", Operations: []string{"Encrypt"}, ContextEquals: map[string]string{"a": "b"}, SourceARN: keyARN, Issuer: homeAccount}
	return &kmsfake.Key{
		ARN: keyARN, Description: "payroll", RotationOn: true, Period: 180, Next: day.AddDate(0, 3, 0), Created: day,
		Rotations: []kmsfake.Rotation{{At: day, Type: "AUTOMATIC"}, {At: day.AddDate(0, 1, 0), Type: "ON_DEMAND"}},
		Aliases:   []string{"alias/payroll-master", "alias/payroll"}, Tags: map[string]string{"team": "pay"},
		Grants: grants, LastOperation: "Decrypt", LastUsed: day.AddDate(0, 2, 0), Tracked: day,
	}
}

func TestEnrichKey(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	f := enrich(t, open(t, server, Options{}), keyARN)
	k := f.Key
	if f.Status != live.Enabled {
		t.Errorf("status %q because %s", f.Status, f.Why)
	}
	want(t, "caller", f.Caller, live.Caller{Account: homeAccount, ARN: "arn:aws:iam::" + homeAccount + ":user/spillgate"})
	want(t, "ARN", k.ARN, mustARN(t, keyARN))
	want(t, "manager", k.KeyManager, "CUSTOMER")
	want(t, "spec", k.KeySpec, "SYMMETRIC_DEFAULT")
	want(t, "usage", k.KeyUsage, "ENCRYPT_DECRYPT")
	want(t, "origin", k.Origin, "AWS_KMS")
	want(t, "state", k.KeyState, "Enabled")
	want(t, "description", k.Description, "payroll")
	want(t, "deletion", k.DeletionDate, time.Time{})
	want(t, "rotation", k.Rotation, live.RotationStatus{Enabled: true, PeriodInDays: 180, Next: day.AddDate(0, 3, 0)})
	want(t, "last use", k.LastUse, live.LastUse{Operation: "Decrypt", At: day.AddDate(0, 2, 0), Tracked: day})
	if r := k.Rotations.Or(nil); len(r) != 2 || r[0].Type != "ON_DEMAND" || !r[0].At.Equal(day.AddDate(0, 1, 0)) {
		t.Errorf("rotations %v, want the newest first", r)
	}
	if g := k.Grants.Or(nil); len(g) != 120 || g[119].Grantee != "dynamodb.amazonaws.com" || g[119].EncryptionEqual["a"] != "b" || g[119].SourceARN != keyARN {
		t.Errorf("%d grants", len(g))
	}
	if server.Count("kms:ListGrants") != 3 {
		t.Errorf("%d pages of grants, want 3", server.Count("kms:ListGrants"))
	}
	if a := k.Aliases.Or(nil); len(a) != 2 || a[0] != "alias/payroll" {
		t.Errorf("aliases %v", a)
	}
	if k.Tags.Or(nil)["team"] != "pay" || k.Policy.Or("") != kmsfake.DefaultPolicy(homeAccount) {
		t.Errorf("tags %v, policy %q", k.Tags.Or(nil), k.Policy.Or(""))
	}
	wantUnknown(t, "events", k.Events, "not asked")
	wantUnknown(t, "account name", k.AccountName, "not asked")
	for _, c := range server.Calls() {
		if c.Service == "kms" && c.Region != "eu-west-1" {
			t.Errorf("%s was asked in %s", c.Name(), c.Region)
		}
	}
}

// TestEnrichAlias: only DescribeKey takes an alias; everything else is asked
// with the key's own ARN.
func TestEnrichAlias(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	f := enrich(t, open(t, server, Options{}), aliasARN)
	want(t, "ARN", f.Key.ARN, mustARN(t, keyARN))
	for _, c := range server.Calls() {
		if id, ok := c.Input["KeyId"]; ok && (c.Op == "DescribeKey") != (id == aliasARN) {
			t.Errorf("%s was asked about %v", c.Name(), id)
		}
	}
	if f := enrich(t, open(t, server, Options{}), aliasARN+"-gone"); f.Status != live.NotFound || f.Key.Policy.IsKnown() {
		t.Errorf("an alias without a key: %q, %s", f.Status, f.Why)
	}
}

// TestEveryQuestionDenied denies one operation after the other: the fact that
// it gives is unknown and names it, and all others are there.
func TestEveryQuestionDenied(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	facts := map[string]func(*live.KeyFacts) string{
		"kms:GetKeyRotationStatus": func(k *live.KeyFacts) string { return k.Rotation.Because() },
		"kms:ListKeyRotations":     func(k *live.KeyFacts) string { return k.Rotations.Because() },
		"kms:GetKeyPolicy":         func(k *live.KeyFacts) string { return k.Policy.Because() },
		"kms:ListGrants":           func(k *live.KeyFacts) string { return k.Grants.Because() },
		"kms:ListAliases":          func(k *live.KeyFacts) string { return k.Aliases.Because() },
		"kms:ListResourceTags":     func(k *live.KeyFacts) string { return k.Tags.Because() },
		"kms:GetKeyLastUsage":      func(k *live.KeyFacts) string { return k.LastUse.Because() },
	}
	session := open(t, server, Options{})
	for denied := range facts {
		server.Heal()
		server.Deny(denied)
		f := enrich(t, session, keyARN)
		if f.Status != live.Enabled {
			t.Errorf("%s denied: status %q", denied, f.Status)
		}
		for op, because := range facts {
			got, expected := because(f.Key), ""
			if op == denied {
				expected = op + ": access denied (AccessDeniedException)"
			}
			if got != expected {
				t.Errorf("%s denied: %s is unknown because %q, want %q", denied, op, got, expected)
			}
		}
	}
	server.Heal()
	server.Deny("kms:DescribeKey")
	f := enrich(t, session, keyARN)
	if f.Status != live.NoAccess || f.Key.ARN.IsKnown() || !f.Key.Policy.IsKnown() || !f.Key.Rotation.IsKnown() {
		t.Errorf("DescribeKey denied: %q; the others are asked all the same: policy %q", f.Status, f.Key.Policy.Because())
	}
}

// TestForeignKey: what is not for other accounts is not asked.
func TestForeignKey(t *testing.T) {
	server := kmsfake.New(t, model(&kmsfake.Key{ARN: otherARN, ForeignMayRead: true}))
	f := enrich(t, open(t, server, Options{}), otherARN)
	if f.Status != live.Enabled {
		t.Errorf("status %q because %s", f.Status, f.Why)
	}
	wantUnknown(t, "policy", f.Key.Policy, "kms:GetKeyPolicy", "belongs to "+otherAccount)
	wantUnknown(t, "rotations", f.Key.Rotations, otherAccount)
	wantUnknown(t, "aliases", f.Key.Aliases, otherAccount)
	wantUnknown(t, "tags", f.Key.Tags, otherAccount)
	wantUnknown(t, "use", f.Key.LastUse, otherAccount)
	if !f.Key.Rotation.IsKnown() || !f.Key.Grants.IsKnown() {
		t.Error("rotation status and grants are for other accounts too")
	}
	if n := len(server.Calls()); n != 4 {
		t.Errorf("%d calls, want the caller, DescribeKey, GetKeyRotationStatus and ListGrants", n)
	}
	server.Deny("kms:DescribeKey")
	if f := enrich(t, open(t, server, Options{}), otherARN); f.Status != live.NoAccess {
		t.Errorf("denied: %q", f.Status)
	}
}

// TestRolePerAccount: with a role the questions are put in the key's account.
func TestRolePerAccount(t *testing.T) {
	role := "arn:aws:iam::" + otherAccount + ":role/spillgate-read"
	m := model(&kmsfake.Key{ARN: otherARN})
	m.Roles = []string{role}
	server := kmsfake.New(t, m)
	session := open(t, server, Options{Role: "arn:{partition}:iam::{account}:role/spillgate-read", Jobs: 1})
	f := enrich(t, session, otherARN)
	if c := f.Caller.Or(live.Caller{}); c.Account != otherAccount || !f.Key.Policy.IsKnown() {
		t.Errorf("caller %+v, policy unknown because %q", c, f.Key.Policy.Because())
	}
	if n := server.Count("sts:AssumeRole"); n != 1 {
		t.Errorf("the role was assumed %d times", n)
	}
	_, err := session.Enrich(context.Background(), subjectOf(t, keyARN))
	if err == nil || !strings.Contains(err.Error(), "sts:AssumeRole: no credentials (AccessDenied)") {
		t.Errorf("a role that may not be assumed: %v", err)
	}
}

// TestBounded: as many requests at a time as Options allow, and more than one;
// each says who asks.
func TestBounded(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	server.Inject(kmsfake.Fault{Delay: 20 * time.Millisecond})
	enrich(t, open(t, server, Options{Jobs: 3, Version: "1.2.3"}), keyARN)
	if n := server.Peak(); n != 3 {
		t.Errorf("%d requests at a time, want 3", n)
	}
	for _, c := range server.Calls() {
		if !strings.Contains(c.UserAgent, "spillgate/1.2.3") {
			t.Errorf("%s: user agent %q", c.Name(), c.UserAgent)
		}
	}
}
