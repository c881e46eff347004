package iac

import (
	"strings"
	"testing"
)

// statement returns a key in Terraform whose policy has one statement, in JSON.
func statementJSON(body string) string {
	return "resource \"aws_kms_key\" \"k\" {\n  enable_key_rotation = true\n  policy = <<-EOF\n    {\n      \"Statement\": [\n" + body + "\n      ]\n    }\n  EOF\n}\n"
}

// everybody is what is found in a statement on line 6.
func everybodyMay(what, severity string) string {
	if severity != "" {
		severity += " "
	}
	return "6 wildcard-principal " + severity + "aws_kms_key.k: statement 1 allows everybody " + what
}

func TestPrincipals(t *testing.T) {
	st := func(principal, rest string) string {
		return statementJSON(`{"Effect": "Allow", ` + principal + `, ` + rest + `}`)
	}
	const all = `"Action": "kms:*", "Resource": "*"`
	runCases(t, "main.tf", []caseOf{
		{st(`"Principal": "*"`, all), everybodyMay("kms:*", "critical")},
		{st(`"Principal": {"AWS": "*"}`, all), everybodyMay("kms:*", "critical")},
		{st(`"principal": {"aws": ["arn:aws:iam::471938265017:root", "*"]}`, all), everybodyMay("kms:*", "critical")},
		{st(`"NotPrincipal": {"AWS": "arn:aws:iam::471938265017:root"}`, all), everybodyMay("kms:*", "critical")},
		{st(`"Principal": {"AWS": "arn:aws:iam::471938265017:root"}`, all), ""},
		{st(`"Principal": {"Service": "logs.eu-west-1.amazonaws.com"}`, all), ""},
		{st(`"Principal": {"Service": "*"}`, all), ""},
		{strings.Replace(st(`"Principal": "*"`, all), "Allow", "Deny", 1), ""},
		// how bad
		{st(`"Principal": "*"`, `"NotAction": "kms:Delete*"`), everybodyMay("all actions but some", "critical")},
		{st(`"Principal": "*"`, `"Action": ["kms:De*", "kms:Put*"]`), everybodyMay("kms:De*, kms:Put*", "critical")},
		{st(`"Principal": "*"`, `"Action": "kms:Decrypt"`), everybodyMay("kms:Decrypt", "high")},
		{st(`"Principal": "*"`, `"Action": "KMS:reencrypt*"`), everybodyMay("KMS:reencrypt*", "high")},
		{st(`"Principal": "*"`, `"Action": "kms:CreateGrant"`), everybodyMay("kms:CreateGrant", "high")},
		{st(`"Principal": "*"`, `"Action": ["kms:Describe*", "kms:Encrypt"]`), everybodyMay("kms:Describe*, kms:Encrypt", "")},
		// holes
		{st(`"Principal": {"AWS": "${var.who}"}`, all), "3 unknown aws_kms_key.k: policy depends on an expression"},
		{st(`"Principal": {"AWS": "arn:aws:iam::${var.account}:root"}`, all), ""},
		{st(`"Principal": {"AWS": "${aws_iam_role.r.arn}"}`, all), ""}, // names one
		{st(`"Principal": ${jsonencode(var.who)}`, all), "3 unknown aws_kms_key.k: policy depends on parts of the text"},
		{"variable \"who\" { default = \"*\" }\n" + st(`"Principal": {"AWS": "${var.who}"}`, all), strings.Replace(everybodyMay("kms:*", "critical (medium)"), "6", "7", 1)},
	})
}

func TestConditions(t *testing.T) {
	st := func(condition string) string {
		return statementJSON(`{"Effect": "Allow", "Principal": "*", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Condition": {` + condition + `}}`)
	}
	const narrow, wide = "", "high"
	for condition, want := range map[string]string{
		`"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`:                                                                narrow,
		`"StringEquals": {"kms:CallerAccount": "471938265017", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}`:                 narrow,
		`"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}`:                                                 narrow,
		`"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:471938265017:trail/*"}`:                                             narrow,
		`"ArnLike": {"aws:SourceArn": "arn:aws:s3:::a-bucket"}`:                                                                 narrow,
		`"StringEquals": {"AWS:sourceaccount": "${var.account}"}`:                                                               narrow,
		`"Bool": {"kms:GrantIsForAWSResource": true}`:                                                                           narrow,
		`"Bool": {"kms:GrantIsForAWSResource": "false"}`:                                                                        wide,
		`"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}`:                                                                       narrow,
		`"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}`:                                                        wide,
		`"StringLike": {"aws:PrincipalOrgID": "*"}`:                                                                             wide,
		`"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}`:                                                          wide,
		`"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`:                                                             wide,
		`"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}`:                                                        wide,
		`"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/"}`:                                               wide,
		`"Null": {"aws:PrincipalOrgID": "false"}`:                                                                               wide,
		`"Bool": {"aws:SecureTransport": "true"}`:                                                                               wide,
		`"StringEquals": {"kms:EncryptionContext:app": "orders"}`:                                                               wide, // of DescribeKey it says nothing
		`"StringLike": {"aws:PrincipalOrgID": "*"}, "StringEquals": {"aws:PrincipalAccount": ["471938265017", "561029384756"]}`: narrow,
	} {
		if want != "" {
			want = everybodyMay("kms:Decrypt, kms:DescribeKey", want)
		}
		if got := one(t, "main.tf", st(condition)); got != want {
			t.Errorf("%s\n%s\nwant %s", condition, got, want)
		}
	}
	context := statementJSON(`{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Condition": {"StringEquals": {"kms:EncryptionContext:app": "orders"}}}`)
	if got := one(t, "main.tf", context); got != "" {
		t.Error(got)
	}
}

