package generic

import "bytes"

// What stands where a value could stand and is an expression, a template or a
// setting: the program computes the secret elsewhere.

// isTemplate reports whether a value is filled in before it is used: a verb of
// printf, a hole of a template language, a macro of a manual page.
func isTemplate(v []byte) bool {
	switch {
	case contains(v, "{{"), contains(v, "%("), contains(v, "<%"), contains(v, "{$"):
		return true
	case hasPrefix(v, `\*(`), hasPrefix(v, `\fB`), hasPrefix(v, `\fI`), hasPrefix(v, `\f(`):
		return true
	case contains(v, "{0}"), contains(v, "{}"), contains(v, "{1}"):
		return true
	}
	for i := bytes.IndexByte(v, '%'); i >= 0 && i+1 < len(v); {
		if v[i+1] == 's' || v[i+1] == 'd' || v[i+1] == 'v' || v[i+1] == 'r' || v[i+1] == 'q' {
			if i+2 == len(v) || !letter(v[i+2]) && !digit(v[i+2]) {
				return true
			}
		}
		next := bytes.IndexByte(v[i+1:], '%')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

// isSelector reports whether a value names an element of a page: #snmp_password.
func isSelector(v []byte) bool {
	return len(v) > 3 && (v[0] == '#' || v[0] == '.') && letter(v[1]) &&
		allOf(v[1:], func(b byte) bool { return letter(b) || b == '_' || b == '-' || b == ' ' }) && (sensitiveWord(v) != "" || wordCover(v[1:]) > 0.7)
}

// switchWords are values of settings that turn something on, off or elsewhere.
var switchWords = [...]string{
	"enable", "enabled", "disable", "disabled", "always", "never", "prompt", "ignore", "ignored", "keep", "unset", "binary", "boolean", "inherit", "manual", "automatic", "md5", "plaintext",
}

// isSettingName reports whether a value is two or more words, all of which are
// words of names: auth-password, function_old_password, --password.
func isSettingName(v []byte) bool {
	if !allOf(v, func(b byte) bool { return letter(b) || b == '_' || b == '-' || b == '.' }) {
		return false
	}
	words, all := 0, true
	eachWord(v, func(w []byte) {
		words++
		all = all && keyWord(w) != ""
	})
	return all && (words >= 2 && (indexByte(v, '_') > 0 || indexByte(v, '.') > 0) || hasPrefix(v, "--"))
}

// isExpression reports whether a bare value is code: an index, a call, the
// variable that a member of a map in brackets is set to.
func isExpression(data []byte, c Candidate) bool {
	v := data[c.Start:c.End]
	if c.Quote != 0 {
		return isUnion(data, c)
	}
	if c.Syntax == Flag && hasPrefix(v, "--") || c.Syntax == Word && contains(v, "://") && indexByte(v, '@') < 0 {
		return true // the next flag; proxy_pass http://…
	}
	if i := indexByte(v, '['); i > 0 && v[len(v)-1] == ']' && allOf(v[:i], func(b byte) bool { return nameByte(b) }) {
		return true // _ref2[_j], dsn[k
	}
	if c.Syntax == Assign && c.KeyStart > 2 && string(data[c.KeyStart-2:c.KeyStart]) == ", " && nameByte(data[c.KeyStart-3]) && hasPrefix(data[c.KeyEnd:], " = ") {
		return allOf(v, func(b byte) bool { return letter(b) || b == '_' || b == '.' }) // user, password = variable
	}
	if isReference(v) {
		return true
	}
	if c.Syntax == Word && namesAnother(v) {
		return true // new_credential logon_flags=x
	}
	if i := c.KeyEnd; c.Syntax == Assign && i+1 < len(data) && (data[i] == '"' || data[i] == '\'') && data[i+1] == ']' {
		return allOf(v, func(b byte) bool { return letter(b) || b == '_' || b == '.' || b == '$' }) // a["password"] = variable
	}
	return false
}

// namesAnother reports whether v is itself a name and a value, name=value.
func namesAnother(v []byte) bool {
	i := indexByte(v, '=')
	return i > 2 && i+1 < len(v) && v[i+1] != '=' && letter(v[0]) && allOf(v[:i], func(b byte) bool { return letter(b) || b == '_' || b == ':' })
}

// isCount reports whether a value is a plain number whose name is that of no
// password: HKEY_CLASSES_ROOT = 2147483648.
func isCount(name, v []byte) bool {
	if !allOf(v, digit) {
		return false
	}
	return !holdsAny(name, "pass", "pwd", "psw", "secret", "pin", "token", "api", "app", "access", "auth", "cred")
}

// isFingerprint reports whether a value is the id of a public key of GPG.
func isFingerprint(name, v []byte) bool {
	if len(v) != 8 && len(v) != 16 && len(v) != 40 || !allOf(v, hexByte) {
		return false
	}
	return holdsAny(name, "gpg", "pgp", "recv-key", "sign_key", "signkey", "signing_key", "keyring", "signed")
}

// isMember reports whether a name that is no more than "key" is given what a
// program calls something, {"key": "ipv4Configuration"}, or one that ends so a
// word: what people call a key of theirs.
func isMember(name, v []byte) bool {
	if allOf(v, letter) && len(v) < 24 && randomness(v) < 0.6 && !holdsAny(name, "pass", "pwd", "psw", "secret", "token", "cred", "securestring") {
		if k := caseOf(v); k == "Capital" || k == "small" {
			return true
		}
	}
	if !equalFold(name, "key") && !equalFold(name, "keys") || len(v) > 64 {
		return false
	}
	if !allOf(v, func(b byte) bool {
		return letter(b) || digit(b) || b == '_' || b == '-' || b == '.' || b == '/' || b == ':' || b == ' '
	}) {
		return false
	}
	return readable(v)
}

// readable reports whether most of a value is words, or humps and digits as
// names have them rather than drawn characters.
func readable(v []byte) bool {
	words, digits := 0, 0
	eachWord(v, func([]byte) { words++ })
	for _, b := range v {
		if digit(b) {
			digits++
		}
	}
	return wordCover(v) >= 0.5 && digits*4 <= len(v) || words <= 6 && len(v) <= 12 && digits <= 4
}

// goesOn reports whether a string ends in a blank or a sign and code joins
// something to it: 'AWS3-HTTPS ' + x.
func goesOn(data []byte, c Candidate) bool {
	v := data[c.Start:c.End]
	if c.Quote == 0 || v[len(v)-1] != ' ' && v[len(v)-1] != ':' && v[len(v)-1] != '=' {
		return false
	}
	i := c.End + 1
	for i < len(data) && i < c.End+4 && data[i] == ' ' {
		i++
	}
	return i < len(data) && (data[i] == '+' || data[i] == '.' || data[i] == '%')
}

func holdsAny(name []byte, words ...string) bool {
	for _, w := range words {
		if containsFold(name, w) {
			return true
		}
	}
	return false
}

// isReference reports whether a value is what an object that holds secrets is
// called, as Kubernetes and Helm refer to one: grafana-admin-credentials.
func isReference(v []byte) bool {
	i := bytes.LastIndexByte(v, '-')
	return i > 0 && oneOf(v[i+1:], []string{"secret", "secrets", "credentials", "creds"}) &&
		allOf(v, func(b byte) bool { return b >= 'a' && b <= 'z' || b == '-' }) && wordCover(v) > 0.6
}

// isUnion reports whether a string is one of the values that a type allows:
// 'cloud' | 'elasticsearch'.
func isUnion(data []byte, c Candidate) bool {
	i := c.End + 1
	return c.Syntax == Assign && i+4 < len(data) && string(data[i:i+3]) == " | " && data[i+3] == data[c.End]
}
