package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
// With pushed it is a push that brought it.
func (r *Responder) enrich(ctx context.Context, s live.Subject, ids []string, quiet silence, pushed bool) (*live.Facts, error) {
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
		if f, err = r.ask(ctx, s, quiet); err != nil {
			return nil, err
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
		v := recorded{f: f, verdict: &verdict, facts: facts, judged: judged, asked: asked, pushed: pushed}
		if err := r.recordVerdict(ctx, id, &v); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// ask asks AWS about a subject. That nothing could be asked is an answer too, if a
// poor one: one account whose role cannot be assumed does not keep the others of a
// push from being asked about. The error is that ctx has ended.
func (r *Responder) ask(ctx context.Context, s live.Subject, quiet silence) (*live.Facts, error) {
	if quiet.holds(&s) {
		return unasked(s, fmt.Sprintf("not asked, since AWS gave no answer about %d others of account %s in %s", quietAfter, s.ARN.Account, s.ARN.Region)), nil
	}
	asking, end := span.Start(ctx, "enrich")
	f, err := r.Enricher.Enrich(asking, s)
	end(err)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("asking about %s: %w", s.ID(), ctx.Err())
		}
		why := err
		if inner := errors.Unwrap(err); inner != nil {
			why = inner // it names the subject, too
		}
		f = unasked(s, why.Error())
	}
	quiet.hear(f)
	return f, nil
}

// unasked are the facts about a subject about which AWS could not be asked.
func unasked(s live.Subject, why string) *live.Facts {
	f := &live.Facts{Subject: s, Status: live.StatusUnknown, Why: why, Asked: time.Now().UTC()}
	switch {
	case s.ARN.IsKey() || s.ARN.IsAlias():
		f.Key = &live.KeyFacts{}
	case s.ARN.Service == "secretsmanager":
		f.Secret = &live.SecretFacts{}
	}
	return f
}

// quietAfter is after how many subjects of an account and Region about which AWS
// gives no answer the others of the same push are not asked about: each takes most
// of a minute where nothing answers at all.
const quietAfter = 3

// A silence counts by account and Region how many subjects in a row AWS gave no
// answer about.
type silence map[[2]string]int

func (s silence) holds(of *live.Subject) bool {
	return s[[2]string{of.ARN.Account, of.ARN.Region}] >= quietAfter
}

// hear takes note of an answer, or of none.
func (s silence) hear(f *live.Facts) {
	at := [2]string{f.Subject.ARN.Account, f.Subject.ARN.Region}
	if s[at]++; f.Status != live.StatusUnknown {
		s[at] = 0
	}
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
		if len(i.Facts) == 0 || json.Unmarshal(i.Facts, f) != nil || f.Subject.ID() != s.ID() || f.Asked.Before(i.Opened()) {
			continue
		}
		all = append(all, f)
	}
	return all, nil
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
		if f.Status == live.StatusUnknown || unknown(f) != "" || waitsFor(f) != "" {
			return nil
		}
		if age := time.Since(f.Asked); age < 0 || age > freshFor {
			return nil
		}
	}
	return earlier[len(earlier)-1]
}

// What is recorded of a subject in each of its incidents.
type recorded struct {
	f             *live.Facts
	verdict       *live.Verdict
	facts, judged []byte // f and verdict as they are kept
	asked         bool   // just now
	pushed        bool   // a push brought it
}

// recordVerdict writes into an incident what is known and what it amounts to. An
// answer that lacks what a graver verdict was made of does not take that back: that
// AWS is down for a while makes nothing harmless.
func (r *Responder) recordVerdict(ctx context.Context, id string, v *recorded) error {
	i, err := r.Incidents.Get(ctx, id)
	if err != nil {
		return err
	}
	if !v.asked && bytes.Equal(i.Verdict, v.judged) {
		return nil
	}
	stands := func(i *incident.Incident) bool {
		now := incident.Gravity{Severity: v.verdict.Severity.String()}
		return len(i.Verdict) > 0 && blind(v.f) && incident.Gravity{Severity: i.Judgement().Severity}.Over(now)
	}
	e := incident.Entry{Stage: incident.Enriched, Key: string(v.f.Status) + " " + v.verdict.Severity.String(), By: "spillgate-server", Note: string(v.f.Status)}
	if len(v.verdict.Reasons) > 0 {
		e.Note += ": " + v.verdict.Reasons[0].Text
	}
	if stands(i) {
		e.Key += ", and not " + i.Judgement().Severity
		e.Note += "; not all could be asked, so it stays " + i.Judgement().Severity
	}
	why := waitsFor(v.f)
	_, err = r.Incidents.Advance(ctx, id, e, func(i *incident.Incident) {
		if !stands(i) {
			i.Facts, i.Verdict, i.Severity = v.facts, v.judged, v.verdict.Severity.String()
		}
		if v.pushed && why != "" {
			i.Waiting = r.wait(why)
		}
	})
	return err
}

// blind reports whether the facts lack what could have made a verdict graver.
func blind(f *live.Facts) bool {
	if f.Status == live.StatusUnknown || f.Status == live.NoAccess || f.Status == "" {
		return true
	}
	if f.Key == nil || f.Status == live.NotFound { // of what is gone nothing else is to be known
		return false
	}
	dark := func(k live.KeyFacts) bool { return !k.Policy.IsKnown() || !k.Grants.IsKnown() }
	return dark(*f.Key) || slices.ContainsFunc(f.Key.Replicas, dark)
}
