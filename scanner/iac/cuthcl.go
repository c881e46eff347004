package iac

import (
	"bytes"
	"unicode/utf8"
)

// A file of HCL is cut into its top-level blocks: braces, comments, strings,
// heredocs and the templates in them tell where one ends. A file with anything
// else at its top level, or in which a line begins to declare a key elsewhere than
// in a block that was cut, is parsed as a whole.

// A block is a top-level block of a file.
type block struct {
	typ   string // resource, variable, …
	label string // the first label, "" if there is none
	span
}

// matters reports whether what b says may be part of a verdict.
func (b *block) matters() bool {
	switch b.typ {
	case "variable", "locals":
		return true
	case "data":
		return b.label == policyDocument
	case "resource":
		return b.declares()
	}
	return false
}

// declares reports whether b is a resource that checks know.
func (b *block) declares() bool {
	return b.typ == "resource" && terraformKind(b.label) != otherResources
}

// reduceHCL keeps the blocks of data that matter.
func reduceHCL(data []byte) (*reduction, bool) {
	c := cutter{data: data}
	r := &reduction{}
	declared := 0
	for c.space() {
		b, ok := c.block()
		if !ok {
			return nil, false
		}
		if b.declares() {
			declared++
		}
		if b.matters() {
			r.keep(data, b.start, b.end)
		}
	}
	return r, declared == declarationLines(data)
}

// declarationLines counts the lines of data that look like the first one of a
// resource that checks know.
func declarationLines(data []byte) (n int) {
	word := []byte("resource")
	for from := 0; ; {
		i := bytes.Index(data[from:], word)
		if i < 0 {
			return n
		}
		start := from + i
		from = start + len(word)
		for start > 0 && isBlank(data[start-1]) {
			start--
		}
		rest := data[from:min(len(data), from+80)]
		typ := bytes.TrimLeft(rest, " \t\"")
		if len(typ) == len(rest) || start > 0 && data[start-1] != '\n' {
			continue
		}
		end := bytes.IndexFunc(typ, func(r rune) bool { return r >= utf8.RuneSelf || !isWord(byte(r)) })
		if end >= 0 && terraformKind(string(typ[:end])) != otherResources {
			n++
		}
	}
}

func isBlank(ch byte) bool { return ch == ' ' || ch == '\t' }

// A cutter reads HCL as far as it takes to find where a block ends.
type cutter struct {
	data []byte
	at   int
	// in is what is open at the place, the innermost last.
	in []opened
}

// maxOpen bounds what is open at one place.
const maxOpen = 64

// opened is something that has to be closed again.
type opened struct {
	by byte // one of the following
	// marker ends a heredoc.
	marker []byte
	// begun says that the line of a heredoc has something before the place.
	begun bool
}

const (
	byBrace    = '{' // }
	byTemplate = '$' // } after ${ or %{
	byQuote    = '"'
	byHeredoc  = '<'
)

// space passes over what may stand between blocks and reports whether anything
// follows. A comment that does not end is left where it is.
func (c *cutter) space() bool {
	for c.at < len(c.data) {
		switch ch := c.data[c.at]; {
		case isBlank(ch) || ch == '\n' || c.crlf():
			c.at++
		case ch == '#' || ch == '/':
			if !c.comment() {
				return true // block refuses it
			}
		default:
			return true
		}
	}
	return false
}

// crlf reports whether a line break of Windows stands here.
func (c *cutter) crlf() bool {
	return c.data[c.at] == '\r' && c.at+1 < len(c.data) && c.data[c.at+1] == '\n'
}

// comment passes over a comment. What begins with one of its characters and is
// none is passed over only as far as that character, with false.
func (c *cutter) comment() bool {
	rest := c.data[c.at:]
	switch {
	case rest[0] == '#' || bytes.HasPrefix(rest, []byte("//")):
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			c.at += i + 1
		} else {
			c.at = len(c.data)
		}
		return true
	case bytes.HasPrefix(rest, []byte("/*")):
		if i := bytes.Index(rest[2:], []byte("*/")); i >= 0 {
			c.at += i + 4
			return true
		}
	}
	return false
}

func isWord(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' || ch == '_' || ch == '-'
}

// word reads an identifier of ASCII characters, "" if there is none.
func (c *cutter) word() string {
	from := c.at
	for c.at < len(c.data) && isWord(c.data[c.at]) {
		c.at++
	}
	if from < c.at && c.data[from] <= '9' { // a digit or a dash
		c.at = from
	}
	return string(c.data[from:c.at])
}

// block reads a block with the line break behind it.
func (c *cutter) block() (b block, ok bool) {
	b.start = c.at
	if b.typ = c.word(); b.typ == "" {
		return b, false
	}
	for labels := 0; c.at < len(c.data); {
		label := ""
		switch ch := c.data[c.at]; {
		case isBlank(ch):
			c.at++
			continue
		case ch == '{':
			if !c.body() || !c.lineEnd() {
				return b, false
			}
			b.end = c.at
			return b, true
		case ch == '"':
			n := bytes.IndexAny(c.data[c.at+1:], "\"\\$%\n\r")
			if n < 0 || c.data[c.at+1+n] != '"' {
				return b, false
			}
			label = string(c.data[c.at+1 : c.at+1+n])
			c.at += n + 2
		default:
			if label = c.word(); label == "" {
				return b, false
			}
		}
		if labels++; labels == 1 {
			b.label = label
		}
	}
	return b, false
}

