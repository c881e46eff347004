package report

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

var update = flag.Bool("update", false, "write the golden files")

// Rules and results that the tests of all formats use.
var (
	tokenRule = &rules.Rule{
		ID: "forge-token", Title: "Forge token", Why: "Whoever holds it can push as its user.", Fix: "Revoke it under Settings > Tokens, then make a new one.",
		References: []string{"https://docs.example.com/tokens"}, Severity: rules.Critical, Confidence: rules.ConfidenceHigh, Tags: []string{"forge", "secret"},
	}
	arnRule = &rules.Rule{
		ID: "aws-kms-key-arn", Title: "KMS key ARN", Why: "It names a key and its account; it is no secret.", Fix: "Take it from the environment.",
		References: []string{"https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html", "https://docs.example.com/arn"},
		Severity:   rules.Medium, Confidence: rules.ConfidenceHigh, Identifier: true, Tags: []string{"aws"},
	}
	bareRule = &rules.Rule{ID: "bare", Title: "Bare rule", Severity: rules.Info}
)

const (
	fakeToken = "fgt_" + "0123456789abcdefABCDEF0123456789abcd"
	fakeARN   = "arn:aws:kms:eu-west-1:111122223333:key/" + "12345678-90ab-cdef-1234-567890abcdef"
)

func content(path string) *scanner.Object { return &scanner.Object{Kind: scanner.Content, Path: path} }

// finding returns a finding of rule in o at line and column.
func finding(rule *rules.Rule, secret string, o *scanner.Object, line, column int) *scanner.Finding {
	return &scanner.Finding{
		Rule: rule, Severity: rule.Severity, Confidence: rule.Confidence, Secret: scanner.NewSecret([]byte(secret)),
		Location:    scanner.Location{Object: o, StartLine: line, StartColumn: column, EndLine: line, EndColumn: column + len([]rune(secret)), Offset: int64(100*line + column)},
		Fingerprint: func() string { return "00112233445566778899aabbccddeeff" }, Occurrences: 1,
	}
}

func result(findings ...*scanner.Finding) *scanner.Result {
	return &scanner.Result{
		Findings: findings,
		Started:  time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)), Took: 1234 * time.Millisecond,
		Coverage: []scanner.Coverage{{What: "staged changes against HEAD", Backend: "go-git", Blobs: 3, Bytes: 4242, Names: 3}},
	}
}

var aCommit = &scanner.Commit{ID: "1f2e3d4c5b6a79880011223344556677889900aa", Author: "A. U. Thor\x1b[2J", Email: "a@example.com", Date: "2026-01-02T03:04:05Z", Subject: "never printed"}

// hostile is a result full of what upsets terminals and parsers.
func hostile() *scanner.Result {
	many := finding(tokenRule, fakeToken, content("sp ace/co:lon.go"), 3, 7)
	many.Occurrences, many.Object.OtherCommits = 1500, 12
	many.More = []scanner.Location{{Object: &scanner.Object{Path: "bad\xffutf8", Commit: aCommit, ID: "aa11"}, StartLine: 2, StartColumn: 2, EndLine: 2, EndColumn: 42}}
	arn := finding(arnRule, fakeARN, content("a\nb\x1b[31m\x07/\u202egnp.exe"), 1, 1)
	arn.Fields = []rules.Field{{Name: "region", Value: "eu-west-1"}, {Name: "note", Value: "[click](https://evil.example)\r\n\x1b]0;x\x07"}}
	utf16 := finding(tokenRule, fakeToken+"16", &scanner.Object{Path: "windows.reg", Encoding: "utf-16le"}, 9, 1)
	empty := finding(bareRule, "short", &scanner.Object{Path: "zero", Binary: true}, 0, 0)
	empty.EndLine, empty.EndColumn = 0, 0
	return result(
		arn, many, utf16, empty,
		finding(tokenRule, fakeToken+"cm", &scanner.Object{Kind: scanner.CommitMessage, ID: aCommit.ID, Commit: aCommit}, 1, 5),
		finding(tokenRule, fakeToken+"id", &scanner.Object{Kind: scanner.Identity, ID: aCommit.ID, Commit: aCommit}, 1, 5),
		finding(tokenRule, fakeToken+"tm", &scanner.Object{Kind: scanner.TagMessage, ID: "bb22", Ref: "v1.0\xfe"}, 4, 1),
		finding(tokenRule, fakeToken+"rn", &scanner.Object{Kind: scanner.RefName, Ref: "feature/" + fakeToken + "rn"}, 1, 9),
		finding(tokenRule, fakeToken+"fn", &scanner.Object{Kind: scanner.FileName, Path: "keys/" + fakeToken + "fn.pem"}, 1, 6),
		finding(tokenRule, fakeToken+"in", content("keys/"+fakeToken+"fn.pem"), 8, 1),
		finding(tokenRule, fakeToken+"sl", &scanner.Object{Kind: scanner.SymlinkTarget, Path: "li'nk", Mode: 0o120000}, 1, 1),
		finding(tokenRule, fakeToken+"bl", &scanner.Object{ID: "cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33"}, 5, 5),
	)
}

