package cli

import (
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// TestMadeUpToken checks that every canary is found, whatever the dice say.
func TestMadeUpToken(t *testing.T) {
	for range 2000 {
		token := []byte(madeUpToken() + "\n")
		found := false
		rules.Builtin().Scan(token, 0, len(token), false, func(m *rules.Match) {
			found = found || m.Rule.Severity == rules.Critical
		})
		if !found {
			t.Fatal("a made-up token is no critical finding")
		}
	}
}
