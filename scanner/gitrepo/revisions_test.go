package gitrepo

import (
	"context"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

func mustRevisions(t testing.TB, r *Repo, o RevisionsOptions) *haul {
	t.Helper()
	src, err := r.Revisions(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return scan(t, src)
}

func TestRevisions(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "base.txt", "BASE SECRET\n")
		s.git("r", "update-ref", "refs/remotes/origin/main", base)
		s.git("r", "checkout", "-q", "-b", "one")
		one := s.commit("r", "one.txt", "ONE SECRET\n")
		s.git("r", "checkout", "-q", "-b", "two", base)
		two := s.commit("r", "two.txt", "TWO SECRET\n")
		s.git("r", "tag", "-a", "-m", "TAG SECRET", "v1", base)
		blob := strings.TrimSpace(s.git("r", "rev-parse", "HEAD:two.txt"))
		tree := strings.TrimSpace(s.git("r", "rev-parse", "HEAD^{tree}"))
		r := s.open("r", backend)
		gone := strings.Repeat("ab", 20)
		cases := []struct {
			name    string
			options RevisionsOptions
			want    []string
		}{
			{"nothing", RevisionsOptions{}, nil},
			{"two tips", RevisionsOptions{Tips: []Tip{{Rev: one}, {Rev: two}}, ExcludeRefs: []string{"refs/remotes/origin/"}},
				[]string{"one.txt:1", "two.txt:1"}},
			{"the prefix is a whole one", RevisionsOptions{Tips: []Tip{{Rev: one}}, ExcludeRefs: []string{"refs/remotes/other/"}},
				[]string{"base.txt:1", "one.txt:1"}},
			{"excluded by id", RevisionsOptions{Tips: []Tip{{Rev: two}}, Exclude: []string{base}}, []string{"two.txt:1"}},
			{"an id that is not here excludes nothing", RevisionsOptions{Tips: []Tip{{Rev: two}}, Exclude: []string{gone}},
				[]string{"base.txt:1", "two.txt:1"}},
			{"all refs have it", RevisionsOptions{Tips: []Tip{{Rev: two}}, ExcludeRefs: []string{""}}, nil},
			{"tips by prefix", RevisionsOptions{TipRefs: []string{"refs/heads/o"}, Exclude: []string{base}}, []string{"one.txt:1"}},
			{"a blob", RevisionsOptions{Tips: []Tip{{Rev: blob}, {Rev: blob}}}, []string{":1"}},
			{"a tree", RevisionsOptions{Tips: []Tip{{Rev: tree}}}, []string{"base.txt:1", "two.txt:1"}},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				c.options.What = "the test"
				h := mustRevisions(t, r, c.options)
				h.whole().want("SECRET", c.want...)
				if !strings.HasSuffix(h.coverage.What, " in the test") {
					t.Errorf("coverage says %q", h.coverage.What)
				}
			})
		}
		t.Run("tag and name", func(t *testing.T) {
			tag := strings.TrimSpace(s.git("r", "rev-parse", "v1"))
			h := mustRevisions(t, r, RevisionsOptions{Tips: []Tip{{Rev: tag, Ref: "refs/tags/v1"}}, ExcludeRefs: []string{"refs/remotes/"}}).whole()
			h.want("SECRET", "tag-message :1")
			var name bool
			for _, o := range h.objects {
				name = name || o.Kind == scanner.RefName && o.Ref == "refs/tags/v1"
			}
			if !name || h.coverage.Tags != 1 {
				t.Errorf("the name of the new tag was not scanned, or its message: %+v", h.coverage)
			}
		})
		t.Run("a tip that is not here", func(t *testing.T) {
			h := mustRevisions(t, r, RevisionsOptions{Tips: []Tip{{Rev: gone}}})
			h.hasProblem("missing")
		})
	})
}
