package report

import "testing"

func TestPlainWordsStayInPaths(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "go": true, "python": true, "Production": true, "a1b2c": false, "hunter2": false, "correcthorsebattery": false, "x-y-z": false,
	} {
		if plainWord(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}
