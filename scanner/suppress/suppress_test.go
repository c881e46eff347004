package suppress

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

var keyRule = &rules.Rule{ID: "key-rule", Title: "A key", Severity: rules.High, Confidence: rules.ConfidenceHigh, Identifier: true}

// keys finds every KEY… word and every text from BEGIN to END.
type keys struct{}

var keyText = regexp.MustCompile(`^(?:KEY\w+|(?s:BEGIN.*?END\n?))`)

func (keys) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	for at := c.From; at < c.To; at++ {
		next := bytes.IndexAny(c.Data[at:c.To], "KB")
		if next < 0 {
			return
		}
		at += next
		if m := keyText.FindIndex(c.Data[at:]); m != nil {
			hit(&scanner.Hit{Rule: keyRule, Severity: keyRule.Severity, Confidence: keyRule.Confidence, Start: at, End: at + m[1], SecretStart: at, SecretEnd: at + m[1]})
			at += m[1] - 1
		}
	}
}

// A doc is one text to scan.
type doc struct {
	path, text string
	kind       scanner.Kind
	commit     string
	newLines   scanner.NewLines
}

type docs []doc

func (s docs) Chunks(_ context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	var f scanner.Feeder
	for _, d := range s {
		o := &scanner.Object{Kind: d.kind, Path: d.path, New: d.newLines, ID: d.commit}
		if d.commit != "" {
			o.Commit = &scanner.Commit{ID: d.commit}
		}
		if err := f.Bytes(o, []byte(d.text), emit); err != nil {
			return scanner.Coverage{}, err
		}
	}
	return scanner.Coverage{}, nil
}

