package iac

import (
	"strings"
	"testing"
)

// A caseOf a check: a file and what is found in it.
type caseOf struct{ text, want string }

func runCases(t *testing.T, name string, cases []caseOf) {
	t.Helper()
	for _, c := range cases {
		if got := one(t, name, c.text); got != c.want {
			t.Errorf("%s\n--- found\n%s\n--- want\n%s", c.text, got, c.want)
		}
	}
}

func TestRotationTerraform(t *testing.T) {
	const off = "1 rotation-off aws_kms_key.k: no enable_key_rotation"
	runCases(t, "main.tf", []caseOf{
		{key(""), off},
		{key(`enable_key_rotation = true`), ""},
		{key(`enable_key_rotation = "true"`), ""},
		{key(`enable_key_rotation = false`), "2 rotation-off aws_kms_key.k: enable_key_rotation = false"},
		{key(`enable_key_rotation = null`), off},
		{key(`enable_key_rotation = !true`), "2 rotation-off aws_kms_key.k: enable_key_rotation = false"},
		// where it cannot be on
		{key(`customer_master_key_spec = "RSA_2048"`), ""},
		{key(`customer_master_key_spec = "HMAC_256"`), ""},
		{key(`customer_master_key_spec = "SYMMETRIC_DEFAULT"`), off},
		{key(`key_usage = "GENERATE_VERIFY_MAC"`), ""},
		{key(`custom_key_store_id = "cks-0123456789abcdef0"`), ""},
		{key(`custom_key_store_id = ""`), off},
		{key(`xks_key_id = "bb8562717f809024"`), ""},
		{`resource "aws_kms_external_key" "k" {}`, ""},
		{`resource "aws_kms_replica_key" "k" { policy = jsonencode({ Statement = [] }) }`, ""},
		{"resource \"aws_kms_key\" \"k\" {\n  count = 0\n}\n", ""},
		{"resource \"aws_kms_alias\" \"k\" {\n  target_key_id = aws_kms_key.k.id\n}\n", ""},
		// what cannot be told
		{key(`enable_key_rotation = var.rotate`), "2 unknown aws_kms_key.k: enable_key_rotation depends on var.rotate"},
		{key(`enable_key_rotation = module.x.y["z"]`), `2 unknown aws_kms_key.k: enable_key_rotation depends on module.x.y["…"]`},
		{key(`enable_key_rotation = var.env == "prod" ? true : false`), `2 unknown aws_kms_key.k: enable_key_rotation depends on var.env == "…"`},
		{key(`enable_key_rotation = var.env == "prod" ? true : true`), ""},
		{key(`customer_master_key_spec = var.spec`), "1 unknown aws_kms_key.k: enable_key_rotation depends on customer_master_key_spec, which depends on var.spec"},
		{key(`custom_key_store_id = var.store`), "1 unknown aws_kms_key.k: enable_key_rotation depends on custom_key_store_id, which depends on var.store"},
		{key("customer_master_key_spec = var.spec\nenable_key_rotation = true"), ""},
	})
}

