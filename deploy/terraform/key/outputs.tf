output "arn" {
  description = "ARN of the key. Hand it on by reference; do not write it into code."
  value       = aws_kms_key.this.arn
}

output "key_id" {
  description = "Id of the key."
  value       = aws_kms_key.this.key_id
}

output "alias" {
  description = "Name of the alias: what code should use."
  value       = aws_kms_alias.this.name
}
