output "read_role_arn" {
  description = "ARN of the role that reads."
  value       = aws_iam_role.read.arn
}

output "respond_role_arn" {
  description = "ARN of the role that responds; null where there is none."
  value       = one(aws_iam_role.respond[*].arn)
}
