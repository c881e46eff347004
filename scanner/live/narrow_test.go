package live

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// narrowTest returns the facts about a key with the policy, and its verdict.
func narrowTest(policy string) (*Facts, *Verdict) {
	f := keyFacts()
	f.Key.Policy = Known(policy)
	v := Judge(f, []string{friend})
	return f, &v
}

func TestNarrow(t *testing.T) {
	two := `{"Sid":"Partners","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::` + own + `:role/app","arn:aws:iam::` + foreign + `:root"]},"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*"}`
	f, v := narrowTest(policyOf(defaultStatement, two, star("kms:Decrypt", `{"StringEquals":{"kms:EncryptionContext:App":"x"}}`)))
	got := narrowed(f, v, &Operator{Trusted: []string{friend}})
	for _, want := range []string{
		`  statement "Partners"`, `-       "arn:aws:iam::` + foreign + `:root"`, `+       "arn:aws:iam::` + own + `:role/app"`, "  statement 3",
		`+       "kms:CallerAccount": [`, `+         "` + own + `",`, `+         "` + friend + `"`, `"kms:EncryptionContext:App": [`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the line %q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Enable IAM") {
		t.Errorf("the default statement is in\n%s", got)
	}
	if f, v := narrowTest(policyOf(defaultStatement)); narrowed(f, v, &Operator{}) != "" {
		t.Error("a policy that exposes nothing is narrowed")
	}
}

// Whatever the statement, its narrower form lets no stranger use the key.
func FuzzNarrow(f *testing.F) {
	f.Add(star("kms:*", ""))
	f.Add(star("kms:Decrypt", `{"StringEquals":{"KMS:CallerAccount":["`+foreign+`","`+own+`"]}}`))
	f.Add(`{"Effect":"Allow","Principal":{"AWS":["` + foreign + `","` + own + `"],"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt"}`)
	f.Add(`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com","Federated":"accounts.google.com"},"Action":"kms:Decrypt"}`)
	f.Add(star("kms:*", `{"StringEquAls":{"aws:x":"y"}}`))
	f.Add(`{"Effect":"Allow","NotPrincipal":{"AWS":"` + foreign + `"},"Action":"kms:*"}`)
	f.Fuzz(func(t *testing.T, statement string) {
		facts, v := narrowTest(policyOf(statement))
		before, err := object([]byte(statement))
		if err != nil || len(v.Exposures) == 0 || facts.Key == nil {
			return
		}
		n := narrower{own: own, trusted: []string{friend}}
		after := n.narrow(before, v.Exposures)
		if after == nil {
			return
		}
		text, err := json.Marshal(after)
		if err != nil {
			t.Fatal(err)
		}
		left, err := Exposures(testKey, policyOf(string(text)), nil, []string{friend})
		if err != nil {
			t.Errorf("%s is no statement any more: %v", text, err)
		}
		for i := range left {
			if gradeOf(&left[i]) > rules.Low {
				t.Errorf("%s still exposes the key: %s", text, &left[i])
			}
		}
	})
}

func TestDiffLines(t *testing.T) {
	got := diffLines([]string{"a", "b", "c"}, []string{"a", "x", "c", "d"})
	if want := "  a\n- b\n+ x\n  c\n+ d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
