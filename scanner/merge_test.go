package scanner

import (
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// TestMergeTellsHowEachPlaceIsWritten: a secret that stands plainly in one
// place and encoded in two others is one finding, and each place says how the
// secret is written there.
func TestMergeTellsHowEachPlaceIsWritten(t *testing.T) {
	rule := &rules.Rule{ID: "a-rule"}
	at := func(path, decoded string) *Finding {
		f := &Finding{Rule: rule, Location: Location{Object: &Object{Path: path}}}
		if decoded != "" {
			f.Fields = []rules.Field{{Name: "decoded-from", Value: decoded}}
		}
		return f
	}
	count, suppressed := ledgerOf([]*Finding{at("c", "base64, gzip"), at("a", ""), at("b", "hex")}).merge()
	if len(count) != 1 || len(suppressed) != 0 {
		t.Fatalf("%d findings, %d suppressed", len(count), len(suppressed))
	}
	f := count[0]
	got := []string{f.DecodedFrom}
	for _, l := range f.More {
		got = append(got, l.Object.Path+" "+l.DecodedFrom)
	}
	if len(got) != 3 || got[0] != "" || got[1] != "b hex" || got[2] != "c base64, gzip" {
		t.Errorf("the places are %q", got)
	}
}
