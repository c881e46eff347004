package scanner

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// TestRuneCount wants what the standard library counts, of texts in which
// characters of all lengths, whole and broken, lie across every boundary.
func TestRuneCount(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"a", "plain ascii", "é", "漢", "🙂", "\x80", "\xbf\xbf\xbf\xbf", "\xe6\xbc", "\xf0\x9f\x99", "\xff", "\x00"}
	for range 3000 {
		var b []byte
		for range r.IntN(120) {
			b = append(b, pieces[r.IntN(len(pieces))]...)
		}
		if got, want := runeCount(b), utf8.RuneCount(b); got != want {
			t.Fatalf("%q has %d characters, want %d", b, got, want)
		}
	}
}
