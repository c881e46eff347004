package rules

import (
	"bytes"
	"encoding/base64"
)

const (
	// How far the two halves of a key pair may stand apart, in bytes: a line of
	// a credentials file, a CSV row, a call, a JSON object with a few keys
	// between; and how far a value from its name.
	awsPairReach   = 300
	awsAssignReach = 200

	// How far a secret is looked at that begins at the end of such a reach, all
	// in escapes, and an access key id with what touches it.
	awsSecretSpan = 6*(awsSecretLength+1) + 8
	awsIDSpan     = 20 + 8

	awsSecretLength  = 40
	minSecretChanges = 14
	minSecretEntropy = 4.2 // bits a byte; 40 random base64 letters have 4.8
)

// validateAWSSecret ("aws-secret") takes a match of something that stands beside
// a secret access key, an access key id or a name such as secret_access_key,
// and looks for the secret, which no pattern of its own could tell from other
// base64.
func validateAWSSecret(data []byte, m *Match) bool {
	if isKeyIDPrefix(data[m.Start : m.Start+4]) {
		return secretNearID(data, m)
	}
	return secretAssigned(data, m)
}

// secretNearID looks for the secret of an access key id. The match grows over
// both, so that a change of either half counts as a change of the pair.
func secretNearID(data []byte, m *Match) bool {
	id := awsKeyID{m.Start, m.End}
	m.sees(id.start-awsPairReach-awsIDSpan, id.end+awsPairReach+awsSecretSpan)
	if !startsToken(data, id.start) || !endsKeyID(data, id.end) {
		return false
	}
	start, end, ok := pairedSecret(data, id)
	if !ok {
		return false
	}
	if end <= id.start {
		m.sees(start-2*(awsPairReach+awsIDSpan), id.end) // ids before, and what they claim
		// An id before the secret comes first, where both could claim it.
		for other := (awsKeyID{}); ; {
			if other, ok = nextKeyID(data, max(other.end, start-awsPairReach), start); !ok {
				break
			}
			if s, _, ok := pairedSecret(data, other); ok && s == start {
				return false
			}
		}
	}
	if account, ok := awsAccount(data[id.start:id.end]); ok {
		addField(m, "account", account)
	}
	m.Start, m.End = min(m.Start, start), max(m.End, end)
	m.SecretStart, m.SecretEnd = start, end
	return true
}

// pairedSecret returns the secret that belongs to an access key id: the nearest
// one at most awsPairReach bytes away with no other id between, and of two
// equally near the one behind, where most formats have it.
func pairedSecret(data []byte, id awsKeyID) (start, end int, ok bool) {
	to := min(len(data), id.end+awsPairReach)
	if other, found := nextKeyID(data, id.end, to); found {
		to = other.start
	}
	start, end, ok = nextAWSSecret(data, id.end, to)
	from := max(0, id.start-awsPairReach)
	for from > 0 && from < id.start && isBase64(data[from]) {
		from++ // a run that began earlier: its length is not known
	}
	for other := (awsKeyID{}); ; {
		var found bool
		if other, found = nextKeyID(data, from, id.start); !found {
			break
		}
		from = other.end
	}
	for from < id.start {
		s, e, found := nextAWSSecret(data, from, id.start)
		if !found || e > id.start {
			break
		}
		if from = e; !ok || start < id.start || id.start-e < start-id.end {
			start, end, ok = s, e, true
		}
	}
	return start, end, ok
}

// An awsKeyID is where an access key id stands.
type awsKeyID struct{ start, end int }

// nextKeyID finds the first access key id that begins in data[from:to].
func nextKeyID(data []byte, from, to int) (awsKeyID, bool) {
	for i := max(from, 0); i < to; i++ {
		if data[i] != 'A' || i+20 > len(data) || !isKeyIDPrefix(data[i:i+4]) || !endsKeyID(data, i+20) || !startsToken(data, i) {
			continue
		}
		n := 4
		for n < 20 && (data[i+n] >= 'A' && data[i+n] <= 'Z' || data[i+n] >= '2' && data[i+n] <= '7') {
			n++
		}
		if n == 20 {
			return awsKeyID{i, i + 20}, true
		}
	}
	return awsKeyID{}, false
}

