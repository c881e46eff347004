package kmsfake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
)

// The ciphertext of the fake names its key and is authenticated with its
// encryption context, as that of KMS is:
//
//	"fakekms1" | length of the ARN, 2 bytes | ARN | nonce, 12 bytes | sealed
var sealMark = []byte("fakekms1")

// aead is the key's. Who knows the ARN knows it: this is a fake.
func (k *Key) aead() cipher.AEAD {
	sum := sha256.Sum256([]byte("the material of " + k.ARN))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// Seal returns what kms:Encrypt would, for tests that begin with ciphertext.
func (k *Key) Seal(plain []byte, context map[string]string) []byte {
	c := map[string]any{}
	for name, value := range context {
		c[name] = value
	}
	return k.seal(plain, c)
}

func (k *Key) seal(plain []byte, context map[string]any) []byte {
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	b := binary.BigEndian.AppendUint16(slices.Clone(sealMark), uint16(len(k.ARN)))
	b = append(append(b, k.ARN...), nonce...)
	return k.aead().Seal(b, nonce, plain, canonical(context))
}

// canonical is an encryption context in the order of its names.
func canonical(context map[string]any) []byte {
	var pairs []any
	for _, name := range slices.Sorted(maps.Keys(context)) {
		pairs = append(pairs, name, context[name])
	}
	b, _ := json.Marshal(pairs)
	return b
}

// unseal returns the key of a blob and what is in it.
func (m *Model) unseal(blob []byte, context map[string]any) (*Key, []byte, *apiError) {
	bad := fail("InvalidCiphertextException", "")
	rest, ok := bytes.CutPrefix(blob, sealMark)
	if !ok || len(rest) < 2 {
		return nil, nil, bad
	}
	n := int(binary.BigEndian.Uint16(rest))
	if len(rest) < 2+n+12 {
		return nil, nil, bad
	}
	k := m.byARN[string(rest[2:2+n])]
	if k == nil {
		return nil, nil, bad
	}
	plain, err := k.aead().Open(nil, rest[2+n:2+n+12], rest[2+n+12:], canonical(context))
	if err != nil {
		return nil, nil, bad
	}
	return k, plain, nil
}

// as returns the request with another member in the place of KeyId.
func (r *request) as(name string) *request {
	other := *r
	other.input = maps.Clone(r.input)
	other.input["KeyId"] = r.input[name]
	return &other
}

func (r *request) bytes(name string) []byte {
	b, _ := base64.StdEncoding.DecodeString(r.str(name))
	return b
}

func (r *request) object(name string) map[string]any {
	m, _ := r.input[name].(map[string]any)
	return m
}

// dryRun is the answer to a request that would have succeeded.
func (r *request) dryRun() *apiError {
	if dry, _ := r.input["DryRun"].(bool); dry {
		return fail("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

// usable returns the key of a request for cryptography.
func (m *Model) usable(r *request) (*Key, *apiError) {
	k, err := m.find(r, true)
	switch {
	case err != nil:
		return nil, err
	case k.State == "Disabled":
		return nil, fail("DisabledException", "%s is disabled.", k.ARN)
	case k.State != "Enabled":
		return nil, fail("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
	}
	return k, nil
}

// open returns what is in a blob; the member names the key, if one is named.
func (m *Model) open(r *request, member, context string) (*Key, []byte, *apiError) {
	k, plain, err := m.unseal(r.bytes("CiphertextBlob"), r.object(context))
	if err != nil {
		return nil, nil, err
	}
	if r.str(member) == "" {
		r.input[member] = k.ARN
	}
	named, err := m.usable(r.as(member))
	switch {
	case err != nil:
		return nil, nil, err
	case named != k:
		return nil, nil, fail("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	}
	return k, plain, r.dryRun()
}

func (m *Model) decrypt(_ *Server, r *request) (any, *apiError) {
	k, plain, err := m.open(r, "KeyId", "EncryptionContext")
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyId": k.ARN, "Plaintext": plain, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (m *Model) encrypt(_ *Server, r *request) (any, *apiError) {
	k, err := m.usable(r)
	if err == nil {
		err = r.dryRun()
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyId": k.ARN, "CiphertextBlob": k.seal(r.bytes("Plaintext"), r.object("EncryptionContext")), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (m *Model) generateDataKey(_ *Server, r *request) (any, *apiError) {
	k, err := m.usable(r)
	if err == nil {
		err = r.dryRun()
	}
	if err != nil {
		return nil, err
	}
	size := r.num("NumberOfBytes")
	if size == 0 {
		size = map[string]int{"AES_128": 16, "AES_256": 32}[r.str("KeySpec")]
	}
	if size < 1 || size > 1024 {
		return nil, fail("ValidationException", "Please specify either number of bytes or key spec.")
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain)
	return map[string]any{"KeyId": k.ARN, "Plaintext": plain, "CiphertextBlob": k.seal(plain, r.object("EncryptionContext"))}, nil
}

func (m *Model) reEncrypt(_ *Server, r *request) (any, *apiError) {
	from, plain, err := m.open(r, "SourceKeyId", "SourceEncryptionContext")
	if err != nil {
		return nil, err
	}
	to, err := m.usable(r.as("DestinationKeyId"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyId": to.ARN, "SourceKeyId": from.ARN, "CiphertextBlob": to.seal(plain, r.object("DestinationEncryptionContext"))}, nil
}
