package iac

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// A declared key is a key as every language can write it; "" leaves a setting
// out.
type declared struct {
	rotation, period, window, spec string
	principal, condition           string // of a statement with kms:*, in JSON
}

// terraformNames are the settings of d by their names in Terraform, and
// templateNames in CloudFormation.
func (d declared) settings(names [4]string) (all [][2]string) {
	for i, v := range [...]string{d.rotation, d.period, d.window, d.spec} {
		if v != "" {
			all = append(all, [2]string{names[i], v})
		}
	}
	return all
}

// policy returns the policy of d in JSON, "" if it has none.
func (d declared) policy() string {
	if d.principal == "" {
		return ""
	}
	s := `{"Statement": [{"Effect": "Allow", "Principal": ` + d.principal + `, "Action": "kms:*"`
	if d.condition != "" {
		s += `, "Condition": ` + d.condition
	}
	return s + "}]}"
}

// write returns d in every language, by the name of a file.
func (d declared) write() map[string]string {
	tf := d.settings([4]string{"enable_key_rotation", "rotation_period_in_days", "deletion_window_in_days", "customer_master_key_spec"})
	template := d.settings([4]string{"EnableKeyRotation", "RotationPeriodInDays", "PendingWindowInDays", "KeySpec"})
	quoted, _ := json.Marshal(d.policy())
	var hcl, members, yaml, properties []string
	for _, s := range tf {
		hcl = append(hcl, s[0]+" = "+s[1])
		members = append(members, fmt.Sprintf("%q: %s", s[0], s[1]))
	}
	for _, s := range template {
		yaml = append(yaml, s[0]+": "+s[1])
		properties = append(properties, fmt.Sprintf("%q: %s", s[0], s[1]))
	}
	heredoc, encoded := hcl, hcl
	if p := d.policy(); p != "" {
		heredoc = append(slices.Clone(hcl), "policy = <<EOF\n"+p+"\nEOF")
		encoded = append(slices.Clone(hcl), "policy = jsonencode("+p+")")
		members = append(members, `"policy": `+string(quoted))
		yaml = append(yaml, "KeyPolicy: "+p)
		properties = append(properties, `"KeyPolicy": `+p)
	}
	object, list := strings.Join(members, ", "), strings.Join(properties, ", ")
	return map[string]string{
		"heredoc.tf":     key(strings.Join(heredoc, "\n")),
		"encoded.tf":     key(strings.Join(encoded, "\n")),
		"syntax.tf.json": `{"resource": {"aws_kms_key": {"k": {` + object + `}}}}`,
		"plan.json":      `{"format_version": "1.2", "resource_changes": [{"address": "aws_kms_key.k", "type": "aws_kms_key", "change": {"after": {` + object + `}, "after_unknown": {}}}]}`,
		"state.json":     `{"format_version": "1.0", "values": {"root_module": {"resources": [{"address": "aws_kms_key.k", "type": "aws_kms_key", "values": {` + object + `}}]}}}`,
		"stack.yaml":     cfn(strings.Join(yaml, "\n")),
		"stack.json":     `{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {` + list + `}}}}`,
	}
}

// The same key is judged alike in every language.
func TestLanguagesAgree(t *testing.T) {
	for _, rotation := range []string{"", "true", "false", `"true"`, `"false"`} {
		for _, spec := range []string{"", `"SYMMETRIC_DEFAULT"`, `"RSA_2048"`, `"HMAC_256"`} {
			for i, days := range [][2]string{{"", ""}, {"90", "30"}, {"89", "6"}, {"2560", "14"}, {"2561", "31"}, {`"400"`, `"8"`}} {
				for j, who := range [][2]string{
					{"", ""}, {`"*"`, ""}, {`{"AWS": ["*"]}`, `{"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}`},
					{`{"AWS": "*"}`, `{"StringLike": {"aws:PrincipalOrgID": "*"}}`}, {`{"AWS": "arn:aws:iam::471938265017:root"}`, ""},
				} {
					d := declared{rotation: rotation, spec: spec, period: days[0], window: days[1], principal: who[0], condition: who[1]}
					var want []string
					symmetric := spec == "" || spec == `"SYMMETRIC_DEFAULT"`
					if symmetric && (rotation == "" || strings.Contains(rotation, "false")) {
						want = append(want, "rotation-off")
					}
					if i == 2 || i == 4 {
						want = append(want, "rotation-period")
					}
					if i == 2 || i == 4 || i == 5 {
						want = append(want, "deletion-window")
					}
					if j == 1 || j == 3 {
						want = append(want, "wildcard-principal critical")
					}
					for name, text := range d.write() {
						if got := verdicts(one(t, name, text)); !slices.Equal(got, want) {
							t.Fatalf("%s: %q, want %q\n%s", name, got, want, text)
						}
					}
				}
			}
		}
	}
}

// verdicts returns the rules of findings, and their severity if it is another.
func verdicts(all string) []string {
	var out []string
	for line := range strings.Lines(all) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		before, _, _ := strings.Cut(rest, ": ")
		words := strings.Fields(before)
		v := words[0]
		if words[1] == "critical" {
			v += " " + words[1]
		}
		out = append(out, v)
	}
	return out
}

// What is quoted in an expression may be a secret, and so may what stands where
// a number should.
func TestNothingQuoted(t *testing.T) {
	const secret = "gh" + "p_NotARealToken1234"
	for _, text := range []string{
		key(`enable_key_rotation = lookup({ a = "` + secret + `" }, var.x)`),
		key(`enable_key_rotation = var.x["\"` + secret + `"]`),
		key(`enable_key_rotation = "${var.x}` + secret + `"`),
		key(`enable_key_rotation = "` + secret + `"`),
		key("enable_key_rotation = trim(<<EOF\n" + secret + "\nEOF\n, var.x)"),
		key(`rotation_period_in_days = "` + secret + `"`),
		key(`policy = templatefile("p.json", { token = "` + secret + `" })`),
		key(`policy = "` + secret + `"`),
		key(`customer_master_key_spec = join("` + secret + `", var.x)`),
	} {
		got := one(t, "main.tf", text)
		if got == "" {
			t.Errorf("nothing is found in\n%s", text)
		}
		if strings.Contains(got, secret) {
			t.Errorf("a finding shows what is quoted in an expression: %s", strings.ReplaceAll(got, secret, "[secret]"))
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	for _, name := range []string{"module.tf", "stack.yaml", "Shop.template.json", "plan.json"} {
		b.Run(name, func(b *testing.B) {
			data, err := os.ReadFile("testdata/" + name)
			if err != nil {
				b.Fatal(err)
			}
			d := &Detector{}
			c := &scanner.Chunk{Object: &scanner.Object{Path: name}, Data: data, To: len(data), First: true, Last: true, Line: 1}
			b.SetBytes(int64(len(data)))
			n := 0
			for b.Loop() {
				d.Detect(c, func(*scanner.Hit) { n++ })
			}
			if n == 0 {
				b.Fatal("nothing is found")
			}
		})
	}
}
