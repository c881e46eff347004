package rules

import (
	"strings"
	"testing"
)

const goodRule = `provider = "Acme"

[[rule]]
id = "acme-token"
title = "Acme token"
severity = "high"
confidence = "medium"
pattern = 'acme_[0-9a-f]{16}'
patterns = ['acm2_[0-9]{8}']
arns = ["kms key/{uuid}"]
match = [["acme_0011", "223344556677"], "acm2_12345678"]
clean = ["acme_"]
`

func TestParse(t *testing.T) {
	rules, err := Parse("acme.toml", []byte(goodRule))
	if err != nil {
		t.Fatal(err)
	}
	r := rules[0]
	if r.ID != "acme-token" || r.Provider != "Acme" || r.Severity != High || r.Confidence != ConfidenceMedium ||
		len(r.Patterns) != 3 || r.Match[0] != "acme_0011"+"223344556677" || r.Match[1] != "acm2_"+"12345678" || r.Clean[0] != "acme_" {
		t.Errorf("parsed as %+v", r)
	}
	if _, err := Compile(rules); err != nil {
		t.Error(err)
	}
}

func TestParseErrors(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(goodRule, old) {
			t.Fatalf("no %q to replace", old)
		}
		return strings.Replace(goodRule, old, new, 1)
	}
	for _, c := range []struct{ text, want string }{
		{change("severity", "sevrity"), `x.toml:6:1: unknown key "sevrity": did you mean "severity"?`},
		{change("provider", "provder"), `x.toml:1:1: unknown key "provder": did you mean "provider"?`},
		{change("clean", "qqqqqqq"), `x.toml:12:1: unknown key "qqqqqqq": known keys are id, title`},
		{change(`"high"`, `"hgh"`), "x.toml:6:12: "},
		{change(`"high"`, `"hgh"`), "use info, low, medium, high or critical"},
		{change(`"high"`, `3`), `reading rules of x.toml (262 bytes): unknown severity "3"`},
		{change("severity = \"high\"\n", ""), `x.toml:3:1: rule "acme-token": severity or confidence is missing`},
		{change("acme-token", "Acme token"), "id must be lower-case words"},
		{change("acme-token", "acme--token"), "id must be lower-case words"},
		{change(`title = "Acme token"`, ""), "title is missing"},
		{change(`provider = "Acme"`, ""), "provider is missing"},
		{change(`"acm2_12345678"]`, `7]`), "match: example 2 must be a string"},
		{change(`"acm2_12345678"]`, `""]`), "match: example 2 is empty"},
		{change(`pattern = `, `pattern = 7 #`), "x.toml:8:"},
		{goodRule + strings.TrimPrefix(goodRule, "provider = \"Acme\"\n"), "the id was taken at line 3"},
		{"provider = \"A\"\n[[rule]]\nid='a'\ntitle='t'\nseverity='low'\nconfidence='low'\n", "it looks for nothing"},
		{change(`pattern = `, `near = "acme" #`), "near and secret belong together"},
		{change(`pattern = `, `secret = "[a-z]{9}" #`), "near and secret belong together"},
		{change(`pattern = `, `named = "key" #`), "named says what the value is called behind near"},
		{change(`"acm2_12345678"]`, `{ base64 = "*" }]`), "match: example 2 must be { base64"},
		{"provider = ", "x.toml:1:"},
	} {
		_, err := Parse("x.toml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v\nwant one with %q", err, c.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*Rule)
		want   string
	}{
		{func(r *Rule) { r.Patterns[0].Regexp = `[a-z]{20}` }, `rule "r": pattern '[a-z]{20}': no literal of at least 3 bytes`},
		{func(r *Rule) { r.Patterns[0].Regexp = `abc|x` }, "no literal of at least 3 bytes"},
		{func(r *Rule) { r.Patterns[0].Regexp = `abc.*` }, "give every repeat an upper bound"},
		{func(r *Rule) { r.Patterns[0].Regexp = `abc(?:[a-z]+,)+` }, "give every repeat an upper bound"},
		{func(r *Rule) { r.Patterns[0].Regexp = `abc` + strings.Repeat(`.{1000}`, 9) }, "more than the 32768 allowed"},
		{func(r *Rule) { r.Patterns[0].Regexp = `abc(` }, "missing closing )"},
		{func(r *Rule) { r.Patterns[0].Keywords = []string{"ab"} }, "must be 3 to 32 bytes"},
		{func(r *Rule) { r.Patterns[0].Keywords = []string{"abé"} }, "must be ASCII"},
		{func(r *Rule) { r.Patterns[0] = Pattern{} }, "either a regular expression or an ARN"},
		{func(r *Rule) { r.Patterns[0].ARN = "kms key/{uuid}" }, "either a regular expression or an ARN"},
		{func(r *Rule) { r.Patterns = nil }, "it looks for nothing"},
		{func(r *Rule) { r.Validators = []string{"no-such"} }, `unknown validator "no-such"`},
		{func(r *Rule) { r.Placeholders = []string{"no-such"} }, `unknown placeholder list "no-such"`},
		{func(r *Rule) {
			r.Patterns[0].Regexp = `abc(?P<a>a)(?P<b>a)(?P<c>a)(?P<d>a)(?P<e>a)(?P<f>a)(?P<g>a)(?P<h>a)(?P<secret>a)`
		}, "8 named groups"},
	} {
		r := Rule{ID: "r", Patterns: []Pattern{{Regexp: "abc[0-9]{8}"}}}
		if _, err := Compile([]Rule{r}); err != nil {
			t.Fatal(err)
		}
		c.change(&r)
		if _, err := Compile([]Rule{r}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v\nwant one with %q", err, c.want)
		}
	}
	r := Rule{ID: "r", Patterns: []Pattern{{Regexp: "abc[0-9]{8}"}}}
	if _, err := Compile([]Rule{r, r}); err == nil || !strings.Contains(err.Error(), "two rules of this id") {
		t.Errorf("error %v", err)
	}
}

