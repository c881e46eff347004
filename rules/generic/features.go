package generic

import "math"

// features calls add for every feature of c. A feature is a group and a value;
// the names are what Explain prints. add gets no allocated string: a feature
// of two values is a group, a value and a second value.
func features(data []byte, c Candidate, add func(group, a, b string)) {
	v := shapeOf(data[c.Start:c.End])
	syntax := c.Syntax.String()
	quote := quoting(c)
	head := keyFeatures(data, c, func(group, a string) { add(group, a, "") })

	add("syntax", syntax, quote)
	add("head", head, "")
	add("head+syntax", head, syntax)
	add("form", v.form, "")
	add("form+quote", v.form, quote)
	add("head+form", head, v.form)
	add("length", lengthClass(c.End-c.Start), "")
	add("letters", v.letters, "")
	add("letters+length", v.letters, lengthClass(c.End-c.Start))
	add("head+letters", head, v.letters)
	add("random", bucket(v.random), "")
	add("random+quote", bucket(v.random), quote)
	add("head+random", head, bucket(v.random))
	add("words", bucket(v.words), "")
	add("variety", bucket(v.variety), "")
	add("changes", bucket(v.changes), "")
	if v.digits > 0 {
		add("digits", bucket(v.digits), "")
	}
	if c.Wrapped {
		add("wrapped", "yes", "")
	}
	if c.Typed {
		add("typed", "yes", "")
	}
	for _, m := range v.marks {
		if m == "" {
			break
		}
		add("mark", m, "")
		add("mark+quote", m, quote)
	}
	if SameText(data[c.KeyStart:c.KeyEnd], data[c.Start:c.End]) {
		add("value", "repeats its name", "")
	}
	if k := weakness(data[c.Start:c.End]); k != "" {
		add("value is", k, "")
		add("head+value is", head, k)
	}
	if n := sharedWords(data[c.KeyStart:c.KeyEnd], data[c.Start:c.End]); n != "" {
		add("words of its name", n, "")
		add("words of its name+quote", n, quote)
	}
	if w := sensitiveWord(data[c.Start:c.End]); w != "" {
		add("value holds", w, "")
		add("value holds+form", w, v.form)
	}
	surrounding(data, c, add)
}

// quoting sums up how the value is delimited.
func quoting(c Candidate) string {
	switch {
	case c.Quote == 0:
		return "bare"
	case c.Wrapped:
		return "quoted in a call"
	}
	return "quoted"
}

// heads are the words that make a name sensitive, in the order of their weight:
// the first that a name holds is its head.
var heads = [...]string{
	"passphrase", "password", "passwd", "pwd", "secret", "token", "apikey", "bearer", "basic", "signature", "nonce",
	"credential", "cred", "pass", "psw", "cookie", "session", "salt", "auth", "key", "api", "identified", "securestring",
}

// keyFeatures adds the features of the name and returns its head.
func keyFeatures(data []byte, c Candidate, add func(group, a string)) string {
	name := data[c.KeyStart:c.KeyEnd]
	if c.Syntax == URL {
		if i := indexByte(name, ':'); i >= 0 {
			add("scheme", urlScheme(name[:i]))
		}
		return "url"
	}
	head := ""
	for _, h := range heads {
		if containsFold(name, h) {
			head = h
			break
		}
	}
	if head == "" {
		head = "other"
		if n := len(name) - len(shortKeyword); n >= 0 && equalFold(name[n:], shortKeyword) {
			head = "password"
		}
	}
	if head == "passwd" || head == "pwd" || head == "psw" {
		head = "password"
	}
	words := 0
	last := ""
	eachWord(name, func(w []byte) {
		words++
		if k := keyWord(w); k != "" {
			add("name has", k)
			last = k
		} else {
			last = "another word"
		}
	})
	add("name ends in", last)
	switch {
	case words <= 1:
		add("name", "one word")
	case words == 2:
		add("name", "two words")
	default:
		add("name", "several words")
	}
	switch {
	case allOf(name, func(b byte) bool { return b >= 'A' && b <= 'Z' || b == '_' || digit(b) }):
		add("name is", "CONSTANT")
	case indexByte(name, '_') >= 0:
		add("name is", "snake")
	case indexByte(name, '.') >= 0:
		add("name is", "dotted")
	case indexByte(name, '-') >= 0:
		add("name is", "kebab")
	case name[0] >= 'A' && name[0] <= 'Z':
		add("name is", "Capital")
	}
	return head
}

// urlScheme names the schemes that tell something.
func urlScheme(s []byte) string {
	for _, k := range [...]string{"http", "https", "ftp", "postgres", "postgresql", "mysql", "mongodb", "redis", "amqp", "nats", "ssh"} {
		if len(s) >= len(k) && equalFold(s[:len(k)], k) {
			return k
		}
	}
	return "other"
}