func TestReferences(t *testing.T) {
	const off = "rotation-off (medium) aws_kms_key.k: enable_key_rotation = false"
	const sure = "rotation-off aws_kms_key.k: enable_key_rotation = false" // of a local value, which nobody overrides
	const rotate = "\nresource \"aws_kms_key\" \"k\" {\n  enable_key_rotation = "
	runCases(t, "main.tf", []caseOf{
		{`variable "r" { default = false }` + rotate + "var.r\n}\n", "3 " + off},
		{`variable "r" { default = true }` + rotate + "var.r\n}\n", ""},
		{`variable "r" { default = null }` + rotate + "var.r\n}\n", "3 unknown aws_kms_key.k: enable_key_rotation depends on var.r"},
		{`variable "r" { type = bool }` + rotate + "var.r\n}\n", "3 unknown aws_kms_key.k: enable_key_rotation depends on var.r"},
		{`locals { r = var.x }` + "\n" + `variable "x" { default = "false" }` + rotate + "local.r\n}\n", "4 " + off},
		{`locals { r = { a = [true, false] } }` + rotate + "local.r.a[1]\n}\n", "3 " + sure},
		{`locals { r = { a = [true, false] } }` + rotate + "local.r[\"a\"][1]\n}\n", "3 " + sure},
		{`locals { r = { a = [true, false] } }` + rotate + "local.r.a[2]\n}\n", "3 unknown aws_kms_key.k: enable_key_rotation depends on local.r.a[2]"},
		{`locals { r = local.r }` + rotate + "local.r\n}\n", "3 unknown aws_kms_key.k: enable_key_rotation depends on local.r"},
		{"locals {\n a = local.b\n b = local.a\n}" + rotate + "local.a\n}\n", "6 unknown aws_kms_key.k: enable_key_rotation depends on local.a"},
		{`variable "e" { default = "dev" }` + rotate + "var.e == \"prod\"\n}\n", "3 " + off},
		{`variable "e" { default = "dev" }` + rotate + "var.e != \"prod\" && var.x\n}\n", "3 unknown aws_kms_key.k: enable_key_rotation depends on var.e != \"…\" && var.x"},
		{`variable "e" { default = "dev" }` + rotate + "var.e == \"prod\" && var.x\n}\n", "3 " + off},
		{`variable "e" { default = "dev" }` + rotate + "var.e == \"dev\" || var.x\n}\n", ""},
		{`locals { r = [] }` + rotate + "try(local.r[0], false)\n}\n", "3 unknown aws_kms_key.k: enable_key_rotation depends on try(local.r[0], false)"},
		{`locals { r = "" }` + rotate + "tobool(coalesce(local.r, \"false\"))\n}\n", "3 rotation-off aws_kms_key.k: enable_key_rotation = false"},
	})
}

func TestRotationCloudFormation(t *testing.T) {
	const off = "2 rotation-off AWS::KMS::Key K: no EnableKeyRotation"
	runCases(t, "stack.yaml", []caseOf{
		{cfn(""), off},
		{cfn("Description: a key"), off},
		{cfn("EnableKeyRotation: true"), ""},
		{cfn("EnableKeyRotation: yes"), ""},
		{cfn("EnableKeyRotation: 'true'"), ""},
		{cfn("EnableKeyRotation: no # off"), "5 rotation-off AWS::KMS::Key K: EnableKeyRotation = false"},
		{cfn("EnableKeyRotation: !Ref AWS::NoValue"), off},
		{cfn("KeySpec: ECC_NIST_P256"), ""},
		{cfn("KeyUsage: SIGN_VERIFY"), ""},
		{cfn("Origin: EXTERNAL"), ""},
		{cfn("KeySpec: !Ref Spec"), "2 unknown AWS::KMS::Key K: EnableKeyRotation depends on KeySpec, which depends on Spec"},
		{cfn("EnableKeyRotation: !If [Prod, true, false]"), "5 unknown AWS::KMS::Key K: EnableKeyRotation depends on the condition Prod"},
		{cfn("EnableKeyRotation:\n  Fn::If: [Prod, true, true]"), ""},
		{cfn("EnableKeyRotation: !ImportValue Rotate"), "5 unknown AWS::KMS::Key K: EnableKeyRotation depends on Fn::ImportValue"},
		{"Parameters:\n  R: {Type: String, Default: 'false'}\n" + cfn("EnableKeyRotation: !Ref R"), "7 rotation-off (medium) AWS::KMS::Key K: EnableKeyRotation = false"},
		{"Parameters:\n  R: {Type: String}\n" + cfn("EnableKeyRotation: !Ref R"), "7 unknown AWS::KMS::Key K: EnableKeyRotation depends on R"},
		{cfn("Fn::Transform: {Name: AWS::Include}\nDescription: a"), "2 unknown AWS::KMS::Key K: EnableKeyRotation depends on what Fn::Transform adds"},
		{"Base: &base\n  EnableKeyRotation: false\n" + cfn("<<: *base"), "2 rotation-off AWS::KMS::Key K: EnableKeyRotation = false"},
		{"Resources:\n  A:\n    Type: AWS::KMS::Alias\n    Properties: {TargetKeyId: !Ref K} # AWS::KMS::Key\n", ""},
		{"Resources:\n  R:\n    Type: AWS::KMS::ReplicaKey\n    Properties:\n      KeyPolicy: {}\n", ""},
		{"---\nother: document\n---\n" + cfn(""), "5 rotation-off AWS::KMS::Key K: no EnableKeyRotation"},
	})
	runCases(t, "Stack.template.json", []caseOf{
		{"{\"Resources\": {\n\"K\": {\n\"Type\": \"AWS::KMS::Key\",\n\"Properties\": {\n\"EnableKeyRotation\": false}}}}",
			"5 rotation-off AWS::KMS::Key K: EnableKeyRotation = false"},
		{"{\"Resources\": {\n\"K\": {\"Type\": \"AWS::KMS::Key\"}}}", off},
		{"{\"Resources\": {\"K\": {\"Type\": \"AWS::KMS::Key\", \"Properties\": {\"EnableKeyRotation\": \"true\"}}}}", ""},
	})
}

