package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// maxMarkdown bounds the Markdown report, in bytes: a comment on GitHub has at
// most 65,536 characters, and a job summary at most 1 MiB. What does not fit is
// counted.
const maxMarkdown = 60_000

// markdown writes the report for job summaries and comments. Everything that
// the scanned text may have chosen stands in <code> and has its characters
// written by number, so that it can neither be a link, nor a picture, nor call
// somebody with an @.
type markdown struct{ options Options }

func newMarkdown(o Options) scanner.Sink { return &markdown{o} }

// Write writes one Markdown document.
func (s *markdown) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	var b strings.Builder
	fmt.Fprintf(&b, "### Spillgate: %s\n\n", strings.TrimSuffix(s.headline(r), "."))
	if problems := d.problems(r); len(problems) > 0 {
		b.WriteString("**Not everything could be scanned:**\n\n")
		for i, p := range problems {
			if b.Len() > maxMarkdown/4 {
				fmt.Fprintf(&b, "- and %s more\n", number(len(problems)-i))
				break
			}
			fmt.Fprintf(&b, "- %s\n", code(p.Error()))
		}
		b.WriteString("\n")
	}
	if len(r.Findings) > 0 {
		s.table(&b, d, r)
		s.rules(&b, r)
	}
	if n := len(r.Suppressed); n > 0 {
		fmt.Fprintf(&b, "%s suppressed.\n\n", count(n, "finding"))
	}
	fmt.Fprintf(&b, "<sub>%s</sub>\n", entities(CoverageLine(r, true)))
	_, err := io.WriteString(w, b.String())
	return err
}

// headline says in a few words what came out.
func (s *markdown) headline(r *scanner.Result) string {
	v := s.options.summary(r)
	switch {
	case v.Findings > 0:
		return tally(v.Blocking, v.Findings-v.Blocking)
	case v.Interrupted:
		return "interrupted"
	case !v.Complete:
		return "the scan is incomplete"
	}
	return "nothing found"
}

// table writes a row per finding.
func (s *markdown) table(b *strings.Builder, d *redactor, r *scanner.Result) {
	b.WriteString("| severity | where | what | match |\n|---|---|---|---|\n")
	for i, f := range r.Findings {
		v := d.view(f, s.options.gate())
		severity := v.Severity.String()
		if v.Blocking {
			severity = "**" + severity + "**"
		}
		where := code(v.Location.String())
		if c := v.Location.Commit; c != nil {
			where += " in " + code(short(c.ID))
		}
		if v.Occurrences > 1 {
			where += ", " + count(v.Occurrences-1, "more place")
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", severity, where, entities(v.Title), code(v.Match))
		if b.Len()+len(row) > maxMarkdown*3/4 {
			fmt.Fprintf(b, "\n%s more of %d findings: the other formats have them all.\n", number(len(r.Findings)-i), len(r.Findings))
			break
		}
		b.WriteString(row)
	}
	b.WriteString("\n")
}

// rules writes why and what to do, once per rule.
func (s *markdown) rules(b *strings.Builder, r *scanner.Result) {
	b.WriteString("<details><summary>What to do</summary>\n\n")
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if seen[f.Rule.ID] || f.Rule.Fix == "" || b.Len() > maxMarkdown*5/6 {
			continue
		}
		seen[f.Rule.ID] = true
		fmt.Fprintf(b, "- **%s** (%s): %s %s\n", entities(f.Rule.Title), code(f.Rule.ID), entities(f.Rule.Why), entities(f.Rule.Fix))
	}
	b.WriteString("\n</details>\n\n")
}

// code returns s as code that means nothing else.
func code(s string) string { return "<code>" + entities(s) + "</code>" }

// entities writes by number whatever could mean something in Markdown or HTML.
func entities(s string) string {
	var b strings.Builder
	for _, r := range Escape(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r > 0x7f, strings.ContainsRune(" ,;/()%'", r):
			b.WriteRune(r)
		case r == '-' || r == '?' || r == '"':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}
