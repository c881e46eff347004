package report

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// TestGitHubCommands: a file name cannot end its command or begin another one,
// and no more is printed than GitHub shows.
func TestGitHubCommands(t *testing.T) {
	evil := finding(tokenRule, fakeToken, content("a,line=9::x\n::set-output name=a::b%0A::warning::\r"), 3, 7)
	r := result(evil)
	for i := range 15 {
		r.Findings = append(r.Findings, finding(tokenRule, fakeToken, content("f"), i+1, 1))
		r.Findings = append(r.Findings, finding(bareRule, "short", content("w"), i+1, 1))
	}
	out := render(t, "github", Options{FailOn: rules.Medium}, r)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if want := "::error file=a%2Cline=9%3A%3Ax\\n%3A%3Aset-output name=a%3A%3Ab%250A%3A%3Awarning%3A%3A\\r,line=3,endLine=3,col=7,endColumn=47,title=Forge token (critical)::"; !strings.HasPrefix(lines[0], want) {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	if strings.Contains(lines[0], "%0A") && !strings.Contains(lines[0], "%250A") {
		t.Error("the file name brings a line break of its own")
	}
	levels := map[string]int{}
	for _, l := range lines {
		level, _, _ := strings.Cut(strings.TrimPrefix(l, "::"), " ")
		levels[level]++
	}
	if fmt.Sprint(levels) != "map[error:10 notice:1 warning:10]" || !strings.Contains(lines[len(lines)-1], "11 more annotations") {
		t.Errorf("levels %v, last line %s", levels, lines[len(lines)-1])
	}
	if out := render(t, "github", Options{}, result()); out != "" {
		t.Errorf("a clean run says %q", out)
	}
}

// TestMarkdownBounds: the report fits into a comment, and says what it left out.
func TestMarkdownBounds(t *testing.T) {
	r := result()
	for i := range 3000 {
		r.Findings = append(r.Findings, finding(tokenRule, fakeToken, content(strings.Repeat("<&|", i%40)+"@team"), i+1, 1))
		r.Coverage[0].Fail(strings.Repeat("*", 200), "unreadable", "")
	}
	out := render(t, "markdown", Options{}, r)
	if len(out) > 65_536 {
		t.Errorf("%d bytes", len(out))
	}
	if !strings.Contains(out, " more of 3000 findings: the other formats have them all.") || !strings.Contains(out, "- and ") {
		t.Error("it does not say what it left out")
	}
	for _, bad := range []string{"@", "<&", "|@", "**&", "***"} {
		if strings.Contains(out, bad) {
			t.Errorf("it holds %q", bad)
		}
	}
	if out := render(t, "markdown", Options{}, result()); !strings.HasPrefix(out, "### Spillgate: nothing found\n") {
		t.Errorf("clean: %s", out)
	}
}

// TestGitLab checks what the schema of GitLab demands of every report
// (secret-detection-report-format.json, 15.1.4).
func TestGitLab(t *testing.T) {
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
	for _, c := range cases {
		r := c.result()
		var doc gitlabReport
		if err := json.Unmarshal([]byte(render(t, "gitlab", c.options, r)), &doc); err != nil {
			t.Fatal(c.name, err)
		}
		s := doc.Scan
		if doc.Version != "15.1.4" || s.Type != "secret_detection" || !stamp.MatchString(s.Start) || !stamp.MatchString(s.End) || s.End <= s.Start || s.Analyzer.Version == "" || s.Scanner.Vendor.Name == "" {
			t.Errorf("%s: %+v", c.name, s)
		}
		if want := map[bool]string{true: "success", false: "failure"}[r.Complete()]; s.Status != want {
			t.Errorf("%s: status %s, want %s", c.name, s.Status, want)
		}
		if doc.Vulnerabilities == nil || len(doc.Vulnerabilities) != len(r.Findings) {
			t.Errorf("%s: %d vulnerabilities, want %d", c.name, len(doc.Vulnerabilities), len(r.Findings))
		}
		for _, v := range doc.Vulnerabilities {
			if v.ID == "" || len(v.Identifiers) == 0 || v.Location.Commit.SHA == "" || v.Location.File == "" || v.Location.StartLine < 1 ||
				!strings.Contains(" Info Low Medium High Critical ", " "+v.Severity+" ") || v.Category != "secret_detection" {
				t.Errorf("%s: %+v", c.name, v)
			}
		}
	}
}

// TestGitLabSchema: a rule that says too much or refers to a book makes no
// report that GitLab refuses, and the schemas take not just anything.
func TestGitLabSchema(t *testing.T) {
	s := compileAll(t)
	long := *tokenRule
	long.Title, long.Why, long.Fix = strings.Repeat("ä", 300), strings.Repeat("why ", 300<<10), strings.Repeat("é", 8000)
	long.References = []string{"ISBN 0", "https://example.com/"}
	r := suppressed()
	r.Findings[0].Rule = &long
	good := render(t, "gitlab", Options{}, r)
	valid := func(schema *jsonschema.Schema, text string) error {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	if err := valid(s.gitlab, good); err != nil {
		t.Error(err)
	}
	if strings.Contains(good, "ISBN") || !strings.Contains(good, `"url": "https://example.com/"`) {
		t.Error("the links are not those that GitLab takes")
	}
	quality := render(t, "codequality", Options{}, suppressed())
	for _, change := range []struct {
		schema         *jsonschema.Schema
		text, old, new string
	}{
		{s.gitlab, good, `"version": "15`, `"version": "14`},
		{s.gitlab, good, `"type": "secret_detection"`, `"type": "sast"`},
		{s.gitlab, good, `"status": "success"`, `"status": "passed"`},
		{s.gitlab, good, `"sha": "`, `"sha": "x`},
		{s.gitlab, good, `"severity": "Critical"`, `"severity": "critical"`},
		{s.gitlab, good, `"identifiers": [`, `"identifiers": [], "x": [`},
		{s.gitlab, good, `"name": "ä`, `"name": "aä`},
		{s.gitlab, good, `"start_time"`, `"started"`},
		{s.quality, quality, `"severity": "blocker"`, `"severity": "Blocker"`},
		{s.quality, quality, `"begin": `, `"begin": -`},
		{s.quality, quality, `"path": "`, `"file": "`},
	} {
		bad := strings.Replace(change.text, change.old, change.new, 1)
		if bad == change.text {
			t.Errorf("the report does not hold %s", change.old)
		} else if valid(change.schema, bad) == nil {
			t.Errorf("the schema takes %s", change.new)
		}
	}
}

func TestCodeQuality(t *testing.T) {
	for _, c := range cases {
		r := c.result()
		var issues []qualityIssue
		if err := json.Unmarshal([]byte(render(t, "codequality", c.options, r)), &issues); err != nil || issues == nil {
			t.Fatal(c.name, err)
		}
		if want := len(r.Findings) + len(newRedactor(r).problems(r)); len(issues) != want {
			t.Errorf("%s: %d issues, want %d", c.name, len(issues), want)
		}
		for _, i := range issues {
			if i.Location.Path == "" || i.Location.Lines.Begin < 1 || i.Fingerprint == "" || i.Severity == "" {
				t.Errorf("%s: %+v", c.name, i)
			}
		}
	}
}

// TestJUnit: the counts are true, and no run is without a test, for an empty
// suite passes for a missing one.
func TestJUnit(t *testing.T) {
	for _, c := range cases {
		r := c.result()
		var doc junitSuites
		if err := xml.Unmarshal([]byte(render(t, "junit", c.options, r)), &doc); err != nil {
			t.Fatal(c.name, err)
		}
		failures, errors := 0, 0
		for _, k := range doc.Suite.Cases {
			if k.Failure != nil {
				failures++
			}
			if k.Error != nil {
				errors++
			}
		}
		if len(doc.Suite.Cases) == 0 || doc.Tests != len(doc.Suite.Cases) || doc.Failures != failures || doc.Errors != errors {
			t.Errorf("%s: %d tests, %d failures, %d errors; %+v", c.name, len(doc.Suite.Cases), failures, errors, doc)
		}
		if o := c.options; o.summary(r).Blocking != failures {
			t.Errorf("%s: %d failures, want %d", c.name, failures, o.summary(r).Blocking)
		}
	}
	stopped := result()
	stopped.Interrupted = true
	if out := render(t, "junit", Options{}, stopped); !strings.Contains(out, `errors="1"`) {
		t.Error("an interrupted run passes")
	}
}

func TestCSV(t *testing.T) {
	for _, c := range cases {
		r := c.result()
		rows, err := csv.NewReader(strings.NewReader(render(t, "csv", c.options, r))).ReadAll()
		if err != nil {
			t.Fatal(c.name, err)
		}
		if want := 1 + len(r.Findings) + len(r.Suppressed) + len(newRedactor(r).problems(r)); len(rows) != want {
			t.Errorf("%s: %d rows, want %d", c.name, len(rows), want)
		}
	}
	evil := render(t, "csv", Options{}, result(finding(tokenRule, fakeToken, content(`=HYPERLINK("x")`), 1, 1)))
	if !strings.Contains(evil, `"'=HYPERLINK(""x"")"`) {
		t.Error("a file name is a formula")
	}
}

// TestManyPlaces: of a secret in many places a page lists twenty and counts the
// others.
func TestManyPlaces(t *testing.T) {
	f := finding(tokenRule, fakeToken, content("a"), 1, 1)
	for i := range 30 {
		f.More = append(f.More, scanner.Location{Object: content(fmt.Sprintf("file-%d.txt", i)), StartLine: 1, StartColumn: 1, EndLine: 1, EndColumn: 2})
	}
	f.Occurrences = 101
	page := render(t, "html", Options{}, result(f))
	if n := strings.Count(page, ">file-"); n != 20 || !strings.Contains(page, "<li>and 80 more</li>") || !strings.Contains(page, "100 more places") {
		t.Errorf("%d places are listed", n)
	}
}

// TestSeverities: each severity has its word in the formats that have words of
// their own.
func TestSeverities(t *testing.T) {
	for s, want := range map[rules.Severity]map[string]string{
		rules.Critical: {"sarif": `"level": "error"`, "gitlab": `"severity": "Critical"`, "codequality": `"severity": "blocker"`},
		rules.High:     {"sarif": `"level": "error"`, "gitlab": `"severity": "High"`, "codequality": `"severity": "critical"`},
		rules.Medium:   {"sarif": `"level": "warning"`, "gitlab": `"severity": "Medium"`, "codequality": `"severity": "major"`},
		rules.Low:      {"sarif": `"level": "note"`, "gitlab": `"severity": "Low"`, "codequality": `"severity": "minor"`},
		rules.Info:     {"sarif": `"level": "note"`, "gitlab": `"severity": "Info"`, "codequality": `"severity": "info"`},
	} {
		for format, word := range want {
			f := finding(tokenRule, fakeToken, content("a"), 1, 1)
			f.Severity = s
			// The result's own word, not the one that the rule has by default.
			out := render(t, format, Options{}, result(f))
			if i := strings.Index(out, `"results"`); i > 0 {
				out = out[i:]
			}
			if !strings.Contains(strings.ReplaceAll(out, `":"`, `": "`), word) {
				t.Errorf("%s of %s lacks %s", format, s, word)
			}
		}
	}
}

func TestCell(t *testing.T) {
	for _, evil := range []string{"=1", "+1", "-1", "@SUM(A1)", "|cmd", "%0A", "\t=1", "\r=1", "  =1", "＝1", "＋1", "－1", "＠x"} {
		if got := Cell(evil); got[0] != '\'' {
			t.Errorf("%q becomes %q", evil, got)
		}
	}
	for _, fine := range []string{"", " ", "a=b", "src/-x", "'x", "é", "1-2"} {
		if got := Cell(fine); got != fine {
			t.Errorf("%q becomes %q", fine, got)
		}
	}
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*>`)
	reference = regexp.MustCompile(`(?i)\b(?:src|href|action|data|poster|srcset)\s*=\s*"([^"]*)"`)
)

