package generic

// weakPasswords are what people type when any password will do, without their
// case and with the usual letters for digits and signs (p4ssw0rd, s3cr3t).
var weakPasswords = [...]string{
	"password", "passwd", "pass", "secret", "admin", "administrator", "root", "letmein", "welcome", "qwerty", "hunter", "changeme", "changeit",
	"topsecret", "supersecret", "supersecure", "mysecret", "mypassword", "default", "guest", "test", "testing", "demo", "monkey", "dragon", "master",
	"iloveyou", "sunshine", "princess", "football", "shadow", "abc", "trustno", "opensesame", "swordfish", "secretpassword", "somepassword",
	"verysecret", "verysecure", "postgres", "mysql", "oracle", "rabbitmq", "tiger", "elastic", "minio", "minioadmin", "user", "login", "xyzzy",
}

// weakness names the sort of weak password that v is, "" if it is none: the
// word itself, in digits and signs (P4ssw0rd), or with digits and signs behind.
func weakness(v []byte) string {
	if len(v) > 24 {
		return ""
	}
	var plain [24]byte
	n, disguised := 0, false
	end := len(v)
	for end > 0 && (digit(v[end-1]) || v[end-1] == '!' || v[end-1] == '.' || v[end-1] == '*' || v[end-1] == '#' || v[end-1] == '@' || v[end-1] == '$') {
		end--
	}
	for _, b := range v[:end] {
		switch b {
		case '0':
			b, disguised = 'o', true
		case '1':
			b, disguised = 'i', true
		case '3':
			b, disguised = 'e', true
		case '4', '@':
			b, disguised = 'a', true
		case '5', '$':
			b, disguised = 's', true
		case '7':
			b, disguised = 't', true
		case '-', '_', ' ':
			continue
		}
		plain[n] = b
		n++
	}
	for _, w := range weakPasswords {
		if equalFold(plain[:n], w) {
			switch {
			case disguised:
				return "a weak password in digits and signs"
			case end < len(v):
				return "a weak password and digits or signs"
			}
			return "a weak password"
		}
	}
	return ""
}

// sharedWords says whether the words of a value all come from its name, or
// some do: a setting's name rather than its value. It is "" for none.
func sharedWords(name, value []byte) string {
	shared, words := 0, 0
	eachWord(value, func(w []byte) {
		words++
		if len(w) >= 3 && containsFold(name, string(w)) {
			shared++
		}
	})
	switch {
	case shared == 0:
		return ""
	case shared == words:
		return "all"
	}
	return "some"
}
