package rules

import "bytes"

// arnLiterals are what every ARN begins with, by the way its first separator
// is written.
func arnLiterals() []literal {
	return []literal{
		{text: "arn:aws"},
		{text: "arn%3aaws", fold: true},
		{text: "arn%253aaws", fold: true},
		{text: `arn\u003aaws`, fold: true},
	}
}

// An arnText is the ARN that begins at one position of a text, decoded to its
// plain form as far as it may reach, for all patterns to look at.
type arnText struct {
	start, next int // of the text; next is where decoding stopped
	ok          bool
	buf         []byte
	ends        []int // for each byte of buf, the position behind it in the text
	// The parts before the resource, and where that begins in buf.
	partition, service, region, account []byte
	resource                            int
	// The names of partition and Region are the same for all patterns.
	grade  agreement // of both, once graded
	graded bool
}

// agreement grades the partition and the Region together.
func (a *arnText) agreement() agreement {
	if !a.graded {
		a.grade, a.graded = min(partitionKnown(a.partition), regionOf(a.partition, a.region)), true
	}
	return a.grade
}

// read decodes what begins at data[start].
func (a *arnText) read(data []byte, start int) {
	a.start, a.ok, a.graded = start, false, false
	a.buf, a.ends = a.buf[:0], a.ends[:0]
	if continuesWord(data, start) {
		return
	}
	pos, colons := start, 0
	var cuts [5]int
	for pos < len(data) && len(a.buf) < maxARN {
		c, n := arnByte(data, pos)
		if n == 0 {
			break
		}
		if c == ':' && colons < len(cuts) {
			cuts[colons] = len(a.buf)
			colons++
		}
		pos += n
		a.buf, a.ends = append(a.buf, c), append(a.ends, pos)
		if colons < len(cuts) && len(a.buf) > maxARNHead {
			return
		}
	}
	if colons < len(cuts) || string(a.buf[:cuts[0]]) != "arn" {
		return
	}
	a.partition, a.service = a.buf[cuts[0]+1:cuts[1]], a.buf[cuts[1]+1:cuts[2]]
	a.region, a.account = a.buf[cuts[2]+1:cuts[3]], a.buf[cuts[3]+1:cuts[4]]
	a.resource = cuts[4] + 1
	a.next, a.ok = pos, partitionKnown(a.partition) != disagree
}

// continuesWord reports whether a word goes on at pos, so that no ARN begins
// there. The end of an escape, such as %22 or \n, is no part of a word.
func continuesWord(data []byte, pos int) bool {
	if pos == 0 || !isWordByte(data[pos-1]) {
		return false
	}
	before := data[max(0, pos-6):pos]
	n := len(before)
	if n >= 2 && before[n-2] == '\\' && bytes.IndexByte([]byte("nrtbf"), before[n-1]) >= 0 {
		return false
	}
	if n >= 3 && before[n-3] == '%' && isHex(before[n-2]) && isHex(before[n-1]) {
		return false
	}
	if n >= 5 && string(before[n-5:n-2]) == "%25" && isHex(before[n-2]) && isHex(before[n-1]) {
		return false
	}
	if n >= 4 && before[n-4] == '\\' && before[n-3] == 'x' && isHex(before[n-2]) && isHex(before[n-1]) {
		return false
	}
	return !(n == 6 && before[0] == '\\' && before[1] == 'u' && isHex(before[2]) &&
		isHex(before[3]) && isHex(before[4]) && isHex(before[5]))
}

// arnByte decodes one character of an ARN at data[pos] and returns how many
// bytes it takes, or 0 where no ARN can go on.
func arnByte(data []byte, pos int) (c byte, n int) {
	c = data[pos]
	switch {
	case c == '%':
		rest := data[pos+1:]
		n = 3
		if len(rest) >= 2 && rest[0] == '2' && rest[1] == '5' {
			rest = rest[2:]
			n = 5
		}
		if len(rest) < 2 {
			return 0, 0
		}
		return separator(rest[0], rest[1], n)
	case c == '\\':
		rest := data[pos+1:]
		if len(rest) >= 1 && rest[0] == '/' {
			return '/', 2
		}
		if len(rest) >= 5 && rest[0]|0x20 == 'u' && rest[1] == '0' && rest[2] == '0' {
			return separator(rest[3], rest[4], maxEscape)
		}
		return 0, 0
	case c <= ' ' || c >= 0x7f || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>':
		return 0, 0
	}
	return c, 1
}

