package rules

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// repeats looks at one character in eleven and finds what looking at each finds.
func TestRepeatsAsPlainly(t *testing.T) {
	plainly := func(secret []byte, period int) bool {
		run := 1
		for i := period; i < len(secret); i++ {
			if run = step(run, secret[i] == secret[i-period]); run >= madeUpPeriod {
				return true
			}
		}
		return false
	}
	r := rand.New(rand.NewPCG(3, 4))
	yes := 0
	for range 20_000 {
		secret := make([]byte, r.IntN(60))
		for i := range secret {
			secret[i] = "ab0"[r.IntN(3)]
			if p := 2 + r.IntN(9); i >= p && r.IntN(12) > 0 {
				secret[i] = secret[i-p]
			}
		}
		for period := 2; period <= 10; period++ {
			want := plainly(secret, period)
			if want {
				yes++
			}
			if got := repeats(secret, period); got != want {
				t.Fatalf("%q with period %d: %v", secret, period, got)
			}
		}
	}
	if yes < 1000 {
		t.Errorf("only %d repeat something", yes)
	}
}

// No word is passed over for want of a letter that it has.
func TestMadeUpWords(t *testing.T) {
	for _, w := range madeUpWords {
		for _, around := range []string{"", "x9", "-"} {
			if !saysMadeUp([]byte(around + w + around)) {
				t.Errorf("%s%s%s does not say so", around, w, around)
			}
		}
		if without := bytes.Replace([]byte(w), []byte(w[1:2]), nil, -1); saysMadeUp(without) {
			t.Errorf("%s says so", without)
		}
	}
}
