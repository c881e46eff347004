package scanner

import (
	"cmp"
	"slices"

	"github.com/spillgate/spillgate/rules"
)

// giveWay takes out the findings of fallback rules where another rule found
// something at the same place: they are one secret, and the other rule knows
// better what it is. Nothing is lost: the place stays reported.
func giveWay(all []*Finding) []*Finding {
	if !slices.ContainsFunc(all, func(f *Finding) bool { return f.Rule.Fallback }) {
		return all
	}
	type span struct{ start, end int64 }
	known := map[*Object][]span{}
	for _, f := range all {
		if !f.Rule.Fallback {
			known[f.Object] = append(known[f.Object], span{f.Offset, f.Offset + int64(f.Secret.Len())})
		}
	}
	for _, spans := range known {
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.end, b.end) })
	}
	return slices.DeleteFunc(all, func(f *Finding) bool {
		if !f.Rule.Fallback {
			return false
		}
		start, end := f.Offset, f.Offset+int64(f.Secret.Len())
		spans := known[f.Object]
		i, _ := slices.BinarySearchFunc(spans, start+1, func(s span, at int64) int { return cmp.Compare(s.end, at) })
		// Those that end behind start, as far as a match can reach back.
		for ; i < len(spans) && spans[i].end < end+rules.MaxMatch; i++ {
			if spans[i].start < end {
				return true
			}
		}
		return false
	})
}
