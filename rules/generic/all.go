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
			if ok && !known(out, c) {
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
