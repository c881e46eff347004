package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/telemetry/span"
)

// enrich asks about a subject, judges what is known of it, and writes that into
// its incidents. What an earlier push brought counts: a credential beside the ARN
// stays one, though the next push brings the ARN alone.
func (r *Responder) enrich(ctx context.Context, s live.Subject, ids []string) (*live.Facts, error) {
	earlier, err := r.earlier(ctx, &s, ids)
	if err != nil {
		return nil, err
	}
	for _, e := range earlier {
		s.Beside = union(s.Beside, e.Subject.Beside)
		s.Elsewhere = union(s.Elsewhere, e.Subject.Elsewhere)
	}
	f := remembered(earlier, len(ids))
	asked := f == nil
	if asked {
		asking, end := span.Start(ctx, "enrich")
		f, err = r.Enricher.Enrich(asking, s)
		end(err)
		if err != nil {
			return nil, fmt.Errorf("asking about %s: %w", s.ID(), err)
		}
	}
	f.Subject = s // where it was found now, and before
	verdict := live.Judge(f, r.trusted())
	facts, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	judged, err := json.Marshal(&verdict)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := r.recordVerdict(ctx, id, f, &verdict, facts, judged, asked); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// earlier returns what was found out about the subject before, of the incidents
// that have it. What was known when an incident was closed is not of its next
// opening.
func (r *Responder) earlier(ctx context.Context, s *live.Subject, ids []string) ([]*live.Facts, error) {
	var all []*live.Facts
	for _, id := range ids {
		i, err := r.Incidents.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		f := new(live.Facts)
		if len(i.Facts) == 0 || json.Unmarshal(i.Facts, f) != nil || f.Subject.ID() != s.ID() || f.Asked.Before(opened(i)) {
			continue
		}
		all = append(all, f)
	}
	return all, nil
}

// opened returns when the incident was last opened.
func opened(i *incident.Incident) time.Time {
	var at time.Time
	for _, e := range i.Timeline {
		if e.Stage == incident.Found {
			at = e.At
		}
	}
	return at
}

// maxBeside bounds how many credentials are kept with a subject, as for those
// that one report brings.
const maxBeside = 10

func union(a, b []live.Locator) []live.Locator {
	for _, l := range b {
		if len(a) < maxBeside && !slices.Contains(a, l) {
			a = append(a, l)
		}
	}
	return a
}

// freshFor is for how long what AWS said is not asked again: the time of some
// attempts at one push. Before anything is done, it is asked in any case.
const freshFor = 10 * time.Minute

// remembered returns what was found out a moment ago, if all n incidents have it:
// a push that brings hundreds of keys goes on after a crash where it was.
func remembered(earlier []*live.Facts, n int) *live.Facts {
	if len(earlier) < n {
		return nil
	}
	for _, f := range earlier {
		if f.Status == live.StatusUnknown || unknown(f) != "" {
			return nil
		}
		if age := time.Since(f.Asked); age < 0 || age > freshFor {
			return nil
		}
	}
	return earlier[len(earlier)-1]
}

// recordVerdict writes into an incident what is known and what it amounts to. An
// answer that lacks what a graver verdict was made of does not take that back: that
// AWS is down for a while makes nothing harmless.
func (r *Responder) recordVerdict(ctx context.Context, id string, f *live.Facts, v *live.Verdict, facts, judged []byte, asked bool) error {
	i, err := r.Incidents.Get(ctx, id)
	if err != nil {
		return err
	}
	if !asked && bytes.Equal(i.Verdict, judged) {
		return nil
	}
	stands := func(i *incident.Incident) bool {
		now := incident.Gravity{Severity: v.Severity.String()}
		return len(i.Verdict) > 0 && blind(f) && incident.Gravity{Severity: i.Judgement().Severity}.Over(now)
	}
	e := incident.Entry{Stage: incident.Enriched, Key: string(f.Status) + " " + v.Severity.String(), By: "spillgate-server", Note: string(f.Status)}
	if len(v.Reasons) > 0 {
		e.Note += ": " + v.Reasons[0].Text
	}
	if stands(i) {
		e.Key += ", and not " + i.Judgement().Severity
		e.Note += "; not all could be asked, so it stays " + i.Judgement().Severity
	}
	_, err = r.Incidents.Advance(ctx, id, e, func(i *incident.Incident) {
		if !stands(i) {
			i.Facts, i.Verdict, i.Severity = facts, judged, v.Severity.String()
		}
	})
	return err
}

// blind reports whether the facts lack what could have made a verdict graver.
func blind(f *live.Facts) bool {
	if f.Status == live.StatusUnknown || f.Status == live.NoAccess || f.Status == "" {
		return true
	}
	if f.Key == nil {
		return false
	}
	dark := func(k live.KeyFacts) bool { return !k.Policy.IsKnown() || !k.Grants.IsKnown() }
	return dark(*f.Key) || slices.ContainsFunc(f.Key.Replicas, dark)
}
