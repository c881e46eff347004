package report

import (
	"slices"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

func TestWeakness(t *testing.T) {
	for _, c := range []struct {
		tags   []string
		number string
		want   []string
	}{
		{nil, "798", []string{"security", "secret", "external/cwe/cwe-798"}},
		{[]string{"aws", "cwe-321"}, "321", []string{"security", "secret", "external/cwe/cwe-321"}},
		{[]string{"aws", "iac"}, "", []string{"security"}},
		{[]string{"iac", "cwe-732"}, "732", []string{"security", "external/cwe/cwe-732"}},
	} {
		r := &rules.Rule{ID: "a", Tags: c.tags}
		if got := weakness(r); got != c.number {
			t.Errorf("%v: %q, want %q", c.tags, got, c.number)
		}
		if got := weaknessTags(r); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.tags, got, c.want)
		}
		v := &findingView{Rule: "a", rule: r}
		if ids := gitlabIdentifiers(v); len(ids) == 2 != (c.number != "") || ids[0].Value != "a" {
			t.Errorf("%v: %v", c.tags, ids)
		}
	}
}
