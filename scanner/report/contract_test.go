package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// compile reads JSON schemas and returns the last one.
func compile(t testing.TB, files ...string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	var id string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(file, err)
		}
		names := doc.(map[string]any)
		id, _ = names["$id"].(string)
		if id == "" {
			id, _ = names["id"].(string)
		}
		if err := c.AddResource(id, doc); err != nil {
			t.Fatal(file, err)
		}
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type schemas struct{ report, line, sarif, gitlab, quality *jsonschema.Schema }

func compileAll(t testing.TB) schemas {
	report := filepath.Join("schema", "report.schema.json")
	return schemas{
		compile(t, report), compile(t, report, filepath.Join("schema", "line.schema.json")),
		compile(t, filepath.Join("testdata", "sarif", "sarif-schema-2.1.0.json")),
		compile(t, filepath.Join("testdata", "gitlab", "secret-detection.schema.json")),
		compile(t, filepath.Join("testdata", "gitlab", "code-quality.schema.json")),
	}
}

// check validates a report of each machine format for r and returns all
// reports, by format.
func (s *schemas) check(t testing.TB, o Options, r *scanner.Result) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, format := range Formats() {
		out[format] = render(t, format, o, r)
	}
	validate := func(what string, schema *jsonschema.Schema, text string) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = schema.Validate(doc)
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	validate("json", s.report, out["json"])
	validate("sarif", s.sarif, out["sarif"])
	validate("gitlab", s.gitlab, out["gitlab"])
	validate("codequality", s.quality, out["codequality"])
	lines := strings.Split(strings.TrimSuffix(out["jsonl"], "\n"), "\n")
	for _, line := range lines {
		validate("jsonl", s.line, line)
	}
	if want := len(r.Findings) + len(r.Suppressed) + 1; len(lines) != want || !strings.HasPrefix(lines[want-1], `{"type":"coverage",`) {
		t.Errorf("jsonl: %d lines, want %d, the last of type coverage", len(lines), want)
	}
	checkSARIF(t, out["sarif"], r)
	return out
}

// checkSARIF checks what code scanning demands beyond the schema.
func checkSARIF(t testing.TB, text string, r *scanner.Result) {
	t.Helper()
	var log sarifLog
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs, want 1", len(log.Runs))
	}
	run := log.Runs[0]
	if run.ColumnKind != "unicodeCodePoints" || !strings.HasSuffix(run.AutomationDetails.ID, "/") || run.Invocations[0].ExecutionSuccessful != r.Complete() {
		t.Errorf("columnKind %q, automation id %q, success %v", run.ColumnKind, run.AutomationDetails.ID, run.Invocations[0].ExecutionSuccessful)
	}
	problems, errorNotes := 0, 0
	for _, c := range r.Coverage {
		problems += len(c.Problems)
	}
	for _, n := range run.Invocations[0].ToolExecutionNotifications {
		if n.Level == "error" {
			errorNotes++
		}
	}
	if problems != errorNotes {
		t.Errorf("%d problems, %d notifications of errors", problems, errorNotes)
	}
	seen := map[string]bool{}
	for _, rule := range run.Tool.Driver.Rules {
		if seen[rule.ID] || rule.Help.Text == "" || rule.Help.Markdown == "" || rule.FullDescription.Text == "" || len(rule.Properties.Tags) > maxTags || rule.Properties.SecuritySeverity == "" {
			t.Errorf("rule twice or lacking something: %+v", rule)
		}
		seen[rule.ID] = true
	}
	if want := min(len(r.Findings)+len(r.Suppressed), maxResults); len(run.Results) != want {
		t.Errorf("%d results, want %d", len(run.Results), want)
	}
	for i, result := range run.Results {
		if result.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID {
			t.Errorf("result %d: ruleIndex %d is not %s", i, result.RuleIndex, result.RuleID)
		}
		if suppressed := i >= len(r.Findings); suppressed != (len(result.Suppressions) == 1) {
			t.Errorf("result %d: suppressions %v", i, result.Suppressions)
		}
		if len(result.Locations) != 1 || len(result.RelatedLocations) >= maxLocations {
			t.Errorf("result %d: %d locations, %d related", i, len(result.Locations), len(result.RelatedLocations))
		}
		for _, l := range append(result.Locations, result.RelatedLocations...) {
			checkPlace(t, l.PhysicalLocation)
		}
	}
}

func checkPlace(t testing.TB, p sarifPhysicalLocation) {
	t.Helper()
	if g := p.Region; g.StartLine < 1 || g.StartColumn < 1 || g.EndLine < g.StartLine || g.EndLine == g.StartLine && g.EndColumn <= g.StartColumn || g.EndColumn < 1 {
		t.Errorf("region %+v is empty or begins before 1", g)
	}
	a := p.ArtifactLocation
	u, err := url.Parse(a.URI)
	if err != nil || a.URI == "" || strings.ContainsAny(a.URI, "\\ []:") && u.Scheme != "file" {
		t.Errorf("uri %q: %v", a.URI, err)
		return
	}
	if u.IsAbs() == (a.URIBaseID == srcRoot) {
		t.Errorf("uri %q with base %q", a.URI, a.URIBaseID)
	}
}