func incomplete() *scanner.Result {
	r := result()
	r.Coverage[0].Skip("submodule", "vendor/\x1blib")
	r.Coverage = append(r.Coverage, scanner.Coverage{What: "files in .", Backend: "files", Files: 2, Binaries: 1, Bytes: 1 << 31})
	r.Coverage[1].Fail("locked\n/file", "permission denied", "make it readable")
	r.Coverage[1].Fail("", "object of the range is missing [sic]", "")
	return r
}

func suppressed() *scanner.Result {
	r := result(finding(tokenRule, fakeToken, &scanner.Object{Path: "config/prod.env", ID: "dd44"}, 3, 19))
	for i, s := range []scanner.Suppression{
		{By: "placeholder", Reason: "an example of AWS's documentation"},
		{By: "comment", Reason: "test data [see wiki]", InSource: true},
		{By: "baseline", Reason: "known since 2026-01-02"},
	} {
		f := finding(arnRule, fakeARN, content("docs/example.md"), 10+i, 1)
		f.Suppression = &s
		r.Suppressed = append(r.Suppressed, f)
	}
	return r
}

func many() *scanner.Result {
	r := result()
	for i := range 30 {
		rule := tokenRule
		if i%3 == 0 {
			rule = arnRule
		}
		r.Findings = append(r.Findings, finding(rule, fakeARN, content("src/"+string(rune('a'+i/10))+".go"), i+1, 1))
	}
	return r
}

var cases = []struct {
	name    string
	result  func() *scanner.Result
	options Options
}{
	{"clean", func() *scanner.Result { return result() }, Options{FailOn: rules.Medium, Version: "v1.2.3"}},
	{"staged", func() *scanner.Result {
		return result(finding(tokenRule, fakeToken, &scanner.Object{Path: "config/prod.env", ID: "dd44"}, 3, 19))
	}, Options{FailOn: rules.Medium, Version: "(devel)", Repository: Repository{URL: "https://user:" + "pass@git.example.com/o/r.git?x=y", Revision: "abc", Branch: "main"}}},
	{"hostile", hostile, Options{FailOn: rules.Medium, Version: "v1.2.3", Verbose: true}},
	{"incomplete", incomplete, Options{FailOn: rules.Medium, Version: "v1.2.3"}},
	{"suppressed", suppressed, Options{FailOn: rules.Medium, ShowSuppressed: true, Color: true, Version: "v1.2.3", Category: "nightly", Repository: Repository{URL: "git@git.example.com:o/r.git"}}},
	{"many", many, Options{FailOn: rules.High, Version: "v1.2.3", Allow: "add a line comment `gate:allow REASON`."}},
	{"quiet", suppressed, Options{FailOn: rules.Medium, Quiet: true}},
}

func render(t testing.TB, format string, o Options, r *scanner.Result) string {
	t.Helper()
	sink, err := New(format, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sink.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, c := range cases {
		for _, format := range Formats() {
			if c.name == "quiet" && format != "text" {
				continue // it is the text report's option
			}
			got := render(t, format, c.options, c.result())
			file := filepath.Join("testdata", "golden", c.name+"."+format)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err, " (go test -update writes it)")
			}
			if got != string(want) {
				t.Errorf("%s: the report differs from the golden file (go test -update writes it):\n%s", file, diff(string(want), got))
			}
		}
	}
}

// diff returns the lines of want and got that differ, at most a few.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for i := 0; i < max(len(w), len(g)) && b.Len() < 2000; i++ {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if x != y {
			b.WriteString("-" + x + "\n+" + y + "\n")
		}
	}
	return b.String()
}