func TestDenied(t *testing.T) {
	st := func(deny string) string {
		return statementJSON(`{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}, {"Effect": "Deny", ` + deny + `}`)
	}
	for deny, safe := range map[string]bool{
		`"Principal": "*", "Action": "kms:*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}`:                                                  true,
		`"Principal": {"AWS": "*"}, "Action": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}`:                                     true,
		`"NotPrincipal": {"AWS": "arn:aws:iam::471938265017:root"}, "Action": "kms:*"`:                                                                                   true,
		`"Principal": "*", "Action": "kms:Delete*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}`:                                            false,
		`"Principal": "*", "Action": "kms:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}`:                                                                   false,
		`"Principal": "*", "Action": "kms:*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "Bool": {"aws:MultiFactorAuthPresent": "false"}}`: false,
		`"Principal": {"AWS": "arn:aws:iam::471938265017:root"}, "Action": "kms:*"`:                                                                                      false,
	} {
		if got := one(t, "main.tf", st(deny)); (got == "") != safe {
			t.Errorf("%s: %q", deny, got)
		}
	}
}

func TestPolicyDocuments(t *testing.T) {
	const wide = "  statement {\n    sid     = \"Open\"\n    actions = [\"kms:*\"]\n    principals {\n      type        = \"AWS\"\n      identifiers = [\"*\"]\n    }\n"
	const condition = "    condition {\n      test     = \"StringEquals\"\n      variable = \"aws:PrincipalOrgID\"\n      values   = [var.org]\n    }\n"
	doc := func(name, body string) string {
		return "data \"aws_iam_policy_document\" \"" + name + "\" {\n" + body + "}\n"
	}
	const of = "resource \"aws_kms_key\" \"k\" {\n  enable_key_rotation = true\n  policy = data.aws_iam_policy_document.d"
	const critical = `wildcard-principal critical aws_kms_key.k: statement "Open" allows everybody kms:*`
	runCases(t, "main.tf", []caseOf{
		{doc("d", wide+"  }\n") + of + ".json\n}\n", "2 " + critical},
		{doc("d", wide+"  }\n") + of + "[0].json\n}\n", "2 " + critical},
		{doc("d", wide+"  }\n") + of + "[var.i].minified_json\n}\n", "2 " + critical},
		{doc("d", wide+condition+"  }\n") + of + ".json\n}\n", ""},
		{doc("d", strings.NewReplacer("principals {", "not_principals {", "\"*\"", "\"arn:aws:iam::471938265017:role/ci\"").Replace(wide)+"  }\n") + of + ".json\n}\n", "2 " + critical},
		{doc("d", strings.Replace(wide, "actions = [\"kms:*\"]", "not_actions = [\"kms:ScheduleKeyDeletion\"]", 1)+"  }\n") + of + ".json\n}\n",
			`2 wildcard-principal critical aws_kms_key.k: statement "Open" allows everybody all actions but some`},
		{doc("d", strings.Replace(wide, "sid ", "effect = \"Deny\"\n    sid ", 1)+"  }\n") + of + ".json\n}\n", ""},
		{doc("d", "  source_policy_documents = [data.aws_iam_policy_document.e.json]\n") + doc("e", wide+"  }\n") + of + ".json\n}\n", "5 " + critical},
		{doc("d", "  source_policy_documents = [data.aws_iam_policy_document.d.json]\n") + of + ".json\n}\n",
			"6 unknown aws_kms_key.k: policy depends on data.aws_iam_policy_document.d.json"},
		{doc("d", "  source_policy_documents = var.more\n") + of + ".json\n}\n", "6 unknown aws_kms_key.k: policy depends on var.more"},
		{doc("d", "  dynamic \"statement\" {\n    for_each = var.all\n    content {}\n  }\n") + of + ".json\n}\n", "9 unknown aws_kms_key.k: policy depends on dynamic blocks"},
		{of + ".json\n}\n", "3 unknown aws_kms_key.k: policy depends on data.aws_iam_policy_document.d.json"},
		{doc("d", wide+"  }\n"), ""}, // of nothing that is a key
	})
}

