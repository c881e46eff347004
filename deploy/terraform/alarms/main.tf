# Tells of what happens to keys: rotations and deletions as KMS reports them,
# and the API calls by which a key is weakened or opened, as CloudTrail records
# them. CloudWatch has no metric for a rotation that did not happen; that is
# what the Config rule is for.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.47"
    }
  }
}

locals {
  # KMS sends "KMS CMK Rotation" on a best-effort basis.
  kms_events = ["KMS CMK Rotation", "KMS Imported Key Material Expiration", "KMS CMK Deletion"]

  # CreateGrant is as strong as Decrypt: a grant lets others use the key. A
  # replica has a policy of its own.
  watched_calls = [
    "CreateGrant",
    "DeleteImportedKeyMaterial",
    "DisableKey",
    "DisableKeyRotation",
    "PutKeyPolicy",
    "ReplicateKey",
    "RevokeGrant",
    "ScheduleKeyDeletion",
  ]
}

resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = var.topic_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "EventBridgePublishes"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.kms.arn, aws_cloudwatch_event_rule.calls.arn]
    }
  }
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.emails)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_event_rule" "kms" {
  name        = "${var.name}-kms"
  description = "Rotations and deletions of KMS keys"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.kms"]
    detail-type = local.kms_events
  })
}

resource "aws_cloudwatch_event_rule" "calls" {
  name        = "${var.name}-calls"
  description = "API calls that weaken or open a KMS key"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.kms"]
    detail-type = ["AWS API Call via CloudTrail"]
    detail = {
      eventSource = ["kms.amazonaws.com"]
      eventName   = local.watched_calls
    }
  })
}

resource "aws_cloudwatch_event_target" "kms" {
  rule = aws_cloudwatch_event_rule.kms.name
  arn  = aws_sns_topic.this.arn
}

resource "aws_cloudwatch_event_target" "calls" {
  rule = aws_cloudwatch_event_rule.calls.name
  arn  = aws_sns_topic.this.arn
}

# Needs a configuration recorder in the account and Region.
resource "aws_config_config_rule" "rotation" {
  count = var.config_rule ? 1 : 0

  name        = "${var.name}-rotation"
  description = "Customer-managed keys that can rotate do"
  tags        = var.tags

  source {
    owner             = "AWS"
    source_identifier = "CMK_BACKING_KEY_ROTATION_ENABLED"
  }
}
