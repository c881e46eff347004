package live

import (
	"fmt"

	"github.com/spillgate/spillgate/rules"
)

// A Locator says where something was found, in words that may be logged. It
// is all that crosses the pipe from the scanner: never a secret.
type Locator struct {
	Rule        string         `json:"rule"`
	Severity    rules.Severity `json:"severity"`
	Fingerprint string         `json:"fingerprint"`
	Path        string         `json:"path,omitempty"`
	Line        int            `json:"line,omitempty"`
	Commit      string         `json:"commit,omitempty"`
	// Account is the AWS account that the finding names, or that an access
	// key id decodes to; empty where neither.
	Account string `json:"account,omitempty"`
	// Credential says that the finding is an AWS credential, which makes a key
	// ARN of the same account in the same change critical.
	Credential bool `json:"credential,omitempty"`
}

// String returns path:line and the commit's first digits, as far as there are
// any. Path may hold control characters: escape it before it is printed.
func (l Locator) String() string {
	s := l.Path
	if s == "" {
		s = l.Rule
	}
	if l.Line > 0 {
		s += fmt.Sprintf(":%d", l.Line)
	}
	if len(l.Commit) >= 12 {
		s += " in " + l.Commit[:12]
	}
	return s
}
