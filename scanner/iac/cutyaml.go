package iac

import "bytes"

// reduceYAML keeps of a template of CloudFormation in YAML the parameters, the keys
// and the names of all other resources, which keys may refer to.
//
// Where something in YAML ends depends on all that came before it. So a file is
// reduced only if each of its lines is complete: what is quoted or in brackets
// ends where it began, and there are no anchors, tabs or marks of documents. Then
// a line with the indent of the first resource begins the next one.
func reduceYAML(data []byte) (*reduction, bool) {
	if !plainLines(data) {
		return nil, false
	}
	y := yamlCutter{data: data, below: -1, r: &reduction{}}
	for y.to < len(data) {
		if !y.line() {
			return nil, false
		}
	}
	y.from = len(data)
	y.endItem()
	return y.r, y.resources
}

// plainLines reports whether lines of data end in \n or \r\n and in nothing else
// that YAML takes for a line break, and hold no control characters.
func plainLines(data []byte) bool {
	for i, ch := range data {
		if !oddBytes[ch] {
			continue
		}
		switch rest := data[i:]; {
		case ch == '\r' && len(rest) > 1 && rest[1] == '\n':
		case ch == 0xEF && !bytes.HasPrefix(rest, []byte("\ufeff")):
		case ch == 0xC2 && len(rest) > 1 && rest[1] >= 0xA0:
		case ch == 0xE2 && !bytes.HasPrefix(rest, []byte("\u2028")) && !bytes.HasPrefix(rest, []byte("\u2029")):
		default:
			return false
		}
	}
	return true
}

// oddBytes are those of control characters but for line feeds, and those with
// which the others begin that plainLines refuses.
var oddBytes = [256]bool{
	0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true,
	11: true, 12: true, 13: true, 14: true, 15: true, 16: true, 17: true, 18: true, 19: true, 20: true, 21: true,
	22: true, 23: true, 24: true, 25: true, 26: true, 27: true, 28: true, 29: true, 30: true, 31: true,
	0x7F: true, 0xC2: true, 0xE2: true, 0xEF: true,
}

// A yamlCutter reads YAML line by line.
type yamlCutter struct {
	data     []byte
	from, to int // of the line
	r        *reduction
	// below is where those lines begin that belong to the last key and are
	// not kept yet, or -1 if each line is kept at once.
	below int
	// resources says that Resources: was met, inResources that it was the last
	// key without an indent, and indent is that of the resources.
	resources, inResources bool
	indent                 int
	begun                  bool // something was met that is no comment
	block                  blockScalar
}

// A blockScalar is a text that ends before the line that is indented less.
type blockScalar struct {
	open   int // least indent of its lines; 0 if there is none
	indent int // that of its first line, or 0 before that
}

// line reads the next line and keeps it or not.
func (y *yamlCutter) line() bool {
	y.from, y.to = y.to, len(y.data)
	if i := bytes.IndexByte(y.data[y.from:], '\n'); i >= 0 {
		y.to = y.from + i + 1
	}
	text := bytes.TrimRight(y.data[y.from:y.to], "\r\n")
	body := bytes.TrimLeft(text, " ")
	indent := len(text) - len(body)
	if y.block.open > 0 {
		if inside, ok := y.inBlock(len(body) == 0, indent); inside || !ok {
			return ok && y.keep()
		}
	}
	first := !y.begun
	switch {
	case len(body) == 0 || body[0] == '#':
		return y.keep()
	case first && string(body) == "---" && indent == 0:
		y.begun = true
		return y.keep()
	}
	y.begun = true
	s := yamlLine{text: text, at: indent}
	if !s.read() {
		return false
	}
	y.block = blockScalar{open: s.block}
	return y.place(&s, indent)
}

// inBlock reports whether a line is of the block scalar, and whether that is
// certain.
func (y *yamlCutter) inBlock(blank bool, indent int) (inside, ok bool) {
	b := &y.block
	switch {
	case blank:
		return true, b.indent > 0 || indent == 0 // blank lines before the first may set the indent
	case indent < b.open:
		*b = blockScalar{}
		return false, true
	case b.indent == 0:
		b.indent = indent
	}
	return true, indent >= b.indent
}

// place keeps a line that is no comment, or begins to wait for what is below it.
func (y *yamlCutter) place(s *yamlLine, indent int) bool {
	if indent == 0 && s.items > 0 && !y.inResources && y.begun {
		return y.keep() // a list below its key
	}
	if indent == 0 {
		return y.section(s)
	}
	if y.inResources && y.indent == 0 {
		y.indent = indent
	}
	if !y.inResources || indent > y.indent {
		return y.keep()
	}
	if indent < y.indent || !s.bare || s.items > 0 || !isID(s.key) {
		return false // among them Fn::Transform and Fn::ForEach
	}
	y.endItem()
	y.below = -1
	y.keep()
	y.below = y.to
	return true
}

// section reads a key without an indent.
func (y *yamlCutter) section(s *yamlLine) bool {
	if !isID(s.key) || s.items > 0 {
		return false
	}
	y.endItem()
	y.below = -1
	y.keep()
	y.inResources, y.indent = string(s.key) == "Resources", 0
	if y.inResources {
		once := !y.resources
		y.resources = true
		return once && s.bare
	}
	if string(s.key) != "Parameters" {
		y.below = y.to
	}
	return true
}

// keep keeps the line, unless it waits for the end of what it belongs to.
func (y *yamlCutter) keep() bool {
	if y.below < 0 {
		y.r.keep(y.data, y.from, y.to)
	}
	return true
}

