package suppress

import (
	"bytes"
	"cmp"
	"errors"
)

// MergeBaselines joins the baselines of two branches that came from base, which
// is nil where they have none in common. What either side took out stays out, as
// a merge of lines would not have it where an entry was added beside; and of two
// changes of an entry the one that expires first holds. So the result excuses
// nothing that one of the sides did not mean to. The error says that the two
// cannot be joined.
func MergeBaselines(base, ours, theirs *Baseline) (*Baseline, error) {
	if !bytes.Equal(ours.salt, theirs.salt) {
		return nil, errors.New("the salts differ, so what one side lists means nothing to the other: keep one side and run spillgate baseline update")
	}
	type key struct{ rule, print, path string }
	index := func(b *Baseline) map[key]Entry {
		all := map[key]Entry{}
		if b != nil {
			for _, e := range b.Entries {
				all[key{e.Rule, e.Fingerprint, e.Path}] = e
			}
		}
		return all
	}
	if base != nil && !bytes.Equal(base.salt, ours.salt) {
		base = nil // made anew since
	}
	old, right := index(base), index(theirs)
	merged := &Baseline{Name: ours.Name, salt: ours.salt}
	for k, e := range index(ours) {
		was, before := old[k]
		other, there := right[k]
		switch {
		case !there && before: // they took it out
		case !there, other == was && before: // we added it, or alone changed it
			merged.Entries = append(merged.Entries, e)
		case e == was && before: // they alone changed it
			merged.Entries = append(merged.Entries, other)
		default:
			merged.Entries = append(merged.Entries, stricter(e, other))
		}
		delete(right, k)
	}
	for k, e := range right {
		if _, before := old[k]; !before { // else we took it out
			merged.Entries = append(merged.Entries, e)
		}
	}
	merged.sort()
	return merged, nil
}

// stricter returns the entry that expires first, ours if both do.
func stricter(ours, theirs Entry) Entry {
	last := func(e Entry) string { return cmp.Or(e.Until, "9999-99-99") }
	if last(theirs) < last(ours) {
		return theirs
	}
	return ours
}
