package scanner

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
)

// A Fingerprinter makes the fingerprints of findings. A fingerprint covers the
// rule and the secret and nothing else, so that it survives rebases, moved
// lines and renamed files.
//
// Baselines and reports with fingerprints are committed and published, and a
// password has little entropy: the hash is therefore stretched, and an
// organisation may key it, so that nobody without the key can try candidates.
type Fingerprinter struct {
	// Key makes the fingerprints of an organisation its own. Empty is the
	// public default.
	Key []byte
}

// stretch is the number of PBKDF2 iterations: a quarter of a millisecond for
// each distinct secret found, and as much for each candidate an attacker tries.
const stretch = 2048

// Fingerprint returns 32 hexadecimal digits.
func (p Fingerprinter) Fingerprint(ruleID string, secret Secret) string {
	salt := append([]byte("spillgate fingerprint v1\x00"+ruleID+"\x00"), p.Key...)
	sum, err := pbkdf2.Key(sha256.New, secret.text, salt, stretch, 16)
	if err != nil {
		// Only a FIPS-only build refuses: it wants salts of 16 bytes, which
		// these are, and keys of 14, which 16 are.
		panic("scanner: pbkdf2: " + err.Error())
	}
	return hex.EncodeToString(sum)
}
