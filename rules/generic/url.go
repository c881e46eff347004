package generic

// What has a place of its own in a URL or a header.

// FindURL cuts the password out of a URL whose "://" stands at at.
func FindURL(data []byte, at int) (Candidate, bool) {
	c := Candidate{Syntax: URL, KeyStart: at, KeyEnd: at}
	for c.KeyStart > 0 && at-c.KeyStart < 24 && (nameByte(data[c.KeyStart-1]) || data[c.KeyStart-1] == '+') {
		c.KeyStart--
	}
	limit := min(len(data), at+Reach)
	colon, end := -1, -1
	i := at + 3
	for ; i < limit; i++ {
		b := data[i]
		if b <= ' ' || b == '"' || b == '\'' || b == '`' || b == '<' || b == '>' || b == '|' || b == '(' && colon < 0 {
			break
		}
		if b == '/' && end < 0 && colon < 0 || (b == '/' || b == '?' || b == '#') && end >= 0 {
			break
		}
		if b == '/' && end < 0 && allOf(data[colon+1:i], digit) {
			break // a port, whatever stands in the path
		}
		if b == ':' && colon < 0 {
			colon = i
		}
		if b == '@' && colon >= 0 {
			end = i
		}
	}
	c.SeenFrom, c.SeenTo = c.KeyStart-1, max(i, end)+2
	if colon < 0 || end <= colon+1 || end-colon > MaxValue || end+1 >= limit || !(nameByte(data[end+1]) || data[end+1] == '[' || data[end+1] == '$' || data[end+1] == '{') {
		return c, false
	}
	if colon == at+3 && c.KeyStart == at {
		return c, false
	}
	c.KeyEnd, c.Start, c.End = colon, colon+1, end
	return c, true
}

// FindHeader cuts the credentials out of an authorization header whose scheme,
// with the blank behind it, stands at data[at:end].
func FindHeader(data []byte, at, end int) (Candidate, bool) {
	c := Candidate{Syntax: Header, KeyStart: at, KeyEnd: end, Start: end, End: end, SeenFrom: at - 1, SeenTo: end + 1}
	if at > 0 && letter(data[at-1]) {
		return c, false
	}
	for c.KeyEnd > at && data[c.KeyEnd-1] == ' ' {
		c.KeyEnd--
	}
	limit := min(len(data), end+1024)
	for c.End < limit && (nameByte(data[c.End]) || data[c.End] == '/' || data[c.End] == '+' || data[c.End] == '=' || data[c.End] == '~' || data[c.End] == '%') {
		c.End++
	}
	c.SeenTo = c.End + 2
	dots := 0
	for c.End > c.Start && data[c.End-1] == '.' {
		c.End--
		dots++
	}
	if next := c.End + dots; dots > 1 || next < len(data) && indexByte([]byte("${(*<"), data[next]) >= 0 {
		return c, false // cut short, masked, or a template goes on
	}
	return c, c.End > c.Start
}
