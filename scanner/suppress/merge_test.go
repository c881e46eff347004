package suppress

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// side makes a baseline of entries written "name" or "name=until".
func side(entries ...string) *Baseline {
	b := &Baseline{Name: "b", salt: []byte("0123456789abcdef")}
	for _, text := range entries {
		name, until, _ := strings.Cut(text, "=")
		b.Entries = append(b.Entries, Entry{Fingerprint: fmt.Sprintf("%032x", name), Rule: "rule", Until: until})
	}
	return b
}

func TestMergeBaselines(t *testing.T) {
	const may, june = "=2027-05-01", "=2027-06-01"
	for _, test := range []struct {
		name               string
		base, ours, theirs *Baseline
		want               []string
	}{
		{"nothing", side(), side(), side(), nil},
		{"both add", side("a"), side("a", "b"), side("a", "c"), []string{"a", "b", "c"}},
		{"both add the same", side(), side("b"), side("b"), []string{"b"}},
		{"we take out, they add", side("a"), side(), side("a", "b"), []string{"b"}},
		{"they take out, we add", side("a"), side("a", "b"), side(), []string{"b"}},
		{"one takes out what the other changes", side("a"), side("a" + may), side(), nil},
		{"and the other way round", side("a"), side(), side("a" + may), nil},
		{"we alone change", side("a" + may), side("a" + june), side("a" + may), []string{"a" + june}},
		{"they alone change", side("a" + may), side("a" + may), side("a"), []string{"a"}},
		{"both change", side("a"), side("a" + june), side("a" + may), []string{"a" + may}},
		{"both add, one until a day", side(), side("a"), side("a" + may), []string{"a" + may}},
		{"no base", nil, side("a"), side("b"), []string{"a", "b"}},
	} {
		got, err := MergeBaselines(test.base, test.ours, test.theirs)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if want := side(test.want...); string(got.Bytes()) != string(want.Bytes()) {
			t.Errorf("%s:\n%s", test.name, got.Bytes())
		}
	}
	if _, err := MergeBaselines(nil, side("a"), NewBaseline("b")); err == nil {
		t.Error("baselines of two salts were joined")
	}
	other := NewBaseline("b")
	if got, err := MergeBaselines(other, side("a"), side("b")); err != nil || len(got.Entries) != 2 {
		t.Errorf("a base of another salt: %v", err)
	}
}

// Whatever the three are: nothing is excused that neither side lists, nothing
// that one side took out, and the sides may be exchanged where nobody chooses.
func TestMergeBaselinesNeverExcusesMore(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := func() *Baseline {
		b := side()
		for i := range 6 {
			if random.IntN(2) == 0 {
				b.Entries = append(b.Entries, side(fmt.Sprint(i)).Entries...)
			}
		}
		return b
	}
	has := func(b *Baseline, e Entry) bool {
		for _, x := range b.Entries {
			if x == e {
				return true
			}
		}
		return false
	}
	for range 2000 {
		base, ours, theirs := some(), some(), some()
		got, err := MergeBaselines(base, ours, theirs)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Entries {
			if !has(ours, e) && !has(theirs, e) || has(base, e) && !(has(ours, e) && has(theirs, e)) {
				t.Fatalf("%s excuses too much from\n%s%s%s", e.Fingerprint, base.Bytes(), ours.Bytes(), theirs.Bytes())
			}
		}
		back, err := MergeBaselines(base, theirs, ours)
		if err != nil || string(back.Bytes()) != string(got.Bytes()) {
			t.Fatalf("the other way round: %v", err)
		}
	}
}
