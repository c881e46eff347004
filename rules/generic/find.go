// Package generic judges assignments: `password = "…"` and its kin in any
// language. Vendors' tokens have a shape of their own and a rule each; a
// password has none, so what is left to look at is the name it is given, the
// syntax around it and how much it looks like something a person would make up
// or a program would draw.
//
// Find cuts the name and the value out of the text around a key word. Score
// adds up the weights of what it sees in them: named features, each of which a
// person can read, with weights that the program in train fits to labelled lines. There is
// no network, no randomness and no state: the same text has the same score.
package generic

// Syntax is how a value is tied to its name.
type Syntax uint8

// The ways to tie a value to a name.
const (
	Assign  Syntax = iota // name = value, name: value, name := value, name => value
	Compare               // name == value
	Call                  // name("value"), setName("value")
	Pair                  // "name", "value"
	Flag                  // --name value, -Name value
	Word                  // name value, as in .netrc, Dockerfiles and SQL
	Element               // <name>value</name>
	Attr                  // key="name" value="value"
	URL                   // scheme://name:value@host
	Header                // Authorization: Bearer value
)

var syntaxNames = [...]string{"assign", "compare", "call", "pair", "flag", "word", "element", "attribute", "url", "header"}

// String returns the name of s.
func (s Syntax) String() string { return syntaxNames[s] }

// A Candidate is a name and a value. Offsets are bytes in the scanned text.
type Candidate struct {
	Syntax           Syntax
	KeyStart, KeyEnd int
	Start, End       int  // of the value
	Quote            byte // around the value, 0 if there is none
	Wrapped          bool // the value is the argument of a call or a cast
	Typed            bool // a type stands between name and value
	// SeenFrom and SeenTo bound the text that was looked at to find it, or
	// not to. Where they lie outside the text, its ends were seen.
	SeenFrom, SeenTo int
}

// ahead is how many bytes beyond the place it has got to a finder may look, to
// compare with a fixed text.
const ahead = 24

// Reach bounds how far from a key word Find looks, in bytes to either side.
const Reach = 512

// MaxValue bounds a value's length in bytes.
const MaxValue = 256

const maxKey = 64

// Find cuts out the candidate whose name holds the key word data[at:end].
func Find(data []byte, at, end int) (Candidate, bool) {
	f := finder{data: data, limit: min(len(data), end+Reach)}
	c := Candidate{}
	c.KeyStart, c.KeyEnd = f.name(at, end)
	if end-at == len(shortKeyword) && c.KeyEnd != end {
		c.SeenFrom, c.SeenTo = c.KeyStart-2, f.far+ahead
		return c, false
	}
	ok := c.KeyEnd-c.KeyStart <= maxKey && f.tie(&c) && !innocent(data[c.KeyStart:c.KeyEnd], at-c.KeyStart, end-c.KeyStart) && f.value(&c)
	c.SeenFrom, c.SeenTo = c.KeyStart-memberReach, max(f.i, f.far)+ahead
	if name := data[c.KeyStart:c.KeyEnd]; !ok || endsInnocently(name) || isMessage(name, data[c.Start:c.End]) {
		return c, false
	}
	excused, from := innocentBefore(data, c.KeyStart)
	c.SeenFrom = min(c.SeenFrom, from)
	if excused {
		return c, false
	}
	about, from := talksAbout(data, c, at)
	c.SeenFrom = min(c.SeenFrom, from)
	if about {
		return c, false
	}
	prose, to := proseGoesOn(data, c)
	c.SeenTo = max(c.SeenTo, to)
	if prose {
		return c, false
	}
	label, from, to := isLabel(data, c)
	c.SeenFrom, c.SeenTo = min(c.SeenFrom, from), max(c.SeenTo, to)
	return c, !label
}

