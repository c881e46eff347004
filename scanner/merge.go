package scanner

import (
	"sync"

	"github.com/spillgate/spillgate/rules"
)

// fill lets each finding make its fingerprint.
func (p Fingerprinter) fill(findings []*Finding) {
	for _, f := range findings {
		f.Fingerprint = sync.OnceValue(func() string { return p.Fingerprint(f.Rule.ID, f.Secret) })
	}
}

// number gives sightings whose places are one finding the same number, and
// returns how many places each has. A place that is suppressed excuses no
// other: findings that count and those that do not are merged apart, and the
// latter by mechanism and reason.
func (l *ledger) number() (places []int) {
	type key struct{ rule, secret, by, reason string }
	numbers := map[key]uint32{}
	places = []int{0}
	for i := range l.batches {
		for _, p := range l.batches[i].places {
			s := l.table.all[p.sighting]
			if s.merged == 0 {
				k := key{rule: s.rule.ID, secret: s.secret}
				if s.suppression != nil {
					k.by, k.reason = s.suppression.By, s.suppression.Reason
				}
				n, ok := numbers[k]
				if !ok {
					n = uint32(len(places))
					numbers[k], places = n, append(places, 0)
				}
				s.merged = n
			}
			places[s.merged]++
		}
	}
	return places
}

// merge makes one finding of all places of a secret, in the order of their first
// places. It correlates what it merges.
func (l *ledger) merge() (count, suppressed []*Finding) {
	l.table.close()
	l.sortByPlace()
	known := l.credentials()
	places := l.number()
	results := make([]*Finding, len(places))
	l.byPlace(func(s *standing) {
		severity, why := s.weigh(known)
		to := results[s.merged]
		if to == nil {
			to = s.finding(l.table, severity, why)
			results[s.merged] = to
			if to.Suppression == nil {
				count = append(count, to)
			} else {
				suppressed = append(suppressed, to)
			}
			if more := places[s.merged] - 1; more > 0 {
				to.More = make([]Location, 0, min(more, MaxLocations))
			}
			return
		}
		to.Occurrences++
		if why != "" && severity > to.Severity {
			setField(to, fieldRaised, why)
		}
		to.Severity = max(to.Severity, severity)
		to.Confidence = max(to.Confidence, s.confidence)
		if len(to.More) < MaxLocations {
			to.More = append(to.More, s.location())
		}
	})
	return count, suppressed
}

// location returns the place.
func (s *standing) location() Location {
	line := s.batch.line + int(s.place.line)
	return Location{
		Object: s.object, Offset: s.batch.offset + int64(s.place.offset),
		StartLine: line, StartColumn: s.startColumn, EndLine: line + s.lines, EndColumn: s.endColumn,
		DecodedFrom: fieldOf(s.fields, "decoded-from"),
	}
}

// finding returns what stands there, which is that grave for that reason.
func (s *standing) finding(t *table, severity rules.Severity, why string) *Finding {
	f := new(Finding)
	if s.paired != nil {
		*f = *s.paired
	} else {
		s.expand(f, t, s.place)
	}
	nameUser(f)
	f.Severity = severity
	if why != field(f, fieldRaised) {
		setField(f, fieldRaised, why)
	}
	f.DecodedFrom = field(f, "decoded-from")
	return f
}
