package rules

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
)

// Bounds of session tokens, in bytes.
const (
	minSessionToken = 100
	maxSessionToken = 8 << 10
)

// validateAWSAccessKeyID ("aws-access-key-id") refuses pieces of longer words
// and says of the id what it tells by itself: its kind, and for ids made since
// about 2019 the account.
//
// Source of the prefixes:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func validateAWSAccessKeyID(data []byte, m *Match) bool {
	if !validateToken(data, m) {
		return false
	}
	id := data[m.SecretStart:m.SecretEnd]
	kind := "long-term"
	switch string(id[:4]) {
	case "ASIA":
		kind = "temporary"
	case "ABIA":
		kind = "service bearer token"
	case "ACCA":
		kind = "context-specific"
	}
	addField(m, "kind", kind)
	if account, ok := awsAccount(id); ok {
		addField(m, "account", account)
	}
	return true
}

// awsAccount reads the account out of an access key id: 16 base32 letters
// after the prefix, whose bits 1 to 40 are the account's number. AWS does not
// document it; it agrees with sts get-access-key-info, which tells the account
// of any id (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html).
// Ids of the old kind, with I or J after the prefix, hold no account, and a
// number of more than twelve digits is none.
func awsAccount(id []byte) (string, bool) {
	if len(id) != 20 || id[4] == 'I' || id[4] == 'J' {
		return "", false
	}
	var raw [10]byte
	if _, err := base32.StdEncoding.Decode(raw[:], id[4:]); err != nil {
		return "", false
	}
	v := uint64(0)
	for _, b := range raw[:6] {
		v = v<<8 | uint64(b)
	}
	account := v & 0x7fffffffff80 >> 7
	if account > 999_999_999_999 {
		return "", false
	}
	return fmt.Sprintf("%012d", account), true
}

// validateAWSSessionToken ("aws-session-token") takes the first letters of a
// token and grows the match to its end. AWS gives tokens no form; those that
// do not begin as all observed ones do are weaker evidence.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
// ("we strongly recommend that you make no assumptions about the maximum size").
func validateAWSSessionToken(data []byte, m *Match) bool {
	known := hasSessionTokenPrefix(data[m.SecretStart:])
	if !startsToken(data, m.SecretStart) || known && m.SecretStart > m.Start {
		return false // the pattern that knows the prefix reports it
	}
	units, i := 0, m.SecretStart
	for i < len(data) && i-m.SecretStart < maxSessionToken {
		_, n := base64Unit(data, i)
		if n == 0 {
			break
		}
		units++
		i += n
	}
	for k := 0; k < 2 && i < len(data) && data[i] == '='; k++ {
		i++
	}
	c := countClasses(data[m.SecretStart:i])
	if units < minSessionToken || c.lower == 0 || c.upper == 0 || c.digit == 0 || entropy(data[m.SecretStart:i]) < 4.5 {
		return false
	}
	if !known {
		lowerConfidence(m)
	}
	m.SecretEnd, m.End = i, max(m.End, i)
	return true
}

// hasSessionTokenPrefix reports whether b begins as session tokens do: base64
// of a few bytes of header and then "aws" or "origin_ec".
func hasSessionTokenPrefix(b []byte) bool {
	for _, p := range [...]string{"FwoGZXIvYXdz", "FQoGZXIvYXdz", "AQoDYXdz", "IQoJb3JpZ2luX2Vj", "AgoJb3JpZ2luX2Vj"} {
		if bytes.HasPrefix(b, []byte(p)) {
			return true
		}
	}
	return false
}

// validateBedrockKey ("aws-bedrock-key") refuses a text that does not decode to
// the name of a long-term Bedrock key, and reads the account out of it.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
func validateBedrockKey(data []byte, m *Match) bool {
	if !validateToken(data, m) {
		return false
	}
	body := bytes.TrimRight(data[m.SecretStart+4:m.SecretEnd], "=")
	plain := make([]byte, base64.RawStdEncoding.DecodedLen(len(body)))
	n, err := base64.RawStdEncoding.Decode(plain, body)
	if err != nil || !bytes.HasPrefix(plain[:n], []byte("BedrockAPIKey-")) {
		return false
	}
	if name, _, ok := bytes.Cut(plain[:n], []byte(":")); ok {
		if i := bytes.LastIndex(name, []byte("-at-")); i >= 0 && isAccount(string(name[i+4:])) {
			addField(m, "account", string(name[i+4:]))
		}
	}
	return true
}

// validateBedrockShortTermKey ("aws-bedrock-short-term-key") grows the match
// over the whole key: a presigned URL in base64, with a session token in it.
func validateBedrockShortTermKey(data []byte, m *Match) bool {
	i := m.SecretEnd
	for i < len(data) && i-m.SecretStart < maxSessionToken && (isBase64(data[i]) || data[i] == '-' || data[i] == '_') {
		i++
	}
	for k := 0; k < 2 && i < len(data) && data[i] == '='; k++ {
		i++
	}
	m.SecretEnd, m.End = i, max(m.End, i)
	return true
}

// validateXKSSecret ("aws-xks-secret") refuses what is no random text of the
// length that the XKS proxy API asks for, 43 to 64 characters.
//
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_XksProxyAuthenticationCredentialType.html
func validateXKSSecret(data []byte, m *Match) bool {
	secret := data[m.SecretStart:m.SecretEnd]
	if m.SecretEnd < len(data) && (isBase64(data[m.SecretEnd]) || data[m.SecretEnd] == '=') {
		return false
	}
	c := countClasses(secret)
	return c.lower > 0 && c.upper > 0 && c.digit > 0 && entropy(secret) >= minSecretEntropy
}

// validateKMSKey ("aws-kms-key") says of a KMS key ARN whether its key is
// replicated over Regions: its other replicas have policies of their own.
func validateKMSKey(_ []byte, m *Match) bool {
	if strings.HasPrefix(field(m, "resource"), "key/mrk-") {
		addField(m, "multi-region", "true")
	}
	return true
}

// validateKMSAlias ("aws-kms-alias") grades aliases of AWS managed keys down:
// alias/aws/s3 and its like exist in every account.
//
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/alias-about.html
func validateKMSAlias(_ []byte, m *Match) bool {
	if strings.HasPrefix(field(m, "resource"), "alias/aws/") {
		m.Severity = Info
		addField(m, "managed-by", "AWS")
	}
	return true
}

// validateIAMName ("aws-iam-name") grades down what AWS makes by itself in any
// account, service-linked roles, those of IAM Identity Center and the policies
// of service roles, and the root of an account, which is no more than the
// account's number.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
func validateIAMName(_ []byte, m *Match) bool {
	resource := field(m, "resource")
	for _, p := range [...]string{"role/aws-service-role/", "role/aws-reserved/", "policy/service-role/", "policy/aws-service-role/"} {
		if strings.HasPrefix(resource, p) {
			m.Severity = Info
			addField(m, "managed-by", "AWS")
		}
	}
	if resource == "root" {
		m.Severity = Info
	}
	return true
}

// isAccount reports whether s is an account number: twelve digits.
func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range 12 {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// containsFold reports whether b contains the lower-case ASCII text s in any
// case.
func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		k := 0
		for k < len(s) && toLower(b[i+k]) == s[k] {
			k++
		}
		if k == len(s) {
			return true
		}
	}
	return false
}
