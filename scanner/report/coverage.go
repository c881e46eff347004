package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner"
)

// CoverageLine returns on one line what was scanned, for the end of standard
// error. With verbose it also says who read it.
func CoverageLine(r *scanner.Result, verbose bool) string {
	d := newRedactor(r)
	var b strings.Builder
	if r.Interrupted {
		b.WriteString("INTERRUPTED: ")
	} else if !r.Complete() {
		b.WriteString("INCOMPLETE: ")
	}
	b.WriteString("scanned ")
	for i := range r.Coverage {
		c := &r.Coverage[i]
		if i > 0 {
			b.WriteString("; ")
		}
		if c.What != "" {
			b.WriteString(Escape(d.text(c.What)) + ": ")
		}
		b.WriteString(Escape(d.text(c.String())))
		if verbose && c.Backend != "" {
			b.WriteString(" (read by " + c.Backend + ")")
		}
	}
	if len(r.Coverage) == 0 {
		b.WriteString("nothing")
	}
	fmt.Fprintf(&b, ", in %s", duration(r.Took))
	if n := len(r.Suppressed); n > 0 {
		b.WriteString("; " + count(n, "finding") + " suppressed")
	}
	return b.String()
}

func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "under 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// count returns "1 thing" or "2 things".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// A coverageView is the coverage of the JSON formats.
type coverageView struct {
	What     string            `json:"what"`
	Backend  string            `json:"backend"`
	Shard    string            `json:"shard,omitempty"`
	Complete bool              `json:"complete"`
	Commits  int64             `json:"commits"`
	Tags     int64             `json:"tags"`
	Refs     int64             `json:"refs"`
	Blobs    int64             `json:"blobs"`
	Files    int64             `json:"files"`
	Members  int64             `json:"members"` // files in archives
	Binaries int64             `json:"binaries"`
	Messages int64             `json:"messages"`
	Names    int64             `json:"names"`
	Bytes    int64             `json:"bytes"`
	Skipped  []scanner.Skip    `json:"skipped"`
	Problems []scanner.Problem `json:"problems"`
}

func (d *redactor) coverage(c *scanner.Coverage) coverageView {
	v := coverageView{
		What: utf8Text(d.text(c.What)), Backend: c.Backend, Shard: c.Shard, Complete: c.Complete(),
		Commits: c.Commits, Tags: c.Tags, Refs: c.Refs, Blobs: c.Blobs, Files: c.Files,
		Members: c.Members, Binaries: c.Binaries, Messages: c.Messages, Names: c.Names, Bytes: c.Bytes,
		Skipped: []scanner.Skip{}, Problems: []scanner.Problem{},
	}
	for _, s := range c.Skipped {
		s.Example = utf8Text(d.text(s.Example))
		v.Skipped = append(v.Skipped, s)
	}
	for _, p := range c.Problems {
		v.Problems = append(v.Problems, d.problem(p))
	}
	return v
}
