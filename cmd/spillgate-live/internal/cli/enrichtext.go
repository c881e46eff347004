package cli

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/report"
)

// textEnriched writes answers for people. Every text of others is escaped: key
// descriptions and paths are whatever somebody wrote into them.
type textEnriched struct{}

// shownPlaces is how many places of a finding are listed.
const shownPlaces = 3

func (textEnriched) line(w io.Writer, l enrichedLine) error {
	var b bytes.Buffer
	v := l.Verdict
	before := ""
	if v.Before != v.Severity {
		before = fmt.Sprintf(" (was %s)", v.Before)
	}
	if l.Facts == nil {
		fmt.Fprintf(&b, "%s%s\n", v.Severity, before)
		row(&b, "unknown", l.Error)
		b.WriteString("\n")
		_, err := w.Write(b.Bytes())
		return err
	}
	f := l.Facts
	name := f.Subject.ARN.String()
	if f.Subject.AccessKeyID != "" {
		name = "access key " + f.Subject.AccessKeyID
	}
	fmt.Fprintf(&b, "%s%s  %s\n", v.Severity, before, report.Escape(name))
	row(&b, "found", found(&f.Subject))
	row(&b, "state", state(f))
	if k := f.Key; k != nil {
		keyRows(&b, f)
	}
	if k := f.AccessKey; k != nil {
		accessKeyRows(&b, k)
	}
	for _, r := range v.Reasons {
		row(&b, "because", fmt.Sprintf("%s: %s", r.Severity, r.Text))
	}
	for _, u := range v.Unknowns {
		row(&b, "unknown", u)
	}
	b.WriteString("\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (textEnriched) end(w io.Writer, s enrichSummary) error {
	_, err := fmt.Fprintf(w, "%d asked about: %d at or above the limit, %d unknown\n", s.Subjects, s.Failing, s.Unknown)
	return err
}

func row(w io.Writer, name, text string) {
	if text != "" {
		fmt.Fprintf(w, "  %-9s %s\n", name, report.Escape(text))
	}
}

func found(s *live.Subject) string {
	var all []string
	for _, l := range s.Found[:min(shownPlaces, len(s.Found))] {
		all = append(all, l.String())
	}
	text := strings.Join(all, ", ")
	if n := max(s.Places, len(s.Found)) - len(all); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

func state(f *live.Facts) string {
	text := string(f.Status)
	if f.Why != "" && (f.Key == nil || f.Status == live.NoAccess || f.Status == live.NotFound || f.Status == live.StatusUnknown) {
		text += ": " + f.Why
	}
	if f.Key == nil {
		return text
	}
	for _, fact := range []live.Fact[string]{f.Key.KeySpec, f.Key.Origin} {
		if v, ok := fact.Get(); ok {
			text += ", " + v
		}
	}
	if v, ok := f.Key.KeyManager.Get(); ok {
		text += ", managed by " + map[string]string{"AWS": "AWS", "CUSTOMER": "the customer"}[v]
	}
	if d, ok := f.Key.DeletionDate.Get(); ok && !d.IsZero() {
		text += ", to be deleted " + date(d)
	}
	return text
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func keyRows(w io.Writer, f *live.Facts) {
	k := f.Key
	if own, ok := k.ARN.Get(); ok && own != f.Subject.ARN {
		row(w, "key", own.String())
	}
	row(w, "rotation", rotation(k))
	if names, ok := k.AccountName.Get(); ok {
		row(w, "account", names)
	}
	if a, ok := k.Aliases.Get(); ok {
		row(w, "aliases", strings.Join(a, ", "))
	}
	if t, ok := k.Tags.Get(); ok {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(t)) {
			all = append(all, name+"="+t[name])
		}
		row(w, "tags", strings.Join(all, ", "))
	}
	if u, ok := k.LastUse.Get(); ok {
		text := "not used since " + date(u.Tracked)
		if u.Operation != "" {
			text = u.Operation + " at " + u.At.UTC().Format(time.RFC3339)
		}
		row(w, "last use", text)
	}
	if e, ok := k.Events.Get(); ok {
		row(w, "events", fmt.Sprintf("%d in CloudTrail", len(e)))
	}
}

// rotation sums up the rotation of a key, as far as it is known.
func rotation(k *live.KeyFacts) string {
	s, ok := k.Rotation.Get()
	if !ok {
		return "unknown: " + k.Rotation.Because()
	}
	var text string
	switch {
	case s.NotApplicable != "":
		text = "not applicable: " + s.NotApplicable
	case s.Enabled:
		text = "on"
		if s.PeriodInDays > 0 {
			text += fmt.Sprintf(", every %d days", s.PeriodInDays)
		}
		if !s.Next.IsZero() {
			text += ", next " + date(s.Next)
		}
	default:
		text = "off"
	}
	if !s.OnDemandStarted.IsZero() {
		text += ", on-demand rotation in progress"
	}
	if all, ok := k.Rotations.Get(); ok && len(all) > 0 {
		text += fmt.Sprintf(", last %s (%s)", date(all[0].At), all[0].Type)
	}
	return text
}

func accessKeyRows(w io.Writer, k *live.AccessKeyFacts) {
	row(w, "account", k.Account.Or("unknown: "+k.Account.Because()))
	if v, ok := k.User.Get(); ok {
		row(w, "user", v)
	}
	if v, ok := k.LastUsed.Get(); ok && !v.IsZero() {
		row(w, "last use", date(v))
	}
}
