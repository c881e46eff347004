variable "name" {
  description = "Name of the topic and prefix of the rules."
  type        = string
  default     = "spillgate-kms"
}

variable "topic_key_arn" {
  description = "KMS key that encrypts the topic. Its policy must let events.amazonaws.com call kms:Decrypt and kms:GenerateDataKey; the default key of SNS cannot. Null for an unencrypted topic."
  type        = string
  default     = null
}

variable "emails" {
  description = "Addresses that are told; each must confirm the subscription."
  type        = list(string)
  default     = []
}

variable "config_rule" {
  description = "Make the rule of AWS Config that finds keys without rotation."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
