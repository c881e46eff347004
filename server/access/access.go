// Package access says who may see and do what: named tokens, each with a role.
// Tokens are kept as digests, so that neither a crash dump nor a log line of
// this program gives one away.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// A Role is what an identity may do. Higher roles include lower ones.
type Role int

// The roles.
const (
	Nobody  Role = iota
	Viewer       // sees incidents and the queue
	Closer       // closes incidents
	Manager      // replays and forgets dead pushes, starts fleet scans
)

// ParseRole returns the role of the name: viewer, closer or manager.
func ParseRole(s string) (Role, bool) {
	switch s {
	case "viewer":
		return Viewer, true
	case "closer":
		return Closer, true
	case "manager":
		return Manager, true
	}
	return Nobody, false
}

// String returns the role's name.
func (r Role) String() string {
	return [...]string{"nobody", "viewer", "closer", "manager"}[r]
}

// An Identity is who asks.
type Identity struct {
	Name string
	Role Role
}

type token struct {
	digest   [sha256.Size]byte
	identity Identity
}

// Tokens are the known tokens. The zero value knows none.
type Tokens struct{ known []token }

// Add makes a token known. Empty tokens are not.
func (t *Tokens) Add(secret string, identity Identity) {
	if secret != "" {
		t.known = append(t.known, token{sha256.Sum256([]byte(secret)), identity})
	}
}

// Lookup returns whose token the secret is, in time that does not depend on
// how much of it is right.
func (t *Tokens) Lookup(secret string) (Identity, bool) {
	given := sha256.Sum256([]byte(secret))
	found := -1
	for i := range t.known {
		if subtle.ConstantTimeCompare(given[:], t.known[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Identity{}, false
	}
	return t.known[found].identity, true
}

// Knows reports whether there is a token of the identity: a session that was
// begun with one lasts no longer than the token.
func (t *Tokens) Knows(who Identity, mark string) bool {
	for i := range t.known {
		if t.known[i].identity == who && t.known[i].mark() == mark {
			return true
		}
	}
	return false
}

// Mark returns what a session remembers of the token that it was begun with;
// empty for one that is not known. The token cannot be had from it.
func (t *Tokens) Mark(secret string) string {
	given := sha256.Sum256([]byte(secret))
	for i := range t.known {
		if subtle.ConstantTimeCompare(given[:], t.known[i].digest[:]) == 1 {
			return t.known[i].mark()
		}
	}
	return ""
}

// mark is a digest of the digest, cut short: enough to tell tokens apart.
func (t *token) mark() string {
	sum := sha256.Sum256(append([]byte("session\x00"), t.digest[:]...))
	return hex.EncodeToString(sum[:8])
}

// Bearer returns whose token stands in the request's Authorization header.
func (t *Tokens) Bearer(r *http.Request) (Identity, bool) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return Identity{}, false
	}
	return t.Lookup(secret)
}
