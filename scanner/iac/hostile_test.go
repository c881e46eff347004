package iac

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner"
)

// Files that would keep or break a parser are given up in good time, and none
// is a panic.
func TestHostileFiles(t *testing.T) {
	rep := strings.Repeat
	bomb := "a0: &a0 [x, x]\n"
	for i := 1; i < 40; i++ {
		was, is := string(rune('a'+(i-1)%26))+string(rune('0'+(i-1)/26)), string(rune('a'+i%26))+string(rune('0'+i/26))
		bomb += is + ": &" + is + " [*" + was + ", *" + was + "]\n"
	}
	doubling, texts := "", ""
	for i := range 60 {
		n, m := rep("i", i+1), rep("i", i+2)
		doubling += n + " = concat(local." + m + ", local." + m + ", [local." + m + "])\n"
		texts += "t" + n + " = \"${local.t" + m + "}${local.t" + m + "}xxxxxxxx\"\n"
	}
	texts += "t" + rep("i", 61) + " = \"x\"\n"
	files := map[string]string{
		"parentheses.tf": key("enable_key_rotation = " + rep("(", 30_000)),
		"brackets.tf":    key("enable_key_rotation = " + rep("[", 30_000) + rep("]", 30_000)),
		"blocks.tf":      key(rep("a {\n", 30_000) + rep("}\n", 30_000)),
		"negations.tf":   key("enable_key_rotation = " + rep("!", 30_000) + "true"),
		"spaced.tf":      key("enable_key_rotation = (" + rep("-\n", 30_000) + "1)"),
		"conditions.tf":  key("enable_key_rotation = " + rep("a?b:", 30_000) + "c"),
		"templates.tf":   key("policy = \"" + rep("${\"", 30_000) + rep("\"}", 30_000) + "\""),
		"directives.tf":  key("policy = \"" + rep("%{if a}", 30_000) + rep("%{endif}", 30_000) + "\""),
		"sums.tf":        key("enable_key_rotation = 1" + rep("+1", 30_000)),
		"indexes.tf":     key("enable_key_rotation = a" + rep("[0]", 30_000)),
		"splats.tf":      key("enable_key_rotation = a" + rep("[*]", 30_000)),
		"doubling.tf":    "locals {\n" + doubling + "}\n" + key("enable_key_rotation = local.i\npolicy = jsonencode({Statement = local.i})"),
		"texts.tf":       "locals {\n" + texts + "}\n" + key("policy = local.ti"),
		"number.tf":      key("deletion_window_in_days = 1e999999999\nrotation_period_in_days = -1e999999999"),
		"aliases.yaml":   bomb + cfn(""),
		"itself.yaml":    "a: &a [*a]\n" + cfn(""),
		"flow.yaml":      cfn("") + "x: " + rep("[", 9000) + rep("]", 9000),
		"deep.yaml":      cfn("") + "x: " + rep("{a: ", 20_000) + rep("}", 20_000),
		"indents.yaml": cfn("") + func() (s string) {
			for i := range 1000 {
				s += rep(" ", i) + "a:\n"
			}
			return
		}(),
		"tags.yaml":       cfn("EnableKeyRotation: " + rep("!If ", 1000) + "x"),
		"deep.json":       `{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": ` + rep("[", 30_000) + rep("]", 30_000) + `}}}`,
		"long.json":       `{"x": "AWS::KMS::Key", "y": [` + rep("1,", maxValues) + `1]}`,
		"open.json":       `{"x": "AWS::KMS::Key", "y": ` + rep(`{"a":`, 30_000),
		"calls.json":      `{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": ` + rep(`{"Fn::Not": [`, 90) + "1" + rep("]}", 90) + `}}}}`,
		"number.json":     `{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true, "RotationPeriodInDays": 1e999999}}}}`,
		"policies.tf":     key(`policy = "` + rep(`{\"Statement\": \"`, 2000) + `"`),
		"references.json": `{"resource": {"aws_kms_key": {"k": {"policy": "${local.a}"}}}, "locals": {"a": "${local.b} ${local.b}", "b": "${local.a} ${local.a}"}}`,
		"long.tf":         key("tags = [" + rep("1,", maxTokens/2) + "]"),
		"just.tf":         key("enable_key_rotation = " + rep("(", harmless-10) + "true" + rep(")", harmless-10)),
		"deepest.tf":      key("enable_key_rotation = " + rep("(!", harmless/2-5) + "true" + rep(")", harmless/2-5)),
		"nested.json":     `{"resource": {"aws_kms_key": {"k": {"policy": "` + rep("${[", 50_000) + `"}}}}`,
	}
	refused := strings.Fields("parentheses.tf brackets.tf blocks.tf negations.tf spaced.tf conditions.tf templates.tf directives.tf long.tf " +
		"aliases.yaml itself.yaml tags.yaml flow.yaml deep.yaml deep.json open.json long.json")
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			d := &Detector{}
			start := time.Now()
			found(t, d, name, text, nil)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			c := d.Coverage()
			if len(c.Problems) > 0 {
				t.Error("the parser panicked")
			}
			if is := len(c.Skipped) > 0; is != slices.Contains(refused, name) {
				t.Errorf("refused: %v", is)
			}
		})
	}
}

