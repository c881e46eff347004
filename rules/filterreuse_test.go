package rules

import "testing"

// TestBuiltinWindowsKept compiles our rules at run time: their windows stay
// where they are, so that the prefilter lets no more pass than the built-in one.
func TestBuiltinWindowsKept(t *testing.T) {
	p, err := Compile(Builtin().Rules)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.literals) != len(builtin.literals) || len(p.filter.entries) != len(builtin.filter.entries) {
		t.Fatalf("%d literals, %d entries; want %d and %d", len(p.literals), len(p.filter.entries), len(builtin.literals), len(builtin.filter.entries))
	}
	known := newBuiltinWindows()
	for i := range p.literals {
		if offset, ok := known.offset(&p.literals[i]); !ok || p.literals[i].text != builtin.literals[i].text || offset != int(known.offsets[i]) {
			t.Fatalf("%q is not taken for itself", p.literals[i].text)
		}
	}
	for pair, bits := range p.filter.table {
		if more := bits &^ builtin.filter.table[pair]; more != 0 {
			t.Fatalf("pair %#x passes %#x more than the built-in prefilter", pair, more)
		}
	}
	for _, l := range []literal{{text: "akia"}, {text: "AKIA", fold: true}, {text: "no literal of ours"}} {
		if _, ok := known.offset(&l); ok {
			t.Errorf("%q, folded %v, is taken for a literal of ours", l.text, l.fold)
		}
	}
}
