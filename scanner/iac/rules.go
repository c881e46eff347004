package iac

import "github.com/spillgate/spillgate/rules"

// A ruleNumber is an index of ruleTable.
type ruleNumber uint8

const (
	ruleRotation ruleNumber = iota
	rulePeriod
	ruleWindow
	rulePrincipal
	ruleReplica
	ruleUnknown
)

// rule returns the rule of that number.
func (n ruleNumber) rule() *rules.Rule { return &ruleTable[n] }

// Rules returns the rules of the checks. They have no patterns; their examples,
// in Match what is found and in Clean what is not, are files of Terraform. What
// they hold is not to be changed.
func Rules() []rules.Rule { return ruleTable[:] }

// Rule returns the rule with the given id, or nil.
func Rule(id string) *rules.Rule {
	for i := range ruleTable {
		if ruleTable[i].ID == id {
			return &ruleTable[i]
		}
	}
	return nil
}

// provider is the heading of the rules in catalogues.
const provider = "AWS infrastructure as code"

var ruleTable = [...]rules.Rule{
	ruleRotation: {
		ID: "iac-kms-rotation-off", Provider: provider, Title: "KMS key without automatic rotation",
		Why: "KMS would make new key material every year by itself, without a change for whoever uses the key; benchmarks such as CIS's ask for it. " +
			"Asymmetric and HMAC keys, custom key stores, imported material and replicas cannot rotate so and are left out. " +
			"Checkov CKV_AWS_7, tfsec aws-kms-auto-rotate-keys, Trivy AVD-AWS-0065, cfn-nag F19, KICS 22fbfeac-7b5a-421a-8a27-7a2178bb910b, Security Hub KMS.4.",
		Fix: "Set enable_key_rotation = true (EnableKeyRotation in CloudFormation, enableKeyRotation in CDK). The key keeps its ARN, and what it encrypted can still be decrypted. " +
			`To let this fail a run, raise it in .spillgate.toml: [rules.iac-kms-rotation-off] severity = "medium".`,
		References: []string{
			"https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
			"https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html",
		},
		Severity: rules.Low, Confidence: rules.ConfidenceHigh, Identifier: true, TextOnly: true, Tags: []string{"aws", "kms", "iac"},
		Match: []string{"resource \"aws_kms_key\" \"main\" {\n  description = \"orders\"\n}\n",
			"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation = false\n}\n"},
		Clean: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation = true\n}\n",
			"resource \"aws_kms_key\" \"main\" {\n  customer_master_key_spec = \"RSA_4096\"\n  key_usage = \"SIGN_VERIFY\"\n}\n"},
	},
	rulePeriod: {
		ID: "iac-kms-rotation-period", Provider: provider, Title: "KMS rotation period out of bounds",
		Why: "KMS takes a rotation period of 90 to 2560 days and refuses any other, so that the key is not deployed, or goes on without the rotation that this file promises.",
		Fix: "Set rotation_period_in_days (RotationPeriodInDays) to 90 to 2560 days, or leave it out for 365.",
		References: []string{
			"https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html",
			"https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html",
		},
		Severity: rules.Low, Confidence: rules.ConfidenceHigh, Identifier: true, TextOnly: true, Tags: []string{"aws", "kms", "iac"},
		Match: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation     = true\n  rotation_period_in_days = 30\n}\n"},
		Clean: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation     = true\n  rotation_period_in_days = 180\n}\n"},
	},
	ruleWindow: {
		ID: "iac-kms-deletion-window", Provider: provider, Title: "KMS key with a short waiting period before its deletion",
		Why: "Whatever is encrypted under a deleted key is lost for good; the waiting period is the time in which somebody can notice and cancel. " +
			"KMS takes 7 to 30 days; less than 14 is short.",
		Fix: "Leave deletion_window_in_days (PendingWindowInDays) at its default of 30, and watch for the event of a scheduled deletion.",
		References: []string{
			"https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
			"https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
		},
		Severity: rules.Low, Confidence: rules.ConfidenceHigh, Identifier: true, TextOnly: true, Tags: []string{"aws", "kms", "iac"},
		Match: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation     = true\n  deletion_window_in_days = 7\n}\n"},
		Clean: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation     = true\n  deletion_window_in_days = 30\n}\n"},
	},
	rulePrincipal: {
		ID: "iac-kms-wildcard-principal", Provider: provider, Title: "KMS key policy for everybody",
		Why: "The principal * is every identity in every AWS account: with it a key's ARN is all that a stranger lacks. It is medium for what reads or encrypts, " +
			"high with Decrypt, ReEncrypt, CreateGrant or PutKeyPolicy, and critical with kms:*. Checkov CKV_AWS_33, Security Hub KMS.5.",
		Fix: "Name the principals, or add a condition that tells yours from the others: aws:PrincipalOrgID, aws:SourceAccount, kms:CallerAccount with kms:ViaService. " +
			"The account's root with kms:*, as in the default key policy, leaves it to IAM and is no finding. An ARN of a key in this file is found by aws-kms-key-arn.",
		References: []string{
			"https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
		},
		Severity: rules.Medium, Confidence: rules.ConfidenceHigh, Identifier: true, TextOnly: true, Tags: []string{"aws", "kms", "iac", "cwe-732"},
		Match: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation = true\n  policy = jsonencode({\n    Version = \"2012-10-17\"\n" +
			"    Statement = [{\n      Effect = \"Allow\", Principal = \"*\", Action = \"kms:*\", Resource = \"*\"\n    }]\n  })\n}\n"},
		Clean: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation = true\n  policy = jsonencode({\n    Version = \"2012-10-17\"\n" +
			"    Statement = [{\n      Effect = \"Allow\", Principal = \"*\", Action = \"kms:*\", Resource = \"*\"\n" +
			"      Condition = { StringEquals = { \"aws:PrincipalOrgID\" = \"o-a1b2c3d4e5\" } }\n    }]\n  })\n}\n"},
	},
	ruleReplica: {
		ID: "iac-kms-replica-policy", Provider: provider, Title: "KMS replica key without its primary's policy",
		Why: "The replicas of a multi-Region key hold the same key material and each has a key policy of its own; without one it is the default, which leaves all to IAM in its account, " +
			"however narrow that of the primary is. It is info where the primary is in another file.",
		Fix: "Give every replica the policy of its primary: write it once and use it in both.",
		References: []string{
			"https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html",
			"https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
		},
		Severity: rules.Low, Confidence: rules.ConfidenceHigh, Identifier: true, TextOnly: true, Tags: []string{"aws", "kms", "iac", "cwe-732"},
		Match: []string{"resource \"aws_kms_replica_key\" \"west\" {\n  primary_key_arn = aws_kms_key.main.arn\n}\n"},
		Clean: []string{"resource \"aws_kms_replica_key\" \"west\" {\n  primary_key_arn = aws_kms_key.main.arn\n" +
			"  policy          = \"{\\\"Statement\\\": []}\"\n}\n"},
	},
	ruleUnknown: {
		ID: "iac-kms-unknown", Provider: provider, Title: "KMS key with settings that this file does not tell",
		Why: "A setting that is checked depends on something outside this file, such as a variable without a default: it may be as it should be or not. " +
			"Variables, local values, parameters and policy documents of the same file are followed.",
		Fix:        "Scan the plan as well (terraform show -json), in which everything has its value, or give the variable a safe default.",
		References: []string{"https://developer.hashicorp.com/terraform/cli/commands/show"},
		Severity:   rules.Info, Confidence: rules.ConfidenceHigh, Identifier: true, TextOnly: true, Tags: []string{"aws", "kms", "iac"},
		Match: []string{"resource \"aws_kms_key\" \"main\" {\n  enable_key_rotation = var.rotate\n}\n"},
		Clean: []string{"variable \"rotate\" {\n  default = true\n}\n\nresource \"aws_kms_key\" \"main\" {\n  enable_key_rotation = var.rotate\n}\n"},
	},
}