func scan(t testing.TB, o Options, all ...doc) *scanner.Result {
	t.Helper()
	if o.Today == "" {
		o.Today = "2026-06-15"
	}
	r, err := scanner.Scan(context.Background(), scanner.Options{
		Sources: []scanner.Source{docs(all)}, Detectors: []scanner.Detector{keys{}}, Stages: Stages(o),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// left returns what counts, by its text.
func left(r *scanner.Result) string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, strings.ReplaceAll(strings.TrimSpace(f.Secret.Reveal()), "\n", "|"))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func notices(r *scanner.Result) string {
	var all []string
	for _, n := range r.Notices {
		all = append(all, n.Kind+" "+n.Where+": "+n.What)
	}
	return strings.Join(all, "\n")
}

func TestComments(t *testing.T) {
	for _, c := range []struct {
		name, text, left, notice string
	}{
		{name: "same line", text: "KEY1 # spillgate:allow key-rule made up\nKEY2", left: "KEY2"},
		{name: "same line, other rule", text: "KEY1 # spillgate:allow other-rule made up", left: "KEY1"},
		{name: "list", text: "KEY1 # spillgate:allow other-rule,key-rule made up"},
		{name: "list with a blank", text: "KEY1 # spillgate:allow other-rule, key-rule made up"},
		{name: "glob", text: "KEY1 # spillgate:allow key-* made up"},
		{name: "star", text: "KEY1 # spillgate:allow * made up"},
		{name: "star without reason", text: "KEY1 # spillgate:allow *", left: "KEY1", notice: "refused a.txt:1: a spillgate:allow comment is not honoured: a rule with * needs a reason after it"},
		{name: "no rule", text: "KEY1 # spillgate:allow", left: "KEY1", notice: "no rule is named"},
		{name: "no rule but words", text: "KEY1 # spillgate:allow: This is fine", left: "KEY1", notice: "no rule is named"},
		{name: "no reason", text: "KEY1 # spillgate:allow key-rule"},
		{name: "colons", text: "KEY1 # spillgate:allow: key-rule: made up"},
		{name: "in time", text: "KEY1 # spillgate:allow key-rule made up until=2026-06-15"},
		{name: "expired", text: "KEY1 # spillgate:allow key-rule made up until=2026-06-14", left: "KEY1", notice: "expired a.txt:1: the spillgate:allow comment expired on 2026-06-14"},
		{name: "date before reason", text: "KEY1 # spillgate:allow key-rule until=2026-06-14 made up", left: "KEY1", notice: "expired"},
		{name: "two dates, the first passed", text: "KEY1 # spillgate:allow key-rule made up until=2026-06-14 until=2030-01-01", left: "KEY1", notice: "expired on 2026-06-14"},
		{name: "two dates, the second passed", text: "KEY1 # spillgate:allow key-rule made up until=2030-01-01 until=2026-06-14", left: "KEY1", notice: "expired on 2026-06-14"},
		{name: "no date", text: "KEY1 # spillgate:allow key-rule until=2026-13-01", left: "KEY1", notice: "its date is not of the form"},
		{name: "in code", text: "KEY1 notspillgate:allow key-rule x", left: "KEY1"},
		{name: "another word", text: "KEY1 # spillgate:allowed key-rule x", left: "KEY1"},
		{name: "unknown verb", text: "KEY1 # spillgate:allow-next key-rule x", left: "KEY1", notice: "it is none of"},
		{name: "C", text: "KEY1 /* spillgate:allow key-rule */"},
		{name: "HTML", text: "<b>KEY1</b><!-- spillgate:allow key-rule -->"},
		{name: "SQL", text: "KEY1 --spillgate:allow key-rule"},
		{name: "second of two", text: "KEY1 # spillgate:allow other spillgate:allow key-rule x"},
		{name: "next line", text: "# spillgate:allow key-rule x\nKEY1\nKEY2", left: "KEY2"},
		{name: "next line, indented, CRLF", text: "\t// spillgate:allow key-rule x\r\n\tKEY1\r\nKEY2", left: "KEY2"},
		{name: "next line, batch", text: "REM spillgate:allow key-rule x\nKEY1"},
		{name: "not alone on the line before", text: "x = 1 # spillgate:allow key-rule x\nKEY1", left: "KEY1"},
		{name: "two lines before", text: "# spillgate:allow key-rule x\n\nKEY1", left: "KEY1"},
		{name: "stacked", text: "# spillgate:allow key-rule x\n# spillgate:allow other x\nKEY1"},
		{name: "line after", text: "KEY1\n# spillgate:allow key-rule x", left: "KEY1"},
		{name: "block", text: "KEY0\n# spillgate:allow-begin key-rule x\nKEY1\n\nKEY2\n# spillgate:allow-end\nKEY3", left: "KEY0 KEY3"},
		{name: "block of another rule", text: "# spillgate:allow-begin other x\nKEY1\n# spillgate:allow-end", left: "KEY1"},
		{name: "block without an end", text: "# spillgate:allow-begin key-rule x\nKEY1\n", left: "KEY1", notice: "refused a.txt:1: a spillgate:allow comment is not honoured: it has no spillgate:allow-end"},
		{name: "nested blocks", text: "# spillgate:allow-begin key-rule x\n# spillgate:allow-begin other x\nKEY1\n# spillgate:allow-end\nKEY2\n# spillgate:allow-end\nKEY3", left: "KEY3"},
		{name: "one end for two", text: "# spillgate:allow-begin key-rule x\n# spillgate:allow-begin other x\nKEY1\n# spillgate:allow-end\n", left: "KEY1", notice: "no spillgate:allow-end"},
		{name: "two blocks", text: "# spillgate:allow-begin key-rule x\n# spillgate:allow-end\nKEY1\n# spillgate:allow-begin key-rule x\n# spillgate:allow-end", left: "KEY1"},
		{name: "expired block", text: "# spillgate:allow-begin key-rule x until=2020-01-01\nKEY1\n# spillgate:allow-end", left: "KEY1", notice: "expired a.txt:1"},
		{name: "too far a block", text: "# spillgate:allow-begin key-rule x\n" + strings.Repeat("x\n", blockReach) + "KEY1\n# spillgate:allow-end", left: "KEY1"},
		{name: "several lines, comment at the end", text: "BEGIN\nabc\nEND # spillgate:allow key-rule x"},
		{name: "several lines, line break in the match", text: "BEGIN\nabc\nEND\n# spillgate:allow key-rule x\n", left: "BEGIN|abc|END"},
		{name: "several lines, comment above", text: "# spillgate:allow key-rule x\nBEGIN\nabc\nEND\n"},
		{name: "far away on a long line", text: "KEY1 " + strings.Repeat("x", maxLine) + " # spillgate:allow key-rule x", left: "KEY1"},
		{name: "a long line above", text: "# spillgate:allow key-rule x" + strings.Repeat(" x", maxLine) + "\nKEY1", left: "KEY1"},
		{name: "gitleaks", text: "KEY1 # gitleaks:allow"},
		{name: "trufflehog", text: "KEY1 // trufflehog:ignore"},
		{name: "kingfisher", text: "KEY1 # kingfisher:ignore"},
		{name: "kingfisher above", text: "# kingfisher:ignore\nKEY1\nKEY2", left: "KEY2"},
		{name: "gitleaks above", text: "# gitleaks:allow\nKEY1", left: "KEY1"},
		{name: "detect-secrets", text: "KEY1 # pragma: allowlist secret"},
		{name: "detect-secrets, old", text: "KEY1 # pragma: whitelist-secret"},
		{name: "detect-secrets above", text: "# pragma: allowlist nextline secret\nKEY1\nKEY2", left: "KEY2"},
		{name: "detect-secrets same line above", text: "# pragma: allowlist secret\nKEY1", left: "KEY1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := scan(t, Options{}, doc{path: "a.txt", text: c.text})
			if got := left(r); got != c.left {
				t.Errorf("left: %q, want %q", got, c.left)
			}
			if got := notices(r); !strings.Contains(got, c.notice) || c.notice == "" && got != "" {
				t.Errorf("notices %q, want %q", got, c.notice)
			}
			for _, f := range r.Suppressed {
				if s := f.Suppression; s.By != "comment" || s.Reason == "" || !s.InSource {
					t.Errorf("suppressed by %+v", s)
				}
			}
		})
	}
}

func TestCommentReason(t *testing.T) {
	r := scan(t, Options{}, doc{path: "a", text: "KEY1 <!-- spillgate:allow key-rule - made up for the docs until=2027-01-31 -->"})
	if len(r.Suppressed) != 1 || r.Suppressed[0].Suppression.Reason != "made up for the docs (until 2027-01-31)" {
		t.Fatalf("%d suppressed", len(r.Suppressed))
	}
}

func TestCommentOptions(t *testing.T) {
	text := "KEY1 # spillgate:allow key-rule\nKEY2 # spillgate:allow key-rule why\nKEY3 # gitleaks:allow\n"
	d := doc{path: "a", text: text}
	for _, c := range []struct {
		o      CommentOptions
		left   string
		notice string
	}{
		{CommentOptions{}, "", ""},
		{CommentOptions{Off: true}, "KEY1 KEY2 KEY3", ""},
		{CommentOptions{RequireReason: true}, "KEY1 KEY3", "refused a:1: the spillgate:allow comment gives no reason\nrefused a:3: a comment for gitleaks gives no reason"},
		{CommentOptions{NoForeign: true}, "KEY3", ""},
		{CommentOptions{New: ListNew}, "", "own a:1: this change excuses its own key-rule with a spillgate:allow comment\nown a:2: this change excuses its own key-rule with a spillgate:allow comment\nown a:3: this change excuses its own key-rule with a gitleaks comment"},
		{CommentOptions{New: RefuseNew}, "KEY1 KEY2 KEY3", "refused a:1"},
	} {
		r := scan(t, Options{Comments: c.o}, d)
		if got := left(r); got != c.left {
			t.Errorf("%+v: left %q, want %q", c.o, got, c.left)
		}
		if got := notices(r); !strings.HasPrefix(got, c.notice) || c.notice == "" && got != "" {
			t.Errorf("%+v: notices %q, want %q", c.o, got, c.notice)
		}
	}
}

type lines map[int]bool

func (l lines) Touches(first, last int) bool {
	for i := first; i <= last; i++ {
		if l[i] {
			return true
		}
	}
	return false
}

// TestOldComment: a comment that was there before the change is no news, even
// if what it excuses is.
func TestOldComment(t *testing.T) {
	d := doc{path: "a", text: "# spillgate:allow key-rule x\nKEY1\nKEY2 # spillgate:allow key-rule y", newLines: lines{2: true, 3: true}}
	r := scan(t, Options{Comments: CommentOptions{New: RefuseNew}}, d)
	if got := left(r); got != "KEY2" {
		t.Errorf("left %q", got)
	}
}

func TestUnusedComments(t *testing.T) {
	d := doc{path: "a", text: strings.Join([]string{
		"KEY1 # spillgate:allow key-rule x",
		"nothing # spillgate:allow key-rule x",
		"KEY2 # spillgate:allow other x",
		"# spillgate:allow-begin key-rule x", "KEY3", "# spillgate:allow-end",
		"# spillgate:allow-begin key-rule x", "# spillgate:allow-end",
		"old # spillgate:allow key-rule x",
		"text about spillgate:allow in general",
		"KEY4 # spillgate:allow key-rule x until=2020-01-01",
	}, "\n")}
	r := scan(t, Options{Comments: CommentOptions{Audit: true}}, d)
	want := "expired a:11: the spillgate:allow comment expired on 2020-01-01\n" +
		"unused a:10: the spillgate:allow comment for in excuses nothing\n" +
		"unused a:2: the spillgate:allow comment for key-rule excuses nothing\n" +
		"unused a:3: the spillgate:allow comment for other excuses nothing\n" +
		"unused a:7: the spillgate:allow comment for key-rule excuses nothing\n" +
		"unused a:9: the spillgate:allow comment for key-rule excuses nothing"
	if got := notices(r); got != want {
		t.Errorf("notices\n%s\nwant\n%s", got, want)
	}
	// What looks like a comment in binary data is none that anybody could take out.
	if got := notices(scan(t, Options{Comments: CommentOptions{Audit: true}}, doc{path: "b", text: "\x00\x01\x02\x00 # spillgate:allow key-rule x"})); got != "" {
		t.Errorf("notices of binary data %q", got)
	}
	// What excuses an old line is in use, and old comments are not asked about.
	d = doc{path: "a", text: "KEY1 # spillgate:allow key-rule x\n# spillgate:allow key-rule x\nKEY2\nx # spillgate:allow key-rule x", newLines: lines{2: true}}
	if got := notices(scan(t, Options{Comments: CommentOptions{Audit: true}}, d)); got != "" {
		t.Errorf("notices %q", got)
	}
}

// TestCommentsWhateverTheCut holds that a text is judged the same whether it
// comes as one chunk or in many.
func TestCommentsWhateverTheCut(t *testing.T) {
	var b bytes.Buffer
	for i := 0; b.Len() < 34<<20; i++ {
		fmt.Fprintf(&b, "%s\nKEYa%d # spillgate:allow key-rule x\n# spillgate:allow-begin key-rule x\n%s\nKEYb%d\n%s\n# spillgate:allow-end\nKEYc%d\n",
			strings.Repeat("filler ", 9000), i, strings.Repeat("y\n", 9000), i, strings.Repeat("y\n", 9000), i)
	}
	n := strings.Count(b.String(), "KEYa")
	r := scan(t, Options{Comments: CommentOptions{Audit: true}}, doc{path: "a", text: b.String()})
	if len(r.Findings) != n || len(r.Suppressed) != 2*n || len(r.Notices) != 0 {
		t.Errorf("%d count and %d are suppressed of %d thirds; %d notices", len(r.Findings), len(r.Suppressed), n, len(r.Notices))
	}
}

func TestIgnoreFile(t *testing.T) {
	file := ignore.ParseSections("# fixtures\ntestdata/\n#rule: other\ndocs/\n#rule: key-*\nvendor/\n!nothing\nnever/\n", false)
	all := []doc{
		{path: "testdata/a", text: "KEY1"}, {path: "docs/a", text: "KEY2"}, {path: "vendor/x/a", text: "KEY3"}, {path: "a", text: "KEY4"},
		{path: "", text: "KEY5"}, {path: "/vendor/a", text: "KEY6"}, {path: "vendor/KEY7", kind: scanner.FileName, text: "vendor/KEY7"},
	}
	r := scan(t, Options{Ignore: IgnoreOptions{File: file, Audit: true}}, all...)
	if got := left(r); got != "KEY2 KEY4 KEY5 KEY6" {
		t.Errorf("left %q", got)
	}
	want := "unused .spillgateignore:4: the line docs/ excuses nothing\nunused .spillgateignore:8: the line never/ excuses nothing"
	if got := notices(r); got != want {
		t.Errorf("notices %q", got)
	}
	if s := r.Suppressed[0].Suppression; s.By != "ignore" || s.Reason != ".spillgateignore:2 covers the path: testdata/ (fixtures)" || s.InSource {
		t.Errorf("suppressed by %+v", s)
	}
	// Where the top is not known, a path that leads out of the folder is none of it.
	r = scan(t, Options{Ignore: IgnoreOptions{File: file}}, doc{path: "../vendor/a", text: "KEY1"}, doc{path: "./vendor/a", text: "KEY2"}, doc{path: "vendor/../../vendor/b", text: "KEY3"})
	if got := left(r); got != "KEY1 KEY3" {
		t.Errorf("left %q", got)
	}
	// From a subdirectory the same paths have other names.
	r = scan(t, Options{Ignore: IgnoreOptions{File: file}, Root: "/r", Base: "/r/vendor"}, doc{path: "a", text: "KEY1"}, doc{path: "../testdata/b", text: "KEY2"}, doc{path: "../c", text: "KEY3"}, doc{path: "../../vendor/d", text: "KEY4"}, doc{path: "/r/testdata/x", text: "KEY5"}, doc{path: "/testdata/x", text: "KEY6"})
	if got := left(r); got != "KEY3 KEY4 KEY6" {
		t.Errorf("left %q", got)
	}
}

func TestAllowlists(t *testing.T) {
	all := []doc{{path: "src/a.go", text: "x KEYabc y"}, {path: "doc/b.md", text: "KEYxyz z"}, {path: "", kind: scanner.CommitMessage, text: "KEYmsg", commit: "0123456789abcdef"}}
	re := func(s string) []*regexp.Regexp { return []*regexp.Regexp{regexp.MustCompile(s)} }
	print := scanner.Fingerprinter{}.Fingerprint("key-rule", scanner.NewSecret([]byte("KEYabc")))
	for name, c := range map[string]struct {
		a    Allow
		left string
	}{
		"nothing":             {Allow{}, "KEYabc KEYmsg KEYxyz"},
		"value":               {Allow{Values: re("^KEYa")}, "KEYmsg KEYxyz"},
		"value, other rule":   {Allow{Values: re("KEY"), Rules: []string{"other"}}, "KEYabc KEYmsg KEYxyz"},
		"value, this rule":    {Allow{Values: re("KEY"), Rules: []string{"key-*"}}, ""},
		"secret, not line":    {Allow{Values: re("KEYabc y")}, "KEYabc KEYmsg KEYxyz"},
		"line":                {Allow{Values: re("KEYabc y"), Target: TargetLine}, "KEYmsg KEYxyz"},
		"match, not line":     {Allow{Values: re("^KEYxyz$"), Target: TargetMatch}, "KEYabc KEYmsg"},
		"stopword":            {Allow{Stopwords: []string{"yab", "yxy"}}, "KEYmsg"},
		"path":                {Allow{Paths: ignore.Parse("*.md\nsrc/", false)}, "KEYmsg"},
		"path expression":     {Allow{PathExpressions: re(`\.go$`)}, "KEYmsg KEYxyz"},
		"commit":              {Allow{Commits: []string{"0123456"}}, "KEYabc KEYxyz"},
		"commit, too short":   {Allow{Commits: []string{"012345"}}, "KEYabc KEYmsg KEYxyz"},
		"fingerprint":         {Allow{Fingerprints: []string{print}}, "KEYmsg KEYxyz"},
		"entropy":             {Allow{EntropyBelow: 9}, ""},
		"entropy, low":        {Allow{EntropyBelow: 0.5}, "KEYabc KEYmsg KEYxyz"},
		"any":                 {Allow{Values: re("abc"), Stopwords: []string{"xyz"}}, "KEYmsg"},
		"all, one fails":      {Allow{Values: re("abc"), Stopwords: []string{"xyz"}, All: true}, "KEYabc KEYmsg KEYxyz"},
		"all":                 {Allow{Values: re("abc"), Paths: ignore.Parse("*.go", false), All: true}, "KEYmsg KEYxyz"},
		"outside of the path": {Allow{Paths: ignore.Parse("*.go", false), Outside: true}, "KEYabc"},
	} {
		r := scan(t, Options{Allow: []Allow{c.a}}, all...)
		if got := left(r); got != c.left {
			t.Errorf("%s: left %q, want %q", name, got, c.left)
		}
	}
	places := []Place{{Path: "src/a.go", Line: 1}, {Path: "doc/b.md", Line: 2}}
	if got := left(scan(t, Options{Allow: []Allow{{Places: places}}}, append(all, doc{path: "src/a.go", text: "\n\nKEYabc in another version"}, doc{path: "c", text: "KEYabc"})...)); got != "KEYabc KEYmsg KEYxyz" {
		t.Errorf("places: left %q", got)
	}
	r := scan(t, Options{Allow: []Allow{{Name: "c.toml:3", Reason: "why", Values: re("abc")}}}, all...)
	if s := r.Suppressed[0].Suppression; s.By != "allowlist" || s.Reason != "c.toml:3: why" {
		t.Errorf("suppressed by %+v", s)
	}
}

// TestOrder: a comment is used although a baseline would excuse the same.
func TestOrder(t *testing.T) {
	b := NewBaseline("b")
	b.Entries = []Entry{{Fingerprint: b.Fingerprint("key-rule", scanner.NewSecret([]byte("KEY1"))), Rule: "key-rule"}}
	r := scan(t, Options{Comments: CommentOptions{Audit: true}, Baseline: b, BaselineAudit: true}, doc{path: "a", text: "KEY1 # spillgate:allow key-rule x"})
	if len(r.Suppressed) != 1 || r.Suppressed[0].Suppression.By != "comment" || len(r.Notices) != 1 || r.Notices[0].Where != "b" {
		t.Errorf("%d suppressed, notices %q", len(r.Suppressed), notices(r))
	}
}

func FuzzComments(f *testing.F) {
	for _, s := range []string{
		"KEY1 # spillgate:allow key-rule why until=2027-01-31", "# spillgate:allow-begin *\nKEY1\n# spillgate:allow-end", "KEY1 pragma: allowlist secret",
		"spillgate:allow", "spillgate:allow-", "spillgate:allow-->", "KEY1\x00spillgate:allow key-rule", "\nKEY1 # spillgate:allow ,,key-rule,",
	} {
		f.Add(s, "KEY2\n")
	}
	words := []string{"spillgate:allow", "gitleaks:allow", "trufflehog:ignore", "kingfisher:ignore", "pragma:"}
	f.Fuzz(func(t *testing.T, text, other string) {
		for _, d := range directives([]byte(text)) {
			if strings.Contains(d.reason, "\n") && !strings.Contains(text, "\n") || d.wrong == "" && d.verb != end && len(d.rules) == 0 {
				t.Errorf("%q: directive %+v", text, d)
			}
		}
		r := scan(t, Options{Comments: CommentOptions{Audit: true, New: ListNew}}, doc{path: "a", text: text})
		if len(r.Suppressed) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) }) {
			t.Errorf("%q: excused without a comment", text)
		}
		// Text far above and below changes nothing.
		far := strings.Repeat("\n", 9) + strings.Repeat("x\n", blockReach)
		if strings.Contains(other, "KEY") || strings.Contains(other, "BEGIN") || strings.Contains(text, "BEGIN") || strings.Contains(text, "\x00") || strings.Contains(other, "\x00") || len(text) > maxLine {
			return
		}
		wide := scan(t, Options{}, doc{path: "a", text: other + far + text + "\n" + far + other})
		if narrow := scan(t, Options{}, doc{path: "a", text: text}); left(wide) != left(narrow) {
			t.Errorf("%q: left %q, with %q far away %q", text, left(narrow), other, left(wide))
		}
	})
}

func TestParsePlace(t *testing.T) {
	for s, want := range map[string]Place{
		"a/b.txt:3":                 {"", "a/b.txt", 3},
		"0123abcd:a/b.txt:3":        {"0123abcd", "a/b.txt", 3},
		"c:/x:12":                   {"", "c:/x", 12},
		"0123abcdef0123:a:b.txt:30": {"0123abcdef0123", "a:b.txt", 30},
	} {
		if got, err := ParsePlace(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "a", "a:", "a:0", "a:-1", "a:x", ":3", "0123abcd::3"} {
		if _, err := ParsePlace(s); err == nil {
			t.Errorf("%q is no place", s)
		}
	}
}
