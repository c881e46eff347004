output "task_role_arn" {
  description = "ARN of the server's role: what the live roles trust."
  value       = aws_iam_role.task.arn
}

output "file_system_id" {
  description = "Id of the file system; put server.toml there."
  value       = aws_efs_file_system.this.id
}