type finder struct {
	data  []byte
	limit int
	i     int
	far   int // places before it were looked at, beside those before i
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-' || b == '.'
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

func digit(b byte) bool { return b >= '0' && b <= '9' }

// name widens the key word to the whole name.
func (f *finder) name(at, end int) (int, int) {
	word := at
	for at > 0 && end-at <= maxKey && nameByte(f.data[at-1]) {
		at--
	}
	if at > 0 && at < word && f.data[at-1] == '\\' && (f.data[at] == 'n' || f.data[at] == 't' || f.data[at] == 'r') {
		at++ // a line end of a string: \npassword
	}
	for end < f.limit && end-at <= maxKey && nameByte(f.data[end]) {
		end++
	}
	f.far = end
	for end > at && (f.data[end-1] == '.' || f.data[end-1] == '-') {
		end-- // the end of a sentence, or the arrow of ->
	}
	return at, end
}

func (f *finder) peek() byte {
	if f.i < f.limit {
		return f.data[f.i]
	}
	return 0
}

func (f *finder) at(s string) bool {
	return f.i+len(s) <= f.limit && string(f.data[f.i:f.i+len(s)]) == s
}

func (f *finder) skip(s string) bool {
	if f.at(s) {
		f.i += len(s)
		return true
	}
	return false
}

func (f *finder) blanks() (n int) {
	for f.i < f.limit && (f.data[f.i] == ' ' || f.data[f.i] == '\t') {
		f.i++
		n++
	}
	return n
}

// quoteAt returns the kind and length of a quotation mark at i: plain, escaped
// in a string, or as an HTML entity.
func (f *finder) quoteAt(i int) (byte, int) {
	if i >= f.limit {
		return 0, 0
	}
	switch b := f.data[i]; b {
	case '"', '\'', '`':
		return b, 1
	case '\\':
		n := 1
		for n < 4 && i+n < f.limit && f.data[i+n] == '\\' {
			n++
		}
		if i+n < f.limit && (f.data[i+n] == '"' || f.data[i+n] == '\'') {
			return f.data[i+n], n + 1
		}
	case '&':
		for _, e := range [...]struct {
			text string
			kind byte
		}{{"&quot;", '"'}, {"&#34;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}, {"&#x27;", '\''}} {
			if i+len(e.text) <= f.limit && string(f.data[i:i+len(e.text)]) == e.text {
				return e.kind, len(e.text)
			}
		}
	}
	return 0, 0
}

// tie reads from the end of the name to where the value begins.
func (f *finder) tie(c *Candidate) bool {
	f.i = c.KeyEnd
	quoted := false
	if _, n := f.quoteAt(f.i); n > 0 {
		f.i += n
		quoted = true
	}
	if !(quoted || c.KeyStart > 0 && f.data[c.KeyStart-1] == '[') || !f.skip("]") {
		if !quoted {
			f.dimension()
		}
	}
	dashes := 0
	for i := c.KeyStart; i < c.KeyEnd && f.data[i] == '-'; i++ {
		dashes++
	}
	blanks := f.blanks()
	switch {
	case f.member(c):
		c.Syntax = Attr
		return true
	case f.operator(c):
		return true
	case f.skip("("):
		c.Syntax = Call
		f.blanks()
		// setOption("password", "value") is met at its name; here the first
		// argument is the value.
		return !quoted
	case quoted && f.skip(","), f.atom(c):
		c.Syntax = Pair
		f.blanks()
		return true
	case quoted && f.attribute():
		c.Syntax = Attr
		return true
	case f.markup(c):
		c.Syntax = Element
		return true
	case !quoted && f.at(") {") && c.KeyStart > 0 && f.data[c.KeyStart-1] == ':': // let(:password) { "…" }
		f.i += len(") {")
		f.blanks()
		c.Syntax = Assign
		return true
	case f.skip(">"):
		c.Syntax = Element
		return c.KeyStart > 0 && f.data[c.KeyStart-1] == '<'
	case blanks > 0 && dashes > 0:
		c.Syntax = Flag
		return true
	case blanks > 0 && !quoted:
		if f.typed(c) {
			return true
		}
		c.Syntax = Word
		if f.skip("-String ") || f.skip("-AsPlainText ") { // ConvertTo-SecureString
			f.blanks()
		}
		return true
	}
	return false
}

// operator reads an operator of assignment or comparison, and a type before it.
func (f *finder) operator(c *Candidate) bool {
	if f.at("::") {
		return false // a name space, a type
	}
	for _, op := range [...]struct {
		text   string
		syntax Syntax
	}{
		{"===", Compare}, {"!==", Compare}, {"==", Compare}, {"!=", Compare},
		{":=", Assign}, {"=>", Assign}, {"||=", Assign}, {"??=", Assign}, {"?=", Assign}, {"+=", Assign}, {"<-", Assign}, {"->", Assign},
		{"=", Assign}, {":", Assign}, {"%3D", Assign}, {"%3d", Assign}, {"&#61;", Assign},
	} {
		if !f.skip(op.text) {
			continue
		}
		c.Syntax = op.syntax
		f.blanks()
		if op.text == ":" {
			f.annotation(c)
			if f.at("\n") || f.at("\r\n") {
				return false
			}
		}
		return f.i < f.limit
	}
	return false
}

// annotation skips the type of `name: Type = value`.
func (f *finder) annotation(c *Candidate) {
	i := f.i
	for i < f.limit && (nameByte(f.data[i]) || f.data[i] == '[' || f.data[i] == ']' || f.data[i] == '?' || f.data[i] == '&') && i-f.i < 40 {
		i++
	}
	for i < f.limit && f.data[i] == ' ' {
		i++
	}
	f.far = max(f.far, i)
	if i > f.i && i+1 < f.limit && f.data[i] == '=' && f.data[i+1] != '=' && f.data[i+1] != '>' && f.data[i-1] == ' ' {
		f.i = i + 1
		c.Typed = true
		f.blanks()
	}
}

// typed reads the type of Go's `name Type = value` and Basic's `name As Type = value`.
func (f *finder) typed(c *Candidate) bool {
	start := f.i
	if f.skip("As ") || f.skip("as ") {
		f.blanks()
	}
	for f.i < f.limit && (nameByte(f.data[f.i]) || f.data[f.i] == '*' || f.data[f.i] == '[' || f.data[f.i] == ']') && f.i-start < 40 {
		f.i++
	}
	if f.i > start && f.blanks() > 0 && f.peek() == '=' && f.i+1 < f.limit && f.data[f.i+1] != '=' {
		f.i++
		f.blanks()
		c.Typed, c.Syntax = true, Assign
		return true
	}
	f.far = max(f.far, f.i)
	f.i = start
	return false
}

// attribute reads ` value=` after a quoted name.
func (f *finder) attribute() bool {
	for _, s := range [...]string{"value=", "Value=", "content=", "default="} {
		if f.skip(s) {
			return true
		}
	}
	return false
}

// value reads the value at f.i.
func (f *finder) value(c *Candidate) bool {
	if c.Syntax == Element {
		return f.element(c)
	}
	f.wrappers(c)
	kind, n := f.quoteAt(f.i)
	if n == 0 {
		return f.bare(c)
	}
	open := string(f.data[f.i : f.i+n])
	f.i += n
	if n == 1 && f.at(open+open) { // """ and '''
		f.i += 2
	} else if n == 1 && c.Syntax != Pair && f.at(open) && open == "'" {
		f.i++ // SQL doubles a quotation mark inside a string
	}
	c.Quote, c.Start = kind, f.i
	for f.i < f.limit && f.i-c.Start <= MaxValue {
		switch {
		case f.at(open):
			c.End = f.i
			return c.End > c.Start
		case f.data[f.i] == '\n':
			return false
		case f.data[f.i] == '\\' && n == 1 && f.i+1 < f.limit:
			f.i += 2
		default:
			f.i++
		}
	}
	return false
}

// element reads up to the tag that follows.
func (f *finder) element(c *Candidate) bool {
	c.Start, c.Quote = f.i, '<'
	for f.i < f.limit && f.data[f.i] != '<' && f.data[f.i] != '\n' && f.i-c.Start <= MaxValue {
		f.i++
	}
	c.End = f.i
	return f.peek() == '<' && c.End > c.Start && c.End-c.Start <= MaxValue
}

// wrappers skips what stands between the operator and a string: prefixes such
// as b"…" and calls such as aws.String("…").
func (f *finder) wrappers(c *Candidate) {
	for range 3 {
		i := f.i
		for i < f.limit && i-f.i < 48 && (nameByte(f.data[i]) || f.data[i] == ':' || f.data[i] == '@' || f.data[i] == '&' || f.data[i] == '[' || f.data[i] == ']' || f.data[i] == '$') {
			i++
		}
		f.far = max(f.far, i)
		if i >= f.limit || i == f.i && f.data[i] != '(' && f.data[i] != '{' && f.data[i] != '[' {
			return
		}
		q, n := f.quoteAt(i)
		switch {
		case n == 1 && q != 0 && i-f.i <= 2: // b"…", @"…", rb"…"
			f.i = i
			return
		case f.data[i] == '(' || f.data[i] == '{':
			i++
			for i < f.limit && f.data[i] == ' ' {
				i++
			}
			f.far = max(f.far, i)
			if _, n := f.quoteAt(i); n > 0 {
				f.i = i
				c.Wrapped = true
				return
			}
			return
		default:
			if i > f.i && f.data[f.i] == '[' { // ["…"], [ 'a' ]
				if _, n := f.quoteAt(f.i + 1); n > 0 {
					f.i++
					c.Wrapped = true
				}
			}
			return
		}
	}
}

// bare reads a value without quotation marks: to the end of the word.
func (f *finder) bare(c *Candidate) bool {
	c.Start = f.i
	for f.i < f.limit && f.i-c.Start <= MaxValue {
		b := f.data[f.i]
		if b <= ' ' || b == '"' || b == '\'' || b == '`' || b == '<' && f.i > c.Start || b == ',' || b == ';' {
			break
		}
		if (b == ')' || b == ']' || b == '}') && !f.opened(c.Start, b) {
			break
		}
		if b == '&' && f.i > c.Start && !f.at("&&") {
			break // the next parameter of a query
		}
		if b == '\\' && f.i+1 < f.limit && (f.data[f.i+1] == 'n' || f.data[f.i+1] == 'r' || f.data[f.i+1] == '"' || f.data[f.i+1] == '\n') {
			break
		}
		f.i++
	}
	c.End = f.i
	return c.End > c.Start && c.End-c.Start <= MaxValue
}

// opened reports whether the bracket that b closes was opened since start.
func (f *finder) opened(start int, b byte) bool {
	open := byte('(')
	if b != ')' {
		open = b - 2 // [ and { stand two before ] and } in ASCII
	}
	n := 0
	for _, x := range f.data[start:f.i] {
		switch x {
		case open:
			n++
		case b:
			n--
		}
	}
	return n > 0
}
