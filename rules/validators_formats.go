package rules

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// The validators of formats that many vendors share: JSON Web Tokens,
// credentials in base64, and passwords that a configuration file spells out.

// validateJWT ("jwt") refuses what only looks like a JSON Web Token: its
// header must be a JSON object that names an algorithm. A token that says of
// itself that it is the example of jwt.io is marked as a placeholder.
//
// Source: RFC 7515, section 4.1.1 (alg is required) and RFC 7519.
func validateJWT(data []byte, m *Match) bool {
	return judgeJWT(data[m.SecretStart:m.SecretEnd], m)
}

// validateBase64JWT ("jwt-base64") is validateJWT for a token that is in
// base64 as a whole, as Kubernetes and CI variables keep it.
func validateBase64JWT(data []byte, m *Match) bool {
	token, ok := decodeBase64URL(data[m.SecretStart:m.SecretEnd])
	return ok && bytes.Count(token, []byte(".")) == 2 && judgeJWT(bytes.TrimSpace(token), m)
}

func judgeJWT(token []byte, m *Match) bool {
	head, rest, ok := bytes.Cut(token, []byte("."))
	if !ok {
		return false
	}
	text, ok := decodeBase64URL(head)
	if !ok {
		return false
	}
	var header struct {
		Alg string `json:"alg"`
	}
	if json.Unmarshal(text, &header) != nil || header.Alg == "" {
		return false
	}
	payload, _, _ := bytes.Cut(rest, []byte("."))
	claims, ok := decodeBase64URL(payload)
	if !ok {
		return false
	}
	// An encrypted token has no readable second part.
	if len(claims) > 0 && claims[0] == '{' && bytes.Contains(claims, []byte(`"1234567890"`)) && bytes.Contains(claims, []byte("John Doe")) {
		m.Placeholder = "example token of jwt.io"
	}
	return true
}

// decodeBase64URL decodes base64 of either alphabet, with or without padding.
func decodeBase64URL(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, "=")
	enc := base64.RawURLEncoding
	if bytes.ContainsAny(b, "+/") {
		enc = base64.RawStdEncoding
	}
	out := make([]byte, enc.DecodedLen(len(b)))
	n, err := enc.Decode(out, b)
	return out[:n], err == nil
}

// validateBasicCredential ("basic-credential") refuses base64 that does not
// decode to a user name, a colon and a password, all printable. A password
// that is a variable or a usual example is refused too.
//
// Source: RFC 7617, section 2.
func validateBasicCredential(data []byte, m *Match) bool {
	text, ok := decodeBase64URL(data[m.SecretStart:m.SecretEnd])
	if !ok {
		return false
	}
	user, password, ok := bytes.Cut(text, []byte(":"))
	if !ok || len(user) == 0 || len(password) == 0 {
		return false
	}
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return judgePassword(user, password, m)
}

// validatePassword ("password") refuses a password that stands for another:
// a variable, a template, a mask or one cut short. One that documents use as an example stays
// with low confidence, since some people use them too. The field "user", if
// the pattern has it, is the user's name.
func validatePassword(data []byte, m *Match) bool {
	return judgePassword([]byte(field(m, "user")), data[m.SecretStart:m.SecretEnd], m)
}

func judgePassword(user, password []byte, m *Match) bool {
	if isTemplate(password) || isMask(password) || bytes.HasSuffix(password, []byte("...")) {
		return false
	}
	if isExamplePassword(password) || len(user) > 0 && bytes.EqualFold(user, password) {
		m.Confidence = ConfidenceLow
	}
	return true
}

// isTemplate reports whether b is something that a program fills in: $VAR,
// ${VAR}, %VAR%, {{ var }}, <password>, [password], %s, #{x}, :param, a call.
func isTemplate(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	switch first, last := b[0], b[len(b)-1]; first {
	case '$':
		return len(b) == 1 || b[1] == '{' || b[1] == '(' || isVariableName(b[1:])
	case '<', '[', '{':
		return last == first+2 || first == '<' || first == '{'
	case '%':
		return last == '%' || len(b) <= 3 && !isDigit(last)
	case '#', '@':
		return len(b) > 1 && b[1] == '{'
	}
	return bytes.Contains(b, []byte("${")) || bytes.Contains(b, []byte("{{")) || bytes.Contains(b, []byte("#{")) ||
		bytes.Contains(b, []byte("$(")) || b[len(b)-1] == ')' && bytes.IndexByte(b, '(') > 0 ||
		bytes.HasPrefix(b, []byte("os.")) || bytes.HasPrefix(b, []byte("process.env"))
}

