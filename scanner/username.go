package scanner

import (
	"slices"
	"strconv"
	"strings"
)

// nameUser says of a password where the name to log in with stands, unless its
// rule read it. The name itself is not repeated: where people write a user name
// there may be a token.
func nameUser(f *Finding) {
	isPassword := f.Rule.Fallback && !slices.Contains(f.Rule.Tags, "private-key") || slices.Contains(f.Rule.Tags, "password")
	if !isPassword || isExcused(f) || field(f, "user") != "" || field(f, fieldWith) != "" {
		return
	}
	around := f.Context.text
	at := strings.Index(around, f.Secret.text)
	if at < 0 || f.Secret.text == "" {
		return // it is encoded
	}
	user := assignedUser(around[:at])
	if user < 0 {
		behind := around[at+len(f.Secret.text):] // a secret may have several lines
		if end := strings.IndexByte(behind, '\n'); end >= 0 {
			behind = behind[:end]
		}
		if user = assignedUser(behind); user < 0 {
			return
		}
		user = at
	}
	line := f.StartLine - strings.Count(around[user:at], "\n")
	setField(f, fieldWith, "user name in line "+strconv.Itoa(line))
}

// assignedUser returns where in text the last name of a user name stands that a
// value is given to, such as in "db_user: alice", or -1.
func assignedUser(text string) int {
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		return -1 // letters that change their length: no name we know
	}
	best := -1
	for _, name := range [...]string{"user", "login"} {
		for end := len(lower); end > 0; {
			at := strings.LastIndex(lower[:end], name)
			if at < 0 {
				break
			}
			if isAssigned(lower[at+len(name):]) {
				best = max(best, at)
				break
			}
			end = at
		}
	}
	return best
}

// isAssigned reports whether rest, what follows "user" or "login", goes on like
// the name of a user name with a value.
func isAssigned(rest string) bool {
	for _, tail := range [...]string{"_name", "-name", "name", "_id", "id"} {
		if cut, ok := strings.CutPrefix(rest, tail); ok {
			rest = cut
			break
		}
	}
	rest = strings.TrimLeft(rest, "\"'` \t")
	for _, sign := range [...]string{":=", "=>", "=", ":"} {
		value, ok := strings.CutPrefix(rest, sign)
		if !ok {
			continue
		}
		value = strings.TrimLeft(value, "\"'` \t")
		return value != "" && !strings.ContainsRune("\r\n${<,;=(", rune(value[0]))
	}
	return false
}
