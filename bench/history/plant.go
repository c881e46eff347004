package history

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
)

// A Plant is one made-up secret in a history. Its text is not stored: Value
// makes it again, so that no manifest holds what a push protection looks for.
type Plant struct {
	// Number and Seed determine the secret.
	Number int
	Seed   uint64
	// Kind is the kind of secret, one of PlantKinds.
	Kind string
	// Place says in what it was put: "file", "merge" (content that only a
	// merge commit has), "binary", "utf-16", "commit message", "tag message".
	Place string
	// Path is the file, or "" for messages; Commit the number of the commit in
	// the order of their making, from 1.
	Path   string
	Commit int
}

// A plantKind makes secrets of one kind. line holds %s for the secret.
type plantKind struct {
	name string
	line string
	make func(r *rand.Rand) string
}

const (
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower    = "abcdefghijklmnopqrstuvwxyz"
	digits   = "0123456789"
	base62   = digits + upper + lower
	base32AZ = upper + "234567"
)

// plantKinds are kinds that the rules of every scanner compared here know, with
// the checksums that their issuers document, and last one that Spillgate alone
// knows.
var plantKinds = []plantKind{
	{"aws-access-key-id", "aws_access_key_id = %s\n", awsKeyID},
	{"github-token", "GITHUB_TOKEN=%s\n", func(r *rand.Rand) string { return checksummed("ghp"+"_", r) }},
	{"gitlab-token", "token: \"%s\"\n", func(r *rand.Rand) string { return "glp" + "at-" + pick(r, base62, 20) }},
	{"slack-token", "slack = '%s'\n", func(r *rand.Rand) string {
		return "xo" + "xb-" + "2" + pick(r, digits, 11) + "-" + "3" + pick(r, digits, 11) + "-" + pick(r, base62, 24)
	}},
	{"stripe-key", "stripe.api_key = \"%s\"\n", func(r *rand.Rand) string { return "sk_" + "live_" + pick(r, base62, 24) }},
	{"npm-token", "//registry.example/:_authToken=%s\n", func(r *rand.Rand) string { return checksummed("np"+"m_", r) }},
	{"private-key", "%s", privateKey},
	{"kms-key-arn", "kms_key_id = \"%s\"\n", kmsARN},
}

// PlantKinds lists the kinds of secrets that are planted.
func PlantKinds() []string {
	var names []string
	for _, k := range plantKinds {
		names = append(names, k.name)
	}
	return names
}

// SpillgateOnly reports whether other scanners are known to have no rule for
// the kind: AWS key ARNs are identifiers, which they do not look for.
func SpillgateOnly(kind string) bool { return kind == "kms-key-arn" }

// Value returns the secret of p.
func (p Plant) Value() string {
	r := rand.New(rand.NewPCG(p.Seed, uint64(p.Number)))
	return plantKinds[p.Number%len(plantKinds)].make(r)
}

// Text returns the lines to put into a file.
func (p Plant) Text() []byte {
	return fmt.Appendf(nil, plantKinds[p.Number%len(plantKinds)].line, p.Value())
}

// NewPlant returns the plant of a number.
func NewPlant(seed uint64, number int) Plant {
	return Plant{Number: number, Seed: seed, Kind: plantKinds[number%len(plantKinds)].name, Place: "file"}
}

func pick(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// awsKeyID returns an access key id of the kind that names its account: the
// bits 1 to 40 of the part after the prefix are below 10^12.
func awsKeyID(r *rand.Rand) string {
	for {
		id := "Q" + pick(r, base32AZ, 15)
		raw, err := base32.StdEncoding.DecodeString(id)
		if err != nil {
			continue
		}
		var v uint64
		for _, b := range raw[:6] {
			v = v<<8 | uint64(b)
		}
		if v&0x7fffffffff80>>7 < 1e12 {
			return "AK" + "IA" + id
		}
	}
}

// checksummed returns a token of 30 random characters and six that hold their
// CRC-32 in base 62, as GitHub documents for its tokens
// (https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/)
// and npm for its own.
func checksummed(prefix string, r *rand.Rand) string {
	body := pick(r, base62, 30)
	const order = digits + upper + lower
	sum := crc32.ChecksumIEEE([]byte(body))
	var check [6]byte
	for i := len(check) - 1; i >= 0; i-- {
		check[i] = order[sum%62]
		sum /= 62
	}
	return prefix + body + string(check[:])
}

func privateKey(r *rand.Rand) string {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(r.Uint32())
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		panic("history: an Ed25519 key does not encode: " + err.Error())
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE " + "KEY", Bytes: der}))
}

func kmsARN(r *rand.Rand) string {
	hex := pick(r, digits+"abcdef", 32)
	id := strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
	return "arn:" + "aws:kms:eu-central-1:" + "4" + pick(r, digits, 11) + ":key/" + id
}
