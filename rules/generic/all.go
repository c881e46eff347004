package generic

import (
	"bytes"
	"unicode/utf8"
)

// All returns the candidates in data, each value once. It is meant for lines:
// a scanner finds the key words of a large text in a better way.
func All(data []byte) []Candidate {
	var out []Candidate
	low := bytes.Clone(data)
	for i, b := range low {
		if upper(b) {
			low[i] = b | 0x20 // not bytes.ToLower: it changes the length of text that is not UTF-8
		}
	}
	for _, k := range Keywords {
		for from := 0; ; {
			i := bytes.Index(low[from:], []byte(k.Text))
			if i < 0 {
				break
			}
			at := from + i
			from = at + 1
			c, ok := k.Find(data, at)
			if ok && !SameText(data[c.KeyStart:c.KeyEnd], data[c.Start:c.End]) && !Hopeless(data[c.Start:c.End], c) && !known(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

func known(all []Candidate, c Candidate) bool {
	for _, x := range all {
		if x.Start == c.Start && x.End == c.End {
			return true
		}
	}
	return false
}

// Find cuts out the candidate at the key word, which stands at at.
func (k Keyword) Find(data []byte, at int) (Candidate, bool) {
	switch k.Kind {
	case InURL:
		return FindURL(data, at)
	case InHeader:
		return FindHeader(data, at, at+len(k.Text))
	}
	return Find(data, at, at+len(k.Text))
}

// Hopeless reports, quickly, that a value can be no secret: most of what
// follows a key word in code is a variable, a call or prose, and need not be
// weighed.
func Hopeless(value []byte, c Candidate) bool {
	if len(value) < 4 || value[0] == '\\' && escaped(value) || !isText(value) {
		return true
	}
	if c.Syntax == Header {
		return plainWord(value) || len(value) <= 24 && allOf(value, func(b byte) bool { return b >= 'a' && b <= 'z' }) // Bearer GrantOptions, in prose
	}
	last := value[len(value)-1]
	switch {
	case algorithm(value), isPattern(value), isTemplate(value), isSelector(value), isSettingName(value), speaks(value), hasPrefix(value, "(("), isVersion(value), isDate(value), hasPrefix(value, "aws.auth#"), hasPrefix(value, "smithy.api#"): // ((a-variable)) of Concourse, an id of Smithy
		return true
	case hasPrefix(value, "#{"), value[0] == '%' && last == '%', value[0] == '@' && last == '@': // #{a}, %A%, @a@: templates
		return true
	case hasPrefix(value, "${"), contains(value, "/aws4_request"): // a template, the scope of a signed request
		return true
	case len(value) > 3 && value[1] == ' ' && (value[2] == '+' || value[2] == '.') && indexByte([]byte("\"'`"), value[0]) >= 0: // ' + password + '
		return true
	case hasSuffix(value, "..."), value[0] == '<' && last == '>' && c.Syntax != Element: // cut short, a hole to fill
		return true
	}
	if (c.Syntax == Assign || c.Syntax == Compare) && oneOf(value, switchWords[:]) {
		return true
	}
	if c.Quote != 0 {
		return c.Quote == '`' && contains(value, `:"`) // the tag of a Go field
	}
	if last == '[' || last == '(' || last == '{' {
		return true // an index, an argument: the code goes on
	}
	if len(value) <= 18 && (hasPrefix(value, "0x") || hasPrefix(value, "-0x") || hasPrefix(value, "0X") || hasPrefix(value, "0b")) {
		return true // a number: a flag, a code
	}
	switch c.Syntax {
	case Call, Pair, Compare:
		return true // a parameter, a variable
	case Word:
		if allOf(value, func(b byte) bool { return b >= 'a' && b <= 'z' || b == '.' || b == '-' || b == ':' || b == '?' }) || !letter(value[0]) && !digit(value[0]) {
			return true
		}
	case Assign:
		if constant(value) || camelWords(value) {
			return true
		}
	}
	if i := indexByte(value, '('); i > 0 && letter(value[0]) && (c.Syntax == Assign || c.Syntax == Word) {
		return true
	}
	return false
}

// isText reports whether a value is UTF-8 without control characters: others
// stand behind a key word by chance.
func isText(v []byte) bool {
	return utf8.Valid(v) && allOf(v, func(b byte) bool { return b >= ' ' && b != 0x7f || b == '\t' || b == '\n' || b == '\r' })
}

// algorithm reports whether a value names a cipher, a hash or a way to sign in:
// settings whose names hold "password" or "key" have them.
func algorithm(v []byte) bool {
	for _, w := range [...]string{
		"hs256", "hs384", "hs512", "rs256", "rs384", "rs512", "es256", "es384", "es512", "ps256", "eddsa", "md5", "sha1", "sha-1", "sha224", "sha256",
		"sha-256", "sha384", "sha512", "sha-512", "bcrypt", "scrypt", "argon2", "argon2i", "argon2id", "pbkdf2", "ed25519", "x25519", "secp256k1",
		"secp256r1", "secp384r1", "secp521r1", "prime256v1", "aes-128-gcm", "aes-256-gcm", "aes-256-cbc", "aes256", "aes128", "chacha20-poly1305", "scram-sha-1", "scram-sha-256",
		"scram-sha-512", "mysql_native_password", "caching_sha2_password", "sha256_password", "pbkdf2withhmacsha1", "pbkdf2withhmacsha256",
		"sha256withrsa", "rsa2048", "rsa4096", "hmacsha256", "hmac-sha256", "hmac-sha1", "hmac-sha512", "client_secret_basic", "client_secret_post",
		"private_key_jwt", "xoauth2", "cram-md5", "digest-md5", "oauthbearer", "latin1", "base64", "utf-8", "utf8", "authorization_code", "client_credentials", "refresh_token",
	} {
		if len(w) == len(v) && equalFold(v, w) {
			return true
		}
	}
	return false
}

// camelWords reports whether a bare value is words in camel case: a variable.
func camelWords(v []byte) bool {
	humps := 0
	for i, b := range v {
		if !letter(b) {
			return false
		}
		if i > 0 && upper(b) && !upper(v[i-1]) {
			humps++
		}
	}
	return humps > 0 && !upper(v[0]) && wordCover(v) > 0.7
}

// plainWord reports whether v is one or several words in letters alone.
func plainWord(v []byte) bool { return allOf(v, letter) && wordCover(v) > 0.8 }

// isVersion reports whether v is a version or a range of them: ^5.2.5.
func isVersion(v []byte) bool {
	i := 0
	for i < len(v) && (v[i] == '^' || v[i] == '~' || v[i] == '>' || v[i] == '<' || v[i] == '=' || v[i] == 'v' || v[i] == ' ') {
		i++
	}
	dots, digits := 0, 0
	for ; i < len(v) && (digit(v[i]) || v[i] == '.'); i++ {
		if v[i] == '.' {
			dots++
		} else {
			digits++
		}
	}
	return dots > 0 && digits > 1 && digits < 16 && (i == len(v) || v[i] == '-' && (len(v)-i < 16 || allOf(v[i+1:], hexByte)))
}

// isDate reports whether v begins with a date, 2016-09-08, and goes on as a
// time of day does or not at all.
func isDate(v []byte) bool {
	return len(v) >= 10 && allOf(v[:4], digit) && v[4] == '-' && allOf(v[5:7], digit) && v[7] == '-' && allOf(v[8:10], digit) &&
		allOf(v[10:], func(b byte) bool {
			return digit(b) || b == 'T' || b == 'Z' || b == ' ' || b == ':' || b == '.' || b == '+' || b == '-'
		})
}

// escaped reports whether a value is characters written as \u1234 or \x12: a
// sign of another script or an emoji.
func escaped(value []byte) bool {
	return len(value) <= 12 && len(value) > 1 && (value[1]|0x20 == 'u' || value[1] == 'x')
}

// isPattern reports whether a value is a regular expression: a class of
// characters that is repeated, [0-9a-f]{32}.
func isPattern(value []byte) bool {
	open := indexByte(value, '[')
	return open >= 0 && (contains(value[open:], "[^") || contains(value[open:], "]{") || contains(value[open:], "]+") || contains(value[open:], "]*"))
}
