package rules

import (
	"bytes"

	"github.com/spillgate/spillgate/rules/generic"
)

// The generic rules find key words, and these validators look at what stands
// around them. A match's confidence is what package generic makes of it.

// The scores from which on a candidate counts, in thousandths of log-odds: a
// high one fails the gate, a medium one warns. Cross-validation over the
// labelled lines is printed by generic/train.
const (
	scoreHigh   = generic.Score(0)
	scoreMedium = generic.Score(-700)

	// What stands between a colon and the at sign of a URL is a password or a
	// template, and templates are told before: the score decides less.
	urlHigh   = generic.Score(-1000)
	urlMedium = generic.Score(-2000)
)

// validateAssignment widens a key word to an assignment. A value is reported
// at the first key word of its name only, and not where a URL or a header in
// it is reported by its own rule.
func validateAssignment(data []byte, m *Match) bool {
	c, ok := generic.Find(data, m.Start, keywordEnd(data, m))
	m.sees(c.SeenFrom, c.SeenTo)
	if !ok || earlierKeyword(data[c.KeyStart:m.Start]) {
		return false
	}
	value := data[c.Start:c.End]
	if generic.Hopeless(value, c) || generic.SameText(data[c.KeyStart:c.KeyEnd], value) {
		return false
	}
	if i := bytes.Index(value, []byte("://")); i >= 0 {
		u, ok := generic.FindURL(data, c.Start+i)
		m.sees(u.SeenFrom, u.SeenTo)
		if ok {
			return false
		}
	}
	for _, scheme := range [...]string{"bearer ", "basic ", "token "} {
		if len(value) > len(scheme) && equalFold(value[:len(scheme)], scheme) {
			return false
		}
	}
	return gradeGeneric(data, m, c)
}

// keywordEnd returns where the key word of a match ends: "pw" is looked for with
// what stands behind it, being short.
func keywordEnd(data []byte, m *Match) int {
	if equalFold(data[m.Start:m.Start+2], "pw") && data[m.Start+2]|0x20 != 'd' {
		return m.Start + 2
	}
	return m.End
}

// earlierKeyword reports whether a name holds another key word before the one
// that was found.
func earlierKeyword(before []byte) bool {
	for i := range before {
		for _, k := range generic.Keywords {
			if k.Kind == generic.InName && len(k.Text) > 2 && i+len(k.Text) <= len(before) && equalFold(before[i:i+len(k.Text)], k.Text) {
				return true
			}
		}
	}
	return false
}

// validateURLPassword reports the password of scheme://user:password@host.
func validateURLPassword(data []byte, m *Match) bool {
	c, ok := generic.FindURL(data, m.Start)
	m.sees(c.SeenFrom, c.SeenTo)
	if !ok || c.End-c.Start < 4 || isURLTemplate(data, c) || bytes.HasSuffix(data[c.Start:c.End], []byte("...")) {
		return false
	}
	return gradeAs(data, m, c, urlHigh, urlMedium)
}

// isURLTemplate reports whether user and password of a URL are the words
// "user" and "password", as where a document says how such a URL is written.
func isURLTemplate(data []byte, c generic.Candidate) bool {
	name := data[c.KeyStart:c.KeyEnd]
	user := name[min(len(name), bytes.Index(name, []byte("://"))+3):]
	for _, u := range [...]string{"user", "username", "usr", "login", "name", "myuser", "your-username", "your_username", "youruser"} {
		if len(user) == len(u) && equalFold(user, u) {
			return isExamplePassword(data[c.Start:c.End])
		}
	}
	return false
}

// validateAuthorizationHeader reports what follows the scheme of an
// authorization header.
func validateAuthorizationHeader(data []byte, m *Match) bool {
	c, ok := generic.FindHeader(data, m.Start, m.End)
	m.sees(c.SeenFrom, c.SeenTo)
	return ok && c.End-c.Start >= 8 && !generic.Hopeless(data[c.Start:c.End], c) && gradeGeneric(data, m, c)
}

// gradeGeneric makes m the candidate and sets its confidence by its score.
func gradeGeneric(data []byte, m *Match, c generic.Candidate) bool {
	return gradeAs(data, m, c, scoreHigh, scoreMedium)
}

func gradeAs(data []byte, m *Match, c generic.Candidate, high, medium generic.Score) bool {
	from, to := generic.JudgeSees(data, c)
	m.sees(from, to)
	score := m.grades.score(data, c, from, to)
	switch {
	case score >= high:
		m.Confidence = ConfidenceHigh
	case score >= medium:
		m.Confidence = ConfidenceMedium
	default:
		return false
	}
	m.Start, m.End = c.KeyStart, c.End
	m.SecretStart, m.SecretEnd = c.Start, c.End
	return true
}
