package scanner

import (
	"cmp"
	"slices"
	"strings"

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
	// What was compressed has no places of its own, only the same text.
	texts := map[placeless]bool{}
	for _, f := range all {
		switch {
		case f.Rule.Fallback:
		case isPlaceless(f):
			texts[placeless{f.Object, f.Offset, f.Secret.text}] = true
		default:
			known[f.Object] = append(known[f.Object], span{f.Offset, f.Offset + int64(f.Secret.Len())})
		}
	}
	for _, spans := range known {
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.end, b.end) })
	}
	return slices.DeleteFunc(all, func(f *Finding) bool {
		switch {
		case !f.Rule.Fallback:
			return false
		case isPlaceless(f):
			return texts[placeless{f.Object, f.Offset, f.Secret.text}]
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

// A placeless is what was found in a text that has one place as a whole.
type placeless struct {
	object *Object
	offset int64
	text   string
}

// isPlaceless reports whether f was found in a text that was decompressed.
func isPlaceless(f *Finding) bool {
	from := field(f, "decoded-from")
	return strings.Contains(from, "gzip") || strings.Contains(from, "zlib")
}
