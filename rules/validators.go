package rules

import "math"

// A rule's pattern says what a secret looks like; its validators say what no
// pattern can: that a checksum holds, that a body decodes, that a value is
// random. Each is a pure function of the bytes at most MaxMatch away from the
// match, so that a text may be cut, cached and carried through deltas without
// changing a verdict.
//
// A validator refuses only what is certainly not the secret. Where the scheme
// behind a check is not documented by the vendor, a failed check lowers the
// confidence and the finding stays.

// ValidatorNames lists the names that a rule's validators may use.
func ValidatorNames() []string {
	return []string{
		"aws-access-key-id", "aws-bedrock-key", "aws-bedrock-short-term-key",
		"aws-kms-key", "aws-kms-alias", "aws-iam-name", "aws-secret",
		"aws-session-token", "aws-xks-secret",
		"age-secret-key", "pem-private-key", "pem-private-key-base64",
		"putty-private-key", "github-checksum", "gitlab-routable",
		"npm-checksum", "mixed", "random", "token", "token-dash",
		"assignment", "url-password", "authorization-header",
		"jwt", "azure-emulator", "jwt-base64", "basic-credential", "password", "discord-token", "atlassian-data-center-token",
		"base58check", "not-a-known-key", "mixed-case",
		"plain-word", "pkcs12", "der-key", "java-key-store", "nkey-seed", "pypi-macaroon", "nuget-sample", "not-digest", "not-in-base64", "secret-name",
	}
}

// lookupValidator finds a validator by the name that rules use. It is a switch
// and not a map, so that a program that scans nothing pays nothing for it.
func lookupValidator(name string) (Validator, bool) {
	var v Validator
	switch name {
	case "aws-access-key-id":
		v = validateAWSAccessKeyID
	case "aws-bedrock-key":
		v = validateBedrockKey
	case "aws-bedrock-short-term-key":
		v = validateBedrockShortTermKey
	case "aws-kms-key":
		v = validateKMSKey
	case "aws-kms-alias":
		v = validateKMSAlias
	case "aws-iam-name":
		v = validateIAMName
	case "aws-secret":
		v = validateAWSSecret
	case "aws-session-token":
		v = validateAWSSessionToken
	case "aws-xks-secret":
		v = validateXKSSecret
	case "age-secret-key":
		v = validateAgeSecretKey
	case "pem-private-key":
		v = validatePEM
	case "pem-private-key-base64":
		v = validateBase64PEM
	case "putty-private-key":
		v = validatePuTTY
	case "assignment":
		v = validateAssignment
	case "url-password":
		v = validateURLPassword
	case "authorization-header":
		v = validateAuthorizationHeader
	case "github-checksum":
		v = validateGitHubChecksum
	case "gitlab-routable":
		v = validateGitLabRoutable
	case "npm-checksum":
		v = validateNPMChecksum
	case "mixed":
		v = validateMixed
	case "random":
		v = validateRandom
	case "token":
		v = validateToken
	case "token-dash":
		v = validateTokenDash
	case "jwt":
		v = validateJWT
	case "azure-emulator":
		v = validateNotEmulator
	case "jwt-base64":
		v = validateBase64JWT
	case "basic-credential":
		v = validateBasicCredential
	case "password":
		v = validatePassword
	case "discord-token":
		v = validateDiscordToken
	case "atlassian-data-center-token":
		v = validateAtlassianToken
	case "base58check":
		v = validateBase58Check
	case "not-a-known-key":
		v = validateNotKnownKey
	case "mixed-case":
		v = validateMixedCase
	case "plain-word":
		v = validatePlainWord
	case "pkcs12":
		v = validatePKCS12
	case "der-key":
		v = validateDERKey
	case "java-key-store":
		v = validateJavaKeyStore
	case "nkey-seed":
		v = validateNKEYSeed
	case "pypi-macaroon":
		v = validatePyPIMacaroon
	case "nuget-sample":
		v = validateNuGetSample
	case "not-in-base64":
		v = validateNotInBase64
	case "not-digest":
		v = validateNotDigest
	case "secret-name":
		v = validateSecretName
	}
	return v, v != nil
}

// validateToken ("token") refuses a match that is a piece of a longer word.
// It stands for \b on both sides, with two differences that real texts ask
// for: what comes before may be the letter of an escape, as in "\nTOKEN" or
// "%3DTOKEN", or an underscore, as in PREFIX_TOKEN.
func validateToken(data []byte, m *Match) bool {
	return startsToken(data, m.SecretStart) && (m.SecretEnd >= len(data) || !isWord(data[m.SecretEnd]))
}

