package report

import (
	"regexp"
	"testing"
)

// TestPlainAsRegexp: plain takes away what a regular expression would, which
// would be compiled whenever the program starts.
func TestPlainAsRegexp(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, s := range []string{
		"", "plain", "\x1b[1mbold\x1b[0m", "\x1b[1;31ma\x1b[0mb\x1b[m", "\x1b[", "\x1b[1", "\x1b[1;", "\x1b[2Kx", "\x1b[\x1b[1mx", "a\x1b[1\x1b[mb", "\x1b\x1b[1mm", "[1m",
	} {
		if got, want := plain(s), sgr.ReplaceAllString(s, ""); got != want {
			t.Errorf("plain(%q) is %q, not %q", s, got, want)
		}
	}
}
