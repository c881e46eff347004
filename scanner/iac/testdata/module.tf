# A module with everything in one file, as small teams write it.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

variable "environment" {
  type    = string
  default = "dev"
}

variable "rotate_logs_key" {
  description = "Whether KMS makes new material for the key of the logs."
  type        = bool
  default     = false
}

variable "backup_window" {
  type = number
}

locals {
  production = var.environment == "prod"
  windows = {
    orders  = 30
    scratch = 7
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

data "aws_iam_policy_document" "orders" {
  statement {
    sid       = "AccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "Services"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:CallerAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["s3.*.amazonaws.com"]
    }
  }
}

# As it should be.
resource "aws_kms_key" "orders" {
  description             = "orders"
  enable_key_rotation     = true
  rotation_period_in_days = 180
  deletion_window_in_days = local.windows.orders
  policy                  = data.aws_iam_policy_document.orders.json
}

resource "aws_kms_alias" "orders" {
  name          = "alias/orders"
  target_key_id = aws_kms_key.orders.key_id
}

# Off by the default of a variable, and gone soon.
resource "aws_kms_key" "logs" {
  description             = "logs"
  enable_key_rotation     = var.rotate_logs_key
  deletion_window_in_days = local.windows["scratch"]
}

# Depends on who calls.
resource "aws_kms_key" "backup" {
  description             = "backup"
  enable_key_rotation     = true
  deletion_window_in_days = var.backup_window
}

# Follows the default of the environment.
resource "aws_kms_key" "cache" {
  description         = "cache"
  enable_key_rotation = local.production
}

# Everybody may write, and whoever has the right header may read.
resource "aws_kms_key" "uploads" {
  description         = "uploads"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Upload"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["kms:Encrypt", "kms:GenerateDataKey"]
        Resource  = "*"
      },
      {
        Sid       = "Download"
        Effect    = "Allow"
        Principal = { AWS = ["*"] }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = { Bool = { "aws:SecureTransport" = "true" } }
      },
    ]
  })
}

# Cannot rotate by itself.
resource "aws_kms_key" "signing" {
  description              = "signatures"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P384"
}

resource "aws_kms_external_key" "imported" {
  description             = "brought along"
  deletion_window_in_days = 10
}
