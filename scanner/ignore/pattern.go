package ignore

import (
	"fmt"
	"strings"
	"sync"

	ignore "github.com/sabhiram/go-gitignore"
)

// How a pattern is matched. All but glob are decided by comparing strings,
// which is enough for nine lines in ten of the ignore files that people write.
type patternKind uint8

const (
	never     patternKind = iota // matches nothing, as git has it for malformed patterns
	literal                      // the text is head
	endsWith                     // the text ends in tail: "*.o"
	beginWith                    // the text begins with head: "cache*", "/out/**"
	glob                         // head and tail are necessary; go-gitignore decides
)

// A Pattern is one line of an ignore file. It means what git makes of the
// line, quirks included; see newPattern. Nobody changes one once it is parsed.
type Pattern struct {
	// Text is the line as it stands in the file, and Line its number, from 1.
	Text string
	Line int
	// Comment is the text of the comment lines right above, without their '#'.
	Comment string
	// Rules are what the section of the line names, ids of rules in which '*'
	// stands for anything; nil means that the line holds whatever was found.
	Rules []string
	// Negate says that the line began with '!': what it matches is kept.
	Negate bool

	kind     patternKind
	dirOnly  bool // the line ended in '/'
	anchored bool // match the path below the ignore file, not the base name
	head     string
	tail     string

	line     string // what go-gitignore gets
	once     sync.Once
	compiled *ignore.GitIgnore
}

// matches reports whether p, read from an ignore file with the given folding,
// matches the entry whose path below that file is rel and whose base name is
// name. With folding both are in lower case already.
func (p *Pattern) matches(rel, name string, isDir bool) bool {
	if p.dirOnly && !isDir {
		return false
	}
	text := name
	if p.anchored {
		text = rel
	}
	switch p.kind {
	case literal:
		return text == p.head
	case endsWith:
		return strings.HasSuffix(text, p.tail)
	case beginWith:
		return strings.HasPrefix(text, p.head)
	case glob:
		if len(text) < len(p.head)+len(p.tail) || !strings.HasPrefix(text, p.head) || !strings.HasSuffix(text, p.tail) {
			return false
		}
		p.once.Do(func() { p.compiled = ignore.CompileIgnoreLines(p.line) })
		return p.compiled.MatchesPath(latin1(text))
	}
	return false
}

// trimBlanks drops the blanks at the end of line that no backslash protects.
func trimBlanks(line string) string {
	end := -1
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			if end < 0 {
				end = i
			}
			continue
		case '\\':
			i++
			if i == len(line) {
				return line
			}
		}
		end = -1
	}
	if end >= 0 {
		return line[:end]
	}
	return line
}

// newPattern reads one line. It follows parse_path_pattern, match_basename
// and match_pathname of git's dir.c step by step:
//
//   - a slash at the end is taken off and restricts the pattern to folders;
//   - a slash elsewhere anchors the pattern at the folder of its file, without
//     one it is matched against base names;
//   - the text before the first special character is compared literally, and
//     wildmatch sees only the rest, so that the "**" of "a**/b" stands at the
//     beginning for it.
func newPattern(line string, fold bool) *Pattern {
	p := &Pattern{}
	if strings.HasPrefix(line, "!") {
		p.Negate, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		p.dirOnly, line = true, line[:len(line)-1]
	}
	p.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if rest, ok := strings.CutPrefix(line, "**/"); ok && !strings.Contains(rest, "/") && rest != "" {
		p.anchored, line = false, rest
	}
	if line == "" {
		return p
	}
	if fold {
		// Not the classes: git compares their single members as they stand.
		line = lowerOutsideClasses(line)
	}
	head := plainPrefix(line)
	rest := line[head:]
	p.head = line[:head]
	// "**/" may stand for nothing, and its slash with it.
	p.tail = strings.TrimPrefix(line[len(line)-plainSuffix(rest):], "/")
	switch {
	case rest == "":
		p.kind = literal
	case !p.anchored && head == 0 && rest[0] == '*' && plainSuffix(rest) == len(rest)-1:
		p.kind = endsWith
	case !p.anchored && (rest == "*" || rest == "**"), p.anchored && rest == "**" && head > 0:
		p.kind = beginWith
	default:
		body, ok := translate(rest, p.anchored, fold)
		if !ok {
			return p
		}
		p.kind = glob
		p.line = "/" + quote(p.head) + body + "$"
	}
	return p
}

