package scanner

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// fill lets each finding make its fingerprint.
func (p Fingerprinter) fill(findings []*Finding) {
	for _, f := range findings {
		f.Fingerprint = sync.OnceValue(func() string { return p.Fingerprint(f.Rule.ID, f.Secret) })
	}
}

// merge makes one finding of all places of a secret and sorts. A place that is
// suppressed excuses no other: findings that count and those that do not are
// merged apart, and the latter by mechanism and reason.
func merge(all []*Finding) (count, suppressed []*Finding) {
	slices.SortStableFunc(all, byPlace)
	type key struct{ rule, secret, by, reason string }
	first := map[key]*Finding{}
	for _, f := range all {
		f.DecodedFrom = field(f, "decoded-from")
		k := key{rule: f.Rule.ID, secret: f.Secret.text}
		if f.Suppression != nil {
			k.by, k.reason = f.Suppression.By, f.Suppression.Reason
		}
		to, ok := first[k]
		if !ok {
			first[k] = f
			if f.Suppression == nil {
				count = append(count, f)
			} else {
				suppressed = append(suppressed, f)
			}
			continue
		}
		to.Occurrences++
		if why := field(f, fieldRaised); why != "" && f.Severity > to.Severity {
			setField(to, fieldRaised, why)
		}
		to.Severity = max(to.Severity, f.Severity)
		to.Confidence = max(to.Confidence, f.Confidence)
		if len(to.More) < MaxLocations {
			to.More = append(to.More, f.Location)
		}
	}
	return count, suppressed
}

// byPlace orders findings by the age of their commit where there is one, then
// by place, so that the first place of a secret is the one that brought it.
func byPlace(a, b *Finding) int {
	return cmp.Or(
		cmp.Compare(date(a), date(b)),
		strings.Compare(a.Object.Path, b.Object.Path),
		cmp.Compare(a.Object.Kind, b.Object.Kind),
		strings.Compare(a.Object.ID, b.Object.ID),
		cmp.Compare(a.Offset, b.Offset),
		strings.Compare(a.Rule.ID, b.Rule.ID),
	)
}

func date(f *Finding) string {
	if f.Object.Commit == nil {
		return ""
	}
	return f.Object.Commit.Date
}
