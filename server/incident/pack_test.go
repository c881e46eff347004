package incident

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// known is an incident as it lies in the store, of which AWS has said a lot.
func known(n int) *Incident {
	i := lived(fmt.Sprintf("%032d", n), noon, Pushed, Found, Enriched)
	var facts strings.Builder
	for k := range 40 {
		fmt.Fprintf(&facts, `,"%d of %d":{"value":["kms:Decrypt","arn:aws:iam::471938265017:role/number-%d"]}`, k, n, k*n)
	}
	i.Facts = []byte(`{` + facts.String()[1:] + `}`)
	return i
}

// compressed is the incident as a compressed entry.
func compressed(t testing.TB, i *Incident) []byte {
	t.Helper()
	text, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.NewBuffer([]byte{packed})
	w, err := flate.NewWriter(b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestUnpackAlone: what was unpacked stays what it is when others are unpacked in
// the same memory.
func TestUnpackAlone(t *testing.T) {
	var all []*Incident
	for n := range 20 {
		i, err := unpack(compressed(t, known(n)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, i)
	}
	for n, i := range all {
		if want := known(n); string(i.Facts) != string(want.Facts) || i.ID != want.ID || len(i.Timeline) != len(want.Timeline) {
			t.Errorf("%d became %+v", n, i)
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	stored := compressed(b, known(1))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := unpack(stored); err != nil {
			b.Fatal(err)
		}
	}
}
