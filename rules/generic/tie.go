package generic

// What ties a name to its value in the less common ways.

// dimension skips the brackets of C's `char name[] = "…"` and `name[64]`.
func (f *finder) dimension() {
	if !f.at("[") {
		return
	}
	i := f.i + 1
	for i < f.limit && i-f.i < 32 && nameByte(f.data[i]) {
		i++
	}
	f.far = max(f.far, i)
	if i < f.limit && f.data[i] == ']' {
		f.i = i + 1
	}
}

// atom reads the comma of Erlang's {password, "…"}.
func (f *finder) atom(c *Candidate) bool {
	name := f.data[c.KeyStart:c.KeyEnd]
	if c.KeyStart == 0 || f.data[c.KeyStart-1] != '{' || c.KeyEnd != f.i || !f.at(", \"") ||
		!allOf(name, func(b byte) bool { return b >= 'a' && b <= 'z' || b == '_' }) {
		return false // Go's {token.INT, "…"}
	}
	f.i++
	return true
}

// markup reads what stands between a name in a start tag, or an element of its
// own, and the text it belongs to: <property name="password">…</property>, and
// the <key>password</key> <string>…</string> of property lists.
func (f *finder) markup(c *Candidate) bool {
	start := f.i
	if c.KeyEnd < f.i && f.skip(">") {
		if i := c.KeyStart - 1; i > 4 && (f.data[i-1] == '=') {
			return true
		}
		f.i = start
		return false
	}
	if !f.skip("</key>") {
		return false
	}
	for f.i < f.limit && f.i-start < 64 && f.data[f.i] <= ' ' {
		f.i++
	}
	if f.skip("<string>") {
		return true
	}
	f.far = max(f.far, f.i)
	f.i = start
	return false
}

// member reads what stands between a name and its value where both are members
// of an object: {"name": "DB_PASSWORD", "value": "…"}, and the two lines of it in
// YAML, as the environments of containers are written.
func (f *finder) member(c *Candidate) bool {
	if !f.named(c.KeyStart) {
		return false
	}
	start := f.i
	f.skip(",")
	for f.i < f.limit && f.i-start < 64 && f.data[f.i] <= ' ' {
		f.i++
	}
	_, n := f.quoteAt(f.i)
	f.i += n
	if f.skip("value") || f.skip("Value") {
		f.i += n
		f.blanks()
		if f.skip(":") {
			f.blanks()
			return f.i < f.limit && f.data[f.i] > ' '
		}
	}
	f.far = max(f.far, f.i+1)
	f.i = start
	return false
}

// memberReach bounds how far before a name named looks, in bytes.
const memberReach = 16

// named reports whether what begins at at is the value of a member that names
// something: "name": "…", key: ….
func (f *finder) named(at int) bool {
	quoted := at > 0 && (f.data[at-1] == '"' || f.data[at-1] == '\'')
	if quoted {
		at--
	}
	for n := 0; at > 0 && f.data[at-1] == ' ' && n < 4; n++ {
		at--
	}
	if at == 0 || f.data[at-1] != ':' {
		return false
	}
	at--
	if at > 0 && (f.data[at-1] == '"' || f.data[at-1] == '\'') {
		at--
	}
	for _, w := range [...]string{"name", "key"} {
		if at >= len(w) && equalFold(f.data[at-len(w):at], w) && (at == len(w) || !nameByte(f.data[at-len(w)-1])) {
			return true
		}
	}
	return false
}
