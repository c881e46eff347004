package scanner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// giveWay takes out of the findings in one object those of fallback rules where another rule found
// something at the same place: they are one secret, and the other rule knows
// better what it is. Nothing is lost: the place stays reported, and as surely as
// the surer of the two was, since a rule that knows the vendor and one that knows
// what secrets look like are surer together than either.
func giveWay(all []*Finding) []*Finding {
	all = nameBoth(all)
	if !slices.ContainsFunc(all, func(f *Finding) bool { return f.Rule.Fallback }) {
		return all
	}
	known := make([]*Finding, 0, len(all))
	// What was compressed has no places of its own, only the same text.
	texts := map[placeless]*Finding{}
	for _, f := range all {
		switch {
		case f.Rule.Fallback:
		case isPlaceless(f):
			texts[placeless{f.Offset, f.Secret.text}] = f
		default:
			known = append(known, f)
		}
	}
	slices.SortFunc(known, func(a, b *Finding) int { return cmp.Compare(secretEnd(a), secretEnd(b)) })
	return slices.DeleteFunc(all, func(f *Finding) bool {
		switch {
		case !f.Rule.Fallback:
			return false
		case isPlaceless(f):
			other := texts[placeless{f.Offset, f.Secret.text}]
			return other != nil && other.takeFrom(f)
		}
		gone := false
		i, _ := slices.BinarySearchFunc(known, f.Offset+1, func(o *Finding, at int64) int { return cmp.Compare(secretEnd(o), at) })
		// Those that end behind its beginning, as far as a match can reach back.
		for end := secretEnd(f); i < len(known) && secretEnd(known[i]) < end+rules.MaxMatch; i++ {
			if known[i].Offset < end {
				gone = known[i].takeFrom(f)
			}
		}
		return gone
	})
}

// yields reports whether giveWay may change anything of findings of one object
// that are sightings of these.
func yields(t *table, batches []*batch) bool {
	fallback, other := false, false
	for _, b := range batches {
		for _, p := range b.places {
			r := t.all[p.sighting].rule
			fallback, other = fallback || r.Fallback, other || !r.Fallback
			if len(r.Overlaps) > 0 || fallback && other {
				return true
			}
		}
	}
	return false
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
	isSpecial := func(f *Finding) bool { return len(f.Rule.Overlaps) > 0 && f.Suppression == nil && !isPlaceless(f) }
	if !slices.ContainsFunc(all, isSpecial) {
		return all
	}
	byOffset := slices.Clone(all)
	slices.SortStableFunc(byOffset, func(a, b *Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	gone := map[*Finding]bool{}
	for _, f := range all {
		if !isSpecial(f) || gone[f] {
			continue
		}
		// What is inside begins at the same place, or behind a short prefix.
		limit := min(f.Offset+sharedPrefix, secretEnd(f))
		k, _ := slices.BinarySearchFunc(byOffset, f.Offset, func(g *Finding, at int64) int { return cmp.Compare(g.Offset, at) })
		for ; k < len(byOffset) && byOffset[k].Offset < limit; k++ {
			g := byOffset[k]
			if g != f && !gone[g] && !g.Rule.Fallback && g.Suppression == nil && secretEnd(g) <= secretEnd(f) && slices.Contains(f.Rule.Overlaps, g.Rule.ID) {
				gone[g] = f.takeFrom(g)
				f.Severity = max(f.Severity, g.Severity)
				f.Fields = append(slices.Clone(f.Fields), rules.Field{Name: fieldAlso, Value: g.Rule.ID})
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
