package decode

import (
	"cmp"
	"slices"

	"github.com/spillgate/spillgate/rules"
)

// A place is where a rule's hit stands in the chunk.
type place struct {
	rule *rules.Rule
	span
}

// A seenKey stands for what a rule found in decoded text.
type seenKey struct {
	rule *rules.Rule
	text string
}

// known reports whether the secret at at was reported already: found in the
// text as it stands, as rules for ARNs and AWS keys read escapes themselves, or
// decoded in another way, as windows of escapes overlap.
func (s *state) known(r *rules.Rule, l *layer, at span, secret []byte) bool {
	if s.overlapsPlain(r.ID, at, secret, l.num == l.den && len(l.pieces) > 0) {
		return true
	}
	// A rule for the encoded form says all that there is to say.
	if s.overlapsPlain(r.ID+"-base64", at, nil, true) {
		return true
	}
	if before, ok := s.seen[seenKey{r, string(secret)}]; ok && before.from < at.to && at.from < before.to {
		return true
	}
	if s.seen == nil {
		s.seen = map[seenKey]span{}
	}
	s.seen[seenKey{r, string(secret)}] = at
	return false
}

// overlapsPlain reports whether the rule hit the text of the chunk itself at a
// place that overlaps at: with the same secret, or with any.
func (s *state) overlapsPlain(id string, at span, secret []byte, any bool) bool {
	if len(s.plain) == 0 {
		return false
	}
	if !s.sorted {
		s.sorted = true
		slices.SortFunc(s.plain, func(a, b place) int {
			return cmp.Or(cmp.Compare(a.rule.ID, b.rule.ID), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
		})
	}
	i, _ := slices.BinarySearchFunc(s.plain, at.to, func(p place, to int) int {
		return cmp.Or(cmp.Compare(p.rule.ID, id), cmp.Compare(p.from, to))
	})
	// Matches of a rule hardly overlap each other, so few of them can end
	// behind at.from although they begin before it.
	for k := i - 1; k >= max(0, i-4) && s.plain[k].rule.ID == id; k-- {
		p := s.plain[k]
		if p.to > at.from && (any || string(s.chunk.Data[p.from:p.to]) == string(secret)) {
			return true
		}
	}
	return false
}
