package generic

import "math"

// shape is what a value looks like, whatever its name.
type shape struct {
	form    string // a class of values: number, path, identifier, hex …
	letters string // which alphabets it mixes
	random  float64
	words   float64 // part of the letters covered by dictionary words
	variety float64 // distinct characters by length
	changes float64 // changes of character class by length
	digits  float64 // part that are digits
	marks   [6]string
}

func shapeOf(v []byte) shape {
	var s shape
	var lower, upper, digits, special, space, joiners int
	var seen [256]bool
	distinct, changes, last := 0, 0, -1
	for _, b := range v {
		class := 0
		switch {
		case b >= 'a' && b <= 'z':
			lower++
		case b >= 'A' && b <= 'Z':
			upper++
			class = 1
		case digit(b):
			digits++
			class = 2
		case b == ' ' || b == '\t':
			space++
			class = 3
		default:
			special++
			class = 4
			if b == '_' || b == '-' || b == '.' || b == '/' || b == ':' {
				joiners++
			}
		}
		if !seen[b] {
			seen[b] = true
			distinct++
		}
		if last >= 0 && class != last {
			changes++
		}
		last = class
	}
	n := float64(len(v))
	s.variety = float64(distinct) / math.Min(n, 32)
	s.changes = float64(changes) / math.Max(1, n-1)
	s.digits = float64(digits) / n
	s.random = randomness(v)
	s.words = wordCover(v)
	s.letters = alphabet(lower, upper, digits, special, space, joiners)
	s.form = form(v, lower, upper, digits, special, space)
	s.mark(v, distinct)
	return s
}

func alphabet(lower, upper, digits, special, space, joiners int) string {
	switch {
	case space > 0:
		return "with blanks"
	case special > 0 && special == joiners && digits > 0 && lower+upper > 0:
		return "letters, digits, joiners"
	case special > 0 && special == joiners:
		return "letters and joiners"
	case special > 0 && digits > 0 && lower+upper > 0:
		return "letters, digits, signs"
	case special > 0:
		return "letters and signs"
	case lower > 0 && upper > 0 && digits > 0:
		return "aA1"
	case lower > 0 && upper > 0:
		return "aA"
	case lower > 0 && digits > 0:
		return "a1"
	case upper > 0 && digits > 0:
		return "A1"
	case lower > 0:
		return "a"
	case upper > 0:
		return "A"
	}
	return "1"
}

// form puts a value into the first class that fits.
func form(v []byte, lower, upper, digits, special, space int) string {
	letters := lower + upper
	switch {
	case letters == 0 && special == 0 && space == 0:
		return "number"
	case constant(v):
		return "constant"
	case isUUID(v):
		return "uuid"
	case special == 0 && space == 0 && len(v) >= 16 && allOf(v, hexByte) && (lower == 0 || upper == 0) && digits > 0:
		return "hex"
	case space > 0:
		return "several words"
	case hasPrefix(v, "http://") || hasPrefix(v, "https://") || contains(v, "://"):
		return "url"
	case v[0] == '/' || hasPrefix(v, "./") || hasPrefix(v, "~/") || contains(v, ":\\"):
		return "path"
	case special == 0 && digits == 0 && letters > 0:
		return "letters"
	case special == 0:
		return "letters and digits"
	case allOf(v, func(b byte) bool { return letter(b) || digit(b) || b == '_' }):
		return "snake"
	case allOf(v, func(b byte) bool { return letter(b) || digit(b) || b == '-' }):
		return "kebab"
	case allOf(v, func(b byte) bool {
		return letter(b) || digit(b) || b == '_' || b == '.' || b == '-' || b == '>' || b == '$'
	}):
		return "dotted"
	case len(v) >= 16 && allOf(v, func(b byte) bool {
		return letter(b) || digit(b) || b == '+' || b == '/' || b == '=' || b == '-' || b == '_'
	}):
		return "base64"
	}
	return "signs"
}