// FuzzParse: whatever a file holds, parsing and compiling it ends in rules
// that can scan, or in an error that names the file or the rule.
func FuzzParse(f *testing.F) {
	f.Add(goodRule, "acme_0011223344556677")
	f.Add(strings.Replace(goodRule, "acme_[0-9a-f]{16}", `(?i)ab[^c]{1,3}cde$`, 1), "abxcde")
	f.Add(strings.Replace(goodRule, "kms key/{uuid}", `s3:: (a|b)?{[a-z]1,9}`, 1), "arn:aws:s3:::abcdef")
	f.Fuzz(func(t *testing.T, text, data string) {
		if len(text) > 2000 || len(data) > 500 {
			return
		}
		rules, err := Parse("fuzz.toml", []byte(text))
		if err != nil {
			if !strings.Contains(err.Error(), "fuzz.toml:") && !strings.Contains(err.Error(), "fuzz.toml (") {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		p, err := Compile(rules)
		if err != nil {
			if !strings.Contains(err.Error(), "rule \"") {
				t.Fatalf("the error does not name the rule: %v", err)
			}
			return
		}
		for _, m := range collect(p, []byte(data), 0, len(data)) {
			if m.start < 0 || m.end > len(data) || m.start >= m.end || m.secret < m.start || m.secEnd > m.end {
				t.Fatalf("a match at %+v of %d bytes", m, len(data))
			}
		}
	})
}

// TestNear holds both ways to tie a secret to a vendor's name, and named to the one.
func TestNear(t *testing.T) {
	secret := "0f3c9a7be1d24856" + "907a1bc2d3e4f506"
	for _, c := range []struct {
		named, text string
		want        bool
	}{
		{"", "ACME_PROD=" + secret, true},
		{"", `"acme": "` + secret + `"`, true},
		{"", "calling acme\nusing api_key: " + secret, true},
		{"", "acme, then " + secret, false},
		{"secret", "acme_id=" + secret, false},
		{"secret", "acme_client_secret=" + secret, true},
	} {
		r, err := Parse("x.toml", []byte("provider=\"A\"\n[[rule]]\nid=\"a-b\"\ntitle=\"t\"\nseverity=\"low\"\nconfidence=\"low\"\nnear=\"acme\"\nsecret=\"[0-9a-f]{32}\"\nnamed=\""+c.named+"\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.findings(c.text)) == 1; got != c.want {
			t.Errorf("named %q: found %v, want %v", c.named, got, c.want)
		}
	}
}
