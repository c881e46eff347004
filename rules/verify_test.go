package rules

import (
	"bytes"
	"strings"
	"testing"
)

// A rule that finds its own examples must take their secrets back, by themselves
// as a user gives them.
func TestVerifyTakesExamples(t *testing.T) {
	all, err := ParseAll(Sources())
	if err != nil {
		t.Fatal(err)
	}
	const step = 7 // all of them take ten seconds
	checked := 0
	for i := 0; i < len(all); i += step {
		r := &all[i]
		p, err := Compile([]Rule{*r})
		if err != nil {
			t.Fatal(err)
		}
		var secret []byte
		data := []byte(r.Match[0])
		p.Scan(data, 0, len(data), false, func(m *Match) {
			if m.Text == nil && secret == nil {
				secret = bytes.Clone(data[m.SecretStart:m.SecretEnd])
			}
		})
		if secret == nil {
			continue
		}
		checked++
		v, err := Verify(r, secret)
		if err != nil || v.Match == nil || !v.Form || v.Refused != "" {
			t.Errorf("%s: the secret of its first example is none: form %v, refused by %q, %v", r.ID, v.Form, v.Refused, err)
		}
	}
	if checked < len(all)/step*9/10 {
		t.Errorf("only %d of %d rules were looked at", checked, len(all)/step)
	}
}

func TestVerify(t *testing.T) {
	all, err := ParseAll(Sources())
	if err != nil {
		t.Fatal(err)
	}
	rule := func(id string) *Rule {
		for i := range all {
			if all[i].ID == id {
				return &all[i]
			}
		}
		t.Fatalf("no rule %s", id)
		return nil
	}
	good := "ghp_" + "WEwVWcsyFKemsJ5A" + "cE11ZZS5HEE2qG4XG5et"
	// The checksum of the first example, with another last character.
	_, wif, _ := strings.Cut(rule("bitcoin-wif-private-key").Match[0], "=")
	wif = wif[:len(wif)-1] + "2"
	for _, test := range []struct {
		name, rule, secret       string
		form, match              bool
		refused, doubted, sample string
		fields                   bool
	}{
		{name: "a token", rule: "github-personal-access-token", secret: good, form: true, match: true},
		{name: "another checksum", rule: "github-personal-access-token", secret: good[:39] + "u", form: true, match: true, doubted: "github-checksum"},
		{name: "too short", rule: "github-personal-access-token", secret: good[:39]},
		{name: "more around it", rule: "github-personal-access-token", secret: "x " + good},
		{name: "another rule's", rule: "gitlab-personal-access-token", secret: good},
		{name: "refused", rule: "bitcoin-wif-private-key", secret: wif, form: true, refused: "base58check"},
		{name: "an example", rule: "aws-access-key-id", secret: "AKIA" + "IOSFODNN7EXAMPLE", form: true, match: true, sample: "example of AWS's documentation", fields: true},
		{name: "told by its surroundings, whose account is not its own", rule: "aws-secret-access-key", secret: "qT7vKp2LxW9z" + "RbN4mYc8HdJf3sGaE6uVoZi1XtQr", form: true, match: true},
		{name: "empty", rule: "aws-access-key-id", secret: ""},
	} {
		v, err := Verify(rule(test.rule), []byte(test.secret))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if v.Form != test.form || (v.Match != nil) != test.match || v.Refused != test.refused || v.Doubted != test.doubted {
			t.Errorf("%s: form %v, match %v, refused by %q, doubted by %q", test.name, v.Form, v.Match != nil, v.Refused, v.Doubted)
		}
		if v.Match != nil && (v.Match.Placeholder != test.sample || len(v.Match.Fields) > 0 != test.fields) {
			t.Errorf("%s: placeholder %q, fields %v", test.name, v.Match.Placeholder, v.Match.Fields)
		}
	}
}
