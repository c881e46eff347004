# A key in two Regions. The policy of the first is no property that is shared.
resource "aws_kms_key" "primary" {
  provider            = aws.ireland
  description         = "shared"
  multi_region        = true
  enable_key_rotation = true
  policy              = file("${path.module}/policy.json")
}

resource "aws_kms_replica_key" "frankfurt" {
  provider        = aws.frankfurt
  primary_key_arn = aws_kms_key.primary.arn
}

resource "aws_kms_replica_key" "paris" {
  provider                = aws.paris
  primary_key_arn         = aws_kms_key.primary.arn
  deletion_window_in_days = 31
}

resource "aws_kms_key_policy" "paris" {
  provider = aws.paris
  key_id   = aws_kms_replica_key.paris.key_id
  policy   = <<-POLICY
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "${var.project}-team",
          "Effect": "Allow",
          "Principal": {"AWS": "arn:aws:iam::${var.account}:role/team"},
          "Action": "kms:*",
          "Resource": "*"
        },
        {
          "Sid": "Anyone",
          "Effect": "Allow",
          "Principal": {"AWS": "*"},
          "Action": ["kms:CreateGrant", "kms:ListGrants"],
          "Resource": "*"
        }
      ]
    }
  POLICY
}