// separator decodes the hexadecimal digits of ':' or '/', n being the length
// of the escape they stand in.
func separator(high, low byte, n int) (byte, int) {
	switch {
	case high == '3' && low|0x20 == 'a':
		return ':', n
	case high == '2' && low|0x20 == 'f':
		return '/', n
	}
	return 0, 0
}

// An arnMatch is an ARN that a pattern matched.
type arnMatch struct {
	end    int // in the text
	length int // of the plain form, which begins in arnText.buf
	doubts int // steps by which the confidence is lowered
}

// match matches pat against the ARN in a, which must be ok and of its service.
func (a *arnText) match(m *machine, pat *pattern, data []byte) (arnMatch, bool) {
	var out arnMatch
	p := &pat.arn
	if !p.account.holds(a.account, isAccountID) {
		return out, false
	}
	var grade agreement
	if p.region.kind == arnRequired {
		grade = a.agreement()
	} else if grade = partitionKnown(a.partition); !p.region.holds(a.region, nil) {
		return out, false
	}
	switch grade {
	case disagree:
		return out, false
	case plausible:
		out.doubts++
	}
	end := m.match(&pat.code, a.buf, a.resource, maxARN)
	if end < 0 {
		return out, false
	}
	if p.open {
		if end = a.trim(m, pat, data, end); end < 0 {
			return out, false
		}
	} else if end < len(a.buf) && a.buf[end] == '*' {
		return out, false
	}
	if from, to := m.slots[2], m.slots[3]; from >= 0 && to >= from && hasUpper(a.buf[from:to]) {
		out.doubts++
	}
	out.end, out.length = a.ends[end-1], end
	return out, true
}

func (f *arnField) holds(text []byte, required func([]byte) bool) bool {
	switch f.kind {
	case arnEmpty:
		return len(text) == 0
	case arnLiteral:
		return string(text) == f.text
	}
	return required(text)
}

func isAccountID(text []byte) bool {
	if len(text) != 12 {
		return false
	}
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

func hasUpper(text []byte) bool {
	return bytes.ContainsFunc(text, func(r rune) bool { return 'A' <= r && r <= 'Z' })
}

// trim judges the end of a name of free length. Full stops and commas behind
// it belong to the sentence around it; a wildcard, a template or an ellipsis
// says that the name is not complete, and so does a joint at its end, to which
// a program appends the rest.
func (a *arnText) trim(m *machine, pat *pattern, data []byte, end int) int {
	full := end
	for end > a.resource && (a.buf[end-1] == '.' || a.buf[end-1] == ',') {
		end--
	}
	if full-end > 1 || end <= a.resource || bytes.IndexByte([]byte("-_/:=+@"), a.buf[end-1]) >= 0 {
		return -1
	}
	if full == end && templateFollows(data[a.ends[end-1]:]) {
		return -1
	}
	if full > end && m.match(&pat.code, a.buf[:end], a.resource, maxARN) != end {
		return -1
	}
	return end
}

// templateFollows reports whether rest begins like the part of a name that is
// filled in later.
func templateFollows(rest []byte) bool {
	if len(rest) == 0 {
		return false
	}
	next := byte(0)
	if len(rest) > 1 {
		next = rest[1]
	}
	switch rest[0] {
	case '*', '?', '{', '[':
		return true
	case '$':
		return next == '{' || next == '(' || isWordByte(next)
	case '#':
		return next == '{'
	case '<': // but not the tag behind it
		return next != '/' && bytes.IndexByte(rest[:min(len(rest), 40)], '>') > 0 && !htmlBreak(rest)
	case '%':
		return !(len(rest) > 2 && isHex(next) && isHex(rest[2]))
	case '.':
		return bytes.HasPrefix(rest, []byte(".."))
	}
	return bytes.HasPrefix(rest, []byte("…"))
}

func htmlBreak(rest []byte) bool {
	return bytes.HasPrefix(rest, []byte("<br")) || bytes.HasPrefix(rest, []byte("<p>"))
}
