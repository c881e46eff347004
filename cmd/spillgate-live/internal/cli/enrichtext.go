package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
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
	name := l.subject.ARN.String()
	if l.subject.AccessKeyID != "" {
		name = "access key " + l.subject.AccessKeyID
	}
	fmt.Fprintf(&b, "%s%s  %s\n", v.Severity, before, report.Escape(name))
	row(&b, "found", found(&l.subject))
	if f := l.Facts; f != nil {
		row(&b, "state", state(f))
		if f.Key != nil {
			keyRows(&b, f)
		}
		if k := f.AccessKey; k != nil {
			accessKeyRows(&b, k)
		}
	} else {
		row(&b, "state", "unknown: "+l.why())
		v.Unknowns = nil // it is the only one
	}
	for _, r := range v.Reasons {
		row(&b, "because", fmt.Sprintf("%s: %s", r.Severity, r.Text))
	}
	for _, u := range grouped(v.Unknowns) {
		row(&b, "unknown", u)
	}
	b.WriteString("\n")
	_, err := w.Write(b.Bytes())
	return err
}

// why returns the error without the name of what was asked about.
func (l *enrichedLine) why() string {
	var e *kms.Error
	if errors.As(l.err, &e) {
		return e.Error()
	}
	return l.Error
}

func (textEnriched) end(w io.Writer, s enrichSummary) error {
	_, err := fmt.Fprintf(w, "%d asked about: %d at or above the limit, %d unknown\n", s.Subjects, s.Failing, s.Unknown)
	return err
}

// grouped joins what is unknown for the same reason: where one question fails,
// the others often do.
func grouped(unknowns []string) []string {
	var reasons []string
	what := map[string][]string{}
	for _, u := range unknowns {
		name, because, _ := strings.Cut(u, ": ")
		if what[because] == nil {
			reasons = append(reasons, because)
		}
		what[because] = append(what[because], name)
	}
	var all []string
	for _, because := range reasons {
		all = append(all, strings.Join(what[because], ", ")+": "+because)
	}
	return all
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
		if v == "CUSTOMER" {
			v = "the customer"
		}
		text += ", managed by " + v
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
		row(w, "last use", lastUse(u))
	}
	if e, ok := k.Events.Get(); ok {
		row(w, "events", fmt.Sprintf("%d in CloudTrail", len(e)))
	}
}

// lastUse says when a key was last used, as far as the answer did.
func lastUse(u live.LastUse) string {
	switch {
	case u.Operation != "" && !u.At.IsZero():
		return u.Operation + " at " + u.At.UTC().Format(time.RFC3339)
	case u.Operation != "":
		return u.Operation + ", AWS does not say when"
	case u.Tracked.IsZero():
		return "none on record"
	}
	return "not used since " + date(u.Tracked)
}

// rotation sums up the rotation of a key, as far as it is known.
func rotation(k *live.KeyFacts) string {
	s, ok := k.Rotation.Get()
	if !ok {
		return "unknown"
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
		text += ", last " + date(all[0].At)
		if all[0].Type != "" {
			text += " (" + all[0].Type + ")"
		}
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
