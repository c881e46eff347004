package scanner

import (
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// TestTwoVendorsOneShape has a text that two rules know: one finding names both,
// and nothing is lost where the knowing rule's is excused.
func TestTwoVendorsOneShape(t *testing.T) {
	shape := &rules.Rule{ID: "shape", Severity: rules.Critical}
	vendor := &rules.Rule{ID: "vendor", Severity: rules.High, Overlaps: []string{"shape"}}
	object := &Object{Path: "a"}
	finding := func(r *rules.Rule, offset int64, text string, c rules.Confidence) *Finding {
		return &Finding{Rule: r, Severity: r.Severity, Confidence: c, Location: Location{Object: object, Offset: offset}, Secret: NewSecret([]byte(text))}
	}
	one := nameBoth([]*Finding{finding(shape, 9, "sk_live_abc", rules.ConfidenceHigh), finding(vendor, 9, "sk_live_abc", rules.ConfidenceMedium)})
	if len(one) != 1 || one[0].Rule != vendor || one[0].Severity != rules.Critical || one[0].Confidence != rules.ConfidenceHigh || field(one[0], "also") != "shape" {
		t.Errorf("two rules at one place: %+v", one)
	}
	excused := finding(vendor, 9, "sk_live_abc", rules.ConfidenceMedium)
	excused.Suppression = &Suppression{}
	for name, all := range map[string][]*Finding{
		"excused":     {finding(shape, 9, "sk_live_abc", rules.ConfidenceHigh), excused},
		"other place": {finding(shape, 90, "sk_live_abc", rules.ConfidenceHigh), finding(vendor, 9, "sk_live_abc", rules.ConfidenceMedium)},
		"longer text": {finding(shape, 9, "sk_live_abcdef", rules.ConfidenceHigh), finding(vendor, 9, "sk_live_abc", rules.ConfidenceMedium)},
		"same rule":   {finding(shape, 9, "sk_live_abc", rules.ConfidenceHigh), finding(shape, 9, "sk_live_abc", rules.ConfidenceMedium)},
	} {
		if got := nameBoth(all); len(got) != 2 {
			t.Errorf("%s: %d findings, want 2", name, len(got))
		}
	}
	other := finding(shape, 9, "sk_live_abc", rules.ConfidenceHigh)
	other.Location.Object = &Object{Path: "b"}
	l := ledgerOf([]*Finding{finding(vendor, 9, "sk_live_abc", rules.ConfidenceHigh), other})
	if l.giveWay(); len(l.batches[0].places) != 1 || len(l.batches[1].places) != 1 {
		t.Error("a finding gave way to one in another object")
	}
}
