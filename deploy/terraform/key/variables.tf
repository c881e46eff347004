variable "name" {
  description = "Name of the alias, without alias/."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "A name has 1 to 250 letters, digits, slashes, hyphens and underscores, and does not begin with aws/."
  }
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "rotation_period_in_days" {
  description = "Days between automatic rotations."
  type        = number
  default     = 365

  validation {
    condition     = var.rotation_period_in_days >= 90 && var.rotation_period_in_days <= 2560
    error_message = "KMS allows 90 to 2560 days."
  }
}

variable "deletion_window_in_days" {
  description = "Days in which a scheduled deletion can be taken back."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "KMS allows 7 to 30 days."
  }
}

variable "multi_region" {
  description = "Make a multi-Region primary key. It cannot be changed later."
  type        = bool
  default     = false
}

variable "administrators" {
  description = "ARNs of the principals that manage the key and cannot use it."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for a in var.administrators : can(regex("^arn:", a))])
    error_message = "Name principals by their ARNs; a * would let in every AWS account."
  }
}

variable "users" {
  description = "ARNs of the principals that encrypt and decrypt."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for u in var.users : can(regex("^arn:", u))])
    error_message = "Name principals by their ARNs; a * would let in every AWS account."
  }
}

variable "encryption_context" {
  description = "Encryption context that users must give, such as { service = \"payroll\" }."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags. spillgate:no-rotate keeps every response from rotating the key."
  type        = map(string)
  default     = {}
}
