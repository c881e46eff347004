package suppress

import (
	"bytes"
	"strings"
	"time"
)

// word begins every directive, blockWord those that begin or end a block.
const (
	word      = "spillgate:allow"
	blockWord = word + "-"
)

// maxLine is how many bytes of a line, before and after a finding, are read
// for directives: a comment does not reach across a minified file.
const maxLine = 4 << 10

// What a directive does.
type verb uint8

const (
	allow verb = iota // excuses its own line, or the next if it stands alone
	begin             // excuses all up to the matching end
	end
)

// A directive is one `spillgate:allow…` in a text.
type directive struct {
	verb   verb
	at     int // where its first byte stands in the text that was parsed
	rules  []string
	reason string
	until  string // last day on which it holds, "2027-01-31", or ""
	alone  bool   // nothing but comment signs stands before it on its line
	wrong  string // why it cannot be honoured, or ""
}

// directives reads the directives in line, one line of text without its end
// or a piece of one.
func directives(line []byte) []directive {
	var all []directive
	for from := 0; ; {
		i := bytes.Index(line[from:], []byte(word))
		if i < 0 {
			return all
		}
		at := from + i
		from = at + len(word)
		rest := line[from:]
		if next := bytes.Index(rest, []byte(word)); next >= 0 {
			rest = rest[:next]
		}
		if !separated(line[:at]) {
			continue
		}
		if d, ok := parseDirective(string(rest)); ok {
			d.at, d.alone = at, onlySigns(line[:at])
			all = append(all, d)
		}
	}
}

// separated reports whether a directive may follow before: at the beginning of
// a line, after white space, a sign that begins a comment, or a quote.
func separated(before []byte) bool {
	if len(before) == 0 {
		return true
	}
	return strings.IndexByte(" \t#/*-;%!<{([|\"'`,", before[len(before)-1]) >= 0
}

// onlySigns reports whether before holds no word, but for the words that begin
// a comment in batch files, BASIC and m4.
func onlySigns(before []byte) bool {
	s := strings.TrimSpace(string(before))
	if s == "REM" || s == "rem" || s == "Rem" || s == "dnl" {
		return true
	}
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 || c == '_' || c == '=' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' {
			return false
		}
	}
	return true
}

// closers end a comment on its own line.
var closers = [...]string{"*/", "-->", "--%>", "%>", "#}", "}}", "*)", "-}", "#>", "|#", "\"\"\"", "'''"}

// parseDirective reads what follows the word. ok is false where that makes it
// another word, such as spillgate:allowed.
func parseDirective(rest string) (d directive, ok bool) {
	switch {
	case strings.HasPrefix(rest, "-begin"):
		d.verb, rest = begin, rest[len("-begin"):]
	case strings.HasPrefix(rest, "-end"):
		d.verb, rest = end, rest[len("-end"):]
	}
	if rest != "" && strings.IndexByte(" \t:\"'`*-#/%}])|>,", rest[0]) < 0 {
		return d, false
	}
	if d.verb == end {
		return d, true
	}
	if rest != "" && rest[0] == '-' && len(rest) > 1 && rest[1] != '-' {
		d.wrong = "it is none of spillgate:allow, spillgate:allow-begin and spillgate:allow-end"
		return d, true
	}
	words := strings.Fields(trimClosers(strings.TrimPrefix(rest, ":")))
	words = d.takeRules(words)
	var reason []string
	for _, w := range words {
		date, isDate := strings.CutPrefix(w, "until=")
		if !isDate {
			reason = append(reason, w)
			continue
		}
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			d.wrong = "its date is not of the form until=2027-01-31"
			continue
		}
		if d.until == "" || date < d.until {
			d.until = date
		}
	}
	d.reason = strings.TrimSpace(strings.TrimLeft(strings.Join(reason, " "), "-—–: "))
	if d.wrong == "" {
		d.wrong = d.missing()
	}
	return d, true
}

func trimClosers(s string) string {
	s = strings.TrimSpace(s)
	for again := true; again; {
		again = false
		for _, c := range closers {
			if t, ok := strings.CutSuffix(s, c); ok {
				s, again = strings.TrimSpace(t), true
			}
		}
	}
	return strings.TrimRight(s, "\"'`,")
}

// takeRules reads the list of rules off the front of words; the list may go on
// behind a comma and a blank.
func (d *directive) takeRules(words []string) []string {
	var list string
	for len(words) > 0 && (list == "" || strings.HasSuffix(list, ",")) {
		list, words = list+words[0], words[1:]
	}
	for id := range strings.SplitSeq(strings.TrimRight(list, ":"), ",") {
		switch {
		case id == "":
		case !isRule(id):
			d.wrong = "no rule is named right after it"
		default:
			d.rules = append(d.rules, id)
		}
	}
	return words
}

// isRule reports whether s is an id of a rule, perhaps with '*' in it.
func isRule(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && c != '*' && (c < '0' || '9' < c) && (c < 'a' || 'z' < c) {
			return false
		}
	}
	return s != ""
}

// missing says what d lacks to be honoured, or "".
func (d *directive) missing() string {
	if len(d.rules) == 0 {
		return "no rule is named right after it"
	}
	if strings.Contains(strings.Join(d.rules, ","), "*") && d.reason == "" {
		return "a rule with * needs a reason after it"
	}
	return ""
}

// covers reports whether d is about findings of the rule.
func (d *directive) covers(rule string) bool { return coversRule(d.rules, rule) }

// The words of other tools' comments.
const (
	gitleaksWord   = "gitleaks:allow"
	trufflehogWord = "trufflehog:ignore"
	kingfisherWord = "kingfisher:ignore"
	pragmaWord     = "pragma:" // of detect-secrets
)

// foreign returns which other tool's comment on line excuses a finding on the
// same line, or "".
func foreign(line []byte) string {
	switch {
	case bytes.Contains(line, []byte(gitleaksWord)):
		return "gitleaks"
	case bytes.Contains(line, []byte(trufflehogWord)):
		return "trufflehog"
	case bytes.Contains(line, []byte(kingfisherWord)):
		return "kingfisher"
	case pragma(line, "secret"):
		return "detect-secrets"
	}
	return ""
}

// foreignAbove returns the same for a finding on the line after line.
func foreignAbove(line []byte) string {
	switch {
	case pragma(line, "nextline secret"):
		return "detect-secrets"
	case bytes.Contains(line, []byte(kingfisherWord)) && onlySigns(bytes.TrimSuffix(bytes.TrimSpace(cutAfter(line, kingfisherWord)), []byte(kingfisherWord))):
		return "kingfisher"
	}
	return ""
}

func cutAfter(line []byte, what string) []byte {
	return line[:bytes.Index(line, []byte(what))+len(what)]
}

// pragma reports whether line holds `pragma: allowlist WHAT` of detect-secrets,
// or its older spelling with whitelist; a dash may stand for a blank.
func pragma(line []byte, what string) bool {
	for {
		i := bytes.Index(line, []byte(pragmaWord))
		if i < 0 {
			return false
		}
		line = line[i+len(pragmaWord):]
		s := strings.ReplaceAll(strings.TrimLeft(string(line[:min(len(line), 64)]), " "), "-", " ")
		for _, list := range [...]string{"allowlist ", "whitelist "} {
			if rest, ok := strings.CutPrefix(s, list); ok && strings.HasPrefix(rest, what) {
				return true
			}
		}
	}
}
