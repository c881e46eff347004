package rules

import "hash/crc32"

// validateGitHubChecksum ("github-checksum") checks the last six characters of
// a GitHub token: the CRC-32 (IEEE) of what stands between prefix and checksum,
// in base62, padded with zeros. A mismatch lowers the confidence: the token was
// typed over or made up, or its kind is younger than this.
//
// Source: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
// which names algorithm, encoding and padding. That the prefix is not covered
// and that digits come before capitals before small letters was confirmed on a
// published, revoked token (see TestGitHubChecksum).
func validateGitHubChecksum(data []byte, m *Match) bool {
	secret := data[m.SecretStart:m.SecretEnd]
	if len(secret) < 11 {
		return false
	}
	if !checksumHolds(secret[4:]) {
		lowerConfidence(m)
	}
	return true
}

// validateNPMChecksum ("npm-checksum") does the same for npm's access tokens.
// npm says that it follows GitHub's format, not in which details, so that a
// mismatch lowers the confidence only.
//
// Source: https://github.blog/2021-09-23-announcing-npms-new-access-token-format/
func validateNPMChecksum(data []byte, m *Match) bool {
	secret := data[m.SecretStart:m.SecretEnd]
	if len(secret) < 11 || !checksumHolds(secret[4:]) {
		lowerConfidence(m)
	}
	return true
}

// checksumHolds reports whether the last six bytes of b are the base62 CRC-32
// of the bytes before them.
func checksumHolds(b []byte) bool {
	n := len(b) - 6
	if n < 1 {
		return false
	}
	var want [6]byte
	putBase(want[:], uint64(crc32.ChecksumIEEE(b[:n])), base62)
	return string(want[:]) == string(b[n:])
}

const (
	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base36 = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// putBase fills dst with the digits of v in the base and order of alphabet,
// most significant first and padded with its zero.
func putBase(dst []byte, v uint64, alphabet string) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = alphabet[v%uint64(len(alphabet))]
		v /= uint64(len(alphabet))
	}
}

// validateGitLabRoutable ("gitlab-routable") checks the tail of GitLab's
// routable tokens: after the last dot the length of the payload in two base-36
// digits and the CRC-32 (IEEE) of everything before it in seven. GitLab does
// not promise the scheme in its documentation, so a mismatch only lowers the
// confidence.
func validateGitLabRoutable(data []byte, m *Match) bool {
	secret := data[m.SecretStart:m.SecretEnd]
	if len(secret) < 10 {
		return false
	}
	var want [7]byte
	n := len(secret) - len(want)
	putBase(want[:], uint64(crc32.ChecksumIEEE(secret[:n])), base36)
	if string(want[:]) != string(secret[n:]) {
		lowerConfidence(m)
	}
	return true
}

// validateAgeSecretKey ("age-secret-key") refuses an age identity whose Bech32
// checksum is wrong.
//
// Sources: https://age-encryption.org/v1 (the identity is Bech32, in capitals),
// https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki (the code).
func validateAgeSecretKey(data []byte, m *Match) bool {
	return bech32Holds(data[m.SecretStart:m.SecretEnd])
}

// bech32Holds reports whether s is a Bech32 string, of any length, in one
// case.
func bech32Holds(s []byte) bool {
	const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	split, upper, lower := -1, false, false
	for i, c := range s {
		if c < 33 || c > 126 {
			return false
		}
		upper = upper || c >= 'A' && c <= 'Z'
		lower = lower || c >= 'a' && c <= 'z'
		if c == '1' {
			split = i
		}
	}
	if split < 1 || len(s)-split-1 < 6 || upper && lower {
		return false
	}
	check := uint32(1)
	for _, c := range s[:split] {
		check = bech32Step(check, toLower(c)>>5)
	}
	check = bech32Step(check, 0)
	for _, c := range s[:split] {
		check = bech32Step(check, toLower(c)&31)
	}
	for _, c := range s[split+1:] {
		v := 0
		for v < 32 && charset[v] != toLower(c) {
			v++
		}
		if v == 32 {
			return false
		}
		check = bech32Step(check, byte(v))
	}
	return check == 1
}

// bech32Step feeds five bits to the checksum of BIP 173.
func bech32Step(check uint32, v byte) uint32 {
	generator := [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	top := check >> 25
	check = check&0x1ffffff<<5 ^ uint32(v)
	for i, g := range generator {
		if top>>i&1 == 1 {
			check ^= g
		}
	}
	return check
}

// appendLower appends b with its ASCII capitals made small to dst.
func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, toLower(c))
	}
	return dst
}

func toLower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