const special = `*?[\`

// plainPrefix returns the length of the part of s before the first special
// character.
func plainPrefix(s string) int {
	if i := strings.IndexAny(s, special); i >= 0 {
		return i
	}
	return len(s)
}

// plainSuffix returns the length of a part at the end of s that stands for
// itself.
func plainSuffix(s string) int {
	i := strings.LastIndexAny(s, special+"]")
	if i < 0 {
		return len(s)
	}
	n := len(s) - i - 1
	if s[i] == '\\' && n > 0 {
		n-- // the escaped character may be a special one: leave it to translate
	}
	return n
}

func lowerOutsideClasses(s string) string {
	if !strings.Contains(s, "[") {
		return lower(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		n := 1
		switch s[i] {
		case '[':
			if _, used, ok := class(s[i:], true); ok {
				b.WriteString(s[i : i+used])
				i += used
				continue
			}
		case '\\':
			n = min(2, len(s)-i)
		}
		b.WriteString(lower(s[i : i+n]))
		i += n
	}
	return b.String()
}

// lower lowers ASCII letters only, as git does.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// translate rewrites a wildmatch pattern into what go-gitignore passes
// through to its regular expressions unchanged. The library differs from git
// in most of what its own syntax offers: '?' and blanks, '**' inside a name,
// escapes, classes such as [!a], characters that mean something in a regular
// expression, and a name below a folder that a negated pattern names. So the
// line that it gets has none of these: ordinary characters are written
// \x{HH}, classes as ranges of such, "$" at the end keeps the pattern from
// covering what lies below, and a single star, the one thing both read alike,
// is the only star.
//
// ok is false for a pattern that git never matches, such as "[a".
func translate(s string, anchored, fold bool) (body string, ok bool) {
	const anything = `[\x{00}-\x{FF}]{0,}`
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '*':
			start := i
			for i+1 < len(s) && s[i+1] == '*' {
				i++
			}
			rest := s[i+1:]
			switch alone := i > start && (start == 0 || s[start-1] == '/'); {
			case !anchored:
				b.WriteString(anything) // base names hold no slash
			case alone && strings.HasPrefix(rest, "/"):
				b.WriteString("(|" + anything + "/)")
				i++
			case alone && (rest == "" || strings.HasPrefix(rest, `\/`)):
				b.WriteString(anything)
			default:
				b.WriteByte('*')
			}
		case '?':
			b.WriteString("[^/]")
		case '[':
			set, n, ok := class(s[i:], fold)
			if !ok {
				return "", false
			}
			set['/'] = false
			set[0] = false
			b.WriteString(ranges(&set))
			i += n - 1
		case '\\':
			i++
			if i == len(s) {
				return "", false
			}
			b.WriteString(quote(s[i : i+1]))
		default:
			b.WriteString(quote(s[i : i+1]))
		}
	}
	return b.String(), true
}

// quote writes every byte of s but letters, digits and slashes by its number.
func quote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x{%02X}`, c)
		}
	}
	return b.String()
}

// ranges writes set as a character class.
func ranges(set *[256]bool) string {
	var b strings.Builder
	for lo := 0; lo < 256; lo++ {
		if !set[lo] {
			continue
		}
		hi := lo
		for hi < 255 && set[hi+1] {
			hi++
		}
		fmt.Fprintf(&b, `\x{%02X}-\x{%02X}`, lo, hi)
		lo = hi
	}
	if b.Len() == 0 {
		return `[^\x{00}-\x{10FFFF}]`
	}
	return "[" + b.String() + "]"
}

// latin1 maps every byte of s to the character of that number, because git
// compares bytes: its '?' is one byte, whatever the encoding of the name.
func latin1(s string) string {
	i := 0
	for i < len(s) && s[i] < 0x80 {
		i++
	}
	if i == len(s) {
		return s
	}
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}