func isKeyIDPrefix(b []byte) bool {
	switch string(b) {
	case "AKIA", "ASIA", "ABIA", "ACCA":
		return true
	}
	return false
}

// endsKeyID reports whether an access key id may end at data[end].
func endsKeyID(data []byte, end int) bool { return end >= len(data) || !isWord(data[end]) }

// secretAssigned looks for the value behind a name: on the same line, on the
// next (Kubernetes writes name and value so), or within a block that opens on
// the way (a variable with a default). Where a later name reaches the same
// value, or an access key id claims it, that match reports it. A name that
// speaks neither of AWS nor of access, with no key id around, is weaker
// evidence.
func secretAssigned(data []byte, m *Match) bool {
	m.sees(m.Start-60, m.End+awsAssignReach+awsSecretSpan)
	start, end, ok := nextAWSSecret(data, m.End, assignmentEnd(data, m.End))
	if !ok {
		return false
	}
	// Ids around the secret and what they claim, names before it and how far they reach.
	m.sees(start-2*(awsPairReach+awsIDSpan)-20, end+2*(awsPairReach+awsIDSpan)+awsSecretSpan)
	for i := m.End; i < start; i++ {
		if n := secretName(data[i:start]); n > 0 && assignmentEnd(data, i+n) > start {
			return false
		}
	}
	near := false
	for id := (awsKeyID{}); ; {
		var found bool
		if id, found = nextKeyID(data, max(id.end, start-awsPairReach-20), min(len(data), end+awsPairReach)); !found {
			break
		}
		if s, _, ok := pairedSecret(data, id); ok && s == start {
			return false
		}
		near = true
	}
	context := data[max(0, m.Start-60):m.End]
	if !near && !containsFold(context, "aws") && !containsFold(context, "access") {
		lowerConfidence(m)
	}
	m.End, m.SecretStart, m.SecretEnd = end, start, end
	return true
}

// secretName returns the length of the name of a secret access key that b
// begins with, in any case, or 0. The names are those of the rule's pattern
// (TestSecretNames).
func secretName(b []byte) int {
	if len(b) == 0 || b[0]|0x20 != 's' && b[0]|0x20 != 'a' {
		return 0
	}
	for _, name := range awsSecretNames {
		if len(b) >= len(name) && containsFold(b[:len(name)], name) {
			return len(name)
		}
	}
	return 0
}

var awsSecretNames = [...]string{
	"secret_access_key", "secretaccesskey", "secret-access-key", "secret.access.key", "secret access key",
	"secret_key", "secretkey", "secret-key", "secret.key", "secret key",
	"aws_secret", "awssecret", "aws-secret", "aws.secret",
}

// assignmentEnd returns the end of the text in which the value of a name that
// ends at from may stand.
func assignmentEnd(data []byte, from int) int {
	to := min(len(data), from+awsAssignReach)
	lines, block := 0, false
	for i := from; i < to; i++ {
		switch c := data[i]; {
		case c == '{':
			block = true
		case c == '\n', c == 'n' && data[i-1] == '\\':
			lines++
			if lines > 1 && !block || lines > 4 {
				return i
			}
		}
	}
	return to
}

// nextAWSSecret finds the first text that begins in data[from:to] and looks
// like a secret access key.
func nextAWSSecret(data []byte, from, to int) (start, end int, ok bool) {
	for i := from; i < to; {
		if !isBase64(data[i]) && !escapes(data[i]) {
			i++
			continue
		}
		if n := delimiterEscape(data, i); n > 0 {
			i += n
			continue
		}
		if _, n := base64Unit(data, i); n == 0 {
			i++
			continue
		}
		start, units := i, 0
		for i < len(data) && (i < to || units <= awsSecretLength) {
			n := 1
			if !isBase64(data[i]) {
				if _, n = base64Unit(data, i); n == 0 {
					break
				}
			}
			units++
			i += n
		}
		if units == awsSecretLength && standsAlone(data, start, i) && looksLikeAWSSecret(base64Letters(data[start:i])) {
			return start, i, true
		}
	}
	return 0, 0, false
}

