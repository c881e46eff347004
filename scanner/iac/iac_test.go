package iac

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// found returns what the detector finds in a file, one line each: line, rule,
// severity if it is not the rule's, text.
func found(t testing.TB, d *Detector, name, data string, fresh scanner.NewLines) []string {
	t.Helper()
	c := &scanner.Chunk{
		Object: &scanner.Object{Path: name, New: fresh}, Data: []byte(data), To: len(data), First: true, Last: true, Line: 1,
	}
	var all []string
	d.Detect(c, func(h *scanner.Hit) {
		if h.Start < 0 || h.Start > h.SecretStart || h.SecretStart > h.SecretEnd || h.SecretEnd > h.End || h.End > len(data) {
			t.Fatalf("%s: a hit from %d to %d with %d to %d in %d bytes", h.Rule.ID, h.Start, h.End, h.SecretStart, h.SecretEnd, len(data))
		}
		first := 1 + lines(c.Data[:h.SecretStart])
		if fresh != nil && !fresh.Touches(1+lines(c.Data[:h.Start]), 1+lines(c.Data[:max(h.Start, h.End-1)])) {
			return // the collector drops it
		}
		s := fmt.Sprintf("%d %s", first, strings.TrimPrefix(h.Rule.ID, "iac-kms-"))
		if h.Severity != h.Rule.Severity {
			s += " " + h.Severity.String()
		}
		if h.Confidence != h.Rule.Confidence {
			s += " (" + h.Confidence.String() + ")"
		}
		all = append(all, s+" "+string(h.Text))
	})
	return all
}

// one is found for a detector of its own, which must have parsed the file.
func one(t testing.TB, name, data string) string {
	t.Helper()
	d := &Detector{}
	all := found(t, d, name, data, nil)
	if c := d.Coverage(); len(c.Skipped)+len(c.Problems) > 0 {
		t.Fatalf("%s was not judged: %v %v\n%s", name, c.Skipped, c.Problems, data)
	}
	return strings.Join(all, "\n")
}

// key is a key in Terraform with a body.
func key(body string) string { return "resource \"aws_kms_key\" \"k\" {\n" + body + "\n}\n" }

// cfn is a key in a template of CloudFormation with properties.
func cfn(properties string) string {
	s := "Resources:\n  K:\n    Type: AWS::KMS::Key\n"
	if properties != "" {
		s += "    Properties:\n" + indent(properties, "      ")
	}
	return s
}

func indent(s, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n"+by) + "\n"
}

func TestRuleExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || Rule(r.ID) == nil || r.Title == "" || r.Why == "" || r.Fix == "" || len(r.References) == 0 || len(r.Match) == 0 || len(r.Clean) == 0 {
			t.Errorf("%s: not complete, or not the only one of that id", r.ID)
		}
		seen[r.ID] = true
		name := strings.TrimPrefix(r.ID, "iac-kms-")
		for _, text := range r.Match {
			if got := one(t, "main.tf", text); !strings.Contains(got, " "+name+" ") {
				t.Errorf("%s is not found in\n%s\nbut %q", r.ID, text, got)
			}
		}
		for _, text := range r.Clean {
			if got := one(t, "main.tf", text); strings.Contains(got, " "+name+" ") {
				t.Errorf("%s is found in\n%s\n%s", r.ID, text, got)
			}
		}
	}
	if Rule("iac-kms-none") != nil {
		t.Error("there is a rule that is not")
	}
}

// A lineSet says which lines are new.
type lineSet []int

func (s lineSet) Touches(first, last int) bool {
	return slices.ContainsFunc(s, func(l int) bool { return first <= l && l <= last })
}