// lineEnd passes over the rest of the line, which must be blank or a comment.
func (c *cutter) lineEnd() bool {
	for c.at < len(c.data) {
		switch ch := c.data[c.at]; {
		case isBlank(ch) || c.crlf():
			c.at++
		case ch == '\n':
			c.at++
			return true
		case ch == '#' || bytes.HasPrefix(c.data[c.at:], []byte("//")):
			return c.comment()
		default:
			return false
		}
	}
	return true
}

// body reads from the brace that opens a block to behind the one that closes it.
func (c *cutter) body() bool {
	c.in = append(c.in[:0], opened{by: byBrace})
	c.at++
	for len(c.in) > 0 {
		if c.at >= len(c.data) || len(c.in) > maxOpen {
			return false
		}
		ok := false
		switch c.in[len(c.in)-1].by {
		case byQuote:
			ok = c.quoted()
		case byHeredoc:
			ok = c.heredoc()
		default:
			ok = c.code()
		}
		if !ok {
			return false
		}
	}
	return true
}

// codeStops are the characters that code looks at.
var codeStops = [256]bool{'{': true, '}': true, '"': true, '#': true, '/': true, '<': true, '\r': true}

// code reads what is no text, up to the next thing that opens or closes one.
func (c *cutter) code() bool {
	for c.at < len(c.data) && !codeStops[c.data[c.at]] {
		c.at++
	}
	if c.at == len(c.data) {
		return false
	}
	switch c.data[c.at] {
	case '{':
		c.in = append(c.in, opened{by: byBrace})
	case '}':
		c.in = c.in[:len(c.in)-1]
	case '"':
		c.in = append(c.in, opened{by: byQuote})
	case '#', '/':
		if c.comment() {
			return true
		}
		if bytes.HasPrefix(c.data[c.at:], []byte("/*")) {
			return false
		}
	case '<':
		if bytes.HasPrefix(c.data[c.at:], []byte("<<")) {
			return c.beginHeredoc()
		}
	case '\r':
		if !c.crlf() {
			return false
		}
	}
	c.at++
	return true
}

// beginHeredoc reads <<MARKER or <<-MARKER and its line break.
func (c *cutter) beginHeredoc() bool {
	c.at += len("<<")
	if c.at < len(c.data) && c.data[c.at] == '-' {
		c.at++
	}
	marker := c.word()
	if marker == "" || c.at >= len(c.data) {
		return false
	}
	if c.crlf() {
		c.at++
	}
	if c.data[c.at] != '\n' {
		return false
	}
	c.at++
	c.in = append(c.in, opened{by: byHeredoc, marker: []byte(marker)})
	return true
}

// template begins a template if one stands here, and otherwise passes over the
// character, or over an escaped beginning.
func (c *cutter) template() {
	rest := c.data[c.at:]
	switch {
	case len(rest) > 1 && rest[1] == '{':
		c.at += 2
		c.in = append(c.in, opened{by: byTemplate})
	case len(rest) > 2 && rest[1] == rest[0] && rest[2] == '{':
		c.at += 3
	default:
		c.at++
	}
}

// quoted reads on in a string, up to its end or the next template.
func (c *cutter) quoted() bool {
	for c.at < len(c.data) {
		switch c.data[c.at] {
		case '"':
			c.at++
			c.in = c.in[:len(c.in)-1]
			return true
		case '\\':
			c.at += 2
			if c.at > len(c.data) || c.data[c.at-1] == '\n' || c.data[c.at-1] == '\r' {
				return false
			}
		case '\n', '\r':
			return false
		case '$', '%':
			depth := len(c.in)
			if c.template(); len(c.in) > depth {
				return true
			}
		default:
			c.at++
		}
	}
	return false
}

// heredoc reads on in a heredoc, up to its end or the next template.
func (c *cutter) heredoc() bool {
	h := &c.in[len(c.in)-1]
	if !h.begun {
		line := c.data[c.at:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		} else {
			return false
		}
		if marker := bytes.TrimSpace(line); bytes.Equal(marker, h.marker) {
			c.at += len(bytes.TrimRight(line, "\r"))
			c.in = c.in[:len(c.in)-1]
			return true
		}
	}
	for c.at < len(c.data) {
		switch c.data[c.at] {
		case '\n':
			c.at++
			h.begun = false
			return true
		case '\r':
			if !c.crlf() {
				return false
			}
			c.at++
		case '$', '%':
			h.begun = true
			depth := len(c.in)
			if c.template(); len(c.in) > depth {
				return true
			}
		default:
			c.at++
		}
	}
	return false
}
