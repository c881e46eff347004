package config

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// everything has every key.
const everything = "\xef\xbb\xbf" + `# a comment
fail-on = "high"
min-confidence = "low"
require-reason = true
fail-on-unused = true
new-comments = "refuse"
foreign-comments = false
baseline = "base.jsonl"
provider = "us"

[rules.aws-kms-key-arn]
enabled = true
severity = "critical"
confidence = "medium"
paths = ["src/", "*.go"]
path-expressions = ['\.tf$']
exclude = ["*_test.go"]
min-entropy = 2.5

[rules."aws-*"]
enabled = false

[[allow]]
reason = "made up"
rules = ["aws-*"]
match = "all"
values = ['''^EX''']
target = "line"
stopwords = ["Sample"]
paths = ["docs/**"]
path-expressions = ["x"]
commits = ["0123456789ABCDEF"]
fingerprints = ["00112233445566778899aabbccddeeff"]
places = ["0123456:a/b.txt:3", "c.txt:4"]

[[rule]]
id = "our-token"
title = "Our token"
why = "x"
severity = "high"
confidence = "high"
pattern = '''\bourtok_(?P<secret>[a-z0-9]{10})\b'''
fix = "x"
references = ["https://example.com"]
tags = ["own"]
match = [["ourtok_", "abcdefghij"]]
clean = ["ourtok_x"]

[[allow]]
stopwords = ["two"]

[[rule]]
id = "npm-access-token"
title = "Ours in place of the built-in one"
severity = "low"
confidence = "low"
pattern = 'npmlike_[a-z]{5}'
`