func TestUnknownFormat(t *testing.T) {
	_, err := New("xml\x1b", Options{})
	var usage *scanner.UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "text, json, jsonl, sarif") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("error %q, want a usage error that lists the formats", err)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain päth/文件.go": "plain päth/文件.go", "a\nb\r\t\x1b\x00\x7f": `a\nb\r\t\x1b\x00\x7f`, "\xff\xfe": `\xff\xfe`, `back\slash`: `back\slash`,
		"\u202e\u200b\ufeff\u2028\u0085": `\u202e\u200b\ufeff\u2028\u0085`, "\U000e0041": `\U000e0041`, "😀": "😀", "\uFFFD": "\uFFFD", "\ue000": `\ue000`, "": "",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"a/b-c_1.go": "a/b-c_1.go", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$(rm)": "'$(rm)'", "a\nb'c": `$'a\nb\'c'`, "\xff\\": `$'\xff\\'`, "~x": "'~x'",
		"\u202ea": `$'\xe2\x80\xaea'`, "é": "'é'",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestCoverageLine(t *testing.T) {
	r := incomplete()
	got := CoverageLine(r, false)
	want := `INCOMPLETE: scanned staged changes against HEAD: 3 blobs, 4.2 kB, 1 skipped (submodule); files in .: 2 files, 1 of them binary, 2.15 GB, in 1.2 s`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r = suppressed()
	r.Took = 3 * time.Millisecond
	want = "scanned staged changes against HEAD: 3 blobs, 4.2 kB (read by go-git), in 3 ms; 3 findings suppressed"
	if got := CoverageLine(r, true); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r = &scanner.Result{Interrupted: true, Took: time.Hour}
	if got, want := CoverageLine(r, true), "INTERRUPTED: scanned nothing, in 1h0m0s"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestTextBounds: however many findings, the text report fits a screen and
// says how many it leaves out; -v shows all.
func TestTextBounds(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 100} {
		r := result()
		for i := range n {
			f := finding(tokenRule, fakeToken, content("f"), i+1, 1)
			f.Fields = []rules.Field{{Name: "n", Value: "1"}}
			r.Findings = append(r.Findings, f)
		}
		out := render(t, "text", Options{FailOn: rules.Medium}, r)
		if lines := strings.Count(out, "\n"); lines > 20 {
			t.Errorf("%d findings take %d lines, want 20 at most:\n%s", n, lines, out)
		}
		shown := strings.Count(out, "Forge token")
		if more := n - shown; (more > 0) != strings.Contains(out, "and "+number(more)+" more") {
			t.Errorf("%d findings, %d shown, and the rest not announced rightly:\n%s", n, shown, out)
		}
		out = render(t, "text", Options{FailOn: rules.Medium, Verbose: true}, r)
		if shown := strings.Count(out, "Forge token"); shown != n {
			t.Errorf("-v shows %d of %d", shown, n)
		}
	}
}

func TestTextSilentWhenClean(t *testing.T) {
	if out := render(t, "text", Options{FailOn: rules.Medium, ShowSuppressed: true}, result()); out != "" {
		t.Errorf("clean result wrote %q", out)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestWriteErrors: a report that cannot be written is an error, in any format.
func TestWriteErrors(t *testing.T) {
	for _, format := range Formats() {
		sink, err := New(format, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.Write(failingWriter{}, suppressed()); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	sink, err := New("json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := render(t, "json", Options{}, suppressed())
	check := func(what string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s: the file holds %d bytes (%v), want %d", what, len(got), err, len(want))
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s: %s was left behind", what, e.Name())
			}
		}
	}
	for _, what := range []string{"new", "again"} {
		if err := WriteFile(path, sink, suppressed()); err != nil {
			t.Fatal(err)
		}
		check(what)
	}
	// A sink that fails half way leaves the old report.
	if err := WriteFile(path, failingSink{}, suppressed()); err == nil || err.Error() != "half way" {
		t.Errorf("error %v, want the sink's", err)
	}
	check("after a failure")
	link := filepath.Join(dir, "link")
	if err := os.Symlink("report.json", link); err == nil {
		if err := WriteFile(link, sink, result()); err != nil {
			t.Fatal(err)
		}
		want = render(t, "json", Options{}, result())
		check("through a link")
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link was replaced (%v)", err)
		}
	}
	if err := WriteFile(filepath.Join(dir, "no", "such"), sink, result()); err == nil {
		t.Error("no error for a folder that is not there")
	}
	if _, err := os.Stat("/dev/null"); err == nil {
		if err := WriteFile("/dev/null", sink, result()); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
			t.Error("/dev/null was replaced")
		}
	}
}

type failingSink struct{}

func (failingSink) Write(w io.Writer, _ *scanner.Result) error {
	_, _ = w.Write([]byte("{"))
	return errors.New("half way")
}

// TestNotices holds that notices stand in every format for programs, and in no
// place with a secret.
func TestNotices(t *testing.T) {
	r := result()
	r.Notices = []scanner.Notice{{Kind: scanner.NoticeUnused, Where: "a.txt:3", What: "excuses nothing", Fix: "take it out"}}
	for _, format := range []string{"json", "jsonl", "sarif"} {
		out := render(t, format, Options{}, r)
		if !strings.Contains(out, "a.txt:3") || !strings.Contains(out, "excuses nothing") {
			t.Errorf("%s does not tell the notice", format)
		}
	}
	if got := NoticeLines(r); len(got) != 1 || got[0] != "a.txt:3: excuses nothing; take it out" {
		t.Errorf("lines %q", got)
	}
	if got := NoticeLines(r, scanner.NoticeUnused); len(got) != 0 {
		t.Errorf("kind not left out: %q", got)
	}
	if got := r.ExitCode(scanner.Gate{FailOnUnused: true}); got != scanner.ExitFindings {
		t.Errorf("exit code %d", got)
	}
}
