package generic

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Programs show text to people, and what they say of passwords stands in tables
// under names that hold "password": labels, messages, and the same in fifty
// languages. Such text is told from a secret by what it is written in (another
// script, sentences), by its name (a label) and by its company (other text).

// speaks reports whether a value is text for people whatever its name: it has
// letters of another script or accents and no digits, or is a sentence.
func speaks(v []byte) bool {
	foreign, digits := foreignLetters(v)
	if foreign > 0 && digits == 0 || foreign >= 3 && foreign > 2*digits {
		return true
	}
	if contains(v, " ") && (contains(v, "$1") || contains(v, `: \n`) || contains(v, `:\n`)) {
		return true // a message with holes: "Kasutajanimi: \n$1"
	}
	return isSentence(v)
}

// foreignLetters counts what is no letter of ASCII, written as such, as
// \u00e4, \xe4 or as an entity, and the digits beside.
func foreignLetters(v []byte) (foreign, digits int) {
	for i := 0; i < len(v); {
		b := v[i]
		switch {
		case b >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(v[i:])
			if r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r)) {
				foreign++
			}
			i += n
			continue
		case b == '\\' && i+5 < len(v) && v[i+1] == 'u' && allOf(v[i+2:i+6], hexByte):
			foreign++
			i += 6
			continue
		case b == '&' && bytes.IndexByte(v[i:], ';') > 3 && letter(v[i+1]) && bytes.IndexByte(v[i:], ';') < 9:
			foreign++
			i += bytes.IndexByte(v[i:], ';')
			continue
		case digit(b) && (i == 0 || v[i-1] != '$' && v[i-1] != '%'): // $1 is a hole
			digits++
		}
		i++
	}
	return foreign, digits
}

// isSentence reports whether v is three or more words of letters with the signs
// of a sentence: it ends in a stop, has a comma, or begins with a capital letter
// and goes on in small ones. A passphrase is words without signs.
func isSentence(v []byte) bool {
	words, signs, letters, capitals := 0, 0, 0, 0
	for i, b := range v {
		switch {
		case letter(b) || b >= utf8.RuneSelf:
			letters++
			if i == 0 || v[i-1] == ' ' {
				words++
				if upper(b) {
					capitals++
				}
			}
		case b == '.' || b == '?' || b == ',' || b == ':' || b == ';' || b == '!' || b == ')':
			if i+1 == len(v) || v[i+1] == ' ' || v[i+1] == '\\' || v[i+1] == '\n' {
				signs++
			}
		}
	}
	if words < 3 || letters*10 < len(v)*6 {
		return false
	}
	return signs > 0 || capitals == 1 && upper(v[0])
}

// wordsOnly reports whether v is letters with what joins words, as a label is.
func wordsOnly(v []byte) bool {
	return allOf(v, func(b byte) bool {
		return letter(b) || b == ' ' || b == '-' || b == ':' || b == '\'' || b == '.' || b == '!' || b == '?' || b == '(' || b == ')' || b == ',' || b == '\\' || b >= utf8.RuneSelf
	})
}

// labelWords are words of names whose values people read, wherever in the name
// they stand.
var labelWords = [...]string{
	"label", "labels", "msg", "message", "messages", "text", "title", "summary", "hint", "help", "tooltip", "caption", "desc", "description", "i18n", "l10n", "lang", "translation",
	"placeholder", "heading", "legend", "notice", "button", "btn",
}

// textTables are what stands before the names of tables of texts.
var textTables = [...]string{"lang[", "labels[", "label[", "messages[", "message[", "msg[", "strings[", "texts[", "translations[", "i18n", "l10n", "msgstr ", "msgid ", "gettext(", "_("}