func TestNewLines(t *testing.T) {
	const text = `variable "rotate" {
  default = false
}

resource "aws_kms_key" "a" {
  description         = "a"
  enable_key_rotation = false
}

resource "aws_kms_key" "b" {
  description = "b"
  tags        = {}
}

resource "aws_kms_key" "c" {
  enable_key_rotation = var.rotate
}

data "aws_iam_policy_document" "open" {
  statement {
    actions = ["kms:Decrypt"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

resource "aws_kms_key" "d" {
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.open.json
}
`
	const (
		a = "7 rotation-off aws_kms_key.a: enable_key_rotation = false"
		b = "10 rotation-off aws_kms_key.b: no enable_key_rotation"
		c = "16 rotation-off (medium) aws_kms_key.c: enable_key_rotation = false"
		d = `20 wildcard-principal high aws_kms_key.d: statement 1 allows everybody kms:Decrypt`
	)
	for _, c := range []struct {
		fresh lineSet
		want  string
	}{
		{lineSet{6}, ""}, // of a, but not the setting
		{lineSet{7}, a},  // the setting
		{lineSet{12}, b}, // any line of b
		{lineSet{16}, c}, // the setting
		{lineSet{2}, strings.Replace(c, "16", "2", 1)}, // the default that it takes
		{lineSet{21}, d}, // the statement
		{lineSet{31}, strings.Replace(d, "20", "31", 1)}, // the policy becomes a key's
		{lineSet{1, 4, 9, 27, 30}, ""},
	} {
		if got := strings.Join(found(t, &Detector{}, "main.tf", text, c.fresh), "\n"); got != c.want {
			t.Errorf("new lines %v:\n%s\nwant\n%s", c.fresh, got, c.want)
		}
	}
	if got := len(found(t, &Detector{}, "main.tf", text, nil)); got != 4 {
		t.Errorf("%d findings in all, want 4", got)
	}
}

