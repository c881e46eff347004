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