func TestPolicyObjects(t *testing.T) {
	of := func(policy string) string { return key("enable_key_rotation = true\npolicy = " + policy) }
	const wide = `{ Effect = "Allow", Principal = { AWS = "*" }, Action = ["kms:Encrypt"] }`
	const found = "wildcard-principal aws_kms_key.k: statement 1 allows everybody kms:Encrypt"
	runCases(t, "main.tf", []caseOf{
		{of("jsonencode({\nStatement = [\n" + wide + "]\n})"), "5 " + found},
		{of("jsonencode({ Statement = " + wide + " })"), "3 " + found},
		{of("jsonencode({ Statement = concat([\n" + wide + "], var.more) })"), "4 " + found + "\n3 unknown aws_kms_key.k: policy depends on var.more"},
		{of("jsonencode({ Statement = [merge(" + wide + ", { Condition = {} })] })"), "3 " + found},
		{of("jsonencode(var.policy)"), "3 unknown aws_kms_key.k: policy depends on jsonencode(var.policy)"},
		{of("jsonencode({ (var.key) = [" + wide + "] })"), "3 unknown aws_kms_key.k: policy depends on keys that are computed"},
		{of(`templatefile("policy.json", {})`), `3 unknown aws_kms_key.k: policy depends on templatefile("…", {})`},
		{of(`"{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"kms:Encrypt\"}}"`), "3 " + found},
		{of(`"no policy"`), "3 unknown aws_kms_key.k: policy depends on a text that is no policy"},
		{"resource \"aws_kms_key_policy\" \"p\" {\n  key_id = var.id\n  policy = jsonencode({ Statement = " + wide + " })\n}\n",
			strings.Replace("3 "+found, "aws_kms_key.k", "aws_kms_key_policy.p", 1)},
	})
	runCases(t, "stack.yaml", []caseOf{
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - Sid: Root\n      Effect: Allow\n      Principal: {AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'}\n      Action: kms:*"), ""},
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - Sid: Open\n      Effect: Allow\n      Principal: '*'\n      Action: kms:*"),
			`8 wildcard-principal critical AWS::KMS::Key K: statement "Open" allows everybody kms:*`},
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - Effect: Allow\n      Principal: {AWS: '*'}\n      Action: kms:*\n      Condition: {StringEquals: {aws:PrincipalOrgID: !Ref Org}}"), ""},
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'kms:*'}"), ""},
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - {Effect: Allow, Principal: {AWS: !Ref Who}, Action: 'kms:*'}"),
			"6 unknown AWS::KMS::Key K: KeyPolicy depends on Who"},
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - !If [Open, {Effect: Allow, Principal: '*', Action: 'kms:*'}, !Ref AWS::NoValue]"),
			"6 unknown AWS::KMS::Key K: KeyPolicy depends on the condition Open"},
		{"Parameters: {Who: {Type: CommaDelimitedList, Default: '471938265017, *'}}\n" + cfn("EnableKeyRotation: true\nKeyPolicy:\n  Statement:\n    - Effect: Allow\n      Principal: {AWS: !Ref Who}\n      Action: kms:Decrypt"),
			"9 wildcard-principal high (medium) AWS::KMS::Key K: statement 1 allows everybody kms:Decrypt"},
	})
}

// A statement is found where it stands, in a text too.
func TestPlacesInTexts(t *testing.T) {
	const policy = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Open",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "kms:*"
    }
  ]
}`
	body := strings.TrimSuffix(indent(policy, "    "), "\n")
	const found = `: statement "Open" allows everybody kms:*`
	runCases(t, "main.tf", []caseOf{
		{key("enable_key_rotation = true\npolicy = <<EOF\n" + policy + "\nEOF"), "7 wildcard-principal critical aws_kms_key.k" + found},
		{key("enable_key_rotation = true\npolicy = <<-EOF\n" + body + "\n    EOF"), "7 wildcard-principal critical aws_kms_key.k" + found},
		{key("enable_key_rotation = true\npolicy = <<-EOF\n" + strings.Replace(body, "2012-10-17", "${var.version}", 1) + "\n    EOF"), "7 wildcard-principal critical aws_kms_key.k" + found},
		{key("enable_key_rotation = true\npolicy = jsonencode(jsondecode(<<-EOF\n" + body + "\n    EOF\n))"), "7 wildcard-principal critical aws_kms_key.k" + found},
	})
	runCases(t, "stack.yaml", []caseOf{
		{cfn("EnableKeyRotation: true\nKeyPolicy: |\n" + body), "10 wildcard-principal critical AWS::KMS::Key K" + found},
		{cfn("EnableKeyRotation: true\nKeyPolicy:\n" + body), "10 wildcard-principal critical AWS::KMS::Key K" + found},
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, action string
		want            bool
	}{
		{"kms:*", "kms:Decrypt", true}, {"*", "kms:Decrypt", true}, {"kms:decrypt", "kms:Decrypt", true}, {"kms:De*t", "kms:Decrypt", true},
		{"kms:Decryp?", "kms:Decrypt", true}, {"kms:*Grant", "kms:CreateGrant", true}, {"kms:*t*t", "kms:CreateGrant", true},
		{"kms:Encrypt", "kms:Decrypt", false}, {"kms:Decrypt*x", "kms:Decrypt", false}, {"", "kms:Decrypt", false}, {"kms:Decrypt?", "kms:Decrypt", false},
		{"s3:*", "kms:Decrypt", false},
	} {
		if got := covers(c.pattern, c.action); got != c.want {
			t.Errorf("covers(%q, %q) = %v", c.pattern, c.action, got)
		}
	}
}
