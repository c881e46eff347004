package notify

import (
	"cmp"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spillgate/spillgate/server/incident"
)

// A Summary is what may be said of an incident: plain text, each field clipped
// and without control or invisible characters. It holds no secret.
type Summary struct {
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Severity string `json:"severity"` // after enrichment
	// Status is what AWS says of the key or the credential, such as enabled or
	// unknown; empty where nobody asked.
	Status string `json:"status,omitempty"`
	// Was is what this channel was told before, where the message is that the
	// incident has become graver.
	Was *incident.Gravity `json:"was,omitempty"`
	// Match is an identifier or a masked secret.
	Match string `json:"match,omitempty"`
	ARN   string `json:"arn,omitempty"`
	Stage string `json:"stage"`
	Why   string `json:"why,omitempty"`
	Fix   string `json:"fix,omitempty"`
	// Places are the first ones; Occurrences counts all.
	Places      []Place `json:"places"`
	Occurrences int     `json:"occurrences"`
	// Done is what was done under the operator's policy, and what AWS shows of
	// it. Verdict gives the reasons of the severity, Unfixed what a response did
	// not fix.
	Done    []string  `json:"done,omitempty"`
	Verdict []string  `json:"verdict,omitempty"`
	Unfixed []string  `json:"unfixed,omitempty"`
	Found   time.Time `json:"found,omitzero"`
	Closed  *Closing  `json:"closed,omitempty"`
	Link    string    `json:"link,omitempty"`
}

// A Place is where the secret stands.
type Place struct {
	Repository string `json:"repository"`
	Ref        string `json:"ref"`
	Path       string `json:"path"`
	Line       int    `json:"line"`
	Commit     string `json:"commit,omitempty"`
	Pusher     string `json:"pusher,omitempty"`
}

// A Closing is who closed an incident, and why.
type Closing struct {
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Bounds of a summary: with them the largest is under 32 KB, far below what
// any channel takes.
const (
	maxPlaces = 10
	maxLines  = 6
	maxWord   = 200
	maxText   = 600
)

// Summarise returns what may be said of the incident. pages is the base of the
// link; empty for none.
func Summarise(i *incident.Incident, pages string) Summary {
	j := i.Judgement()
	s := Summary{
		ID: clean(i.ID, maxWord), Rule: clean(i.Rule, maxWord), Title: clean(i.Title, maxWord), Severity: clean(j.Severity, 20),
		Status: clean(i.Gravity().Status, 40), Match: clean(i.Match, maxWord), ARN: clean(i.ARN, maxText), Stage: string(i.Stage()),
		Why: clean(i.Why, maxText), Fix: clean(i.Fix, maxText), Occurrences: i.Occurrences,
		Verdict: lines(j.Reasons), Unfixed: lines(i.Unfixed()), Places: []Place{},
	}
	if s.Title == "" {
		s.Title = s.Rule
	}
	if rank(s.Severity) < 0 {
		s.Severity = "unknown"
	}
	for _, p := range i.Places[:min(len(i.Places), maxPlaces)] {
		s.Places = append(s.Places, Place{
			Repository: clean(p.Repository, maxWord), Ref: clean(p.Ref, maxWord), Path: clean(p.Path, maxText),
			Line: p.Line, Commit: clean(p.Commit, 64), Pusher: clean(p.Pusher, maxWord),
		})
	}
	s.Found, _ = i.First(incident.Found)
	var done []string
	for _, e := range i.Timeline {
		if e.Stage == incident.Responded || e.Stage == incident.Confirmed {
			done = append(done, string(e.Stage)+" "+e.At.UTC().Format(time.TimeOnly)+": "+e.Note)
		}
	}
	s.Done = lines(done)
	if !i.Open() {
		for _, e := range i.Timeline {
			if e.Stage == incident.Closed {
				s.Closed = &Closing{At: e.At, By: clean(e.By, maxWord), Reason: clean(e.Note, maxText)}
			}
		}
	}
	if pages != "" {
		s.Link = strings.TrimSuffix(pages, "/") + "/incidents/" + url.PathEscape(i.ID)
	}
	return s
}

func lines(all []string) []string {
	var out []string
	for _, l := range all[:min(len(all), maxLines)] {
		out = append(out, clean(l, maxText))
	}
	return out
}

// clean makes text safe to show: one line, no control characters, nothing
// invisible or that turns the direction of writing, at most max characters.
func clean(text string, max int) string {
	var b strings.Builder
	for _, r := range clip(strings.ToValidUTF8(text, "\uFFFD"), max) {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			r = ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r&0xFFFE == 0xFFFE || 0xFDD0 <= r && r <= 0xFDEF:
			// The last two are no characters (Unicode, section 23.7): XML may
			// not hold them, and SNS would refuse the message.
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// clip cuts text after max characters.
func clip(text string, max int) string {
	n := 0
	for at := range text {
		if n++; n > max {
			return text[:at] + "…"
		}
	}
	return text
}

// first returns the place to name where there is room for one.
func (s *Summary) first() Place {
	if len(s.Places) == 0 {
		return Place{}
	}
	return s.Places[0]
}

// headline is one line for a person.
func (s *Summary) headline(e Event) string {
	in := ""
	if r := s.first().Repository; r != "" {
		in = " in " + r
		if s.Occurrences > 1 {
			in += " and more places"
		}
	}
	switch e {
	case Closed:
		return "Closed: " + s.Title + in
	case Answered:
		return "Answered: " + s.Title + in
	case Escalated:
		if s.Was != nil && rank(s.Was.Severity) < rank(s.Severity) {
			return "Now " + s.Severity + ", was " + cmp.Or(s.Was.Severity, "unknown") + ": " + s.Title + in
		}
		return "Now known to be " + s.Status + ": " + s.Title + in
	}
	return capital(s.Severity) + ": " + s.Title + in
}

// changes says what has changed since the channel was told.
func (s *Summary) changes() []string {
	if s.Was == nil {
		return nil
	}
	var all []string
	if s.Was.Severity != s.Severity {
		all = append(all, "severity: "+cmp.Or(s.Was.Severity, "unknown")+" before, "+s.Severity+" now")
	}
	if s.Was.Status != s.Status {
		all = append(all, "what AWS says of it: "+cmp.Or(s.Was.Status, "not asked")+" before, "+cmp.Or(s.Status, "not asked")+" now")
	}
	return all
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
