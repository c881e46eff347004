package generic

import "bytes"

// All returns the candidates in data, each value once. It is meant for lines:
// a scanner finds the key words of a large text in a better way.
func All(data []byte) []Candidate {
	var out []Candidate
	low := bytes.Clone(data)
	for i, b := range low {
		if upper(b) {
			low[i] = b | 0x20 // not bytes.ToLower: it changes the length of text that is not UTF-8
		}
	}
	for _, k := range Keywords {
		for from := 0; ; {
			i := bytes.Index(low[from:], []byte(k.Text))
			if i < 0 {
				break
			}
			at := from + i
			from = at + 1
			c, ok := k.Find(data, at)
			if ok && !SameText(data[c.KeyStart:c.KeyEnd], data[c.Start:c.End]) && !Hopeless(data[c.Start:c.End], c) && !known(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

func known(all []Candidate, c Candidate) bool {
	for _, x := range all {
		if x.Start == c.Start && x.End == c.End {
			return true
		}
	}
	return false
}

// Find cuts out the candidate at the key word, which stands at at.
func (k Keyword) Find(data []byte, at int) (Candidate, bool) {
	switch k.Kind {
	case InURL:
		return FindURL(data, at)
	case InHeader:
		return FindHeader(data, at, at+len(k.Text))
	}
	return Find(data, at, at+len(k.Text))
}

// Hopeless reports, quickly, that a value can be no secret: most of what
// follows a key word in code is a variable, a call or prose, and need not be
// weighed.
func Hopeless(value []byte, c Candidate) bool {
	if len(value) < 4 || value[0] == '\\' && escaped(value) {
		return true
	}
	if c.Quote != 0 {
		return false
	}
	switch c.Syntax {
	case Call, Pair, Compare:
		return true // a parameter, a variable
	case Word:
		if allOf(value, func(b byte) bool { return b >= 'a' && b <= 'z' || b == '.' || b == '-' }) || !letter(value[0]) && !digit(value[0]) {
			return true
		}
	case Assign:
		if constant(value) {
			return true
		}
	}
	if i := indexByte(value, '('); i > 0 && letter(value[0]) && (c.Syntax == Assign || c.Syntax == Word) {
		return true
	}
	return false
}

// escaped reports whether a value is characters written as \u1234 or \x12: a
// sign of another script or an emoji.
func escaped(value []byte) bool {
	return len(value) <= 12 && len(value) > 1 && (value[1]|0x20 == 'u' || value[1] == 'x')
}