func TestPeriodAndWindow(t *testing.T) {
	tf := func(setting string) string { return key("enable_key_rotation = true\n" + setting) }
	runCases(t, "main.tf", []caseOf{
		{tf(`rotation_period_in_days = 90`), ""},
		{tf(`rotation_period_in_days = 2560`), ""},
		{tf(`rotation_period_in_days = "365"`), ""},
		{tf(`rotation_period_in_days = null`), ""},
		{tf(`rotation_period_in_days = 89`), "3 rotation-period aws_kms_key.k: rotation_period_in_days = 89"},
		{tf(`rotation_period_in_days = 2561`), "3 rotation-period aws_kms_key.k: rotation_period_in_days = 2561"},
		{tf(`rotation_period_in_days = 100.5`), "3 rotation-period aws_kms_key.k: rotation_period_in_days = 100.5"},
		{tf(`rotation_period_in_days = -365`), "3 rotation-period aws_kms_key.k: rotation_period_in_days = -365"},
		{tf(`rotation_period_in_days = "yearly"`), "3 rotation-period aws_kms_key.k: rotation_period_in_days = no number"},
		{tf(`rotation_period_in_days = var.days`), "3 unknown aws_kms_key.k: rotation_period_in_days depends on var.days"},
		{tf(`deletion_window_in_days = 30`), ""},
		{tf(`deletion_window_in_days = 14`), ""},
		{tf(`deletion_window_in_days = 13`), "3 deletion-window aws_kms_key.k: deletion_window_in_days = 13"},
		{tf(`deletion_window_in_days = 7`), "3 deletion-window aws_kms_key.k: deletion_window_in_days = 7"},
		{tf(`deletion_window_in_days = 6`), "3 deletion-window aws_kms_key.k: deletion_window_in_days = 6, which KMS refuses"},
		{tf(`deletion_window_in_days = 31`), "3 deletion-window aws_kms_key.k: deletion_window_in_days = 31, which KMS refuses"},
		{tf(`deletion_window_in_days = "x${var.days}"`), "3 unknown aws_kms_key.k: deletion_window_in_days depends on an expression"},
		{`resource "aws_kms_external_key" "k" { deletion_window_in_days = 7 }`, "1 deletion-window aws_kms_external_key.k: deletion_window_in_days = 7"},
		// All that is unknown of a key is one finding.
		{key("enable_key_rotation = var.a\nrotation_period_in_days = var.b\ndeletion_window_in_days = var.c\npolicy = var.d"),
			"2 unknown aws_kms_key.k: enable_key_rotation depends on var.a; rotation_period_in_days depends on var.b; deletion_window_in_days depends on var.c; policy depends on var.d"},
	})
	runCases(t, "stack.yaml", []caseOf{
		{cfn("EnableKeyRotation: true\nRotationPeriodInDays: 30\nPendingWindowInDays: 7"),
			"6 rotation-period AWS::KMS::Key K: RotationPeriodInDays = 30\n7 deletion-window AWS::KMS::Key K: PendingWindowInDays = 7"},
		{cfn("EnableKeyRotation: true\nRotationPeriodInDays: '365'\nPendingWindowInDays: 30"), ""},
	})
}

