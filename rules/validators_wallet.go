package rules

import (
	"crypto/sha256"
	"math/big"
)

// validateBase58Check ("base58check") refuses a text whose last four bytes, in
// Base58, are not the checksum of those before them: the first four of SHA-256
// over SHA-256.
//
// Source: https://en.bitcoin.it/wiki/Base58Check_encoding
func validateBase58Check(data []byte, m *Match) bool {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	text := data[m.SecretStart:m.SecretEnd]
	if len(text) == 0 || len(text) > 200 {
		return false
	}
	var digit [256]int8
	for i := range len(alphabet) {
		digit[alphabet[i]] = int8(i + 1)
	}
	sum, base, zeros := new(big.Int), big.NewInt(58), 0
	for i, c := range text {
		if digit[c] == 0 {
			return false
		}
		if c == alphabet[0] && zeros == i {
			zeros++
		}
		sum.Mul(sum, base).Add(sum, big.NewInt(int64(digit[c]-1)))
	}
	raw := append(make([]byte, zeros), sum.Bytes()...)
	if len(raw) < 5 {
		return false
	}
	body, check := raw[:len(raw)-4], raw[len(raw)-4:]
	first := sha256.Sum256(body)
	second := sha256.Sum256(first[:])
	return string(second[:4]) == string(check)
}

// validateNotKnownKey ("not-a-known-key") marks the private keys that
// development chains give to everybody as placeholders, and refuses keys of
// dotenvx, which are of the same form and have a rule of their own.
//
// Sources: https://hardhat.org/hardhat-network/docs/reference (the accounts of
// the mnemonic "test test … junk") and https://github.com/trufflesuite/ganache
// (the first account of its deterministic mode).
func validateNotKnownKey(data []byte, m *Match) bool {
	const dotenvx = "dotenv_"
	if m.Start >= len(dotenvx) && equalFold(data[m.Start-len(dotenvx):m.Start], dotenvx) {
		return false
	}
	secret := data[m.SecretStart:m.SecretEnd]
	if len(secret) > 2 && secret[1] == 'x' {
		secret = secret[2:]
	}
	for _, prefix := range [...]string{
		"ac0974bec39a17e3", "59c6995e998f97a5", "5de4111afa1a4b94", "7c852118294e51e6", "47e179ec197488593b187f80",
		"8b3a350cf5c34c91", "92db14e403b83dfe", "4bbbf85ce3377467", "dbda1821b80551c9", "2a871d0798f97d79", "4f3edf983ac636a6",
	} {
		if len(secret) >= len(prefix) && equalFold(secret[:len(prefix)], prefix) {
			m.Placeholder = "key of a development chain, which everybody has"
		}
	}
	return true
}

// validateMixedCase ("mixed-case") refuses a secret that lacks a small or a
// capital letter: a word, a hash or a file's name. 30 random letters of both
// cases lack one of them once in 10^9 times, 20 once in a million.
func validateMixedCase(data []byte, m *Match) bool {
	c := countClasses(data[m.SecretStart:m.SecretEnd])
	return c.lower > 0 && c.upper > 0
}
