package scanner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// giveWay takes out the findings of fallback rules where another rule found
// something at the same place: they are one secret, and the other rule knows
// better what it is. Nothing is lost: the place stays reported, and as surely as
// the surer of the two was, since a rule that knows the vendor and one that knows
// what secrets look like are surer together than either.
func giveWay(all []*Finding) []*Finding {
	all = nameBoth(all)
	if !slices.ContainsFunc(all, func(f *Finding) bool { return f.Rule.Fallback }) {
		return all
	}
	known := map[*Object][]*Finding{}
	// What was compressed has no places of its own, only the same text.
	texts := map[placeless]*Finding{}
	for _, f := range all {
		switch {
		case f.Rule.Fallback:
		case isPlaceless(f):
			texts[placeless{f.Object, f.Offset, f.Secret.text}] = f
		default:
			known[f.Object] = append(known[f.Object], f)
		}
	}
	for _, list := range known {
		slices.SortFunc(list, func(a, b *Finding) int { return cmp.Compare(secretEnd(a), secretEnd(b)) })
	}
	return slices.DeleteFunc(all, func(f *Finding) bool {
		switch {
		case !f.Rule.Fallback:
			return false
		case isPlaceless(f):
			other := texts[placeless{f.Object, f.Offset, f.Secret.text}]
			return other != nil && other.takeFrom(f)
		}
		list, gone := known[f.Object], false
		i, _ := slices.BinarySearchFunc(list, f.Offset+1, func(o *Finding, at int64) int { return cmp.Compare(secretEnd(o), at) })
		// Those that end behind its beginning, as far as a match can reach back.
		for end := secretEnd(f); i < len(list) && secretEnd(list[i]) < end+rules.MaxMatch; i++ {
			if list[i].Offset < end {
				gone = list[i].takeFrom(f)
			}
		}
		return gone
	})
}

// takeFrom gives f the confidence of a fallback finding that gives way to it, if
// that is higher and neither is excused. It returns true.
func (f *Finding) takeFrom(fallback *Finding) bool {
	if f.Suppression == nil && fallback.Suppression == nil && !f.settled {
		f.Confidence = max(f.Confidence, fallback.Confidence)
	}
	return true
}

func secretEnd(f *Finding) int64 { return f.Offset + int64(f.Secret.Len()) }

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

// fieldAlso names the rules that know the same text as something else.
const fieldAlso = "also"

// nameBoth makes one finding of two where vendors share a shape, sk_live_ for
// one: a rule that says which rules it overlaps looks at more than the shape, so
// its finding stands for theirs inside the same text and names them. A finding
// that is excused stands for none.
func nameBoth(all []*Finding) []*Finding {
	type start struct {
		object *Object
		offset int64
	}
	var special []*Finding
	at := map[start][]*Finding{}
	for _, f := range all {
		if len(f.Rule.Overlaps) > 0 && f.Suppression == nil && !isPlaceless(f) {
			special = append(special, f)
		}
		at[start{f.Object, f.Offset}] = append(at[start{f.Object, f.Offset}], f)
	}
	gone := map[*Finding]bool{}
	for _, f := range special {
		if gone[f] {
			continue
		}
		// What is inside begins at the same place, or behind a short prefix.
		for offset := f.Offset; offset < f.Offset+sharedPrefix && offset < secretEnd(f); offset++ {
			for _, g := range at[start{f.Object, offset}] {
				if g != f && !gone[g] && !g.Rule.Fallback && g.Suppression == nil && secretEnd(g) <= secretEnd(f) && slices.Contains(f.Rule.Overlaps, g.Rule.ID) {
					gone[g] = f.takeFrom(g)
					f.Severity = max(f.Severity, g.Severity)
					f.Fields = append(slices.Clone(f.Fields), rules.Field{Name: fieldAlso, Value: g.Rule.ID})
				}
			}
		}
	}
	if len(gone) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(f *Finding) bool { return gone[f] })
}

// sharedPrefix bounds in bytes how much later an inner text may begin.
const sharedPrefix = 8
