package rules

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestGrams wants the list in the order in which it is searched, and windows
// within words of it to be frequent, however they are written.
func TestGrams(t *testing.T) {
	sum := 0.0
	for i := range gramCount {
		if i > 0 && gramText(i-1) >= gramText(i) {
			t.Fatalf("%q stands before %q", gramText(i-1), gramText(i))
		}
		share := gramShare(i)
		if got := gramFrequency(gramText(i)); got != share || share <= 0 {
			t.Fatalf("%q has the frequency %g, want %g", gramText(i), got, share)
		}
		sum += share
	}
	if sum <= 0.1 || sum >= 1 {
		t.Errorf("the sequences take %g of a text", sum)
	}
	if gramFrequency("zqxj") != 0 {
		t.Error("a sequence that is not listed is frequent")
	}
	for _, common := range []string{"type", "func", "port", "sign"} {
		if rare := windowFrequency("pese", true); windowFrequency(common, true) < 2*rare {
			t.Errorf("%q is not more frequent than a window between two words", common)
		}
	}
	if offset, _ := rarestWindow("typesense", true); offset == 0 {
		t.Error("of typesense, the word type is taken for the rarest part")
	}
}

// TestPassing compares the eight windows with a look at each.
func TestPassing(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	f := &Builtin().filter
	some := 0
	for range 20000 {
		data := make([]byte, 16)
		for i := range data {
			data[i] = "etaoinsrkyp_-./TKAS0"[r.IntN(20)]
		}
		want := uint32(0)
		for k := range 8 {
			w := binary.LittleEndian.Uint32(data[k:])
			if f.table[uint16(w)]&(f.table[w>>16]>>16) != 0 {
				want |= 1 << k
			}
		}
		if got := f.passing(data, 0); got != want {
			t.Fatalf("windows %08b pass of %q, want %08b", got, data, want)
		}
		if want != 0 {
			some++
		}
	}
	if some < 1000 {
		t.Errorf("only %d texts have a window that passes", some)
	}
}
