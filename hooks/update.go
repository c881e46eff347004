package hooks

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// An Update is one change of a ref, as git tells it to pre-push, pre-receive
// and update hooks (https://git-scm.com/docs/githooks).
type Update struct {
	// Ref is the full name of the ref on the receiving side.
	Ref string
	// Old and New are full object ids. All zeros stand for "no such ref".
	Old, New string
}

// Creates reports whether the receiver has no such ref yet.
func (u Update) Creates() bool { return zero(u.Old) }

// Deletes reports whether the ref is deleted, which brings nothing.
func (u Update) Deletes() bool { return zero(u.New) }

// zero reports whether id is all zeros, whatever the hash function.
func zero(id string) bool { return strings.Trim(id, "0") == "" }

// NewUpdate checks what git gave to an update hook.
func NewUpdate(ref, oldID, newID string) (Update, error) {
	u := Update{Ref: ref, Old: oldID, New: newID}
	if !objectID(oldID) || !objectID(newID) || len(oldID) != len(newID) {
		return u, fmt.Errorf("update of %.200q: the old and the new value are not two object ids", ref)
	}
	if !strings.HasPrefix(ref, "refs/") {
		return u, fmt.Errorf("update of %.200q: not the full name of a ref", ref)
	}
	return u, nil
}

// ReadPush reads what git writes to a pre-push hook: a line for each ref,
// "<local ref> <local id> <remote ref> <remote id>". Empty lines are passed
// over. Anything else that is not such a line is an error: a hook that cannot
// read what is pushed must not let it pass.
func ReadPush(r io.Reader) ([]Update, error) {
	return readUpdates(r, func(words []string) (Update, error) {
		if len(words) != 4 {
			return Update{}, fmt.Errorf("%d words instead of 4", len(words))
		}
		return NewUpdate(words[2], words[3], words[1])
	})
}

// ReadReceive reads what git writes to a pre-receive hook: a line for each ref,
// "<old id> <new id> <ref>", with the strictness of ReadPush.
func ReadReceive(r io.Reader) ([]Update, error) {
	return readUpdates(r, func(words []string) (Update, error) {
		if len(words) != 3 {
			return Update{}, fmt.Errorf("%d words instead of 3", len(words))
		}
		return NewUpdate(words[2], words[0], words[1])
	})
}

// maxUpdateLine bounds a line in bytes. git's own limit for the name of a ref
// is that of the file system; packets end at 65,520 bytes.
const maxUpdateLine = 1 << 18

func readUpdates(r io.Reader, parse func([]string) (Update, error)) ([]Update, error) {
	var all []Update
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxUpdateLine)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" {
			continue
		}
		u, err := parse(strings.Split(line, " "))
		if err != nil {
			return nil, fmt.Errorf("reading the refs of the push, line %d: %w", n, err)
		}
		all = append(all, u)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the refs of the push, line %d: %w", n+1, err)
	}
	return all, nil
}

// objectID reports whether s is a full object id, SHA-1 or SHA-256.
func objectID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
