package live

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// keyFacts returns the facts about an ordinary key of the caller's own account,
// to be changed by a test.
func keyFacts() *Facts {
	return &Facts{
		Subject: Subject{ARN: testKey, Places: 1, Found: []Locator{{Rule: "aws-kms-key-arn", Severity: rules.Medium, Fingerprint: "f1", Path: "a.txt", Line: 1, Account: own}}},
		Status:  Enabled, Why: "DescribeKey says Enabled", Asked: now,
		Caller: Known(Caller{Account: own, ARN: "arn:aws:sts::" + own + ":assumed-role/responder/ci"}),
		Key: &KeyFacts{
			ARN: Known(testKey), KeyManager: Known("CUSTOMER"), KeySpec: Known("SYMMETRIC_DEFAULT"), KeyUsage: Known("ENCRYPT_DECRYPT"),
			Origin: Known("AWS_KMS"), KeyState: Known("Enabled"), DeletionDate: Known(time.Time{}), MultiRegion: Known(MultiRegion{}),
			Rotation: Known(RotationStatus{Enabled: true, PeriodInDays: 365}), Rotations: Known([]Rotation(nil)),
			Policy: Known(policyOf(defaultStatement)), Grants: Known([]Grant(nil)), Aliases: Known([]string(nil)),
			Tags: Known(map[string]string(nil)), LastUse: Known(LastUse{}),
		},
	}
}

