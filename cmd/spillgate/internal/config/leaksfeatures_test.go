package config

import (
	"os"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/filetree"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// A leaksFeature is one thing that the documentation of gitleaks says a
// configuration can do, and what becomes of it here. said is a part of the line
// of docs/migrating-from-gitleaks.md that describes it.
type leaksFeature struct {
	name, config, said string
	// what a scan finds in text, the file path: the id of a rule, or "".
	path, text, finds string
	notes             string // a part of what the import says, "" for nothing
}

const ruleOne = "[[rules]]\nid = \"one\"\ndescription = \"One\"\nregex = '''one_([a-z0-9]+)_end'''\nkeywords = [\"one_\"]\n"

var leaksFeatures = []leaksFeature{
	{name: "a rule", said: "`[[rules]]`", config: "[extend]\nuseDefault = true\n" + ruleOne, text: "one_abc_end", finds: "one"},
	{name: "the default rules", said: "`extend.useDefault`", config: "[extend]\nuseDefault = true\n", text: "password = \"x9Kq2v" + "LmT4pRz8Wb\"", finds: "generic-credential"},
	{name: "without the default rules", said: "without `extend.useDefault`", config: ruleOne, text: "password = \"x9Kq2v" + "LmT4pRz8Wb\"", finds: "generic-credential", notes: "stay on all the same"},
	{name: "disabledRules", said: "`extend.disabledRules`", config: "[extend]\nuseDefault = true\ndisabledRules = [\"generic-api-key\"]\n", text: "password = \"x9Kq2v" + "LmT4pRz8Wb\""},
	{name: "extend.path", said: "`extend.path`", config: "[extend]\npath = \"base.toml\"\n", notes: "not followed"},
	{name: "secretGroup", said: "`secretGroup`", config: "[extend]\nuseDefault = true\n" + ruleOne + "secretGroup = 1\n[[rules.allowlists]]\nregexes = ['''^abc$''']\n", text: "one_abc_end"},
	{name: "entropy, too low", said: "`entropy`", config: "[extend]\nuseDefault = true\n" + ruleOne + "secretGroup = 1\nentropy = 3.0\n", text: "one_aaaa_end"},
	{name: "entropy, enough", said: "`entropy`", config: "[extend]\nuseDefault = true\n" + ruleOne + "secretGroup = 1\nentropy = 3.0\n", text: "one_a8k2m9x4q7_end", finds: "one"},
	{name: "path of a rule, elsewhere", said: "`path` with `regex`", config: "[extend]\nuseDefault = true\n" + ruleOne + "path = '''\\.env$'''\n", path: "a.txt", text: "one_abc_end"},
	{name: "path of a rule, there", said: "`path` with `regex`", config: "[extend]\nuseDefault = true\n" + ruleOne + "path = '''\\.env$'''\n", path: "a.env", text: "one_abc_end", finds: "one"},
	{name: "path alone", said: "`path` alone", config: "[extend]\nuseDefault = true\n[[rules]]\nid = \"p\"\npath = '''\\.p12$'''\n", notes: "looks at paths alone"},
	{name: "tags", said: "`tags`", config: "[extend]\nuseDefault = true\n" + ruleOne + "tags = [\"a\"]\n", text: "one_abc_end", finds: "one"},
	{name: "required", said: "`required`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[rules.required]]\nid = \"two\"\n", text: "one_abc_end", finds: "one", notes: "whether its required rules match"},
	{name: "skipReport", said: "`skipReport`", config: "[extend]\nuseDefault = true\n" + ruleOne + "skipReport = true\n", text: "one_abc_end", finds: "one", notes: "skipReport"},
	{name: "allowlist of a rule", said: "`[[rules.allowlists]]`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[rules.allowlists]]\nregexes = ['''abc''']\n", text: "one_abc_end"},
	{name: "condition AND, half", said: "`condition`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[rules.allowlists]]\ncondition = \"AND\"\nregexes = ['''abc''']\npaths = ['''docs/''']\n", path: "a.txt", text: "one_abc_end", finds: "one"},
	{name: "condition AND, whole", said: "`condition`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[rules.allowlists]]\ncondition = \"AND\"\nregexes = ['''abc''']\npaths = ['''docs/''']\n", path: "docs/a.txt", text: "one_abc_end"},
	{name: "regexTarget line", said: "`regexTarget`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[rules.allowlists]]\nregexTarget = \"line\"\nregexes = ['''# sample''']\n", text: "one_abc_end # sample"},
	{name: "stopwords", said: "`stopwords`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[rules.allowlists]]\nstopwords = [\"abc\"]\n", text: "one_abc_end"},
	{name: "global allowlist", said: "`[[allowlists]]`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[allowlists]]\npaths = ['''vendor/''']\n", path: "vendor/a.txt", text: "one_abc_end"},
	{name: "targetRules", said: "`targetRules`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[[allowlists]]\ntargetRules = [\"other\"]\nregexes = ['''abc''']\n", text: "one_abc_end", finds: "one"},
	{name: "the old allowlist", said: "`[allowlist]`", config: "[extend]\nuseDefault = true\n" + ruleOne + "[allowlist]\nregexes = ['''abc''']\n", text: "one_abc_end"},
	{name: "a default rule refined", said: "without a `regex`", config: "[extend]\nuseDefault = true\n[[rules]]\nid = \"generic-api-key\"\n[[rules.allowlists]]\nregexes = ['''x9Kq''']\n", text: "password = \"x9Kq2v" + "LmT4pRz8Wb\""},
}

// TestLeaksFeatures runs each feature through the import: what is found is what
// gitleaks finds, or the import says that it is not.
func TestLeaksFeatures(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/migrating-from-gitleaks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range leaksFeatures {
		c, err := Imported("gitleaks.toml", []byte(f.config), nil)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if said := strings.Join(c.Notes, "\n"); (f.notes == "") != (said == "") || !strings.Contains(said, f.notes) {
			t.Errorf("%s: the import says %q, want %q", f.name, said, f.notes)
		}
		if !strings.Contains(string(page), f.said) {
			t.Errorf("%s: the page on migrating says nothing of %s", f.name, f.said)
		}
		if f.text == "" {
			continue
		}
		if got := findsWith(t, c, f); got != f.finds {
			t.Errorf("%s: finds %q, want %q", f.name, got, f.finds)
		}
	}
}

// findsWith returns the rules of what a scan of f's text under c reports.
func findsWith(t *testing.T, c *Config, f leaksFeature) string {
	t.Helper()
	path := f.path
	if path == "" {
		path = "a.txt"
	}
	result, err := scanner.Scan(t.Context(), scanner.Options{
		Sources:   []scanner.Source{filetree.Stdin(strings.NewReader(f.text), path)},
		Detectors: []scanner.Detector{c.Detector()},
		Stages:    suppress.Stages(suppress.Options{Allow: c.Allow}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, x := range result.Findings {
		if x.Severity >= rules.Medium {
			ids = append(ids, x.Rule.ID)
		}
	}
	return strings.Join(ids, " ")
}

// TestLeaksIDs holds the table of ids to rules that exist, and to the checklist
// of known formats.
func TestLeaksIDs(t *testing.T) {
	for _, pair := range leaksIDs {
		if rules.Builtin().Rule(pair[1]) == nil {
			t.Errorf("%s: there is no rule %s", pair[0], pair[1])
		}
	}
	text, err := os.ReadFile("../../../../rules/testdata/formats.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "gitleaks" {
			n++
			found := false
			for _, own := range counterparts(f[1]) {
				found = found || own == f[2]
			}
			if !found {
				t.Errorf("%s is %s in the checklist and %v here", f[1], f[2], counterparts(f[1]))
			}
		}
	}
	if n < 200 {
		t.Errorf("%d ids in the checklist", n)
	}
}