func TestReplicas(t *testing.T) {
	const main = "resource \"aws_kms_key\" \"k\" {\n  enable_key_rotation = true\n"
	const west = "resource \"aws_kms_replica_key\" \"west\" {\n  primary_key_arn = aws_kms_key.k.arn\n"
	const policy = "  policy = data.aws_iam_policy_document.k.json\n"
	const doc = "data \"aws_iam_policy_document\" \"k\" {}\n"
	runCases(t, "main.tf", []caseOf{
		{main + "}\n" + west + "}\n", ""}, // both have the default policy
		{doc + main + policy + "}\n" + west + "}\n", "6 replica-policy aws_kms_replica_key.west: no policy"},
		{doc + main + policy + "}\n" + west + policy + "}\n", ""},
		{west + "}\n", "1 replica-policy info aws_kms_replica_key.west: no policy"},
		{main + "}\n" + west + "}\nresource \"aws_kms_key_policy\" \"p\" {\n  key_id = aws_kms_key.k.id\n  policy = \"{}\"\n}\n",
			"4 replica-policy aws_kms_replica_key.west: no policy"},
		{doc + main + policy + "}\n" + west + "}\nresource \"aws_kms_key_policy\" \"p\" {\n  key_id = aws_kms_replica_key.west.id\n  policy = \"{}\"\n}\n", ""},
		{"resource \"aws_kms_replica_external_key\" \"west\" {\n  primary_key_arn = var.arn\n}\n",
			"1 replica-policy info aws_kms_replica_external_key.west: no policy"},
	})
	runCases(t, "stack.yaml", []caseOf{
		{"Resources:\n  R:\n    Type: AWS::KMS::ReplicaKey\n    Properties:\n      PrimaryKeyArn: !ImportValue Primary\n",
			"2 replica-policy info AWS::KMS::ReplicaKey R: no KeyPolicy"},
		{"Resources:\n  K:\n    Type: AWS::KMS::Key\n    Properties: {EnableKeyRotation: true, KeyPolicy: {Statement: []}}\n" +
			"  R:\n    Type: AWS::KMS::ReplicaKey\n    Properties:\n      PrimaryKeyArn: !GetAtt K.Arn\n",
			"5 replica-policy AWS::KMS::ReplicaKey R: no KeyPolicy"},
	})
}

