package live

import (
	"strings"
)

// kmsActions are the actions of KMS that a key policy or a grant can allow on
// a key, without their "kms:". A pattern in a policy (kms:De*) is spread over
// this list, so that a Deny can take single actions out of an Allow.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
var kmsActions = [...]string{
	"CancelKeyDeletion", "CreateAlias", "CreateGrant", "Decrypt", "DeleteAlias", "DeleteImportedKeyMaterial",
	"DeriveSharedSecret", "DescribeKey", "DisableKey", "DisableKeyRotation", "EnableKey", "EnableKeyRotation",
	"Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
	"GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetKeyLastUsage", "GetKeyPolicy", "GetKeyRotationStatus",
	"GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListGrants", "ListKeyPolicies",
	"ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "ReEncryptFrom", "ReEncryptTo", "ReplicateKey",
	"RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "SynchronizeMultiRegionKey",
	"TagResource", "UntagResource", "UpdateAlias", "UpdateKeyDescription", "UpdatePrimaryRegion", "Verify", "VerifyMac",
}

// weakAction reports whether an action tells about a key and neither uses nor
// changes it. CreateGrant and PutKeyPolicy are not weak: who may call them can
// give themselves Decrypt. An action that nobody has heard of is not weak.
func weakAction(action string) bool {
	a := strings.ToLower(action)
	for _, prefix := range [...]string{"describe", "get", "list", "verify"} {
		if strings.HasPrefix(a, prefix) {
			return true
		}
	}
	return false
}

// hasEncryptionContext reports whether a request for the action can carry an
// encryption context. The others never satisfy a condition on one.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
func hasEncryptionContext(action string) bool {
	switch action {
	case "CreateGrant", "RetireGrant", "Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo":
		return true
	}
	return strings.HasPrefix(action, "GenerateDataKey")
}

// hasGrantIsForResource reports whether requests for the action carry
// kms:GrantIsForAWSResource.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource
func hasGrantIsForResource(action string) bool {
	return action == "CreateGrant" || action == "ListGrants" || action == "RevokeGrant"
}

// spread returns the actions of KMS that the patterns name ("*", "kms:De*"),
// or for NotAction those that they do not name. A name of KMS without
// wildcards which the list lacks is kept: an action may be newer than the list.
func spread(patterns []string, not bool) []string {
	var actions []string
	for _, a := range kmsActions {
		if matchesAny(patterns, "kms:"+a) != not {
			actions = append(actions, a)
		}
	}
	if not {
		return actions
	}
	for _, p := range patterns {
		name, ok := cutPrefixFold(p, "kms:")
		if ok && !strings.ContainsAny(name, "*?") && !containsFold(actions, name) {
			actions = append(actions, name)
		}
	}
	return actions
}

// matchesAny reports whether one of the patterns matches s, without regard to
// case, as IAM compares actions.
func matchesAny(patterns []string, s string) bool {
	for _, p := range patterns {
		if Glob(strings.ToLower(p), strings.ToLower(s)) {
			return true
		}
	}
	return false
}

func containsFold(all []string, s string) bool {
	for _, a := range all {
		if strings.EqualFold(a, s) {
			return true
		}
	}
	return false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// Glob reports whether pattern matches all of s: an asterisk stands for any
// characters, also none and also colons and slashes, a question mark for
// exactly one, as in IAM policies. Its time is the product of the lengths at
// worst.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func Glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
