package ignore

import "strings"

// class reads the character class that s begins with and returns the bytes
// it holds and how long it is. It is the '[' case of git's wildmatch.c: '!'
// or '^' negates, ']' right after the beginning is an ordinary member,
// a backslash takes the next character as it is, and names such as [:digit:]
// are known. ok is false when the class has no end or names an unknown class,
// which git lets match nothing. With fold the text to match is in lower case.
func class(s string, fold bool) (set [256]bool, n int, ok bool) {
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	i := 1
	negated := at(i) == '!' || at(i) == '^'
	if negated {
		i++
	}
	prev := byte(0)
	for first := true; first || at(i) != ']'; i++ {
		first = false
		c := at(i)
		switch {
		case c == 0:
			return set, 0, false
		case c == '\\':
			i++
			if c = at(i); c == 0 {
				return set, 0, false
			}
			set[c] = true
		case c == '-' && prev != 0 && at(i+1) != 0 && at(i+1) != ']':
			i++
			if c = at(i); c == '\\' {
				i++
				if c = at(i); c == 0 {
					return set, 0, false
				}
			}
			addRange(&set, prev, c, fold)
			c = 0
		case c == '[' && at(i+1) == ':':
			used, known := addClass(&set, s[i+2:], fold)
			if !known {
				return set, 0, false
			}
			if used > 0 {
				i += 1 + used
				c = 0
			}
		default:
			set[c] = true
		}
		prev = c
	}
	if negated {
		for c := range set {
			set[c] = !set[c]
		}
	}
	return set, i + 1, true
}

// addClass adds the members of the named class that rest, the text after
// "[:", begins with, and returns how much of it that took. Without ":]" the
// bracket is an ordinary member, and nothing is taken. ok is false where git
// lets the whole pattern match nothing.
func addClass(set *[256]bool, rest string, fold bool) (used int, ok bool) {
	end := strings.IndexByte(rest, ']')
	switch {
	case end < 0:
		return 0, false
	case end == 0 || rest[end-1] != ':':
		set['['] = true
		return 0, true
	}
	return end + 1, addNamed(set, rest[:end-1], fold)
}

func addRange(set *[256]bool, lo, hi byte, fold bool) {
	for c := int(lo); c <= int(hi); c++ {
		set[c] = true
		if fold && 'A' <= c && c <= 'Z' {
			set[c+'a'-'A'] = true
		}
	}
}

// addNamed adds the members of a class such as "digit", in the C locale.
func addNamed(set *[256]bool, name string, fold bool) bool {
	var in func(c byte) bool
	isLower := func(c byte) bool { return 'a' <= c && c <= 'z' }
	isUpper := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	isDigit := func(c byte) bool { return '0' <= c && c <= '9' }
	isGraph := func(c byte) bool { return 0x21 <= c && c <= 0x7e }
	isAlnum := func(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }
	switch name {
	case "alnum":
		in = isAlnum
	case "alpha":
		in = func(c byte) bool { return isLower(c) || isUpper(c) }
	case "blank":
		in = func(c byte) bool { return c == ' ' || c == '\t' }
	case "cntrl":
		in = func(c byte) bool { return c < 0x20 || c == 0x7f }
	case "digit":
		in = isDigit
	case "graph":
		in = isGraph
	case "lower":
		in = isLower
	case "print":
		in = func(c byte) bool { return isGraph(c) || c == ' ' }
	case "punct":
		in = func(c byte) bool { return isGraph(c) && !isAlnum(c) }
	case "space":
		in = func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
	case "upper":
		in = func(c byte) bool { return isUpper(c) || fold && isLower(c) }
	case "xdigit":
		in = func(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
	default:
		return false
	}
	for c := range set {
		set[c] = set[c] || in(byte(c))
	}
	return true
}