// isVariableName reports whether b could be the name of a shell or PHP
// variable: a letter or underscore, then those and digits.
func isVariableName(b []byte) bool {
	for i, c := range b {
		if !isWord(c) || i == 0 && isDigit(c) {
			return false
		}
	}
	return true
}

// isMask reports whether b is one character repeated, or at most three of
// them dots, stars or the letter x.
func isMask(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return len(b) > 2 || len(b) > 0 && !isAlnum(b[0])
}

// isExamplePassword reports whether b is a word that documents put in the
// place of a password.
func isExamplePassword(b []byte) bool {
	if len(b) > 32 {
		return false
	}
	switch string(bytes.ToLower(b)) {
	case "pass", "passwd", "password", "pwd", "pw", "secret", "mysecret", "mypassword", "mypass", "my-password",
		"my_password", "yourpassword", "your-password", "your_password", "yourpass", "changeme", "change_me",
		"change-me", "changeit", "example", "test", "testing", "testpass", "testpassword", "test123", "dummy",
		"foo", "bar", "foobar", "baz", "admin", "root", "user", "guest", "postgres", "mysql", "redis", "mongo",
		"rabbitmq", "sa", "token", "api_key", "apikey", "key", "none", "null", "nil", "empty", "string", "p",
		"123", "1234", "12345", "123456", "abc123", "password1", "password123", "db_password", "dbpassword",
		"dbpass", "pass123", "passw0rd", "p@ssw0rd", "hunter2", "letmein", "qwerty", "default", "placeholder",
		"redacted", "hidden", "removed", "masked", "some-password", "somepassword", "the-password", "new_password":
		return true
	}
	return false
}

// validateDiscordToken ("discord-token") refuses a token whose first part is
// not the base64 of a Discord id, which is a number of 17 to 20 digits.
//
// Source: https://discord.com/developers/docs/reference#snowflakes
func validateDiscordToken(data []byte, m *Match) bool {
	head, _, ok := bytes.Cut(data[m.SecretStart:m.SecretEnd], []byte("."))
	if !ok {
		return false
	}
	id, ok := decodeBase64URL(head)
	return ok && len(id) >= 17 && len(id) <= 20 && allDigits(id)
}

// validateAtlassianToken ("atlassian-data-center-token") refuses base64 that
// is no access token of Jira, Confluence or Bitbucket Data Center: a number of
// 10 to 14 digits, a colon and random bytes, 33 bytes in all.
//
// Source: https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html
// describes the tokens; the layout is that of tokens made with Jira 9.
func validateAtlassianToken(data []byte, m *Match) bool {
	text, ok := decodeBase64URL(data[m.SecretStart:m.SecretEnd])
	if !ok || len(text) != 33 {
		return false
	}
	id, _, ok := bytes.Cut(text, []byte(":"))
	return ok && len(id) >= 10 && len(id) <= 14 && allDigits(id)
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

// validateNotEmulator ("azure-emulator") marks the key of Azure's storage and
// Cosmos DB emulators, which everybody has, as a placeholder.
//
// Sources: https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite
// and https://learn.microsoft.com/en-us/azure/cosmos-db/emulator
func validateNotEmulator(data []byte, m *Match) bool {
	secret := data[m.SecretStart:m.SecretEnd]
	// The first characters tell the two keys from all others.
	if bytes.HasPrefix(secret, []byte("Eby8vdM02xNOcqFlqUwJ")) || bytes.HasPrefix(secret, []byte("C2y6yDjf5/R+ob0N8A7C")) {
		m.Placeholder = "key of Azure's emulators, which everybody has"
	}
	return true
}
