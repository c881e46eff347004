variable "name" {
  description = "Name of everything."
  type        = string
  default     = "spillgate"
}

variable "image" {
  description = "Image of the server, by digest (name@sha256:…)."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest; a tag can be moved."
  }
}

variable "image_repository_arn" {
  description = "ARN of the ECR repository of the image; null where it is elsewhere."
  type        = string
  default     = null
}

variable "vpc_id" {
  description = "VPC of the server."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets with a way out to the code hosts."
  type        = list(string)
}

variable "load_balancer_security_group_id" {
  description = "Security group of the load balancer."
  type        = string
}

variable "target_group_arn" {
  description = "Target group of the load balancer: type ip, HTTP, health check /readyz."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the files and the log; null for AWS's own. See the module key."
  type        = string
  default     = null
}

variable "secrets" {
  description = "ARNs of the secrets by the names of the environment variables that server.toml refers to."
  type        = map(string)
  default     = {}
}

variable "live_role_arns" {
  description = "Roles that the server may take. See the module roles."
  type        = list(string)
  default     = []
}

variable "cpu" {
  description = "CPU units of the task."
  type        = number
  default     = 1024
}

variable "memory" {
  description = "Memory of the task in MiB."
  type        = number
  default     = 4096
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
