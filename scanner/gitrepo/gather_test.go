package gitrepo

import (
	"context"
	"slices"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// TestGatheredEqualsOneByOne wants the findings of a range whose blobs are read
// in the order of the packs, with anchors, to be those of reading each by
// itself and searching it from end to end.
func TestGatheredEqualsOneByOne(t *testing.T) {
	s := newSandbox(t)
	s.plant("r", 150)
	ranges := []string{"HEAD~100..HEAD~20", "HEAD~3..HEAD", "HEAD~149..HEAD"}
	for _, packed := range []bool{false, true} {
		if packed {
			s.git("r", "repack", "-q", "-a", "-d", "--depth=50", "--window=50")
			s.commit("r", "late.txt", "token = \"Zt7Rw2"+"qPmX0vKe93LsBd\"\n")
		}
		for _, spec := range ranges {
			slow, err := s.open("r", backendGoGit).Range(context.Background(), spec)
			if err != nil {
				t.Fatal(err)
			}
			want, covered := findingsOf(t, slow)
			if len(want) < 2 {
				t.Fatalf("%s: only %d lines of findings", spec, len(want))
			}
			for _, p := range []*rules.Program{nil, rules.Builtin()} {
				for _, jobs := range []int{1, 3} {
					r, err := s.tryOpen(Options{Dir: s.path("r"), Program: p, Jobs: jobs})
					if err != nil {
						t.Fatal(err)
					}
					src, err := r.Range(context.Background(), spec)
					if err != nil {
						t.Fatal(err)
					}
					got, c := findingsOf(t, src)
					if !slices.Equal(got, want) || c.String() != covered.String() || len(c.Problems) != 0 {
						t.Errorf("%s, packed %v: %d lines of findings, want %d; covered %s, want %s; problems %v", spec, packed, len(got), len(want),
							c.String(), covered.String(), c.Problems)
					}
				}
			}
		}
	}
}

// TestGatheredTwice wants a blob that a range brings in several ways emitted for
// each of them.
func TestGatheredTwice(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	base := s.commit("r", "a.txt", "SECRET one\nplain\n")
	s.commit("r", "a.txt", "plain\n")
	s.commit("r", "a.txt", "SECRET one\nplain\n")
	s.commit("r", "b.txt", "SECRET one\nplain\n")
	s.git("r", "repack", "-q", "-a", "-d")
	h := mustRange(t, s.open("r", ""), base+"..HEAD").whole()
	h.want("SECRET", "a.txt:1", "b.txt:1")
	n := 0
	for _, o := range h.objects {
		if o.Kind == scanner.Content {
			n++
		}
	}
	if n != 3 || h.coverage.Blobs != 3 {
		t.Errorf("%d blobs emitted, %d covered; want 3", n, h.coverage.Blobs)
	}
}