func TestContract(t *testing.T) {
	s := compileAll(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { s.check(t, c.options, c.result()) })
	}
}

// TestSchemasRefuse: the schemas are not so lax that anything passes.
func TestSchemasRefuse(t *testing.T) {
	s := compileAll(t)
	good := render(t, "json", Options{Version: "v1"}, suppressed())
	for _, change := range [][2]string{
		{`"schema_version": 1`, `"schema_version": 2`}, {`"severity": "critical"`, `"severity": "bad"`}, {`"start_line": 3`, `"start_line": 0`},
		{`"kind": "content"`, `"kind": "contents"`}, {`"blocking": true`, `"blocked": true`}, {`"complete": true`, `"complete": 1`}, {`"started": "2026`, `"started": "26`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("the report does not hold %s", change[0])
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if s.report.Validate(doc) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
	for _, line := range []string{`{"type":"finding"}`, `{"type":"other"}`, `{}`, `{"type":"coverage","schema_version":1}`} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if s.line.Validate(doc) == nil {
			t.Errorf("the schema takes the line %s", line)
		}
	}
}

// A generator makes random results.
type generator struct{ *rand.Rand }

func (g generator) pick(s ...string) string { return s[g.IntN(len(s))] }

// text returns a text of up to n pieces, some of them nasty.
func (g generator) text(n int) string {
	var b strings.Builder
	for range g.IntN(n + 1) {
		b.WriteString(g.pick("a", "Z", "/", ".", " ", ":", "%", "#", "?", "[", "]", "{0}", "\\", "'", "\"", "<&>", "\n", "\r", "\t", "\x00", "\x1b[2J", "\x7f", "\xff", "\xc3", "é", "文", "😀", "\u202e", "\u2028", "\U000e0001", "\ufeff", "`", "$(x)"))
	}
	return b.String()
}

// secret returns a random secret, sometimes with characters that formats
// escape.
func (g generator) secret() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, 8+g.IntN(60))
	for i := range b {
		b[i] = letters[g.IntN(len(letters))]
		if g.IntN(12) == 0 {
			b[i] = "+/=\"\\<>&\n\t %[]{}~\x01"[g.IntN(18)]
		}
	}
	b[g.IntN(len(b))] = '7' // plain words may stand in paths
	return string(b)
}

// around hides a secret in a text.
func (g generator) around(secret string) string { return g.text(4) + secret + g.text(4) }

func (g generator) object(secrets []string) *scanner.Object {
	secret := secrets[g.IntN(len(secrets))]
	o := &scanner.Object{Kind: scanner.Kind(g.IntN(7)), ID: fmt.Sprintf("%040x", g.Uint64()), OtherCommits: g.IntN(2), Binary: g.IntN(2) == 0, Encoding: g.pick("", "utf-16le")}
	switch o.Kind {
	case scanner.TagMessage, scanner.RefName:
		o.Ref = g.around(secret)
	case scanner.CommitMessage, scanner.Identity:
	default:
		o.Path = strings.Trim(g.around(secret), "/")
	}
	if g.IntN(2) == 0 {
		o.Commit = &scanner.Commit{ID: fmt.Sprintf("%040x", g.Uint64()), Author: g.around(secret), Email: g.around(secret), Date: "2026-01-01T00:00:00Z", Subject: secret}
	}
	return o
}

func (g generator) place(secrets []string) scanner.Location {
	line, column := g.IntN(4), g.IntN(4)
	return scanner.Location{Object: g.object(secrets), StartLine: line, StartColumn: column, EndLine: line + g.IntN(2), EndColumn: g.IntN(9), Offset: g.Int64N(99)}
}

// result returns a random result in whose every text one of secrets may hide.
func (g generator) result(secrets []string) *scanner.Result {
	r := &scanner.Result{Started: time.Unix(g.Int64N(1<<32), 0), Took: time.Duration(g.Int64N(1e12)), Interrupted: g.IntN(9) == 0}
	for i, secret := range secrets {
		rule := []*rules.Rule{tokenRule, bareRule}[g.IntN(2)]
		f := &scanner.Finding{
			Rule: rule, Severity: rules.Severity(g.IntN(5)), Confidence: rules.Confidence(g.IntN(3)), Secret: scanner.NewSecret([]byte(secret)),
			Context: scanner.NewSecret([]byte(secret)), Location: g.place(secrets), Fingerprint: func() string { return fmt.Sprintf("%032x", i) }, Occurrences: 1,
		}
		for range g.IntN(3) {
			f.More = append(f.More, g.place(secrets))
			f.Fields = append(f.Fields, rules.Field{Name: g.pick("region", "account"), Value: g.around(secret)})
		}
		if g.IntN(3) == 0 {
			f.Suppression = &scanner.Suppression{By: g.pick("comment", "baseline"), Reason: g.around(secret), InSource: g.IntN(2) == 0}
			r.Suppressed = append(r.Suppressed, f)
			continue
		}
		r.Findings = append(r.Findings, f)
	}
	c := scanner.Coverage{What: g.around(secrets[0]), Backend: "git", Bytes: g.Int64N(1e9)}
	c.Skip("submodule", g.around(secrets[0]))
	for range g.IntN(3) {
		c.Fail(g.around(secrets[0]), g.around(secrets[0]), g.around(secrets[0]))
	}
	r.Coverage = append(r.Coverage, c)
	return r
}