func TestJudge(t *testing.T) {
	setPolicy := func(statements ...string) func(*Facts) {
		return func(f *Facts) { f.Key.Policy = Known(policyOf(statements...)) }
	}
	strangersGrant := []Grant{{ID: "g1", Grantee: "arn:aws:iam::" + foreign + ":role/x", Operations: []string{"Decrypt"}}}
	beside := []Locator{{Rule: "aws-secret-access-key", Path: ".env", Line: 2, Account: own, Credential: true}}
	tests := []struct {
		name   string
		change func(*Facts)
		want   rules.Severity
	}{
		{"an ordinary key stays what its rule says", func(*Facts) {}, rules.Medium},
		{"an alias too", func(f *Facts) { f.Subject.Found[0].Severity = rules.Low }, rules.Low},
		{"the highest of its places", func(f *Facts) {
			f.Subject.Found = append(f.Subject.Found, Locator{Severity: rules.High})
		}, rules.High},
		{"a foreign account", setPolicy(defaultStatement, `{"Effect":"Allow","Principal":{"AWS":"`+foreign+`"},"Action":"kms:Decrypt"}`), rules.High},
		{"a foreign grant", func(f *Facts) { f.Key.Grants = Known(strangersGrant) }, rules.High},
		{"everyone", setPolicy(star("kms:Decrypt", "")), rules.Critical},
		{"everyone, by PutKeyPolicy", setPolicy(star("kms:PutKeyPolicy", "")), rules.Critical},
		{"everyone through S3", setPolicy(star("kms:Decrypt", `{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`)), rules.High},
		{"everyone in another organisation", setPolicy(star("kms:Decrypt", `{"StringEquals":{"aws:PrincipalOrgID":"o-zz99zz99zz"}}`)), rules.High},
		{"everyone may look", setPolicy(star("kms:Describe*", "")), rules.Medium},
		{"everyone in our account", setPolicy(star("kms:Decrypt", `{"StringEquals":{"kms:CallerAccount":"`+own+`"}}`)), rules.Medium},
		{"a policy that cannot be read", func(f *Facts) { f.Key.Policy = Unknown[string]("access denied") }, rules.Medium},
		{"a policy that is not understood, and a grant", func(f *Facts) {
			f.Key.Policy, f.Key.Grants = Known("{"), Known(strangersGrant)
		}, rules.High},
		{"credential beside", func(f *Facts) { f.Subject.Beside = beside }, rules.Critical},
		{"credential elsewhere", func(f *Facts) { f.Subject.Elsewhere = beside }, rules.High},
		{"pending deletion", func(f *Facts) { f.Status = PendingDeletion; f.Key.DeletionDate = Known(now.AddDate(0, 0, 7)) }, rules.Info},
		{"pending deletion, open to all", func(f *Facts) {
			f.Status = PendingDeletion
			setPolicy(star("kms:*", ""))(f)
		}, rules.Info},
		{"pending deletion beside a credential, which can cancel it", func(f *Facts) { f.Status, f.Subject.Beside = PendingDeletion, beside }, rules.Critical},
		{"pending deletion with a replica that stays", func(f *Facts) {
			f.Status = PendingDeletion
			f.Key.Replicas = []KeyFacts{{KeyState: Known("Enabled")}}
		}, rules.Medium},
		{"pending deletion with a replica nobody asked", func(f *Facts) {
			f.Status = PendingDeletion
			f.Key.MultiRegion = Known(MultiRegion{Role: "PRIMARY", Replicas: []ARN{testKey.In("us-east-1")}})
		}, rules.Medium},
		{"not found in our account", func(f *Facts) { f.Status, f.Key = NotFound, &KeyFacts{} }, rules.Info},
		{"not found in another's", func(f *Facts) { f.Status, f.Caller = NotFound, Known(Caller{Account: foreign}) }, rules.Medium},
		{"not found, by whom is unknown", func(f *Facts) { f.Status, f.Caller = NotFound, Unknown[Caller]("no answer") }, rules.Medium},
		{"disabled can be enabled", func(f *Facts) { f.Status = Disabled }, rules.Medium},
		{"no access", func(f *Facts) { f.Status, f.Key = NoAccess, &KeyFacts{} }, rules.Medium},
		{"unknown", func(f *Facts) { f.Status, f.Key = StatusUnknown, &KeyFacts{} }, rules.Medium},
		{"in use", func(f *Facts) { f.Key.LastUse = Known(LastUse{Operation: "Decrypt", At: now.AddDate(0, 0, -3)}) }, rules.Medium},
		{"a service for whomever", setPolicy(`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt"}`), rules.Medium},
		{"and in use", func(f *Facts) {
			setPolicy(`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt"}`)(f)
			f.Key.LastUse = Known(LastUse{Operation: "Decrypt", At: now.AddDate(0, 0, -3)})
		}, rules.High},
		{"a replica open to all", func(f *Facts) {
			f.Key.Replicas = []KeyFacts{{ARN: Known(testKey.In("us-east-1")), KeyState: Known("Enabled"), Policy: Known(policyOf(star("kms:Decrypt", "")))}}
		}, rules.Critical},
		{"a stranger used it", func(f *Facts) {
			f.Key.Events = Known([]Event{{Name: "Decrypt", Principal: "arn:aws:iam::" + foreign + ":user/x", At: now}})
		}, rules.Critical},
		{"a stranger was refused", func(f *Facts) {
			f.Key.Events = Known([]Event{{Name: "Decrypt", Principal: "arn:aws:iam::" + foreign + ":user/x", At: now, ErrorCode: "AccessDenied"}})
		}, rules.Medium},
		{"active access key", func(f *Facts) {
			f.Key, f.Subject.ARN, f.Subject.AccessKeyID = nil, ARN{}, "AKIA"
			f.AccessKey = &AccessKeyFacts{Account: Known(own), Status: Known("Active")}
		}, rules.Critical},
		{"inactive access key", func(f *Facts) {
			f.Key, f.Subject.ARN, f.Subject.AccessKeyID = nil, ARN{}, "AKIA"
			f.AccessKey = &AccessKeyFacts{Account: Known(own), Status: Known("Inactive")}
		}, rules.Low},
		{"access key of unknown status", func(f *Facts) {
			f.Key, f.Subject.ARN, f.Subject.AccessKeyID = nil, ARN{}, "AKIA"
			f.AccessKey = &AccessKeyFacts{Account: Known(own)}
		}, rules.Medium},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := keyFacts()
			tt.change(f)
			v := Judge(f, []string{friend})
			if v.Severity != tt.want {
				t.Errorf("got %s, want %s: %+v", v.Severity, tt.want, v)
			}
			if v.Severity != v.Before && len(v.Reasons) == 0 {
				t.Error("the severity changed for no reason")
			}
			for i := 1; i < len(v.Reasons); i++ {
				if v.Reasons[i].Severity > v.Reasons[i-1].Severity {
					t.Errorf("reasons out of order: %+v", v.Reasons)
				}
			}
			if _, err := json.Marshal(v); err != nil {
				t.Error(err)
			}
		})
	}
}

// No question without an answer lowers the severity, whichever it is.
func TestUnknownNeverLowers(t *testing.T) {
	f := keyFacts()
	f.Key.Policy = Known(policyOf(star("kms:Decrypt", "")))
	for _, status := range []Status{NoAccess, StatusUnknown, ""} {
		g := *f
		g.Status = status
		if v := Judge(&g, nil); v.Severity != rules.Critical || len(v.Unknowns) == 0 {
			t.Errorf("status %q: %s, unknowns %q", status, v.Severity, v.Unknowns)
		}
	}
	nothing := &Facts{Subject: f.Subject, Status: StatusUnknown, Why: "throttled", Key: &KeyFacts{}}
	v := Judge(nothing, nil)
	if v.Severity != rules.Medium {
		t.Errorf("of a key that nothing is known of: %s", v.Severity)
	}
	for _, want := range []string{"status: throttled", "key policy: not asked", "grants: not asked", "last use: not asked"} {
		if !strings.Contains(strings.Join(v.Unknowns, "\n"), want) {
			t.Errorf("%q is not among the unknowns %q", want, v.Unknowns)
		}
	}
}