// mark notes what betrays a variable, a template or a call.
func (s *shape) mark(v []byte, distinct int) {
	n := 0
	add := func(m string) {
		if n < len(s.marks) {
			s.marks[n] = m
			n++
		}
	}
	switch {
	case v[0] == '$' || v[0] == '@' && len(v) > 1 && letter(v[1]):
		add("variable")
	case v[0] == '<' || v[0] == '[' || v[0] == '{' && len(v) > 1 && v[1] == '{':
		add("placeholder in brackets")
	case v[0] == '%' && len(v) <= 12:
		add("format")
	case v[0] == '*' || v[0] == '&' || v[0] == '!':
		add("operator")
	}
	if contains(v, "${") || contains(v, "{{") || contains(v, "#{") || contains(v, "<%") || contains(v, "$(") || contains(v, "%(") || contains(v, "%s") || contains(v, "{}") {
		add("template")
	}
	if indexByte(v, '(') > 0 && letter(v[0]) {
		add("call")
	}
	if indexByte(v, '[') > 0 && letter(v[0]) {
		add("index")
	}
	if distinct <= 2 && len(v) >= 4 {
		add("one character again and again")
	}
	if sequence(v) {
		add("a sequence")
	}
	var buf [128]byte
	small := fold(buf[:0], v)
	for _, w := range [...]string{"example", "your", "my", "placeholder", "change", "dummy", "fake", "sample", "insert", "todo", "redacted", "removed", "test", "xxx", "foo", "bar", "none", "null", "default", "generated"} {
		if n < len(s.marks) && contains(small, w) {
			add(w)
		}
	}
}

// constant reports whether v is a word of a language or a common setting.
func constant(v []byte) bool {
	for _, w := range [...]string{"true", "false", "null", "none", "nil", "undefined", "yes", "no", "on", "off", "string", "str", "int", "bool", "self", "this", "required", "optional", "bytes", "object", "any", "boolean", "text", "number", "void", "function", "new", "await", "None,", "input", "char"} {
		if equalFold(v, w) {
			return true
		}
	}
	return false
}

func hexByte(b byte) bool { return digit(b) || b|0x20 >= 'a' && b|0x20 <= 'f' }

func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, b := range v {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if b != '-' {
				return false
			}
		} else if !hexByte(b) {
			return false
		}
	}
	return true
}

// sequence reports whether most of v counts up or down: 12345678, abcdef.
func sequence(v []byte) bool {
	steps := 0
	for i := 1; i < len(v); i++ {
		if d := int(v[i]) - int(v[i-1]); d == 1 || d == -1 {
			steps++
		}
	}
	return len(v) >= 5 && steps*4 >= (len(v)-1)*3
}

// randomness grades the pairs of neighbouring letters of v by how rare they
// are in identifiers and prose: about 0.3 for words, 0.7 and more for drawn
// characters.
func randomness(v []byte) float64 {
	sum, n := 0, 0
	for i := 1; i < len(v); i++ {
		a, b := pairClass(v[i-1]), pairClass(v[i])
		if a < 0 || b < 0 {
			continue
		}
		sum += int(pairCost[a*pairClasses+b])
		n++
	}
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n) / 255
}

const pairClasses = 28

// pairClass maps letters to 0-25, digits to 26 and what joins words to 27.
func pairClass(b byte) int {
	switch {
	case letter(b):
		return int(b|0x20) - 'a'
	case digit(b):
		return 26
	case b == '_' || b == '-' || b == '.' || b == ' ':
		return 27
	}
	return -1
}

// wordCover returns which part of the letters of v the longest dictionary
// words cover.
func wordCover(v []byte) float64 {
	covered, letters := 0, 0
	for i := 0; i < len(v); {
		if !letter(v[i]) {
			i++
			continue
		}
		j := i
		for j < len(v) && letter(v[j]) {
			j++
		}
		letters += j - i
		for i < j {
			n := longestWord(v[i:j])
			if n == 0 {
				i++
				continue
			}
			covered += n
			i += n
		}
	}
	if letters == 0 {
		return 0
	}
	return float64(covered) / float64(letters)
}