// escapes reports whether an escape sequence may begin with c.
func escapes(c byte) bool { return c == '\\' || c == '%' }

// base64Letters returns the letters that a run stands for.
func base64Letters(run []byte) []byte {
	plain := make([]byte, 0, awsSecretLength)
	for i := 0; i < len(run); {
		c, n := base64Unit(run, i)
		plain = append(plain, c)
		i += n
	}
	return plain
}

// standsAlone reports whether data[start:end], a whole run of base64 letters,
// is no part of a longer token with other letters.
func standsAlone(data []byte, start, end int) bool {
	if start > 0 && bytes.IndexByte([]byte("-_."), data[start-1]) >= 0 {
		return false
	}
	return end >= len(data) || bytes.IndexByte([]byte("-_=@"), data[end]) < 0 ||
		data[end] == '@' && start > 0 && data[start-1] == ':' // scheme://id:secret@host
}

// looksLikeAWSSecret tells 40 random base64 letters from hashes in hexadecimal,
// paths, identifiers and words. Random ones change between capitals, small
// letters and digits at 25 of 39 places, 14 or fewer happens once in 10,000
// times; they hold both cases and nearly always a digit or sign.
func looksLikeAWSSecret(plain []byte) bool {
	c := countClasses(plain)
	return c.lower > 1 && c.upper > 1 && c.digit+c.other > 0 &&
		c.changes >= minSecretChanges && entropy(plain) >= minSecretEntropy && !isPath(plain) && !isEncodedText(plain)
}

// isEncodedText reports whether b is the base64 of printable text, such as a
// JSON object in a token. Random letters decode to bytes of which three in
// eight are printable.
func isEncodedText(b []byte) bool {
	var raw [awsSecretLength]byte
	n, err := base64.StdEncoding.Decode(raw[:], b)
	if err != nil {
		return false
	}
	for _, c := range raw[:n] {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// isPath reports whether b reads as a path: three parts or more between slashes,
// each a word of few changes, such as Storage or S3Client.
func isPath(b []byte) bool {
	parts := 0
	for part := range bytes.SplitSeq(b, []byte("/")) {
		if countClasses(part).changes > 3 {
			return false
		}
		parts++
	}
	return parts > 2
}

// base64Unit reads one base64 letter at data[i], plain or in the escapes of
// JSON (\/ and \u002f) and URLs (%2F). n is 0 where there is none.
func base64Unit(data []byte, i int) (c byte, n int) {
	c = data[i]
	switch {
	case isBase64(c):
		return c, 1
	case c == '\\':
		for n = 1; n < 4 && i+n < len(data) && data[i+n] == '\\'; {
			n++ // JSON in JSON escapes the backslash again
		}
		if i+n < len(data) && data[i+n] == '/' {
			return '/', n + 1
		}
	}
	if c, n = hexEscape(data, i); n > 0 && (c == '+' || c == '/') {
		return c, n
	}
	return 0, 0
}

// delimiterEscape returns the length of an escape sequence at data[i] that
// stands for something else than a base64 letter, or 0.
func delimiterEscape(data []byte, i int) int {
	if data[i] == '\\' && i+1 < len(data) && (data[i+1] == 'n' || data[i+1] == 'r' || data[i+1] == 't') {
		return 2
	}
	if c, n := hexEscape(data, i); n > 0 && !isBase64(c) {
		return n
	}
	return 0
}

// hexEscape reads %XX or \u00XX at data[i].
func hexEscape(data []byte, i int) (c byte, n int) {
	switch {
	case data[i] == '%':
		n = 3
	case data[i] == '\\' && i+4 <= len(data) && string(data[i:i+4]) == `\u00`:
		n = 6
	default:
		return 0, 0
	}
	if i+n > len(data) || !isHex(data[i+n-2]) || !isHex(data[i+n-1]) {
		return 0, 0
	}
	return hexValue(data[i+n-2])<<4 | hexValue(data[i+n-1]), n
}