func TestTerraformJSON(t *testing.T) {
	resource := func(body string) string { return `{"resource": {"aws_kms_key": {"k": ` + body + `}}` }
	runCases(t, "main.tf.json", []caseOf{
		{resource(`{}`) + "}", "1 rotation-off aws_kms_key.k: no enable_key_rotation"},
		{resource(`{"enable_key_rotation": true}`) + "}", ""},
		{resource(`[{"enable_key_rotation": "${false}"}]`) + "}", "1 rotation-off aws_kms_key.k: enable_key_rotation = false"},
		{resource(`{"enable_key_rotation": "${var.r}"}`) + "}", "1 unknown aws_kms_key.k: enable_key_rotation depends on var.r"},
		{resource(`{"enable_key_rotation": "${var.r}"}`) + ",\n\"variable\": {\"r\": {\"default\": false}}}", "1 rotation-off (medium) aws_kms_key.k: enable_key_rotation = false"},
		{resource(`{"enable_key_rotation": "${local.r}"}`) + ",\n\"locals\": {\"r\": \"${var.r}\"}, \"variable\": {\"r\": {\"default\": true}}}", ""},
		{resource(`{"enable_key_rotation": "${local.r}"}`) + ",\n\"locals\": {\"r\": \"${local.r}\"}}", "1 unknown aws_kms_key.k: enable_key_rotation depends on local.r"},
		{resource(`{"count": 0}`) + "}", ""},
		{resource("{\"enable_key_rotation\": true,\n\"policy\": \"${data.aws_iam_policy_document.d.json}\"}") +
			",\n\"data\": {\"aws_iam_policy_document\": {\"d\": {\"statement\": [{\n\"actions\": [\"kms:*\"], \"principals\": [{\"type\": \"AWS\", \"identifiers\": [\"*\"]}]}]}}}}",
			"3 wildcard-principal critical aws_kms_key.k: statement 1 allows everybody kms:*"},
	})
}

func TestPlan(t *testing.T) {
	change := func(after, unknown string) string {
		return "{\"format_version\": \"1.2\", \"resource_changes\": [{\n\"address\": \"module.m[\\\"a\\\"].aws_kms_key.k\", \"mode\": \"managed\", \"type\": \"aws_kms_key\",\n" +
			"\"change\": {\"actions\": [\"create\"], \"after\": " + after + ", \"after_unknown\": " + unknown + "}}]"
	}
	const configured = `, "configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [{"address": "aws_kms_key.k", "expressions": {"policy": {}}}]}}}}}`
	const name = `module.m["a"].aws_kms_key.k`
	runCases(t, "plan.json", []caseOf{
		{change(`{"enable_key_rotation": true}`, `{}`) + "}", ""},
		{change("{\n\"enable_key_rotation\": false, \"rotation_period_in_days\": null}", `{}`) + "}", "4 rotation-off " + name + ": enable_key_rotation = false"},
		{change(`null`, `{}`) + "}", ""}, // it is deleted
		{change(`{}`, `{}`) + "}", "2 rotation-off " + name + ": no enable_key_rotation"},
		{change(`{"enable_key_rotation": true}`, `{"policy": true}`) + "}", ""}, // nobody writes one
		{change(`{"enable_key_rotation": true}`, `{"policy": true}`) + configured + "}",
			"2 unknown " + name + ": policy depends on what is known after the plan is applied"},
		{change(`{"enable_key_rotation": true, "customer_master_key_spec": "SYMMETRIC_DEFAULT", "custom_key_store_id": "", "rotation_period_in_days": 0,
			"policy": "{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"*\"}, \"Action\": \"kms:*\"}]}"}`, `{}`) + "}",
			"4 wildcard-principal critical " + name + ": statement 1 allows everybody kms:*"},
		{`{"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [
{"address": "module.m.aws_kms_key.k", "type": "aws_kms_key", "values": {"enable_key_rotation": false}},
{"address": "module.m.data.aws_kms_key.k", "mode": "data", "type": "aws_kms_key", "values": {"enabled": false}}]}]}}}`,
			"2 rotation-off module.m.aws_kms_key.k: enable_key_rotation = false"},
	})
	if got := withoutKeys(`module.m["a\"]b"].aws_kms_key.k[0]`); got != "module.m.aws_kms_key.k" {
		t.Error(got)
	}
}

// What is written about one key must not hide what is wrong with another.
func TestSeveralResources(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"a", "b", "c"} {
		b.WriteString("resource \"aws_kms_key\" \"" + name + "\" {}\n")
	}
	if got := strings.Count(one(t, "main.tf", b.String()), "rotation-off"); got != 3 {
		t.Errorf("%d of 3 keys", got)
	}
}