// surrounding adds the features of the line around the candidate.
func surrounding(data []byte, c Candidate, add func(group, a, b string)) {
	before := data[lineStart(data, c):c.KeyStart]
	i := 0
	for i < len(before) && (before[i] == ' ' || before[i] == '\t') {
		i++
	}
	rest := before[i:]
	switch {
	case hasPrefix(rest, "//") || hasPrefix(rest, "#") || hasPrefix(rest, "*") || hasPrefix(rest, "--") && len(rest) > 2 && rest[2] == ' ':
		add("line", "comment", "")
	case hasPrefix(rest, ":param") || hasPrefix(rest, ":arg") || hasPrefix(rest, "def ") || hasPrefix(rest, "func ") || hasPrefix(rest, "function "):
		add("line", "declaration", "")
	}
	var buf [256]byte
	small := fold(buf[:0], before)
	for _, w := range [...]string{"def ", "func ", "fun ", "function", "return ", "if ", "case ", "assert", "expect", "throw", "raise", "log", "print", "echo", "export", "curl", "docker", "const ", "final", "static", "var ", "let ", "env", "test", "user", "login", "host", "connect", "config", "client", "expected", "default", "new "} {
		if contains(small, w) {
			add("before", w, "")
		}
	}
	if c.KeyStart > 0 {
		add("touches", touching(data[c.KeyStart-1]), "")
	}
	after := byte('\n')
	j := c.End
	if c.Quote != 0 {
		j++
	}
	if j < len(data) {
		after = data[j]
	}
	add("followed by", touching(after), quoting(c))
}

// lineStart returns where the line of c begins, or 160 bytes before c.
func lineStart(data []byte, c Candidate) int {
	from := c.KeyStart
	for from > 0 && data[from-1] != '\n' && c.KeyStart-from < 160 {
		from--
	}
	return from
}

// JudgeSees returns which text Judge looks at: data[from:to], and the ends of
// data where these lie outside.
func JudgeSees(data []byte, c Candidate) (from, to int) {
	return lineStart(data, c) - 1, c.End + 3
}

// touching names a byte next to a candidate.
func touching(b byte) string {
	switch b {
	case ' ', '\t':
		return "blank"
	case '\n', '\r':
		return "line end"
	case '"', '\'', '`':
		return "quote"
	case ',', ';', ':', '(', ')', '[', ']', '{', '}', '=', '&', '$', '<', '>', '@', '\\', '/', '.', '|', '+', '%', '?':
		return punctuation[b]
	}
	return "other"
}

var punctuation = [128]string{
	',': ",", ';': ";", ':': ":", '(': "(", ')': ")", '[': "[", ']': "]", '{': "{", '}': "}", '=': "=", '&': "&", '$': "$",
	'<': "<", '>': ">", '@': "@", '\\': "\\", '/': "/", '.': ".", '|': "|", '+': "+", '%': "%", '?': "?",
}

func lengthClass(n int) string {
	switch {
	case n < 4:
		return "1-3"
	case n < 6:
		return "4-5"
	case n < 8:
		return "6-7"
	case n < 12:
		return "8-11"
	case n < 16:
		return "12-15"
	case n < 20:
		return "16-19"
	case n < 24:
		return "20-23"
	case n < 32:
		return "24-31"
	case n == 32:
		return "32"
	case n < 40:
		return "33-39"
	case n == 40:
		return "40"
	case n < 64:
		return "41-63"
	}
	return "64 and more"
}

// bucket cuts [0,1] into eight parts.
func bucket(x float64) string {
	return buckets[min(len(buckets)-1, int(math.Max(0, x)*float64(len(buckets))))]
}

var buckets = [...]string{"0/8", "1/8", "2/8", "3/8", "4/8", "5/8", "6/8", "7/8"}

// caseOf tells words by their capitals: Word, WORD, word, camelCase.
func caseOf(v []byte) string {
	upperCase, lowerCase, humps := 0, 0, 0
	for i, b := range v {
		switch {
		case upper(b):
			upperCase++
			if i > 0 && letter(v[i-1]) && !upper(v[i-1]) {
				humps++
			}
		case letter(b):
			lowerCase++
		}
	}
	switch {
	case upperCase == 0:
		return "small"
	case lowerCase == 0:
		return "CAPITALS"
	case upperCase == 1 && upper(v[0]):
		return "Capital"
	case humps > 0 && upperCase == humps && !upper(v[0]):
		return "camel"
	case humps > 0 && upperCase == humps+1 && upper(v[0]):
		return "Camel"
	}
	return "mixed"
}
