package rules

// The shape of many vendors' keys says little: 32 hexadecimal digits are a key
// after the vendor's name, and after "vendor_md5" they are a checksum. These
// validators read the name between the vendor's word and the value.

// validateNotDigest ("not-digest") refuses a value whose name says that it is
// a checksum, a commit or the like. It looks at the text of the match before
// the secret.
func validateNotDigest(data []byte, m *Match) bool {
	name := data[m.Start:m.SecretStart]
	for _, w := range [...]string{
		"sha1", "sha256", "sha-256", "sha384", "sha512", "md5", "commit", "checksum", "digest",
		"revision", "fingerprint", "etag", "integrity", "changeset", "_sha", "-sha", "blake2",
	} {
		if containsFold(name, w) {
			return false
		}
	}
	return !namesHash(name)
}

// namesHash reports whether a name ends in the word hash, as in token_hash or
// tokenHash: the value is the hash of a secret, which opens nothing.
func namesHash(name []byte) bool {
	end := len(name)
	for end > 0 && !isAlnum(name[end-1]) {
		end--
	}
	return end >= 4 && equalFold(name[end-4:end], "hash")
}

// validateSecretName ("secret-name") does what "not-digest" does and moreover
// wants a word for a secret in the name. It is for values that identify things
// more often than they open them, such as UUIDs.
func validateSecretName(data []byte, m *Match) bool {
	name := data[m.Start:m.SecretStart]
	for _, w := range [...]string{"key", "token", "secret", "pass", "auth", "cred", "_pat", "-pat", "bearer", "webhook"} {
		if containsFold(name, w) {
			return validateNotDigest(data, m)
		}
	}
	return false
}

// validatePlainWord ("plain-word") lowers the confidence of a password that is
// letters, joined by - or _ at most: it may stand for one, as api_token does in
// the manual of a command.
func validatePlainWord(data []byte, m *Match) bool {
	for _, c := range data[m.SecretStart:m.SecretEnd] {
		if !isWord(c) && c != '-' || isDigit(c) {
			return true
		}
	}
	lowerConfidence(m)
	return true
}

// validateNotInBase64 ("not-in-base64") refuses what is a piece of longer base64
// text, such as a font or a program in a script: a sign of that alphabet, which
// the token's has not, touches it.
func validateNotInBase64(data []byte, m *Match) bool {
	m.sees(m.SecretStart-1, m.SecretEnd+1)
	touches := func(i int) bool { return i >= 0 && i < len(data) && (data[i] == '+' || data[i] == '/') }
	return !touches(m.SecretStart-1) && !touches(m.SecretEnd)
}