// seeds are files of all languages.
func seeds() map[string][]string {
	return map[string][]string{
		"main.tf": {
			key("enable_key_rotation = var.r ? true : local.x[0].y\npolicy = <<-EOF\n  {\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\"}]}\n  EOF"),
			"variable \"r\" { default = !false }\nlocals { x = [{ y = -1 }] }\n" + key("deletion_window_in_days = local.x[0].y"),
			"data \"aws_iam_policy_document\" \"d\" {\n statement {\n principals {\n type = \"*\"\n identifiers = [\"*\"]\n }\n }\n}\n" + key("policy = data.aws_iam_policy_document.d[0].json"),
			key("policy = jsonencode({ Statement = concat([merge({ Effect = \"Allow\" }, { (var.k) = \"*\" })], flatten([[]])) })"),
		},
		"stack.yaml": {
			cfn("EnableKeyRotation: !If [A, true, !Ref B]\nKeyPolicy:\n  Statement:\n    - &s {Effect: Allow, Principal: {AWS: !Sub '${A}${!B}'}, Action: 'kms:*'}\n    - *s\n    - <<: *s\n      Principal: |\n        *\n"),
			"Parameters: {B: {Type: CommaDelimitedList, Default: 'a,b'}}\n" + cfn("KeySpec: !Join ['', [!Ref B, \"\\u263a\"]]"),
		},
		"stack.json": {
			`{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": {"Effect": "Allow", "NotPrincipal": {}, "NotAction": []}}}}}}`,
			`{"format_version": "1", "resource_changes": [{"address": "a[\"b\"]", "type": "aws_kms_key", "change": {"after": {}, "after_unknown": {"policy": true}}}], "configuration": {"root_module": {"resources": []}}}`,
			`{"resource": {"aws_kms_key": {"k": {"policy": "${data.aws_iam_policy_document.d.json}"}}}, "data": {"aws_iam_policy_document": {"d": {"statement": {"actions": ["a"]}}}}}`,
			`{"resource": [{"aws_kms_replica_key": {"k": {"primary_key_arn": "${aws_kms_key.k.arn}%{if x}y%{endif}"}}}], "locals": {"a": "${local.a}"}}`,
		},
	}
}

// fuzz holds for every file: nothing panics, every hit lies in the file (found
// checks that) and names its resource in printable text, the same file gives
// the same findings, and a file of which all lines are old gives none.
func fuzz(f *testing.F, name, word string) {
	for _, s := range seeds()[name] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !mentions([]byte(text)) {
			text += "\n# " + word
		}
		d := &Detector{}
		all := found(t, d, name, text, nil)
		if p := d.Coverage().Problems; len(p) > 0 {
			t.Fatal("the parser panicked")
		}
		if again := found(t, d, name, text, nil); strings.Join(again, "\n") != strings.Join(all, "\n") {
			t.Fatalf("first\n%q\nthen\n%q", all, again)
		}
		if old := found(t, d, name, text, lineSet{}); len(old) > 0 {
			t.Fatalf("in old lines: %q", old)
		}
		for _, s := range all {
			if strings.Contains(s, hole) || !strings.Contains(s, ": ") {
				t.Fatalf("%q", s)
			}
		}
	})
}

func FuzzHCL(f *testing.F)  { fuzz(f, "main.tf", "aws_kms_key") }
func FuzzYAML(f *testing.F) { fuzz(f, "stack.yaml", "AWS::KMS::Key") }

// JSON has no comments, so that the word stands in front, as a key.
func FuzzJSON(f *testing.F) {
	for _, s := range seeds()["stack.json"] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := &Detector{}
		found(t, d, "stack.json", text, nil)
		found(t, d, "stack.json", `{"aws_kms_key": 1, "Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": `+text+`}}}`, nil)
		found(t, d, "main.tf.json", `{"resource": {"aws_kms_key": {"k": `+text+`}}, "locals": `+text+`}`, nil)
		if p := d.Coverage().Problems; len(p) > 0 {
			t.Fatal("the parser panicked")
		}
	})
}

// Many detectors' worth of goroutines share one.
func TestConcurrentUse(t *testing.T) {
	d := &Detector{}
	done := make(chan int)
	for range 8 {
		go func() {
			n := 0
			for name, all := range seeds() {
				for _, text := range all {
					c := &scanner.Chunk{Object: &scanner.Object{Path: name}, Data: []byte(text), To: len(text), First: true, Last: true, Line: 1}
					d.Detect(c, func(*scanner.Hit) { n++ })
				}
			}
			c := &scanner.Chunk{Object: &scanner.Object{Path: "a.tf"}, Data: []byte("aws_kms_key {"), To: 13, First: true, Last: true, Line: 1}
			d.Detect(c, func(*scanner.Hit) { n++ })
			done <- n
		}()
	}
	first := <-done
	for range 7 {
		if n := <-done; n != first || n == 0 {
			t.Errorf("%d findings and %d", first, n)
		}
	}
	if c := d.Coverage(); len(c.Skipped) != 1 || c.Skipped[0].Count != 8 {
		t.Errorf("skipped %v", c.Skipped)
	}
}
