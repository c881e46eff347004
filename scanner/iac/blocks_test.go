package iac

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// hardToCut are files whose blocks are easily taken for longer or shorter than
// they are. All but those of whole are cut.
func hardToCut() (files, whole []string) {
	k := key("enable_key_rotation = false")
	other := func(body string) string { return "resource \"aws_s3_bucket\" \"b\" {\n" + body + "\n}\n" }
	files = []string{
		k, other("bucket = \"}\"") + k, other("bucket = \"{\"") + k, other("bucket = \"\\\"}\"") + k,
		other("bucket = \"${\"}\"}{\"") + k, other("bucket = \"$${\"") + k, other("bucket = \"$$${\"") + k, other("bucket = \"%%{\"") + k,
		other("bucket = \"%{ if a }{%{ endif }\"") + k, other("bucket = \"${ { a = \"}\" }.a }\"") + k,
		other("policy = <<EOT\n}\n EOT2\nEOT\n") + k, other("policy = <<-EOT\n  {\n  EOT\n") + k,
		other("policy = <<EOT\n${ <<IN\n}\nEOT\nIN\n}\nEOT\n") + k,
		other("policy = <<EOT\n$${ \"\n%%{ '\nEOT\n") + k, other("policy = <<EOT\n${x}EOT\n}\nEOT\n") + k,
		other("policy = <<EOT\r\n}\r\nEOT\r\n") + k, other("# }\n// }\n/* } */ a = 1 /* } \n } */") + k,
		"# resource \"aws_kms_key\" \"no\" {\n" + k, "// {\n/* { */\n\n" + k + "# }", other("a = 6 / 2 # { /") + k,
		"locals { a = { b = [\"}\"] } }\nvariable x {}\nvariable \"y\" { default = true }\n" + k,
		"resource aws_kms_key k {\n}\n", "resource\t\"aws_kms_key\"\t\"k\"\t{\n}", strings.TrimSpace(k) + " // { \n" + k,
		"module \"m\" {\n  source = \"./x\"\n  for = { for k, v in x : k => v... if v != \"}\" }\n}\n" + k,
		"data \"aws_iam_policy_document\" \"d\" {\n statement {\n principals {\n type = \"*\"\n identifiers = [\"*\"]\n }\n }\n}\n" + other("") + key("policy = data.aws_iam_policy_document.d.json"),
	}
	whole = []string{
		"a = 1\n" + k, "\ufeff" + k, other("x = <<EOT\nresource \"aws_kms_key\" \"k\" {\nEOT\n") + k,
		"/*\nresource \"aws_kms_key\" \"k\" {\n*/\n" + k, "variable \"\u00fc\" {}\nvariable \u00fc {}\n" + k, "variable \"a\\\"b\" {}\n" + k,
		other("a = "+strings.Repeat("\"${", maxOpen)+"x"+strings.Repeat("}\"", maxOpen)) + k,
	}
	return files, whole
}

// judged is what a file comes to, as a text.
func judged(problems []problem, err error) string {
	if err != nil {
		return "error"
	}
	s := ""
	for _, p := range problems {
		s += fmt.Sprintln(p.rule.ID, p.at, p.within, p.also, p.text, p.fields, p.severity, p.confidence)
	}
	return s
}

// wholly judges a file without cutting it.
func wholly(data []byte) string {
	f, err := readHCL(data)
	if err != nil {
		return "error"
	}
	return judged(check(f), nil)
}

func TestCutBlocksAreThoseOfTheParser(t *testing.T) {
	files, whole := hardToCut()
	for n, list := range [][]string{files, whole} {
		for _, text := range list {
			d := &Detector{}
			want := wholly([]byte(text))
			if want == "error" || want == "" {
				t.Errorf("a useless file:\n%s", text)
			}
			if _, ok := relevant([]byte(text)); ok != (n == 0) {
				t.Errorf("cut: %v\n%s", ok, text)
			}
			if got := judged(d.judge(hclLanguage, []byte(text))); got != want {
				t.Errorf("cut\n%s\nwhole\n%s\n%s", got, want, text)
			}
		}
	}
}

// What is broken elsewhere does not excuse a key that can be read, and what
// cannot be told apart is not judged in part.
func TestCutOfBrokenFiles(t *testing.T) {
	k := key("")
	for text, want := range map[string]bool{
		"resource \"x\" \"y\" {\n a = = 1\n}\n" + k: true,
		"resource \"x\" \"y\" {\n" + k:              false,
		k + "}\n":                                   false,
		"resource \"x\" \"y\" {\n a = \"\n}\n" + k:  false,
		"locals {\n a = = 1\n}\n" + k:               false,
	} {
		got := judged((&Detector{}).judge(hclLanguage, []byte(text)))
		if (got != "error") != want {
			t.Errorf("judged %q:\n%s", got, text)
		}
	}
}

// A version of a file in which other blocks changed has the same findings where
// its blocks are now, and one in which a key changed has its own.
func TestRecall(t *testing.T) {
	d := &Detector{}
	versions := []string{
		key("enable_key_rotation = var.r") + "variable \"r\" { default = false }\n",
		"# longer\n\n" + key("enable_key_rotation = var.r") + "resource \"a\" \"b\" {}\nvariable \"r\" { default = false }\n",
		key("enable_key_rotation = var.r") + "variable \"r\" { default = true }\n",
		"variable \"r\" { default = false }\n" + key("enable_key_rotation = var.r"),
		key("") + key("enable_key_rotation = false"),
		key("enable_key_rotation = false") + key(""),
	}
	for range 2 {
		for _, text := range versions {
			if got, want := judged(d.judge(hclLanguage, []byte(text))), wholly([]byte(text)); got != want {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, want, text)
			}
		}
	}
	if n := len(d.recall.known); n != len(versions)-1 { // the second is the first
		t.Errorf("%d verdicts are remembered", n)
	}
	d.recall.bytes = maxRecalled
	_, _ = d.judge(hclLanguage, []byte(key("policy = \"x\"")))
	if n := len(d.recall.known); n != 1 {
		t.Errorf("%d verdicts are remembered above the bound", n)
	}
}

// FuzzBlocks holds that where a file parses, its blocks are cut as the parser
// cuts them, and its verdict is that of the whole file, also when its
// blocks were met before at other places.
func FuzzBlocks(f *testing.F) {
	files, whole := hardToCut()
	for _, s := range append(append(files, whole...), seeds()["main.tf"]...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data := []byte(text)
		blocks, ok := relevant(data)
		parsed, diags := hclsyntax.ParseConfig(data, "", hcl.InitialPos)
		if !ok || diags.HasErrors() || nesting(data) >= harmless {
			return
		}
		var want, got []string
		for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
			x := block{typ: b.Type, labels: len(b.Labels)}
			if x.labels > 0 {
				x.label = b.Labels[0]
			}
			if x.matters() {
				want = append(want, fmt.Sprint(b.Type, b.Labels, b.TypeRange.Start.Byte))
			}
		}
		cut, err := parseBlocks(data, blocks)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range cut {
			got = append(got, fmt.Sprint(b.Type, b.Labels, b.TypeRange.Start.Byte))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("cut %q, parsed %q", got, want)
		}
		d := &Detector{}
		for _, s := range []string{text, "# a comment\n" + text, text} {
			if got, want := judged(d.judge(hclLanguage, []byte(s))), wholly([]byte(s)); got != want {
				t.Fatalf("cut\n%s\nwhole\n%s", got, want)
			}
		}
	})
}
