// Package push holds what a code host says about one pushed ref, in the words
// of git, so that everything behind the webhooks is the same for all hosts.
package push

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Push is one ref that moved. A host's delivery may hold several.
type Push struct {
	// Delivery is the host's id of the delivery, the same when it is sent
	// again.
	Delivery string `json:"delivery"`
	// Source is the name that the operator gave the host.
	Source string `json:"source"`
	// Repository is the host's full name of the repository, such as
	// owner/name. It holds no "..", no leading or double slash and nothing
	// else that a path or an URL could trip over (see CheckRepository).
	Repository string `json:"repository"`
	// Ref is the full name of the ref.
	Ref string `json:"ref"`
	// Before and After are object ids. Before is empty for a new ref, After
	// for a deleted one.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Forced says that the host called the push forced.
	Forced bool `json:"forced,omitempty"`
	// Size is the repository's size in bytes as the host knows it; 0 for
	// unknown.
	Size int64 `json:"size,omitempty"`
	// Pusher is the name of the account that pushed.
	Pusher string `json:"pusher,omitempty"`
	// Fleet is the id of the fleet scan that asks to look at the repository as
	// a whole; then Ref, Before and After are empty.
	Fleet string `json:"fleet,omitempty"`
	// Received is when the delivery came in.
	Received time.Time `json:"received"`
	// Trace is the delivery's trace context; see telemetry/span.
	Trace string `json:"trace,omitempty"`
}

// Deleted reports whether the push deleted its ref: then there is nothing to
// scan.
func (p *Push) Deleted() bool { return p.After == "" }

// ID is the push's own id: that of its delivery, and the ref, since a delivery
// may hold several.
func (p *Push) ID() string {
	return p.Source + "/" + p.Delivery + "/" + p.Ref
}

// maxName bounds names that come from outside.
const maxName = 512

// Check reports what keeps the push from being worked on.
func (p *Push) Check() error {
	if p.Delivery == "" || len(p.Delivery) > maxName || hasControl(p.Delivery) {
		return errors.New("the delivery has no usable id")
	}
	if err := CheckRepository(p.Repository); err != nil {
		return err
	}
	if p.Fleet != "" && p.Ref == "" && p.Before == "" && p.After == "" {
		return nil
	}
	if err := checkRef(p.Ref); err != nil {
		return err
	}
	for _, id := range []string{p.Before, p.After} {
		if id != "" && !IsObjectID(id) {
			return fmt.Errorf("%.80q is no object id", id)
		}
	}
	if p.Before == "" && p.After == "" {
		return fmt.Errorf("the push of %s names no object", p.Ref)
	}
	return nil
}

// CheckRepository reports why name cannot be the full name of a repository:
// it becomes part of an URL and of a folder's name.
func CheckRepository(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("a repository's name has 1 to %d characters", maxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || part[0] == '-' || strings.HasSuffix(part, ".lock") {
			return fmt.Errorf("%.80q is no repository's name", name)
		}
		for i := range len(part) {
			c := part[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-' || c == '~') {
				return fmt.Errorf("%.80q is no repository's name", name)
			}
		}
	}
	return nil
}

// checkRef holds ref to what git check-ref-format demands, as far as it
// matters for an argument and a line of standard input.
func checkRef(ref string) error {
	if !strings.HasPrefix(ref, "refs/") || len(ref) > maxName || hasControl(ref) || strings.ContainsAny(ref, " ~^:?*[\\") ||
		strings.Contains(ref, "..") || strings.Contains(ref, "//") || strings.HasSuffix(ref, "/") || strings.HasSuffix(ref, ".lock") {
		return fmt.Errorf("%.80q is no full name of a ref", ref)
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// IsObjectID reports whether s is a full object id, SHA-1 or SHA-256.
func IsObjectID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// ObjectID returns s, or nothing where s is the id of zeros by which hosts mean
// "no object".
func ObjectID(s string) string {
	if strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}
