package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// today is the day in UTC.
func today() string { return time.Now().UTC().Format(time.DateOnly) }

func (a *app) baselineAudit() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "go through the list: reason, owner, date, or out with it",
		Description: "Shows one entry after the other, with what is found of it, and asks. Entries that have a\n" +
			"reason and an owner and are in date are passed over, but for --all.\n\n" +
			"With --fingerprint it asks nothing and changes one entry. Its fingerprint is that of the\n" +
			"list or of a report, or the beginning of one.\n\n" +
			"Example: spillgate baseline audit --fingerprint 1f2e3d4c --reason revoked --owner ops",
		Flags: baselineFlags(entryFlags(
			&cli.BoolFlag{Name: "all", Usage: "show all entries"},
			&cli.StringFlag{Name: "fingerprint", Usage: "change the entry with the fingerprint `F`"},
			&cli.StringFlag{Name: "path", Usage: "excuse it in files that match `GLOB` only, as in .gitignore"},
			&cli.BoolFlag{Name: "remove", Usage: "take the entry out"},
		)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			print := c.String("fingerprint")
			for _, flag := range []string{"reason", "owner", "until", "path", "remove"} {
				if print == "" && c.IsSet(flag) {
					return usage("name the entry with --fingerprint", "--%s: of which entry?", flag)
				}
			}
			s, err := a.survey(ctx, c)
			if err != nil {
				return err
			}
			b, err := readBaseline(s.BaselineFile)
			if err != nil {
				return err
			}
			if print != "" {
				return a.auditOne(c, s, b, print)
			}
			return a.auditAll(c, s, b)
		},
	}
}

// minPrint is how many digits of a fingerprint name an entry.
const minPrint = 6

// auditOne changes the entry that print names.
func (a *app) auditOne(c *cli.Command, s *survey, b *suppress.Baseline, print string) error {
	print = strings.ToLower(print)
	if len(print) < minPrint {
		return usage("give more of its digits", "--fingerprint %s is too short to name an entry", print)
	}
	found := s.findings(b)
	var hits []int
	for i, e := range b.Entries {
		f := found[[2]string{e.Rule, e.Fingerprint}]
		if strings.HasPrefix(e.Fingerprint, print) || f != nil && strings.HasPrefix(f.Fingerprint(), print) {
			hits = append(hits, i)
		}
	}
	switch {
	case len(hits) == 0:
		return usage("spillgate baseline audit --all lists them; spillgate baseline update adds what is new", "no entry of %s has the fingerprint %s", relative(s.BaselineFile), print)
	case len(hits) > 1 && b.Entries[hits[0]].Fingerprint != b.Entries[hits[1]].Fingerprint:
		return usage("give more of its digits", "--fingerprint %s names %d entries", print, len(hits))
	}
	for _, i := range slices.Backward(hits) {
		e := &b.Entries[i]
		if c.Bool("remove") {
			b.Entries = slices.Delete(b.Entries, i, i+1)
			continue
		}
		for flag, field := range map[string]*string{"reason": &e.Reason, "owner": &e.Owner, "until": &e.Until, "path": &e.Path} {
			if c.IsSet(flag) {
				*field = c.String(flag)
			}
		}
	}
	if err := writeBaseline(s.BaselineFile, b); err != nil {
		return err
	}
	did := "changed"
	if c.Bool("remove") {
		did = "taken out"
	}
	_, err := fmt.Fprintf(a.Stdout, "%s: %s %s\n", relative(s.BaselineFile), plural(len(hits), "entry", "entries"), did)
	return err
}

// findings returns what was found, by rule and fingerprint of the baseline.
func (s *survey) findings(b *suppress.Baseline) map[[2]string]*scanner.Finding {
	all := map[[2]string]*scanner.Finding{}
	for _, f := range s.result.Findings {
		all[[2]string{f.Rule.ID, b.Fingerprint(f.Rule.ID, f.Secret)}] = f
	}
	return all
}