var base64Text = regexp.MustCompile(`_base64":\s*"([^"]*)"`)

// TestRandomReports plants secrets in every text of random results. Whatever
// the format, the report is valid, can be printed to a terminal, and holds no
// eight bytes of a secret in a row, neither plainly nor escaped.
func TestRandomReports(t *testing.T) {
	s := compileAll(t)
	for seed := range uint64(150) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		var secrets []string
		for range 1 + g.IntN(6) {
			secrets = append(secrets, g.secret())
		}
		r := g.result(secrets)
		o := Options{FailOn: rules.Medium, ShowSuppressed: true, Verbose: g.IntN(2) == 0, Quiet: g.IntN(4) == 0, Repository: Repository{URL: "https://x:pw@git.example.com/" + secrets[0], Branch: secrets[0]}}
		if g.IntN(2) == 0 {
			o.Repository.URL = "git@git.example.com:r"
		}
		out := s.check(t, o, r)
		out["coverage line"] = CoverageLine(r, true)
		for format, text := range out {
			if !utf8.ValidString(text) {
				t.Errorf("seed %d: %s is not UTF-8", seed, format)
			}
			for _, c := range text {
				if c != '\n' && hidden(c) {
					t.Errorf("seed %d: %s holds %U", seed, format, c)
				}
			}
			decoded := text
			for _, m := range base64Text.FindAllStringSubmatch(text, -1) {
				b, err := base64.StdEncoding.DecodeString(m[1])
				if err != nil {
					t.Errorf("seed %d: %s: bad base64: %v", seed, format, err)
				}
				decoded += "\n" + string(b)
			}
			if unescaped, err := url.PathUnescape(text); err == nil {
				decoded += unescaped
			}
			decoded += unquoted(text)
			for i, secret := range secrets {
				for at := 0; at+8 <= len(secret); at++ {
					if strings.Contains(decoded, secret[at:at+8]) {
						t.Errorf("seed %d: %s holds 8 bytes of secret %d", seed, format, i)
						break
					}
				}
			}
		}
	}
}

// unquoted undoes the escapes of JSON and of Escape in a text.
func unquoted(text string) string {
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n", `\t`, "\t", `\u0001`, "\x01", `\x01`, "\x01", `\[`, "[", `\]`, "]").Replace(text)
}

// TestSARIFLimits: what code scanning would not take is announced.
func TestSARIFLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("makes large reports")
	}
	r := result()
	o := content("f")
	for i := range maxResults + 5 {
		r.Findings = append(r.Findings, finding(tokenRule, fakeToken, o, i+1, 1))
	}
	for range 1500 {
		r.Findings[0].More = append(r.Findings[0].More, r.Findings[1].Location)
	}
	r.Findings[0].Occurrences = 1501
	text := render(t, "sarif", Options{}, r)
	checkSARIF(t, text, r)
	for _, want := range []string{"5 of 25005 results are left out", "501 further places of the forge-token at f:1:1 are not listed"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestRepositoryURI(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@example.com/o/r.git?a=b#c": "https://example.com/o/r.git", "git@example.com:o/r.git": "ssh://example.com/o/r.git", "example.com:o/r": "ssh://example.com/o/r",
		"ssh://git@example.com:22/o/r": "ssh://example.com:22/o/r", "/srv/git/r": "", "../r": "", "file:///srv/r": "", "C:/repo": "", "": "", "https://%zz": "", "u:p@example.com:o/r": "",
	} {
		if got := repositoryURI(in); got != want {
			t.Errorf("repositoryURI(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzEscape: whatever is escaped shows as it is, on one line, and what needs
// no escape stays.
func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[31m\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q became %q: not UTF-8", s, got)
		}
		for _, r := range got {
			if hidden(r) {
				t.Fatalf("%q became %q: holds %U", s, got, r)
			}
		}
		if Escape(got) != got {
			t.Fatalf("%q became %q, which is escaped again", s, got)
		}
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var plain, escaped string
		if err := json.Unmarshal(encoded, &plain); err != nil {
			t.Fatal(err)
		}
		safe := escapeJSON(encoded)
		if err := json.Unmarshal(safe, &escaped); err != nil || escaped != plain {
			t.Fatalf("JSON of %q means %q after escaping (%v)", s, escaped, err)
		}
		for _, r := range string(safe) {
			if hidden(r) {
				t.Fatalf("JSON of %q still holds %U", s, r)
			}
		}
	})
}
