variable "name" {
  description = "Prefix of the roles' names."
  type        = string
  default     = "spillgate"
}

variable "respond" {
  description = "Make the role that changes something. Off until it is wanted."
  type        = bool
  default     = false
}

variable "trusted_role_arns" {
  description = "ARNs of the roles that may take these."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for a in var.trusted_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/", a))])
    error_message = "Name roles or users by their ARNs, and neither a whole account nor *."
  }
}

variable "github_repository" {
  description = "Repository (owner/name) whose jobs in the environment may take these; null for none. The account needs GitHub's OIDC provider."
  type        = string
  default     = null
}

variable "github_environment" {
  description = "Protected environment of the repository."
  type        = string
  default     = "spillgate"
}

variable "respond_key_arns" {
  description = "Keys that may be answered for; empty for all of the account."
  type        = list(string)
  default     = []
}

variable "respond_secret_arns" {
  description = "Secrets of Secrets Manager that may be rotated."
  type        = list(string)
  default     = []
}

variable "allow_access_keys" {
  description = "Let the respond role deactivate access keys of IAM users."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the roles."
  type        = map(string)
  default     = {}
}