// isLabel reports whether a candidate whose value is words is a text for
// people, and what was looked at: its name says so, what stands before it on its
// line, or most of the lines around it are text.
func isLabel(data []byte, c Candidate) (label bool, from, to int) {
	value := data[c.Start:c.End]
	from, to = c.KeyStart, c.End
	if c.Syntax != Assign && c.Syntax != Pair && c.Syntax != Element || !wordsOnly(value) {
		return false, from, to
	}
	words := 0
	eachWord(data[c.KeyStart:c.KeyEnd], func(w []byte) {
		words++
		label = label || oneOf(w, labelWords[:])
	})
	if label && words > 1 {
		return true, from, to
	}
	start := lineStart(data, c)
	from = start - 1
	for _, t := range textTables {
		if containsFold(data[start:c.KeyStart], t) {
			return true, from, to
		}
	}
	if c.Quote == 0 {
		return false, from, to
	}
	if last := value[len(value)-1]; last == ':' && letter(value[0]) {
		return true, from, to
	}
	before, from := textAround(data, start, -1)
	after, to := textAround(data, c.End, 1)
	return before+after >= 4, min(from, start-1), max(to, c.End)
}

// tableReach bounds how far textAround looks, in bytes.
const tableReach = 400

// textAround adds up how much the three lines before or behind a place look
// like text for people (holdsText), and returns how far it looked.
func textAround(data []byte, at, step int) (texts, seen int) {
	if step < 0 {
		floor := max(0, at-tableReach)
		for range 3 {
			end := at - 1 // the line end before
			if end <= floor {
				return texts, floor - 1
			}
			begin := bytes.LastIndexByte(data[floor:end], '\n')
			if begin < 0 {
				return texts, floor - 1
			}
			at = floor + begin + 1
			texts += holdsText(data[at:end])
		}
		return texts, at - 1
	}
	ceiling := min(len(data), at+tableReach)
	line := bytes.IndexByte(data[at:ceiling], '\n')
	for range 3 {
		if line < 0 {
			return texts, ceiling + 1
		}
		at += line + 1
		line = bytes.IndexByte(data[at:ceiling], '\n')
		if line >= 0 {
			texts += holdsText(data[at : at+line])
		}
	}
	return texts, at + max(line, 0) + 1
}

// holdsText grades the last string of a line: 2 is text for people, of three
// words or more or in another script, 1 may be, 0 is none.
func holdsText(line []byte) int {
	end := bytes.LastIndexAny(line, `"'`)
	if end < 1 {
		return 0
	}
	begin := bytes.LastIndexByte(line[:end], line[end])
	if begin < 1 {
		return 0
	}
	v := line[begin+1 : end]
	foreign, digits := foreignLetters(v)
	blanks := bytes.Count(v, []byte(" "))
	switch {
	case foreign > 0 && digits == 0, blanks >= 2 && (isSentence(v) || wordsOnly(v)):
		return 2
	case blanks == 1 && wordsOnly(v), len(v) > 3 && caseOf(v) == "Capital" && wordsOnly(v):
		return 1
	}
	return 0
}

// proseGoesOn reports whether a bare value is the first word of a sentence that
// goes on behind it: `:param password: the password to use`, `--password suffers
// from`. to is how far it looked.
func proseGoesOn(data []byte, c Candidate) (prose bool, to int) {
	to = c.End
	if c.Quote != 0 || !allOf(data[c.Start:c.End], func(b byte) bool { return letter(b) || b == '-' || b == '\'' }) {
		return false, to
	}
	i, words := c.End, 0
	if i < len(data) && data[i] == ',' {
		i++
	}
	for words < 2 && i < len(data) && data[i] == ' ' {
		i++
		start := i
		for i < len(data) && i-start < 24 && (letter(data[i]) || data[i] == '\'' || data[i] == '-' && i > start) {
			i++
		}
		if i-start < 1 || i < len(data) && indexByte([]byte(" .,;:\n\r)"), data[i]) < 0 {
			break
		}
		words++
		if i < len(data) && data[i] != ' ' {
			i++
			break
		}
	}
	return words == 2 || words == 1 && c.Syntax != Flag && c.Syntax != Word, i + 1
}
