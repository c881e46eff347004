package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
)

func (a *app) enrichCommand() *cli.Command {
	return &cli.Command{
		Name:      "enrich",
		Usage:     "ask AWS what found KMS keys, secrets and access keys mean",
		ArgsUsage: "[FILE]",
		Description: "Reads findings (spillgate … --format jsonl) from FILE or standard input and asks AWS about\n" +
			"each resource once. It only reads. Example:\n\n" +
			"    spillgate range main..HEAD --format jsonl | spillgate-live enrich\n\n" +
			"Exit codes: 1 if a finding is at or above --fail-on after enrichment, 2 if the findings were\n" +
			"cut off or the state of something could not be found out.",
		Flags: awsFlags(
			allowFlag(),
			severityFlag("fail-on", "high", "lowest `SEVERITY` after enrichment that fails the run"),
			&cli.StringFlag{
				Name: "format", Aliases: []string{"f"}, Usage: "text or jsonl (default: text on a terminal, else jsonl)",
				Validator: oneOf("text", "jsonl"),
			},
			&cli.StringFlag{Name: "trail", Usage: "ask CloudTrail for events about each key `SINCE` a time (2026-11-01T09:00:00Z) or for a duration (72h); 90 days at most"},
			&cli.BoolFlag{Name: "iam", Usage: "ask IAM about the access keys of the caller's account: user, status, last use"},
			&cli.BoolFlag{Name: "organization", Usage: "ask AWS Organizations for the names of accounts"},
			&cli.StringSliceFlag{Name: "canary-account", Usage: "an `ACCOUNT` whose access keys are tripwires; may be repeated", Validator: accounts},
		),
		Action: a.enrich,
	}
}

// oneOf returns a check of a flag's value.
func oneOf(all ...string) func(string) error {
	return func(s string) error {
		for _, v := range all {
			if s == v {
				return nil
			}
		}
		return fmt.Errorf("%q is none of %q", s, all)
	}
}

// The lines of enrich's JSONL output: one per resource, and a last one, so
// that an output without it is a cut off one.
type (
	enrichedLine struct {
		Type string `json:"type"` // "enriched"
		// Facts is null where nothing at all could be asked, which Error says.
		Facts   *live.Facts  `json:"facts"`
		Error   string       `json:"error,omitempty"`
		Verdict live.Verdict `json:"verdict"`

		subject live.Subject
		err     error
	}
	enrichSummary struct {
		Type          string `json:"type"` // "enrichment"
		SchemaVersion int    `json:"schema_version"`
		Subjects      int    `json:"subjects"`
		// Failing are at or above --fail-on, Unknown those whose state could
		// not be found out.
		Failing  int    `json:"failing"`
		Unknown  int    `json:"unknown"`
		Complete bool   `json:"complete"`
		Problem  string `json:"problem,omitempty"`
	}
)

// enrichSchema is the version of the lines.
const enrichSchema = 1

func (a *app) enrich(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() > 1 {
		return usage("give one file, or none for standard input", "%d files", c.Args().Len())
	}
	o := awsOptions(c)
	o.IAM, o.Organization, o.Canaries = c.Bool("iam"), c.Bool("organization"), c.StringSlice("canary-account")
	var err error
	if o.Trail, err = since(c.String("trail"), time.Now()); err != nil {
		return err
	}
	session, err := openAWS(ctx, o)
	if err != nil {
		return err
	}
	in, err := a.input(c.Args().First())
	if err != nil {
		return err
	}
	defer in.Close()
	subjects, err := live.Subjects(in)
	summary := enrichSummary{Type: "enrichment", SchemaVersion: enrichSchema, Complete: true}
	switch {
	case errors.Is(err, live.ErrCutOff):
		summary.Complete, summary.Problem = false, err.Error()
	case err != nil:
		return err
	}
	out := bufio.NewWriter(a.Stdout)
	defer out.Flush() // what was found out until an interruption
	var format enrichFormat = jsonEnriched{}
	if f := c.String("format"); f == "text" || f == "" && terminal(a.Stdout) {
		format = textEnriched{}
	}
	bar := newProgress(a.Stderr, "asked AWS about", len(subjects))
	failOn := severityOf(c, "fail-on")
	var failed error // the first of those about which nothing could be asked
	for line := range enrichAll(ctx, session, subjects, c.StringSlice("allow-account"), c.Int("jobs")) {
		bar.step()
		summary.count(line, line.Verdict.Severity >= failOn)
		failed = cmp.Or(failed, line.err)
		if err := format.line(out, line); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	bar.end()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if summary.Problem != "" {
		fmt.Fprintf(a.Stderr, "spillgate-live: %s\n", summary.Problem)
	}
	if err := format.end(out, summary); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	a.exit = summary.exit()
	err = out.Flush()
	a.advise(failed)
	return err
}

// since reads a time or a duration before now; empty is the zero time.
func since(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		var d time.Duration
		if d, err = time.ParseDuration(s); err == nil {
			t = now.Add(-d)
		}
	}
	switch {
	case err != nil:
		return time.Time{}, usage("write it as in 2026-11-01T09:00:00Z or 72h", "--trail: %q is neither a time nor a duration", s)
	case t.After(now) || now.Sub(t) > 90*24*time.Hour:
		return time.Time{}, usage("ask for at most 90 days (2160h); older events are where a trail delivers them", "--trail: CloudTrail keeps 90 days")
	}
	return t.UTC(), nil
}