func TestParse(t *testing.T) {
	c, err := Parse("f", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	if *c.FailOn != rules.High || *c.MinConfidence != rules.ConfidenceLow || !c.RequireReason || !c.FailOnUnused ||
		*c.NewComments != suppress.RefuseNew || c.ForeignComments || c.Baseline != "base.jsonl" {
		t.Errorf("general keys: %+v", c)
	}
	if len(c.Rules) != 2 || c.Rules[0].ID != "our-token" || c.Rules[0].Provider != "us" || c.Rules[0].Match[0] != "ourtok_"+"abcdefghij" {
		t.Errorf("rules: %+v", c.Rules)
	}
	// two lists, and four that stand for a rule's paths, exclusions and entropy
	if len(c.Allow) != 5 || c.Allow[0].Name != "f:23" || c.Allow[1].Name != "f:49" || !c.Allow[0].All || c.Allow[0].Target != suppress.TargetLine ||
		c.Allow[0].Commits[0] != "0123456789abcdef" || c.Allow[0].Stopwords[0] != "sample" || c.Allow[0].Places[1].Line != 4 {
		t.Errorf("%d allowlists: %+v", len(c.Allow), c.Allow)
	}
	kms, iam := c.Change("aws-kms-key-arn"), c.Change("aws-iam-arn")
	if kms.Off || *kms.Severity != rules.Critical || *kms.Confidence != rules.ConfidenceMedium || !iam.Off || c.Change("github-oauth-token").Off {
		t.Errorf("changes: %+v, %+v", kms, iam)
	}
	var keys []string
	for _, s := range c.Settings() {
		keys = append(keys, s.Key+" "+s.From)
	}
	for _, want := range []string{"fail-on f:2", "rules.aws-*.enabled f:21", "allow.1.stopwords f:50", "rule.1.id f:53"} {
		if !slices.Contains(keys, want) {
			t.Errorf("settings lack %q: %q", want, keys)
		}
	}
}

func TestDetector(t *testing.T) {
	c, err := Parse("f", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	text := "ourtok_" + "abcdefghij npmlike_" + "abcde arn:aws:kms:eu-west-1:739104826315:key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835 " +
		"arn:aws:iam::739104826315:user/" + "joe npm_" + "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R"
	find := func(c *Config) string {
		var all []string
		c.Detector().Detect(&scanner.Chunk{Object: &scanner.Object{}, Data: []byte(text), To: len(text), First: true, Last: true}, func(h *scanner.Hit) {
			all = append(all, h.Rule.ID+" "+h.Severity.String()+" "+h.Confidence.String())
		})
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	if got := find(c); got != "aws-kms-key-arn critical medium, npm-access-token low low, our-token high high" {
		t.Errorf("found %s", got)
	}
	if got := find(nil); !strings.Contains(got, "aws-kms-key-arn medium high") || strings.Contains(got, "our-token") {
		t.Errorf("without a configuration found %s", got)
	}
	if r := c.Rule("aws-kms-key-arn"); r.Severity != rules.Critical || r.Confidence != rules.ConfidenceMedium {
		t.Errorf("graded %s, %s", r.Severity, r.Confidence)
	}
	if r := c.Rule("npm-access-token"); r.Provider != "us" {
		t.Error("the rule of the file does not take the place of the built-in one")
	}
	if c.Rule("no-such-rule") != nil || (*Config)(nil).Rule("aws-iam-arn") == nil {
		t.Error("rules come and go")
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"fail-onn = \"high\"", `f:1:1: unknown key "fail-onn": did you mean "fail-on"?`},
		{"\n\n  failon = \"high\"", `f:3:3: unknown key "failon": did you mean "fail-on"?`},
		{"[rules.aws-kms-key-arn]\nsevrity = \"x\"", `f:2:1: unknown key "sevrity": did you mean "severity"?`},
		{"[[allow]]\nvalue = [\"x\"]", `f:2:1: unknown key "value": did you mean "values"?`},
		{"[[rule]]\nid = \"x\"\npatern = \"y\"", `f:3:1: unknown key "patern": did you mean "pattern"?`},
		{"# c\nfail-on = \"worst\"", `f:2:1: fail-on: unknown severity "worst": use info, low, medium, high or critical`},
		{"min-confidence = \"x\"", `f:1:1: min-confidence: unknown confidence`},
		{"new-comments = \"x\"", `f:1:1: new-comments: "x" is none of honour, list, refuse`},
		{"fail-on = 3", "f:1:"},
		{"fail-on = \"high\"\nfail-on = \"low\"", "f:2:"},
		{"fail-on = ", "f:1:"},
		{"[rules.aws-kms-key-anr]\nenabled = false", `f:1:8: aws-kms-key-anr: there is no such rule: did you mean "aws-kms-key-arn"?`},
		{"[rules.\"zzz-*\"]\nenabled = false", `f:1:8: zzz-*: there is no such rule`},
		{"[rules.aws-iam-arn]\nseverity = \"x\"", `f:2:1: severity: unknown severity`},
		{"[rules.aws-iam-arn]\nmin-entropy = 9.0", `f:2:1: min-entropy:`},
		{"[[allow]]\nreason = \"x\"", `f:1:3: [[allow]]: a table without a list`},
		{"[[allow]]\nvalues = [\"(\"]", `f:2:1: values: error parsing regexp`},
		{"[[allow]]\nstopwords = [\"\"]", `f:2:1: stopwords: an empty word`},
		{"[[allow]]\ncommits = [\"12345\"]", `f:2:1: commits: "12345"`},
		{"[[allow]]\nfingerprints = [\"1\"]", `f:2:1: fingerprints:`},
		{"[[allow]]\nplaces = [\"x\"]", `f:2:1: places:`},
		{"[[allow]]\nmatch = \"some\"\nvalues = [\"x\"]", `f:2:1: match: "some" is none of any, all`},
		{"[[allow]]\nstopwords = [\"a\"]\n[[allow]]\ntarget = \"x\"\nstopwords = [\"a\"]", `f:4:1: target:`},
		{"provider = \"x\"", `f:1:1: provider:`},
		{"rule = [{id = \"x\"}]", `f:1:1: rule: write each rule as a table`},
		{"fail-on = \"low\"\n[[rule]]\nid = \"x\"", `f:2:1: rule "x"`},
		{"[[rule]]\nid = \"x\"\ntitle = \"x\"\nseverity = \"low\"\nconfidence = \"low\"\npattern = \"abc.*\"", `f:1:3: [[rule]]: rule "x": pattern 'abc.*': a match can be of any length`},
	} {
		_, err := Parse("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
	if _, err := Parse("f", bytes.Repeat([]byte("#\n"), maxConfig)); err == nil {
		t.Error("a file of any size is read")
	}
}

// TestSchema holds the JSON Schema to the parser: the same keys, and the same
// verdict on the examples.
func TestSchema(t *testing.T) {
	var doc struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	same := func(what string, schema map[string]any, parser []string) {
		t.Helper()
		got := slices.Sorted(maps.Keys(schema))
		slices.Sort(parser)
		if !slices.Equal(got, parser) {
			t.Errorf("%s: the schema has %q, the parser %q", what, got, parser)
		}
	}
	same("top", doc.Properties, tomlKeys(file{}))
	same("rules", doc.Defs["change"].Properties, tomlKeys(changeText{}))
	same("allow", doc.Defs["allow"].Properties, tomlKeys(allowText{}))
	_, err := rules.Parse("f", []byte("[[rule]]\n"+strings.Repeat("z", 100)+" = 1\n"))
	_, list, ok := strings.Cut(err.Error(), "known keys are ")
	if !ok {
		t.Fatalf("the parser of rules does not list its keys: %v", err)
	}
	same("rule", doc.Defs["rule"].Properties, strings.Split(list, ", "))

	schema := compileSchema(t)
	for text, valid := range map[string]bool{
		everything[3:]: true, "": true, "fail-on = \"low\"": true, "fail-on = \"lowest\"": false, "fial-on = \"low\"": false,
		"[[allow]]\nplaces = [\"a\"]": false, "[[allow]]\nvalues = [\"x\"]": true, "[rules.aws-iam-arn]\nmin-entropy = 9.0": false, "[[rule]]\nid = \"x\"": false,
		"require-reason = \"yes\"": false, "new-comments = \"list\"": true, "[[allow]]\ncommits = [\"1\"]": false,
	} {
		var value map[string]any
		if err := toml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if value == nil {
			value = map[string]any{}
		}
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		_, perr := Parse("f", []byte(text))
		if serr := schema.Validate(v); (serr == nil) != valid || (perr == nil) != valid {
			t.Errorf("%q: valid %v; the schema says %v, the parser %v", text, valid, serr, perr)
		}
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestDiscovery: the first file there is, in the documented order.
func TestDiscovery(t *testing.T) {
	dir := t.TempDir()
	root, home := filepath.Join(dir, "root"), filepath.Join(dir, "home")
	put := func(name, text string) string {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	env := map[string]string{"HOME": home}
	o := Options{Root: root, Getenv: func(name string) string { return env[name] }}
	name := func() string {
		t.Helper()
		l, err := Load(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if l.Config == nil {
			return "none"
		}
		return filepath.ToSlash(strings.TrimPrefix(l.Config.Name, dir))
	}
	steps := []struct {
		do   func()
		want string
	}{
		{func() {}, "none"},
		{func() { put("home/.config/spillgate/config.toml", "") }, "/home/.config/spillgate/config.toml"},
		{func() {
			put("xdg/spillgate/config.toml", "fail-on = \"low\"")
			env["XDG_CONFIG_HOME"] = filepath.Join(dir, "xdg")
		}, "/xdg/spillgate/config.toml"},
		{func() { put("root/.gitleaksignore", "a:b:1\n") }, ".gitleaksignore"},
		{func() { put("root/.gitleaks.toml", "title = \"x\"") }, ".gitleaks.toml"},
		{func() { put("root/.config/spillgate.toml", "") }, ".config/spillgate.toml"},
		{func() { put("root/.spillgate.toml", "") }, ".spillgate.toml"},
		{func() { env[variable] = put("by-variable.toml", "") }, "/by-variable.toml"},
		{func() { o.Explicit = put("by-flag.toml", "") }, "/by-flag.toml"},
	}
	for _, s := range steps {
		s.do()
		if got := name(); got != s.want {
			t.Errorf("read %s, want %s", got, s.want)
		}
	}
	o.Explicit = filepath.Join(dir, "nosuch.toml")
	if _, err := Load(context.Background(), o); err == nil {
		t.Error("a file that is named and not there is passed over")
	}
}

// TestBase: of a revision's files none is read from the work tree, and it is
// said that they differ.
func TestBase(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{".spillgate.toml": "fail-on = \"critical\"", ".spillgateignore": "*\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	base := map[string]string{".spillgate.toml": "fail-on = \"low\""}
	o := Options{Root: root, Revision: "0123456789abcdef", Getenv: func(string) string { return "" },
		Read: func(_ context.Context, rev, path string) ([]byte, error) {
			if text, ok := base[path]; ok && rev == "0123456789abcdef" {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}}
	l, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if *l.Config.FailOn != rules.Low || l.Ignore != nil || l.Config.Name != ".spillgate.toml@0123456789ab" {
		t.Errorf("config %+v, ignore file %v", l.Config, l.Ignore)
	}
	if len(l.Says) != 1 || !strings.HasPrefix(l.Says[0], ".spillgate.toml, .spillgateignore not as in the working tree") {
		t.Errorf("said %q", l.Says)
	}
	o.Revision, o.Untrusted = "", true
	if l, err = Load(context.Background(), o); err != nil || l.Config != nil || l.Ignore != nil || len(l.Says) != 1 {
		t.Errorf("untrusted: %+v, %v", l, err)
	}
}

func TestNothingIsSaidOfSecrets(t *testing.T) {
	// The TOML reader's errors must not quote the file.
	_, err := Parse("f", []byte("[[allow]]\nvalues = [\"s3cr3tv4lue\", 4]\n"))
	if err == nil || regexp.MustCompile("s3cr3t").MatchString(err.Error()) {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(everything)
	f.Add("[rules.\"aws-*\"]\nenabled = false\n[[rule]]\nid='a'\n[rule.x]\ny=1")
	f.Add("a.b.c = 1\n[[allow]]\n[allow.x]\n[[rule]]\n[[rule.y]]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") && !strings.Contains(err.Error(), " f") {
				t.Errorf("%q: the error does not name the file: %v", text, err)
			}
			return
		}
		for _, s := range c.Settings() {
			if s.Key == "" || !strings.HasPrefix(s.From, "f:") || strings.Contains(s.Value, "\n") {
				t.Errorf("%q: setting %+v", text, s)
			}
		}
		c.Detector().Detect(&scanner.Chunk{Object: &scanner.Object{}, Data: []byte("x"), To: 1}, func(*scanner.Hit) {})
	})
}
