package iac

import (
	"fmt"
	"strings"
	"testing"
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

// wholly judges a file without reducing it.
func wholly(l language, data []byte) string {
	f, err := parse(l, data)
	if err != nil {
		return "error"
	}
	return judged(check(f), nil)
}

func TestReducedAsWhole(t *testing.T) {
	files, whole := hardToCut()
	reducedAsWhole(t, hclLanguage, files, true)
	reducedAsWhole(t, hclLanguage, whole, false)
	files, whole = yamlToCut()
	reducedAsWhole(t, yamlLanguage, files, true)
	reducedAsWhole(t, yamlLanguage, whole, false)
	files, whole = jsonToCut()
	reducedAsWhole(t, jsonLanguage, files, true)
	reducedAsWhole(t, jsonLanguage, whole, false)
}

// reducedAsWhole wants files to have findings, the same ones whether they are
// reduced or not, and to be reduced or not.
func reducedAsWhole(t *testing.T, l language, files []string, reduced bool) {
	t.Helper()
	for _, text := range files {
		want := wholly(l, []byte(text))
		if want == "error" || want == "" {
			t.Errorf("a useless file: %s\n%s", want, text)
		}
		if _, ok := reduce(l, []byte(text)); ok != reduced {
			t.Errorf("reduced: %v\n%s", ok, text)
		}
		if got := judged((&Detector{}).judge(l, []byte(text))); got != want {
			t.Errorf("reduced\n%s\nwhole\n%s\n%s", got, want, text)
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
			if got, want := judged(d.judge(hclLanguage, []byte(text))), wholly(hclLanguage, []byte(text)); got != want {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, want, text)
			}
		}
	}
	if n := len(d.recall.known); n != len(versions)-1 { // the second is the first
		t.Errorf("%d verdicts are remembered", n)
	}
	if found, _ := d.recall.problems(yamlLanguage, []byte(versions[4])); len(found) > 0 {
		t.Error("what was found in a text of one language is recalled for another")
	}
	d.recall.bytes = maxRecalled
	_, _ = d.judge(hclLanguage, []byte(key("policy = \"x\"")))
	if n := len(d.recall.known); n != 1 {
		t.Errorf("%d verdicts are remembered above the bound", n)
	}
}

// fuzzReduce holds that a file that parses has the same findings whether it is
// reduced or not, also when its reduction was met before at other places.
func fuzzReduce(f *testing.F, l language, before string, files ...[]string) {
	for _, list := range files {
		for _, s := range list {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := reduce(l, []byte(text)); !ok {
			return
		}
		d := &Detector{}
		for _, s := range []string{text, before + text, text} {
			want := wholly(l, []byte(s))
			if got := judged(d.judge(l, []byte(s))); want != "error" && got != want {
				t.Fatalf("reduced\n%s\nwhole\n%s", got, want)
			}
		}
	})
}

func FuzzReduceHCL(f *testing.F) {
	files, whole := hardToCut()
	fuzzReduce(f, hclLanguage, "# a comment\n", files, whole, seeds()["main.tf"])
}

func FuzzReduceYAML(f *testing.F) {
	files, whole := yamlToCut()
	fuzzReduce(f, yamlLanguage, "# a comment\n", files, whole, seeds()["stack.yaml"])
}

func FuzzReduceJSON(f *testing.F) {
	files, whole := jsonToCut()
	fuzzReduce(f, jsonLanguage, " \n", files, whole, seeds()["stack.json"])
}

// yamlToCut are templates whose resources are easily taken for longer or
// shorter than they are. All but those of whole are reduced.
func yamlToCut() (files, whole []string) {
	k := "  K:\n    Type: AWS::KMS::Key\n    Properties:\n      EnableKeyRotation: false\n"
	res := func(s string) string { return "Resources:\n" + s + k }
	b := "  B:\n    Type: AWS::S3::Bucket\n    Properties:\n"
	files = []string{
		res(b + "      BucketName: x\n"), res(b + "      Tags:\n        - Key: \"a: b\"\n          Value: 'it''s'\n"),
		res(b + "      Text: |\n        K:\n          Type: AWS::KMS::Key\n\n        \"open\n"), res(b + "      Text: !Sub >-\n        [ { '\n"),
		res(b + "      List: [a, \"]\", {b: !Ref C, 'd': s3:*}] # ]\n"), res(b + "    # - comment \"\n#  K:\n"),
		res(b+"      A: !If\n        - X\n        - !GetAtt B.Arn\n        -\n          a: b\n      \"q\": !Ref AWS::Region\n") + "Outputs:\n  O: {Value: !Ref K}\n",
		"---\nAWSTemplateFormatVersion: '2010-09-09'\nTransform:\n- AWS::Serverless\nMetadata:\n  A:\n    - b\nParameters:\n  R: {Type: String, Default: false}\n" +
			"Resources:\n" + b + "      X: y\n" + "  K:\n    Type: AWS::KMS::Key\n    Properties:\n      EnableKeyRotation: !Ref R\n      Description: !Ref B\n",
		strings.ReplaceAll(res(b+"      X: y\n"), "\n", "\r\n"), res("  B:\n    Description: one\n      two three\n"), res(b + "      A: \"\\\"\"\n"),
		"Resources:\n  L:\n    Type: \"AWS::\\x4bMS::Key\"\n" + k,
		res("") + "Rules:\n  A:\n    K: |\n\n      x\n", "Resources:\n    K:\n      Type: AWS::KMS::Key\n    L:\n      Type: X\n",
	}
	whole = []string{
		res(b + "      A: &a b\n      B: *a\n"), res(b + "      A: \"open\n        end\"\n"), res(b + "      A: [a,\n        b]\n"), res(b + "      A:\tb\n"),
		res(b) + "...\n", res(b + "      A: |2\n          x\n"), "\"Resources\":\n" + k, "Resources: {K: {Type: AWS::KMS::Key}}\n",
		"Resources:\n  \"K\":\n    Type: AWS::KMS::Key\n", res("  Fn::ForEach::A:\n    - a\n"), res("  B: {Type: X}\n"),
	}
	return files, whole
}

// jsonToCut are the same in JSON.
func jsonToCut() (files, whole []string) {
	k := `"K": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": {"Ref": "R"}, "Description": {"Ref": "B"}}}`
	rest := `"Parameters": {"R": {"Type": "String", "Default": "false"}}`
	files = []string{
		`{"Resources": {` + k + `}}`, `{` + rest + `, "Resources": {"B": {"Type": "X", "a": ["}", {"b": "]"}]}, ` + k + `}, "x": [1, {}, "\"{"]}`,
		"{\n\t\"Resources\" :\r\n {\"B\":{}," + k + ", \"C\": {\"a\": \"\\\"}\"}, \"D\": {\"b\": {}} } ,\"n\":-1.5e3,\"t\":true," + rest + "}\n",
		`{"Resources": {"L": {"Type": "AWS::\u004bMS::Key"}, ` + k + `}}`, `{"Resources": {"B": 1, "C": null, "D": [], "E": "", ` + k + `}}`,
	}
	whole = []string{
		`{"Resourc\u0065s": {}, "Resources": {` + k + `}}`, `{"resource": {"aws_kms_key": {"k": {"enable_key_rotation": false}}}}`,
		`{"Resources": {}, "Resources": {` + k + `}}`,
	}
	return files, whole
}