func (s *enrichSummary) count(l enrichedLine, failing bool) {
	s.Subjects++
	if failing {
		s.Failing++
	}
	if l.Facts == nil || l.Facts.AccessKey == nil && blind(l.Facts) {
		s.Unknown++
	}
}

// blind reports whether nothing is known of a resource that could be known.
// That another account denies access is its good right; that the resource's own
// account does says that the role is not what it should be.
func blind(f *live.Facts) bool {
	caller, ok := f.Caller.Get()
	return f.Status == live.StatusUnknown || f.Status == live.NoAccess && ok && caller.Account == f.Subject.ARN.Account
}

// exit returns the exit code. What is bad outranks what is unknown: it has to
// be dealt with in any case.
func (s *enrichSummary) exit() int {
	switch {
	case s.Failing > 0:
		return scanner.ExitFindings
	case s.Unknown > 0 || !s.Complete:
		return scanner.ExitIncomplete
	}
	return scanner.ExitClean
}

// enrichAll asks about the subjects, several at a time, and yields the answers
// in the order of the subjects.
func enrichAll(ctx context.Context, e live.Enricher, subjects []live.Subject, allowed []string, jobs int) func(func(enrichedLine) bool) {
	return func(yield func(enrichedLine) bool) {
		ctx, stop := context.WithCancel(ctx)
		answers := make([]chan enrichedLine, len(subjects))
		for i := range answers {
			answers[i] = make(chan enrichedLine, 1)
		}
		next := make(chan int)
		var wg sync.WaitGroup
		for range min(jobs, len(subjects)) {
			wg.Go(func() {
				for i := range next {
					answers[i] <- enrichOne(ctx, e, subjects[i], allowed)
				}
			})
		}
		go func() {
			defer close(next)
			for i := range subjects {
				select {
				case next <- i:
				case <-ctx.Done():
					return
				}
			}
		}()
		defer wg.Wait()
		defer stop()
		for _, answer := range answers {
			select {
			case line := <-answer:
				if !yield(line) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func enrichOne(ctx context.Context, e live.Enricher, s live.Subject, allowed []string) enrichedLine {
	facts, err := e.Enrich(ctx, s)
	line := enrichedLine{Type: "enriched", Facts: facts, subject: s, err: err}
	if err != nil {
		// What is known without AWS is judged all the same.
		line.Error = err.Error()
		facts = &live.Facts{Subject: s, Status: live.StatusUnknown, Why: err.Error()}
	}
	line.Verdict = live.Judge(facts, allowed)
	return line
}

// An enrichFormat is how enrich's answers are written.
type enrichFormat interface {
	line(io.Writer, enrichedLine) error
	end(io.Writer, enrichSummary) error
}

type jsonEnriched struct{}

func (jsonEnriched) line(w io.Writer, l enrichedLine) error { return json.NewEncoder(w).Encode(l) }
func (jsonEnriched) end(w io.Writer, s enrichSummary) error { return json.NewEncoder(w).Encode(s) }
