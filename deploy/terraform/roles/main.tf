# The two roles of the live stage: one reads, one responds. They are apart so
# that what looks at findings cannot change anything, and so that switching the
# response off is deleting one role.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.47"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  keys    = ["arn:${data.aws_partition.current.partition}:kms:*:${local.account}:key/*"]
  users   = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:user/*"]

  # What is answered with is narrower than what is read.
  respond_keys = length(var.respond_key_arns) == 0 ? local.keys : var.respond_key_arns
}

data "aws_iam_policy_document" "read" {
  statement {
    sid = "ReadKeys"
    actions = [
      "kms:DescribeKey",
      "kms:GetKeyLastUsage",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:ListGrants",
      "kms:ListKeyRotations",
      "kms:ListResourceTags",
    ]
    resources = local.keys
  }

  # These have no resource of their own, or are asked before one is known.
  statement {
    sid = "ListAndLookUp"
    actions = [
      "account:ListRegions",
      "cloudtrail:LookupEvents",
      "kms:ListAliases",
      "kms:ListKeys",
      "sts:GetAccessKeyInfo",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "ReadAccessKeys"
    actions   = ["iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"]
    resources = local.users
  }

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:DescribeSecret"]
    resources = ["arn:${data.aws_partition.current.partition}:secretsmanager:*:${local.account}:secret:*"]
  }
}

data "aws_iam_policy_document" "respond" {
  # The answer is made from what is read again just before it.
  source_policy_documents = [data.aws_iam_policy_document.read.json]

  statement {
    sid       = "RotateKeys"
    actions   = ["kms:EnableKeyRotation", "kms:RotateKeyOnDemand"]
    resources = local.respond_keys

    # The tag wins over everything, here and in the program.
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/spillgate:no-rotate"
      values   = ["true"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [local.account]
    }
  }

  statement {
    sid       = "RevokeGrants"
    actions   = ["kms:RevokeGrant"]
    resources = local.respond_keys

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [local.account]
    }
  }

  dynamic "statement" {
    for_each = var.allow_access_keys ? [1] : []

    content {
      sid       = "DeactivateAccessKeys"
      actions   = ["iam:UpdateAccessKey"]
      resources = local.users
    }
  }

  dynamic "statement" {
    for_each = length(var.respond_secret_arns) == 0 ? [] : [var.respond_secret_arns]

    content {
      sid       = "RotateSecrets"
      actions   = ["secretsmanager:RotateSecret"]
      resources = statement.value

      condition {
        test     = "Null"
        variable = "aws:ResourceTag/spillgate:no-rotate"
        values   = ["true"]
      }
    }
  }

  # Rotating a secret calls the function that its owner has given it.
  dynamic "statement" {
    for_each = length(var.respond_secret_arns) == 0 ? [] : [1]

    content {
      sid       = "RotateSecretsCallsTheirFunction"
      actions   = ["lambda:InvokeFunction"]
      resources = ["arn:${data.aws_partition.current.partition}:lambda:*:${local.account}:function:SecretsManager*"]
    }
  }
}

# Who may take the roles: a principal of AWS (the server's task role), or a job
# of GitHub Actions in a protected environment, which no pull request reaches.
data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = length(var.trusted_role_arns) == 0 ? [] : [var.trusted_role_arns]

    content {
      actions = ["sts:AssumeRole"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = var.github_repository == null ? [] : [var.github_repository]

    content {
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:oidc-provider/token.actions.githubusercontent.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "token.actions.githubusercontent.com:aud"
        values   = ["sts.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "token.actions.githubusercontent.com:sub"
        values   = ["repo:${statement.value}:environment:${var.github_environment}"]
      }
    }
  }
}

resource "aws_iam_role" "read" {
  name                 = "${var.name}-read"
  description          = "Spillgate reads what KMS keys are and who can use them"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
  tags                 = var.tags
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.read.id
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role" "respond" {
  count = var.respond ? 1 : 0

  name                 = "${var.name}-respond"
  description          = "Spillgate rotates keys and revokes grants"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
  tags                 = var.tags
}

resource "aws_iam_role_policy" "respond" {
  count = var.respond ? 1 : 0

  name   = "respond"
  role   = aws_iam_role.respond[0].id
  policy = data.aws_iam_policy_document.respond.json
}
