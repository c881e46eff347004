package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// leaks is a configuration of the shape that the documentation of gitleaks
// describes, with values of our own.
const leaks = `
title = "ours"
[extend]
useDefault = true
disabledRules = ["generic-api-key", "private-key", "no-such-rule"]

[[rules]]
id = "Awesome Rule_1"
description = "finds awesome things."
regex = '''(?i)(awesome)_(?P<hidden>[a-z0-9]+)\b'''
secretGroup = 2
entropy = 3.5
path = '''\.env$'''
keywords = ["awesome"]
tags = ["a", "b"]
  [[rules.allowlists]]
  description = "ignore placeholders"
  condition = "AND"
  regexTarget = "line"
  regexes = ['''PLACEHOLDER''']
  paths = ['''docs/''']
  stopwords = ["nope"]

[[rules]]
id = "short"
regex = '''[a-f0-9]{32}'''
keywords = ["zz"]

[[rules]]
id = "only-path"
path = '''\.p12$'''

[[rules]]
id = "bad"
regex = '''(unclosed'''

[[rules]]
id = "github-pat"
[rules.allowlist]
regexes = ['''ghp_x''']

[[allowlists]]
targetRules = ["Awesome Rule_1", "jwt"]
commits = ["0123456789abcdef0123456789abcdef01234567", "master"]

[allowlist]
description = "everywhere"
paths = ['''vendor/''']
stopwords = ["", "it's"]
`

func TestImport(t *testing.T) {
	own, notes, err := Import("g.toml", []byte(leaks), []byte("# x\n0123456789abcdef:a/b.go:some-rule:12\na/b.go:some-rule:13\nnonsense\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("imported", own)
	if err != nil {
		t.Fatalf("%v\n%s", err, own)
	}
	if len(c.Rules) != 1 || c.Rules[0].ID != "awesome-rule-1" || c.Rules[0].Title != "finds awesome things" || c.Rules[0].Severity != rules.High {
		t.Fatalf("rules %+v", c.Rules)
	}
	text := "x awesome_" + "abc123 y"
	var secrets []string
	c.Detector().Detect(&scanner.Chunk{Object: &scanner.Object{}, Data: []byte(text), To: len(text), First: true, Last: true}, func(h *scanner.Hit) {
		if h.Rule.ID == "awesome-rule-1" {
			secrets = append(secrets, text[h.SecretStart:h.SecretEnd])
			if len(h.Fields) > 0 {
				t.Error("a named group became a field, which reports print")
			}
		}
	})
	if strings.Join(secrets, " ") != "abc123" {
		t.Errorf("found %q", secrets)
	}
	for _, id := range []string{"generic-credential", "private-key"} {
		if !c.Change(id).Off {
			t.Errorf("%s is not off", id)
		}
	}
	var said = strings.Join(notes, "\n")
	for _, want := range []string{"no-such-rule", "rule short is left out", "rule only-path looks at paths alone", "rule bad is left out", `"master"`, "line 4 of .gitleaksignore"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing is said of %s: %s", want, said)
		}
	}
	for _, want := range []string{
		"# repeats without an upper bound have 1000", "min-entropy = 3.5", `path-expressions = ['\.env$']`, `match = "all"`, "target = 'line'",
		"rules = ['awesome-rule-1', 'json-web-token']", "rules = ['github-personal-access-token']", "'''it's'''", `places = ['0123456789abcdef:a/b.go:12', 'a/b.go:13']`,
	} {
		if !strings.Contains(string(own), want) {
			t.Errorf("the import lacks %s:\n%s", want, own)
		}
	}
	im, err := Imported("g.toml", []byte(leaks), nil)
	if err != nil || !im.Imported || len(im.Notes) == 0 || im.Allow[0].Name != "g.toml" {
		t.Errorf("imported %+v, %v", im, err)
	}
}

func TestImportErrors(t *testing.T) {
	for text, want := range map[string]string{"\n[[rules]\n": "g:2:", "rules = 3": "g:1:", "x = ": "g:1:"} {
		if _, _, err := Import("g", []byte(text), nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestBounded: what is bounded finds what the original does in short texts.
func TestBounded(t *testing.T) {
	for _, c := range []struct {
		expression, text string
		limit            int
	}{
		{`tok_[a-z]{4}`, "tok_abcd", 0},
		{`tok_[a-z]+`, "tok_abcdefgh", 1000},
		{`tok_[a-z]{3,}x*?y`, "tok_abcxxxy", 1000},
		{`tok(?:_[a-z]{1,50})+;`, "tok_abc_def_g;", 20},
		{`tok_.*end`, "tok_ some thing end", 1000},
	} {
		b, err := bounded(&leaksRule{Regex: c.expression})
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if b.limit != c.limit {
			t.Errorf("%s: bounded by %d, want %d", c.expression, b.limit, c.limit)
		}
		want, got := regexp.MustCompile(c.expression).FindString(c.text), regexp.MustCompile(b.expression).FindString(c.text)
		if want == "" || got != want {
			t.Errorf("%s as %s finds %q, want %q", c.expression, b.expression, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "a", "it's", "'", "''", "a''b", `\d"`, "a\nb", "tab\t", "\x00", "\x7f", "é", "\u2028", "'''", `x'\`} {
		var v struct{ X []string }
		if err := toml.Unmarshal([]byte("X = "+quoteAll([]string{s, s})), &v); err != nil || v.X[1] != s {
			t.Errorf("%q is written as %s: %v, %q", s, quote(s), err, v.X)
		}
	}
}

// TestImportUnreadable: what cannot be read makes a rule find more, and never
// an allowlist excuse more.
func TestImportUnreadable(t *testing.T) {
	const rule = "[[rules]]\nid='x'\nregex='acme_[a-f0-9]{16}'\n"
	for _, test := range []struct{ name, text, said, lacks string }{
		{"path of a rule", rule + `path='\k'`, "rule x looks at all files", "path-expressions"},
		{"one condition of two", rule + "[[rules.allowlists]]\ncondition='AND'\nregexes=['a']\npaths=['(']", "an allowlist is left out", "[[allow]]"},
		{"the commits", rule + "[[rules.allowlists]]\ncondition='AND'\nregexes=['a']\ncommits=['main']", "an allowlist is left out", "[[allow]]"},
		{"an alternative", rule + "[[rules.allowlists]]\nregexes=['a']\npaths=['(']", "expression is left out", "path-expressions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			own, notes, err := Import("g", []byte(test.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			if said := strings.Join(notes, "\n"); !strings.Contains(said, test.said) {
				t.Errorf("said %q, want %q", said, test.said)
			}
			if strings.Contains(string(own), test.lacks) {
				t.Errorf("the import has %s:\n%s", test.lacks, own)
			}
			if _, err := Parse("own", own); err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzImport(f *testing.F) {
	f.Add(leaks, "a:b:1")
	f.Add("[[rules]]\nid='x'\nregex='a+'\n[rules.allowlist]\nregexes=[\"'''\"]", "0123456:x:y:2\n\xff:a:3")
	f.Fuzz(func(t *testing.T, text, places string) {
		own, _, err := Import("g", []byte(text), []byte(places))
		if err != nil {
			return
		}
		if _, err := Parse("own", own); err != nil {
			t.Errorf("%q and %q become what cannot be read: %v\n%s", text, places, err, own)
		}
	})
}