// auditAll asks about one entry after the other.
func (a *app) auditAll(c *cli.Command, s *survey, b *suppress.Baseline) error {
	var open []int
	for i, e := range b.Entries {
		if c.Bool("all") || e.Reason == "" || e.Owner == "" || e.Until != "" && e.Until < today() {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		_, err := fmt.Fprintf(a.Stdout, "%s: all %s have a reason and an owner and are in date\n", relative(s.BaselineFile), plural(len(b.Entries), "entry", "entries"))
		return err
	}
	d := &dialogue{in: bufio.NewScanner(a.Stdin), out: a.Stdout, found: s.findings(b)}
	remove := map[int]bool{}
	for n, i := range open {
		verdict := d.ask(n+1, len(open), &b.Entries[i])
		if verdict == stop {
			break
		}
		remove[i] = verdict == drop
		d.changed += min(int(verdict), 1)
	}
	if d.changed == 0 {
		_, err := fmt.Fprintln(a.Stdout, "nothing changed")
		return err
	}
	kept := b.Entries[:0:0]
	for i, e := range b.Entries {
		if !remove[i] {
			kept = append(kept, e)
		}
	}
	gone := len(b.Entries) - len(kept)
	b.Entries = kept
	if err := writeBaseline(s.BaselineFile, b); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Stdout, "%s: %s changed, %d of them taken out\n", relative(s.BaselineFile), plural(d.changed, "entry", "entries"), gone)
	return err
}

// A dialogue is the terminal screen of an audit: plain lines, so that it works
// over ssh, in tmux and from a file.
type dialogue struct {
	in      *bufio.Scanner
	out     io.Writer
	found   map[[2]string]*scanner.Finding
	changed int
}

// What becomes of an entry.
type verdict int

const (
	skip verdict = iota
	keep
	drop
	stop verdict = -1
)

// ask shows the n-th of all entries and does what the user says. The end of
// input means quit.
func (d *dialogue) ask(n, all int, e *suppress.Entry) verdict {
	d.show(n, all, e)
	for {
		answer, ok := d.line("keep, remove, skip, quit? [k/r/s/q] ")
		if !ok {
			return stop
		}
		switch strings.ToLower(answer) {
		case "k", "keep":
			return d.edit(e)
		case "r", "remove":
			return drop
		case "s", "skip", "":
			return skip
		case "q", "quit":
			return stop
		}
		d.print("k: give a reason, an owner and a date. r: report it again. s: leave it as it is. q: save and end.\n")
	}
}

func (d *dialogue) print(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

func (d *dialogue) line(prompt string) (string, bool) {
	d.print("%s", prompt)
	if !d.in.Scan() {
		d.print("\n")
		return "", false
	}
	return strings.TrimSpace(d.in.Text()), true
}

func (d *dialogue) show(n, all int, e *suppress.Entry) {
	d.print("\n[%d/%d] %s  %s\n", n, all, e.Rule, e.Fingerprint[:8])
	if f := d.found[[2]string{e.Rule, e.Fingerprint}]; f != nil {
		d.print("  %s: %s\n", f.Rule.Title, report.Escape(f.Display()))
		if p := shown(f, f.Location.String()); p != "" {
			d.print("  %s", report.Escape(p))
			if f.Object.Commit != nil {
				d.print(", commit %.12s of %s", f.Object.Commit.ID, f.Object.Commit.Date)
			}
			if f.Occurrences > 1 {
				d.print(", and %s", plural(f.Occurrences-1, "further place", "further places"))
			}
			d.print("\n")
		}
	} else {
		d.print("  not found any more%s\n", in(*e))
	}
	or := func(s string) string {
		if s == "" {
			return "none"
		}
		return report.Escape(s)
	}
	d.print("  reason: %s; owner: %s; until: %s", or(e.Reason), or(e.Owner), or(e.Until))
	if e.Path != "" {
		d.print("; only in %s", report.Escape(e.Path))
	}
	d.print("\n")
}

// edit asks for the parts of an entry; an empty answer leaves one as it is,
// and "-" empties it.
func (d *dialogue) edit(e *suppress.Entry) verdict {
	next := *e
	for _, part := range []struct {
		name  string
		field *string
	}{{"reason", &next.Reason}, {"owner", &next.Owner}, {"until (2027-01-31, - for ever)", &next.Until}} {
		for {
			answer, ok := d.line(fmt.Sprintf("  %s [%s]: ", part.name, report.Escape(*part.field)))
			if !ok {
				return stop
			}
			if part.field == &next.Until && answer != "-" {
				if err := suppress.CheckDate(answer); err != nil {
					d.print("  %v\n", err)
					continue
				}
			}
			switch answer {
			case "":
			case "-":
				*part.field = ""
			default:
				*part.field = answer
			}
			break
		}
	}
	*e = next
	return keep
}