// endItem keeps what waited, if it is a resource that has to do with KMS.
func (y *yamlCutter) endItem() {
	if y.below < 0 {
		return
	}
	if waited := y.data[y.below:y.from]; y.inResources && (bytes.Contains(waited, []byte("KMS")) || bytes.IndexByte(waited, '\\') >= 0) {
		y.r.keep(y.data, y.below, y.from)
	}
}

// isID reports whether a key may be a logical id
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html).
func isID(key []byte) bool {
	for _, ch := range key {
		if !isWord(ch) || ch == '_' || ch == '-' {
			return false
		}
	}
	return len(key) > 0
}

// A yamlLine is a line of YAML that has to be complete in itself.
type yamlLine struct {
	text  []byte
	at    int
	items int    // marks of list items before key or value
	key   []byte // as it is written
	bare  bool   // nothing follows the key
	block int    // least indent of the block scalar that follows, or 0
}

// read reads from the first character that is no blank. It reports whether the
// line can be understood and is complete.
func (s *yamlLine) read() bool {
	parent := -1
	for s.at < len(s.text) && s.text[s.at] == '-' && (s.at+1 == len(s.text) || s.text[s.at+1] == ' ') {
		parent = s.at
		s.items++
		s.at++
		s.blanks()
	}
	start := s.at
	if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
		if !s.quoted() {
			return false
		}
		if !s.colon() {
			return s.end()
		}
		s.key = s.text[start:s.at]
		s.at++
	} else if n := s.plainKey(); n > 0 {
		s.key = s.text[s.at : s.at+n]
		s.at += n + 1
	}
	if s.key != nil {
		parent = start
	}
	s.blanks()
	if s.done() {
		s.bare = s.key != nil
		return true
	}
	return s.value(parent)
}

func (s *yamlLine) blanks() {
	for s.at < len(s.text) && s.text[s.at] == ' ' {
		s.at++
	}
}

// done reports whether nothing but a comment follows.
func (s *yamlLine) done() bool {
	return s.at == len(s.text) || s.text[s.at] == '#' && s.at > 0 && s.text[s.at-1] == ' '
}

// end passes over blanks and reports whether the line ends.
func (s *yamlLine) end() bool {
	s.blanks()
	return s.done()
}

// colon reports whether a colon stands here that ends a key.
func (s *yamlLine) colon() bool {
	return s.at < len(s.text) && s.text[s.at] == ':' && (s.at+1 == len(s.text) || s.text[s.at+1] == ' ')
}

// plainKey returns the length of the key that stands here without quotes, or 0.
func (s *yamlLine) plainKey() int {
	i := s.at
	for i < len(s.text) && (isWord(s.text[i]) || s.text[i] >= '.' && s.text[i] <= ':' || s.text[i] == '@') {
		i++
	}
	if i < s.at+2 || s.text[i-1] != ':' || i < len(s.text) && s.text[i] != ' ' || s.text[s.at] == '-' || !isWord(s.text[s.at]) {
		return 0
	}
	return i - 1 - s.at
}

// value reads a value below a key or an item at column parent, -1 if it stands
// alone.
func (s *yamlLine) value(parent int) bool {
	if s.text[s.at] == '!' {
		for s.at++; s.at < len(s.text) && s.text[s.at] != ' '; s.at++ {
			if ch := s.text[s.at]; !isWord(ch) && ch != ':' && ch != '.' {
				return false
			}
		}
		if s.end() {
			return true
		}
	}
	switch ch := s.text[s.at]; ch {
	case '|', '>':
		s.at++
		if s.at < len(s.text) && (s.text[s.at] == '-' || s.text[s.at] == '+') {
			s.at++
		}
		s.block = parent + 1
		return parent >= 0 && (s.at == len(s.text) || s.text[s.at] == ' ') && s.end()
	case '"', '\'':
		return s.quoted() && s.end()
	case '[', '{':
		return s.flow() && s.end()
	case '-':
		if s.at+1 == len(s.text) || s.text[s.at+1] == ' ' {
			return false
		}
	case '&', '*', '!', '%', '@', '`', '?', ':', ',', ']', '}', '#':
		return false
	}
	for s.at < len(s.text) && !s.done() {
		if s.colon() {
			return false
		}
		s.at++
	}
	return true
}

// quoted reads a text in quotes.
func (s *yamlLine) quoted() bool {
	quote := s.text[s.at]
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			if quote == '"' {
				s.at++
			}
		case quote:
			s.at++
			if quote == '"' || s.at == len(s.text) || s.text[s.at] != quote {
				return true
			}
		}
	}
	return false
}

// flow reads what is in brackets.
func (s *yamlLine) flow() bool {
	depth := 0
	for s.at < len(s.text) {
		switch ch := s.text[s.at]; ch {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				s.at++
				return true
			}
		case '#':
			return false
		case '"', '\'':
			if !s.tokenBegins() || !s.quoted() {
				return false
			}
			continue
		case '&', '*', '|', '>', '%', '@', '`', '?':
			if s.tokenBegins() {
				return false
			}
		}
		s.at++
	}
	return false
}

// tokenBegins reports whether something in brackets may begin here.
func (s *yamlLine) tokenBegins() bool {
	switch s.text[s.at-1] {
	case ' ', '[', '{', ',':
		return true
	case ':':
		return s.text[s.at-2] == '"' || s.text[s.at-2] == '\''
	}
	return false
}
