package generic

import "bytes"

// The functions below compare bytes with ASCII text without allocating.

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

func hasSuffix(b []byte, s string) bool { return len(b) >= len(s) && string(b[len(b)-len(s):]) == s }

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

func indexByte(b []byte, c byte) int { return bytes.IndexByte(b, c) }

func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if b[i] != s[i] && (!letter(b[i]) || b[i]|0x20 != s[i]|0x20) {
			return false
		}
	}
	return true
}

func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i]|0x20 == s[0]|0x20 && equalFold(b[i:i+len(s)], s) {
			return true
		}
	}
	return false
}

// fold appends b in small letters to dst. Who looks for many words in one text
// folds it once and lets contains, which takes many bytes at a time, find them:
// containsFold compares letter by letter.
func fold(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func allOf(b []byte, f func(byte) bool) bool {
	for _, x := range b {
		if !f(x) {
			return false
		}
	}
	return true
}

// SameText compares the letters and digits of a and b without regard to case.
func SameText(a, b []byte) bool {
	i, j, n := 0, 0, 0
	for {
		for i < len(a) && !letter(a[i]) && !digit(a[i]) {
			i++
		}
		for j < len(b) && !letter(b[j]) && !digit(b[j]) {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b) && n > 0
		}
		if a[i]|0x20 != b[j]|0x20 {
			return false
		}
		i, j, n = i+1, j+1, n+1
	}
}

// sensitiveWord returns the word that a value shares with sensitive names: a
// value that says "password" is a label more often than a password.
func sensitiveWord(v []byte) string {
	var buf [128]byte
	small := fold(buf[:0], v)
	for _, w := range [...]string{"password", "passwd", "secret", "token", "credential", "auth", "key", "pass", "user", "name", "login"} {
		if contains(small, w) {
			return w
		}
	}
	return ""
}

// eachWord cuts a name at its signs and its humps: awsSecretKey, AWS_SECRET_KEY.
func eachWord(name []byte, f func(w []byte)) {
	start := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && (letter(name[i]) || digit(name[i])) {
			hump := i > start && upper(name[i]) && (!upper(name[i-1]) || i+1 < len(name) && letter(name[i+1]) && !upper(name[i+1]))
			if !hump {
				continue
			}
			f(name[start:i])
			start = i
			continue
		}
		if i > start {
			f(name[start:i])
		}
		start = i + 1
	}
}

func upper(b byte) bool { return b >= 'A' && b <= 'Z' }

// keyWords are the words of names that have a weight of their own.
var keyWords = [...]string{
	"password", "passwd", "passphrase", "pass", "pwd", "secret", "token", "key", "keys", "api", "apikey", "access", "private", "public", "client", "consumer",
	"auth", "authorization", "oauth", "cred", "credential", "credentials", "session", "csrf", "id", "name", "user", "username", "file", "path", "dir", "url", "uri",
	"type", "len", "length", "size", "hash", "salt", "policy", "prompt", "label", "env", "field", "test", "fake", "header", "algorithm", "expires", "count", "max",
	"min", "timeout", "value", "default", "data", "encrypted", "encryption", "signing", "signature", "sign", "nonce", "cookie", "jwt", "bearer", "basic", "admin", "root",
	"db", "database", "mysql", "postgres", "redis", "smtp", "mail", "ssh", "ssl", "tls", "cert", "pem", "rsa", "app", "service", "server", "host", "master", "shared",
	"refresh", "verifier", "verify", "new", "old", "current", "confirm", "store", "storage", "manager", "provider", "handler", "config", "error", "message", "text",
	"title", "format", "version", "alias", "ref", "index", "map", "list", "set", "get", "is", "has", "required", "enabled", "valid", "invalid", "aws", "azure", "gcp",
	"google", "github", "gitlab", "slack", "stripe", "twilio", "webhook", "bot", "login", "account", "seed", "nkey", "sid", "code", "state", "scope", "method", "realm",
	"mode", "level", "group", "role", "author", "authors", "authority", "primary", "foreign", "sort", "partition", "row", "column", "cache", "object", "keyboard", "press",
	"word", "words", "regexp", "regex", "pattern", "string", "bytes", "str", "plain", "clear", "wrong", "bad", "correct", "expected", "identified", "by", "securestring",
}

func keyWord(w []byte) string {
	for _, k := range keyWords {
		if len(k) == len(w) && equalFold(w, k) {
			return k
		}
	}
	return ""
}
