package live

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	own     = "471938265017"
	friend  = "306417258894"
	foreign = "629104837751"
	ownOrg  = "o-a1b2c3d4e5"
)

var testKey = ARN{"aws", "kms", "eu-west-1", own, "key/3f1c9a52-7b0e-4d1c-9c55-0a8be1d2f647"}

// policyOf wraps statements into a policy.
func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const defaultStatement = `{"Sid":"Enable IAM","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + own + `:root"},"Action":"kms:*","Resource":"*"}`

// star is an Allow to everyone with the given conditions.
func star(action, condition string) string {
	s := `{"Effect":"Allow","Principal":"*","Action":"` + action + `","Resource":"*"`
	if condition != "" {
		s += `,"Condition":` + condition
	}
	return s + "}"
}

func TestExposures(t *testing.T) {
	tests := []struct {
		name       string
		statements []string
		want       []string // reach principal strength narrowed(n) ignored(n)
	}{
		{"default statement", []string{defaultStatement}, nil},
		{"own role and user", []string{`{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::` + own + `:role/app","arn:aws:iam::` + own + `:user/jo"]},"Action":["kms:Decrypt"],"Resource":"*"}`}, nil},
		{"star", []string{star("kms:Decrypt", "")}, []string{"everyone * strong"}},
		{"star in an object", []string{`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*"}`}, []string{"everyone * strong"}},
		{"star in a list", []string{`{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::` + own + `:root","*"]},"Action":"*"}`}, []string{"everyone * strong"}},
		{"one statement, no list", []string{}, nil},
		{"describe only", []string{star("kms:Describe*", "")}, []string{"everyone * weak"}},
		{"pattern of actions", []string{star("kms:De*", "")}, []string{"everyone * strong"}},
		{"case of actions", []string{star("KMS:dEcRyPt", "")}, []string{"everyone * strong"}},
		{"CreateGrant", []string{star("kms:CreateGrant", "")}, []string{"everyone * strong"}},
		{"PutKeyPolicy", []string{star("kms:PutKeyPolicy", "")}, []string{"everyone * strong"}},
		{"an action nobody knows", []string{star("kms:DecryptTwice", "")}, []string{"everyone * strong"}},
		{"actions of another service", []string{star("s3:*", "")}, nil},
		{"NotAction", []string{`{"Effect":"Allow","Principal":"*","NotAction":"kms:Decrypt"}`}, []string{"everyone * strong"}},
		{"NotAction of all", []string{`{"Effect":"Allow","Principal":"*","NotAction":"kms:*"}`}, nil},
		{"NotPrincipal", []string{`{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::` + own + `:user/jo"},"Action":"kms:Decrypt"}`}, []string{"everyone all but those in NotPrincipal strong"}},
		{"account id", []string{`{"Effect":"Allow","Principal":{"AWS":"` + foreign + `"},"Action":"kms:Decrypt"}`}, []string{"account " + foreign + " strong"}},
		{"foreign root", []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + foreign + `:root"},"Action":"kms:Decrypt"}`}, []string{"account arn:aws:iam::" + foreign + ":root strong"}},
		{"foreign session", []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::` + foreign + `:assumed-role/r/s"},"Action":"kms:Sign"}`}, []string{"account arn:aws:sts::" + foreign + ":assumed-role/r/s strong"}},
		{"allowed account", []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + friend + `:root"},"Action":"kms:*"}`}, nil},
		{"canonical user", []string{`{"Effect":"Allow","Principal":{"CanonicalUser":"79a59df900b949e5"},"Action":"kms:Decrypt"}`}, []string{"account 79a59df900b949e5 strong"}},
		{"federated by the web", []string{`{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"kms:Decrypt"}`}, []string{"federated accounts.google.com strong"}},
		{"federated by ourselves", []string{`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + own + `:saml-provider/acme"},"Action":"kms:Decrypt"}`}, nil},
		{"deleted identity", []string{`{"Effect":"Allow","Principal":{"AWS":"AROAQ3EGUZWMXAMPLEABC"},"Action":"kms:Decrypt"}`}, []string{"identity of the past AROAQ3EGUZWMXAMPLEABC weak"}},
		{"service", []string{`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt"}`}, []string{"service sns.amazonaws.com strong"}},
		{"service for us", []string{`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt","Condition":{"StringEquals":{"aws:SourceAccount":"` + own + `"}}}`}, nil},
		{"service for our resource", []string{`{"Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"},"Action":"kms:Decrypt","Condition":{"ArnLike":{"AWS:sourcearn":"arn:aws:*:*:` + own + `:*"}}}`}, nil},
		{"service for others", []string{`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt","Condition":{"StringEquals":{"aws:SourceAccount":["` + own + `","` + foreign + `"]}}}`}, []string{"account " + foreign + " strong n1"}},
		{"service for a bucket", []string{`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:Decrypt","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::acme-logs"}}}`}, []string{"service s3.amazonaws.com strong n1"}},
		{"wildcard account in a principal", []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::*:root"},"Action":"kms:Decrypt"}`}, []string{"everyone arn:aws:iam::*:root strong"}},
		{"resource elsewhere", []string{`{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:` + own + `:key/other"}`}, []string{"everyone * strong"}},
		{"two", []string{defaultStatement, star("kms:Decrypt", ""), `{"Effect":"Allow","Principal":{"AWS":"` + foreign + `"},"Action":"kms:Encrypt"}`}, []string{"everyone * strong", "account " + foreign + " strong"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantExposures(t, policyOf(tt.statements...), tt.want) })
	}
}

// wantExposures compares the exposures by a policy with their short forms.
func wantExposures(t *testing.T, policy string, want []string) {
	t.Helper()
	all, err := Exposures(testKey, policy, nil, []string{friend, ownOrg})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range all {
		got = append(got, short(&all[i]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func short(e *Exposure) string {
	s := string(e.Reach) + " " + e.Principal
	if e.Weak() {
		s += " weak"
	} else {
		s += " strong"
	}
	if n := len(e.Narrowed); n > 0 {
		s += " n" + string(rune('0'+n))
	}
	if n := len(e.Ignored); n > 0 {
		s += " i" + string(rune('0'+n))
	}
	return s
}

func TestConditions(t *testing.T) {
	tests := []struct {
		condition string
		want      []string
	}{
		{`{"StringEquals":{"kms:CallerAccount":"` + own + `"}}`, nil},
		{`{"StringEquals":{"KMS:calleraccount":["` + own + `","` + friend + `"]}}`, nil},
		{`{"StringEquals":{"kms:CallerAccount":["` + own + `","` + foreign + `"]}}`, []string{"account " + foreign + " strong"}},
		{`{"StringLike":{"kms:CallerAccount":"` + own + `"}}`, nil},
		{`{"StringLike":{"kms:CallerAccount":"*"}}`, []string{"everyone * strong i1"}},
		{`{"StringLike":{"kms:CallerAccount":"4719*"}}`, []string{"everyone * strong i1"}},
		{`{"StringEqualsIfExists":{"kms:CallerAccount":"` + own + `"}}`, []string{"everyone * strong i1"}},
		{`{"ForAllValues:StringEquals":{"kms:CallerAccount":"` + own + `"}}`, []string{"everyone * strong i1"}},
		{`{"ForAnyValue:StringEquals":{"kms:CallerAccount":"` + own + `"}}`, nil},
		{`{"StringNotEquals":{"kms:CallerAccount":"` + foreign + `"}}`, []string{"everyone * strong i1"}},
		{`{"Null":{"kms:CallerAccount":"false"}}`, []string{"everyone * strong i1"}},
		{`{"StringEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}}`, []string{"everyone * strong i1"}},
		{`{"StringEquals":{"aws:PrincipalAccount":"` + own + `"}}`, nil},
		{`{"StringEquals":{"aws:PrincipalOrgID":"` + ownOrg + `"}}`, nil},
		{`{"StringEquals":{"aws:PrincipalOrgID":"o-zz99zz99zz"}}`, []string{"organization o-zz99zz99zz strong"}},
		{`{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`, []string{"everyone * strong i1"}},
		{`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + ownOrg + `/r-ab12/*"}}`, nil},
		{`{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"` + ownOrg + `/*"}}`, []string{"everyone * strong i1"}},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::` + own + `:role/*"}}`, nil},
		{`{"StringLike":{"aws:PrincipalArn":"arn:*:` + own + `:role/x"}}`, []string{"everyone * strong i1"}},
		{`{"StringLike":{"aws:PrincipalArn":"arn:*:iam::` + own + `:role/x"}}`, []string{"everyone * strong i1"}},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/app"}}`, []string{"everyone * strong i1"}},
		{`{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`, []string{"everyone * strong n1"}},
		{`{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}}`, []string{"everyone * strong n1"}},
		{`{"StringLike":{"kms:ViaService":"*.amazonaws.com"}}`, []string{"everyone * strong i1"}},
		{`{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com","kms:CallerAccount":"` + own + `"}}`, nil},
		{`{"StringEquals":{"kms:EncryptionContext:app":"payroll"}}`, []string{"everyone * strong n1"}},
		{`{"StringLike":{"kms:EncryptionContext:app":"*"}}`, []string{"everyone * strong i1"}},
		{`{"Bool":{"kms:GrantIsForAWSResource":"true"}}`, []string{"everyone * strong n1"}},
		{`{"Bool":{"kms:GrantIsForAWSResource":true}}`, []string{"everyone * strong n1"}},
		{`{"Bool":{"kms:GrantIsForAWSResource":"false"}}`, []string{"everyone * strong i1"}},
		{`{"BoolIfExists":{"kms:GrantIsForAWSResource":"true"}}`, []string{"everyone * strong i1"}},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, []string{"everyone * strong i1"}},
		{`{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`, []string{"everyone * strong n1"}},
		{`{"IpAddress":{"aws:SourceIp":["198.51.100.0/24","0.0.0.0/0"]}}`, []string{"everyone * strong i1"}},
		{`{"StringEquals":{"aws:PrincipalTag/team":"payments"}}`, []string{"everyone * strong i1"}},
		{`{"StringEquals":{"kms:CallerAccount":["` + own + `","` + foreign + `"]},"StringLike":{"aws:PrincipalAccount":["` + own + `"]}}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) { wantExposures(t, policyOf(star("kms:*", tt.condition)), tt.want) })
	}
}

// A condition on the encryption context holds only in requests that carry one.
func TestEncryptionContextGrantsNoDescribe(t *testing.T) {
	all, err := Exposures(testKey, policyOf(star("kms:*", `{"StringEquals":{"kms:EncryptionContext:app":"x"}}`)), nil, nil)
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v", all, err)
	}
	for _, a := range []string{"DescribeKey", "PutKeyPolicy", "ScheduleKeyDeletion"} {
		if slices.Contains(all[0].Actions, a) {
			t.Errorf("%s is allowed, though no request for it carries an encryption context", a)
		}
	}
	if !slices.Contains(all[0].Actions, "Decrypt") {
		t.Errorf("Decrypt is not among %v", all[0].Actions)
	}
}

func TestDeny(t *testing.T) {
	deny := func(principal, action, rest string) string {
		return `{"Effect":"Deny",` + principal + `,"Action":"` + action + `","Resource":"*"` + rest + `}`
	}
	everyone := `"Principal":"*"`
	tests := []struct {
		name       string
		statements []string
		want       []string
	}{
		{"all", []string{star("kms:*", ""), deny(everyone, "kms:*", "")}, nil},
		{"before", []string{deny(everyone, "*", ""), star("kms:*", "")}, nil},
		{"the strong ones", []string{star("kms:De*", ""), deny(everyone, "kms:Decrypt", ""), deny(everyone, "kms:Delete*", ""), deny(everyone, "kms:DeriveSharedSecret", "")}, []string{"everyone * weak"}},
		{"another resource", []string{star("kms:Decrypt", ""), `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"arn:aws:kms:eu-west-1:` + own + `:key/other"}`}, []string{"everyone * strong i1"}},
		{"somebody else", []string{star("kms:Decrypt", ""), deny(`"Principal":{"AWS":"`+foreign+`"}`, "kms:*", "")}, []string{"everyone * strong i1"}},
		{"the account", []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + foreign + `:role/a"},"Action":"kms:Decrypt"}`, deny(`"Principal":{"AWS":"arn:aws:iam::`+foreign+`:root"}`, "kms:*", "")}, nil},
		{"one role of the account", []string{`{"Effect":"Allow","Principal":{"AWS":"` + foreign + `"},"Action":"kms:Decrypt"}`, deny(`"Principal":{"AWS":"arn:aws:iam::`+foreign+`:role/a"}`, "kms:*", "")}, []string{"account " + foreign + " strong i1"}},
		{"all but our own", []string{star("kms:Decrypt", ""), deny(`"NotPrincipal":{"AWS":"arn:aws:iam::`+own+`:root"}`, "kms:*", "")}, nil},
		{"all but a stranger", []string{star("kms:Decrypt", ""), deny(`"NotPrincipal":{"AWS":"arn:aws:iam::`+foreign+`:root"}`, "kms:*", "")}, []string{"everyone * strong i1"}},
		{"perimeter of accounts", []string{star("kms:Decrypt", ""), deny(everyone, "kms:*", `,"Condition":{"StringNotEquals":{"kms:CallerAccount":"`+own+`"}}`)}, nil},
		{"wider perimeter", []string{star("kms:Decrypt", ""), deny(everyone, "kms:*", `,"Condition":{"StringNotEquals":{"kms:CallerAccount":["`+own+`","`+foreign+`"]}}`)}, []string{"account " + foreign + " strong"}},
		{"perimeter of the organisation", []string{star("kms:Decrypt", ""), deny(everyone, "kms:*", `,"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"`+ownOrg+`"}}`)}, nil},
		{"perimeter for some", []string{star("kms:*", ""), deny(everyone, "kms:DescribeKey", `,"Condition":{"StringNotEquals":{"kms:CallerAccount":"`+own+`"}}`)}, []string{"everyone * strong"}},
		{"perimeter with a way out", []string{star("kms:Decrypt", ""), deny(everyone, "kms:*", `,"Condition":{"StringNotEquals":{"kms:CallerAccount":"`+own+`"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`)}, []string{"everyone * strong i1"}},
		{"under a condition", []string{star("kms:Decrypt", ""), deny(everyone, "kms:*", `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`)}, []string{"everyone * strong i1"}},
		{"a service", []string{`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt"}`, deny(everyone, "kms:*", "")}, []string{"service sns.amazonaws.com strong i1"}},
		{"NotAction", []string{star("kms:De*", ""), `{"Effect":"Deny","Principal":"*","NotAction":"kms:DescribeKey"}`}, []string{"everyone * weak"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantExposures(t, policyOf(tt.statements...), tt.want) })
	}
}

func TestGrantExposures(t *testing.T) {
	tests := []struct {
		name  string
		grant Grant
		want  string
	}{
		{"own role", Grant{ID: "g", Grantee: "arn:aws:iam::" + own + ":role/a", Operations: []string{"Decrypt"}}, ""},
		{"foreign role", Grant{ID: "g", Grantee: "arn:aws:iam::" + foreign + ":role/a", Operations: []string{"Decrypt"}}, "account arn:aws:iam::" + foreign + ":role/a strong"},
		{"foreign, narrowed", Grant{ID: "g", Grantee: "arn:aws:iam::" + foreign + ":role/a", Operations: []string{"Decrypt"}, EncryptionEqual: map[string]string{"a": "b"}}, "account arn:aws:iam::" + foreign + ":role/a strong n1"},
		{"describe", Grant{ID: "g", Grantee: foreign, Operations: []string{"DescribeKey"}}, "account " + foreign + " weak"},
		{"allowed", Grant{ID: "g", Grantee: "arn:aws:iam::" + friend + ":root", Operations: []string{"Decrypt"}}, ""},
		{"our service", Grant{ID: "g", Grantee: "rds.eu-west-1.amazonaws.com", IssuingAccount: "arn:aws:iam::" + own + ":root", Operations: []string{"Decrypt"}}, ""},
		{"a service of another's", Grant{ID: "g", Grantee: "rds.eu-west-1.amazonaws.com", IssuingAccount: foreign, Operations: []string{"Decrypt"}}, "account rds.eu-west-1.amazonaws.com on behalf of account " + foreign + " strong"},
		{"a service for another's resource", Grant{ID: "g", Grantee: "rds.amazonaws.com", IssuingAccount: own, SourceARN: "arn:aws:rds:eu-west-1:" + foreign + ":db:x", Operations: []string{"Decrypt"}}, "account rds.amazonaws.com on behalf of account " + foreign + " strong"},
		{"nothing", Grant{ID: "g", Grantee: foreign}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, err := Exposures(testKey, policyOf(defaultStatement), []Grant{tt.grant}, []string{friend})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for i := range all {
				got += short(&all[i])
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A policy that is not understood is unknown and never safe; the grants count
// all the same.
func TestUnreadablePolicy(t *testing.T) {
	for _, policy := range []string{
		"", "null", "[]", "{}", `{"Statement":[]} x`, "// comment\n" + policyOf(defaultStatement),
		policyOf(`{"Effect":"Allow","Principal":"*"}`),
		policyOf(`{"Effect":"allow","Principal":"*","Action":"kms:*"}`),
		policyOf(`{"Effect":"Allow","Action":"kms:*"}`),
		policyOf(`{"Effect":"Allow","Principal":"everyone","Action":"kms:*"}`),
		policyOf(`{"Effect":"Allow","Principal":{"Person":"x"},"Action":"kms:*"}`),
		policyOf(`{"Effect":"Allow","Principal":"*","NotPrincipal":"*","Action":"kms:*"}`),
		policyOf(`{"Effect":"Allow","Principal":"*","Action":"kms:*","Effect":"Deny"}`),
		policyOf(`{"Effect":"Allow","Principal":"*","Action":{"a":1}}`),
		policyOf(`{"Effect":"Allow","Principal":"*","Action":"kms:*","Else":1}`),
		policyOf(`{"Effect":"Allow","Principal":"*","Action":"kms:*","Condition":[]}`),
		policyOf(`{"Effect":"Allow","Principal":"*","Action":"kms:*","Condition":{"StringEquals":{"a":{}}}}`),
		`{"Statement":[` + strings.Repeat(" ", maxPolicy) + `]}`,
		`{"Version":"2012-10-17","Statements":[]}`,
	} {
		all, err := Exposures(testKey, policy, []Grant{{ID: "g", Grantee: foreign, Operations: []string{"Decrypt"}}}, nil)
		if err == nil {
			t.Errorf("%.60q was understood", policy)
		}
		if len(all) != 1 || all[0].GrantID != "g" {
			t.Errorf("%.60q: the grant is missing in %v", policy, all)
		}
	}
}

// FuzzExposures: whatever the policy, one more Allow to everyone shows, unless
// a Deny is there; and who is allowed more sees no more exposures.
func FuzzExposures(f *testing.F) {
	f.Add(policyOf(defaultStatement))
	f.Add(policyOf(star("kms:*", `{"StringLike":{"kms:CallerAccount":["`+foreign+`","`+own+`"]}}`)))
	f.Add(policyOf(star("kms:D*", ""), `{"Effect":"Deny","NotPrincipal":{"AWS":"`+own+`"},"Action":"kms:*"}`))
	f.Fuzz(func(t *testing.T, policy string) {
		statements, err := parsePolicy(policy)
		if err != nil {
			return
		}
		few, _ := Exposures(testKey, policy, nil, nil)
		more, _ := Exposures(testKey, policy, nil, []string{foreign})
		if len(more) > len(few) {
			t.Errorf("allowing an account made %d exposures of %d", len(more), len(few))
		}
		if slices.ContainsFunc(statements, func(s statement) bool { return s.deny }) {
			return
		}
		fields := map[string]json.RawMessage{}
		if json.Unmarshal([]byte(policy), &fields) != nil {
			t.Fatal("what was parsed is no JSON object")
		}
		for name, raw := range fields {
			if strings.EqualFold(name, "statement") {
				list, err := listOf(raw, '{')
				if err != nil {
					t.Fatal(err)
				}
				fields[name], _ = json.Marshal(append(list, json.RawMessage(star("kms:Decrypt", ""))))
			}
		}
		wider, _ := json.Marshal(fields)
		all, err := Exposures(testKey, string(wider), nil, nil)
		if err != nil || !slices.ContainsFunc(all, func(e Exposure) bool { return e.Reach == Everyone && len(e.Narrowed) == 0 }) {
			t.Errorf("an Allow to everyone does not show: %v, %v", all, err)
		}
	})
}

// FuzzGlob holds Glob equal to a regular expression.
func FuzzGlob(f *testing.F) {
	f.Add("kms:*", "kms:Decrypt")
	f.Add("*a?c*", "xxabc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 40 || len(s) > 200 || !ascii(pattern+s) {
			return
		}
		re := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		if want := regexp.MustCompile(`(?s)^` + re + `$`).MatchString(s); Glob(pattern, s) != want {
			t.Errorf("Glob(%q, %q) = %t", pattern, s, !want)
		}
	})
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