// validateTokenDash ("token-dash") is validateToken for tokens whose alphabet
// has the hyphen: one may not follow either.
func validateTokenDash(data []byte, m *Match) bool {
	return validateToken(data, m) && (m.SecretEnd >= len(data) || data[m.SecretEnd] != '-')
}

// startsToken reports whether a token may begin at data[i].
func startsToken(data []byte, i int) bool {
	if i == 0 || !isAlnum(data[i-1]) {
		return true
	}
	return afterEscape(data, i)
}

// afterEscape reports whether an escape sequence that stands for no letter or
// digit ends right before data[i]: \n, \r, \t, a Unicode escape or a percent
// escape of a delimiter.
func afterEscape(data []byte, i int) bool {
	if i >= 2 && data[i-2] == '\\' && (data[i-1] == 'n' || data[i-1] == 'r' || data[i-1] == 't') {
		return true
	}
	if i >= 3 && data[i-3] == '%' && isHex(data[i-2]) && isHex(data[i-1]) {
		return !isAlnum(hexValue(data[i-2])<<4 | hexValue(data[i-1]))
	}
	if i >= 6 && data[i-6] == '\\' && data[i-5] == 'u' && data[i-4] == '0' && data[i-3] == '0' && isHex(data[i-2]) && isHex(data[i-1]) {
		return !isAlnum(hexValue(data[i-2])<<4 | hexValue(data[i-1]))
	}
	return false
}

// validateMixed ("mixed") refuses a secret that lacks a letter or a digit: a
// word or a number, not a token. Of random letters of both cases one in twenty
// strings of 16 has no digit: those pass by how often the case changes, every
// other letter, where words in camel case do at each sixth or so.
func validateMixed(data []byte, m *Match) bool {
	c := countClasses(data[m.SecretStart:m.SecretEnd])
	if c.digit == 0 {
		return c.lower >= 3 && c.upper >= 3 && c.lower+c.upper >= 14 && c.changes*5 >= 2*(c.lower+c.upper)
	}
	return c.lower+c.upper > 0
}

// validateRandom ("random") refuses a secret whose bytes carry less than 3 bits
// each, or that never mixes letters and digits. Random text of 20 characters
// or more over at least 16 letters carries more with a probability beyond
// 99.9 %.
func validateRandom(data []byte, m *Match) bool {
	return validateMixed(data, m) && entropy(data[m.SecretStart:m.SecretEnd]) >= 3
}

// classes counts the kinds of characters in a text.
type classes struct {
	lower, upper, digit, other int
	// changes counts the neighbours that are of different kinds. In random
	// base64 two of three pairs change, in identifiers and paths one of four.
	changes int
}

func countClasses(b []byte) classes {
	var c classes
	last := 0
	for i, x := range b {
		kind := 4
		switch {
		case x >= 'a' && x <= 'z':
			kind = 1
			c.lower++
		case x >= 'A' && x <= 'Z':
			kind = 2
			c.upper++
		case x >= '0' && x <= '9':
			kind = 3
			c.digit++
		default:
			c.other++
		}
		if i > 0 && kind != last {
			c.changes++
		}
		last = kind
	}
	return c
}

// entropy returns Shannon's entropy of b in bits per byte, at most 8. For n
// random letters of an alphabet of k it stays below log2(min(n, k)).
func entropy(b []byte) float64 {
	if len(b) == 0 {
		return 0
	}
	var count [256]int
	for _, x := range b {
		count[x]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isWord(c byte) bool { return isAlnum(c) || c == '_' }

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// hexValue returns the value of a digit that isHex accepts.
func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&0x0f + 9
}

// isBase64 reports whether c is a letter of the standard base64 alphabet,
// padding not included.
func isBase64(c byte) bool { return isAlnum(c) || c == '+' || c == '/' }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// lowerConfidence takes one step off the confidence of m.
func lowerConfidence(m *Match) {
	if m.Confidence > ConfidenceLow {
		m.Confidence--
	}
}

// field returns the value of a field of m, or "".
func field(m *Match, name string) string {
	for _, f := range m.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// addField appends a field to m.
func addField(m *Match, name, value string) {
	m.Fields = append(m.Fields, Field{Name: name, Value: value})
}
