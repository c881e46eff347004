package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spillgate/spillgate/server/incident"
)

// functions are what templates may call.
func functions() template.FuncMap {
	return template.FuncMap{
		"visible": visible,
		"ago":     ago,
		"span":    span,
		"stamp":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"short":   func(s string) string { return s[:min(len(s), 10)] },
		"branch": func(ref string) string {
			return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
		},
	}
}

// visible spells out characters that cannot be seen, or that turn the
// direction of writing: a path must look like what it is.
func visible(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, "‹U+%04X›", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}

// span words a duration, with about two digits.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// ago words how long ago t was.
func ago(now, t time.Time) string {
	if now.Sub(t) < 10*time.Second {
		return "just now"
	}
	return span(now.Sub(t)) + " ago"
}

// stageWords says what a stage means for who looks.
func stageWords(s incident.Stage) string {
	switch s {
	case incident.Pushed, incident.Found:
		return "not dealt with yet"
	case incident.Enriched:
		return "looked into"
	case incident.Planned:
		return "response planned"
	case incident.Responded:
		return "responded to"
	case incident.Confirmed:
		return "response confirmed"
	case incident.Closed:
		return "closed"
	}
	return string(s)
}

// next is the one thing to do now, in a line.
func next(i *incident.Incident) string {
	switch i.Stage() {
	case incident.Closed:
		return ""
	case incident.Planned:
		return "Review the planned response and have it carried out."
	case incident.Responded:
		if n := len(i.Unfixed()); n > 0 {
			return fmt.Sprintf("The response is under way. See to what it does not fix (%d).", n)
		}
		return "The response is under way. Wait for its confirmation, then close it."
	case incident.Confirmed:
		if n := len(i.Unfixed()); n > 0 {
			return fmt.Sprintf("See to what the response did not fix (%d), then close it.", n)
		}
		return "Check that nothing is left, then close it."
	}
	if i.Fix != "" {
		return i.Fix
	}
	return "Make the secret worthless: rotate or revoke it. Then close the incident."
}

// rank orders severities, the gravest first.
func rank(severity string) int {
	for n, s := range severities() {
		if s == severity {
			return n
		}
	}
	return len(severities())
}

// severity returns the incident's severity after enrichment.
func severity(i *incident.Incident) string { return known(i.Judgement().Severity) }

// known returns the severity. It names classes of the style, so a word from
// elsewhere is none.
func known(severity string) string {
	if slices.Contains(severities(), severity) {
		return severity
	}
	return "unknown"
}

func severities() []string { return []string{"critical", "high", "medium", "low", "info"} }