func TestLanguages(t *testing.T) {
	hcl, yaml := key(""), cfn("")
	json := `{"Resources": {"K": {"Type": "AWS::KMS::Key"}}}`
	for _, c := range []struct {
		name, text string
		found      bool
	}{
		{"main.tf", hcl, true}, {"a/b/main.TF", hcl, true}, {"main.tofu", hcl, true}, {"main.hcl", hcl, false}, {"main.go", hcl, false},
		{"stack.yaml", yaml, true}, {"stack.yml", yaml, true}, {"stack.template", yaml, true}, {"stack.cfn", json, true},
		{"stack.json", json, true}, {"stack.template", json, true}, {"notes.txt", json, false},
		// Of a history, where names come later.
		{"", hcl, true}, {"", "# main\n/* all\n of it */\n\n" + hcl, true}, {"", yaml, true}, {"", json, true},
		{"", "package main\n\nconst config = `\n" + hcl + "`\n", false}, {"", "A page.\n\n" + yaml[10:], false},
	} {
		if got := found(t, &Detector{}, c.name, c.text, nil); len(got) > 0 != c.found {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestNotJudged(t *testing.T) {
	d := &Detector{}
	scan := func(o scanner.Object, data string, first, last bool) {
		d.Detect(&scanner.Chunk{Object: &o, Data: []byte(data), To: len(data), First: first, Last: last, Line: 1}, func(h *scanner.Hit) {
			t.Errorf("%s: found %s in what cannot be read", o.Path, h.Text)
		})
	}
	scan(scanner.Object{Path: "chart/key.yaml"}, "{{ if .Values.key }}\n"+cfn("")+"{{ end }}\n", true, true)
	scan(scanner.Object{Path: "broken.tf"}, key("enable_key_rotation ="), true, true)
	scan(scanner.Object{Path: "broken.json"}, `{"Resources": {"K": {"Type": "AWS::KMS::Key"}}`, true, true)
	scan(scanner.Object{Path: "twice.json"}, `{"Resources": {"K": {"Type": "AWS::KMS::Key"}}} {}`, true, true)
	scan(scanner.Object{ID: "0123"}, key("enable_key_rotation ="), true, true) // promises nothing
	scan(scanner.Object{Path: "huge.tf"}, key(""), true, false)
	scan(scanner.Object{Path: "huge.tf"}, key(""), false, true)
	scan(scanner.Object{Path: "long.tf"}, key("")+strings.Repeat("#", maxSource), true, true)
	scan(scanner.Object{Path: "main.tf", Kind: scanner.FileName}, key(""), true, true)
	scan(scanner.Object{Path: "main.tf", Binary: true}, key(""), true, true)
	scan(scanner.Object{Path: "main.tf"}, "resource \"aws_s3_bucket\" \"b\" {", true, true) // not of KMS: not parsed
	c := d.Coverage()
	want := []scanner.Skip{
		{Reason: skipParse, Count: 4, Example: "chart/key.yaml"},
		{Reason: skipLarge, Count: 2, Example: "huge.tf"},
	}
	if !slices.Equal(c.Skipped, want) || len(c.Problems) > 0 {
		t.Errorf("skipped %v, problems %v", c.Skipped, c.Problems)
	}
}

// What a parser cannot bear is a problem and not the end of the program.
func TestPanicIsAProblem(t *testing.T) {
	d := &Detector{}
	f, err := d.guard(&scanner.Object{Path: "main.tf"}, func() ([]problem, error) { panic("which may quote the file") })
	if err != nil || len(f) > 0 {
		t.Fatal("a panic is not the end of one file alone")
	}
	if p := d.Coverage().Problems; len(p) != 1 || p[0].Where != "main.tf" || strings.Contains(p[0].Error(), "quote") {
		t.Errorf("problems: %v", p)
	}
}

func TestMentions(t *testing.T) {
	for _, word := range []string{"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key", "aws_kms_key_policy", "AWS::KMS::Key", "AWS::KMS::ReplicaKey"} {
		for before := range 100 {
			for _, after := range []int{0, 1, 7, 8, 31, 64} {
				data := []byte(strings.Repeat("_", before) + word + strings.Repeat("K", after))
				if !mentions(data) {
					t.Fatalf("%s is not seen behind %d bytes and before %d", word, before, after)
				}
			}
		}
	}
	for _, text := range []string{"", "aws_kms", "aws_kms_alias", "AWS::KMS::Alias", strings.Repeat("aws_s3_key AWS::IAM::Key kms_key _key ms_r s_re ", 100)} {
		if mentions([]byte(text)) {
			t.Errorf("%.40q is said to declare a key", text)
		}
	}
}

func FuzzMentions(f *testing.F) {
	f.Add([]byte("resource \"aws_kms_key\" \"a\" {}"), 3)
	f.Add([]byte("Type: AWS::KMS::ReplicaKey"), 40)
	f.Fuzz(func(t *testing.T, data []byte, shift int) {
		data = append(bytes.Repeat([]byte("a"), shift&63), data...)
		if mentions(data) != declares(data) {
			t.Errorf("mentions is %v, and declares is not", mentions(data))
		}
	})
}

func BenchmarkMentions(b *testing.B) {
	for name, text := range map[string]string{
		"code": "func (s *scope) value(x hclsyntax.Expression, depth int) *value {\n\tif depth > maxDepth { return nil }\n",
		"near": "func (s *scope) keys(kms_key_id string) error { return s.store.find(s_key, AWS::KMS::Alias) }\n",
	} {
		b.Run(name, func(b *testing.B) {
			data := bytes.Repeat([]byte(text), 1<<14)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if mentions(data) {
					b.Fatal("found")
				}
			}
		})
	}
}

func TestNoAllocations(t *testing.T) {
	d := &Detector{}
	data := bytes.Repeat([]byte("resource \"aws_s3_bucket\" \"logs\" {}\n"), 1000)
	c := &scanner.Chunk{Object: &scanner.Object{Path: "main.tf"}, Data: data, To: len(data), First: true, Last: true, Line: 1}
	none := func(*scanner.Hit) { t.Error("found") }
	if n := testing.AllocsPerRun(10, func() { d.Detect(c, none) }); n > 0 {
		t.Errorf("%v allocations for a file without keys", n)
	}
}

// The severities that the gate sees: nothing but what everybody may do with a
// key stops a commit by default.
func TestSeverities(t *testing.T) {
	for _, r := range Rules() {
		if blocks := r.Severity >= rules.Medium; blocks != (r.ID == "iac-kms-wildcard-principal") {
			t.Errorf("%s is %s", r.ID, r.Severity)
		}
	}
}