// TestHTML: the page is well formed, asks nobody for anything, and its policy
// allows its own style and script and nothing else.
func TestHTML(t *testing.T) {
	void := map[string]bool{"meta": true, "br": true, "input": true}
	for _, c := range cases {
		out := render(t, "html", c.options, c.result())
		if !strings.Contains(out, "default-src 'none'; style-src '"+hashOf(pageStyle)+"'; script-src '"+hashOf(pageScript)+"'") {
			t.Errorf("%s: no policy", c.name)
		}
		if strings.Count(out, "<script") != 1 || strings.Count(out, "<style") != 1 || strings.Contains(out, " on") && regexp.MustCompile(`<[^>]* on[a-z]+=`).MatchString(out) {
			t.Errorf("%s: more than its own script and style", c.name)
		}
		body := strings.NewReplacer(pageStyle, "", pageScript, "").Replace(out)
		var open []string
		for _, m := range tag.FindAllStringSubmatch(body, -1) {
			switch name := m[2]; {
			case void[name]:
			case m[1] == "":
				open = append(open, name)
			case len(open) == 0 || open[len(open)-1] != name:
				t.Fatalf("%s: </%s> closes %v", c.name, name, open)
			default:
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %v not closed", c.name, open)
		}
		known := map[string]bool{}
		for _, list := range [][]*scanner.Finding{c.result().Findings, c.result().Suppressed} {
			for _, f := range list {
				for _, ref := range f.Rule.References {
					known[ref] = true
				}
			}
		}
		for _, m := range reference.FindAllStringSubmatch(body, -1) {
			if !known[m[1]] {
				t.Errorf("%s: the page refers to %s", c.name, m[1])
			}
		}
	}
}

// TestTemplate: mistakes are usage errors, and no way leads to a secret.
func TestTemplate(t *testing.T) {
	for _, text := range []string{"{{", "{{.Nothing}}", "{{range .Findings}}{{.Secret}}{{end}}{{.Secret}}", "{{unknown 1}}"} {
		if err := CheckTemplate(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if err := CheckTemplate(""); err != nil {
		t.Error(err)
	}
	r := hostile()
	out := render(t, "template", Options{Template: `{{printf "%+v %#v %v" . . .}}{{json .}}{{range .Findings}}{{printf "%+v %#v" . .}}{{csv .Match}}{{short .Fingerprint}}{{join .References " "}}{{upper .Rule}}{{end}}`}, r)
	if strings.Contains(out, fakeToken[8:]) {
		t.Error("a template reaches a secret")
	}
	if !strings.Contains(out, "FORGE-TOKEN") || !strings.Contains(out, "001122334455") {
		t.Error("the functions do not work")
	}
	for _, bad := range []string{"{{range .Findings}}{{.Secret}}{{end}}", "{{.Summary.rule}}"} {
		sink, _ := New("template", Options{Template: bad})
		var b strings.Builder
		if err := sink.Write(&b, r); err == nil || b.Len() > 0 {
			t.Errorf("%q: %v, %d bytes written", bad, err, b.Len())
		}
	}
}
