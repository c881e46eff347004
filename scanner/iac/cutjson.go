package iac

import "bytes"

// reduceJSON keeps of a template of CloudFormation in JSON what is no resource of
// its own besides the keys, and the names of all resources, which others may refer
// to. Files of other forms, such as plans of Terraform, are parsed as a whole.
func reduceJSON(data []byte) (*reduction, bool) {
	c := jsonCutter{data: data}
	r := &reduction{}
	found := false
	ok := c.members(func(key []byte) bool {
		if !bytes.Equal(key, []byte("Resources")) {
			// The same key in other words, and one that comes twice, are for the parser.
			return bytes.IndexByte(key, '\\') < 0 && c.skip()
		}
		if found {
			return false
		}
		found = true
		return c.resources(r)
	})
	if !ok || !found {
		return nil, false
	}
	c.space()
	r.keep(data, c.kept, len(data))
	return r, c.at == len(data)
}

// A jsonCutter finds where values of a text in JSON end.
type jsonCutter struct {
	data []byte
	at   int
	kept int // up to where the text is in the reduction, or left out
}

// resources reads the object of all resources into r.
func (c *jsonCutter) resources(r *reduction) bool {
	return c.members(func([]byte) bool {
		from := c.at
		if !c.skip() {
			return false
		}
		v := c.data[from:c.at]
		if v[0] != '{' || bytes.Contains(v, []byte("KMS")) || bytes.IndexByte(v, '\\') >= 0 {
			return true
		}
		r.keep(c.data, c.kept, from)
		r.text = append(r.text, "{}"...)
		c.kept = c.at
		return true
	})
}

func (c *jsonCutter) space() {
	for c.at < len(c.data) && (isBlank(c.data[c.at]) || c.data[c.at] == '\n' || c.data[c.at] == '\r') {
		c.at++
	}
}

// next passes over blanks and over ch, if that is what follows.
func (c *jsonCutter) next(ch byte) bool {
	c.space()
	if c.at == len(c.data) || c.data[c.at] != ch {
		return false
	}
	c.at++
	return true
}

// members reads an object. value is called for each key, written as it is,
// where its value begins, and has to read that.
func (c *jsonCutter) members(value func(key []byte) bool) bool {
	if !c.next('{') {
		return false
	}
	if c.next('}') {
		return true
	}
	for {
		c.space()
		from := c.at
		if !c.text() {
			return false
		}
		key := c.data[from+1 : c.at-1]
		if !c.next(':') {
			return false
		}
		c.space()
		if !value(key) {
			return false
		}
		if !c.next(',') {
			return c.next('}')
		}
	}
}

// text passes over a string.
func (c *jsonCutter) text() bool {
	if c.at == len(c.data) || c.data[c.at] != '"' {
		return false
	}
	for c.at++; c.at < len(c.data); c.at++ {
		switch c.data[c.at] {
		case '"':
			c.at++
			return true
		case '\\':
			c.at++
		}
	}
	return false
}

// skip passes over a value. Whether what is in it is well-formed is not looked
// at, only where it ends.
func (c *jsonCutter) skip() bool {
	from, depth := c.at, 0
	for c.at < len(c.data) {
		switch ch := c.data[c.at]; ch {
		case '"':
			if !c.text() {
				return false
			}
			if depth == 0 {
				return true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',', ' ', '\t', '\r', '\n':
			if depth == 0 { // behind a number or a word
				return c.at > from
			}
			if ch == '}' || ch == ']' {
				if depth--; depth == 0 {
					c.at++
					return true
				}
			}
		}
		c.at++
	}
	return false
}
