package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
)

func (a *app) auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "list the KMS keys of accounts and hold them to rules",
		Description: "Asks about every key in every enabled Region of the given accounts (default: the caller's). It\n" +
			"only reads. Rules (--require makes a failed one exit code 1):\n\n" + checkHelp() + "\n" +
			"A rule that cannot apply to a key (asymmetric, HMAC, imported, AWS managed, …) is \"not\n" +
			"applicable\" and counts nowhere; what could not be found out is \"unknown\", neither a pass nor\n" +
			"a failure. Exit codes: 1 a required rule failed, 2 something could not be found out.",
		Flags: awsFlags(
			allowFlag(),
			&cli.StringSliceFlag{Name: "account", Usage: "an `ACCOUNT` to audit, with --role-arn for others than the caller's; may be repeated", Validator: accounts},
			&cli.BoolFlag{Name: "organization", Usage: "audit the active accounts that AWS Organizations lists"},
			&cli.StringSliceFlag{Name: "region", Usage: "a `REGION` to audit; may be repeated (default: all that the account has enabled)"},
			&cli.StringFlag{Name: "partition", Value: "aws", Usage: "`PARTITION`: aws, aws-cn, aws-us-gov, …"},
			&cli.StringSliceFlag{Name: "require", Usage: "a `RULE` that must hold; may be repeated", Validator: knownChecks},
			&cli.IntFlag{Name: "max-period", Value: 365, Usage: "most `DAYS` between two rotations, for the rule period"},
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "text", Usage: "`FORMAT` on standard output: text, csv, json, html", Validator: oneOf("text", "csv", "json", "html")},
			&cli.StringSliceFlag{Name: "report", Usage: "write a further report, `FORMAT=FILE`; may be repeated", Validator: auditReports},
			&cli.StringFlag{Name: "state", TakesFile: true, Usage: "keep what was found out in `FILE`, and go on from there after an interruption; removed when the audit is complete"},
		),
		Action: a.audit,
	}
}

func checkHelp() string {
	text := ""
	for _, c := range kms.Checks() {
		text += fmt.Sprintf("    %-10s %s\n", c.Name, c.Text)
	}
	return text
}

func knownChecks(all []string) error {
	var names []string
	for _, c := range kms.Checks() {
		names = append(names, c.Name)
	}
	for _, name := range all {
		if err := oneOf(names...)(name); err != nil {
			return err
		}
	}
	return nil
}

func auditReports(all []string) error {
	for _, s := range all {
		format, file, ok := strings.Cut(s, "=")
		if !ok || file == "" {
			return fmt.Errorf("%q is no FORMAT=FILE", s)
		}
		if err := oneOf("text", "csv", "json", "html")(format); err != nil {
			return err
		}
	}
	return nil
}

// An auditRun is one audit.
type auditRun struct {
	session  *kms.Session
	standard kms.Standard
	checks   []kms.Check
	names    map[string]string // of accounts
	facts    map[live.ARN]*live.Facts
	problems []string
	accounts int
	targets  int
	state    *auditState
}

func (a *app) audit(ctx context.Context, c *cli.Command) error {
	o := awsOptions(c)
	o.Attempts = auditAttempts
	session, err := openAWS(ctx, o)
	if err != nil {
		return err
	}
	run := &auditRun{
		session: session, checks: kms.Checks(), names: map[string]string{}, facts: map[live.ARN]*live.Facts{},
		standard: kms.Standard{MaxPeriod: c.Int("max-period"), Allowed: c.StringSlice("allow-account"), Now: time.Now().UTC()},
	}
	if name := c.String("state"); name != "" {
		if run.state, err = openAuditState(name, run.standard.Now); err != nil {
			return err
		}
		defer run.state.close()
	}
	targets, err := run.plan(ctx, c)
	if err != nil {
		return err
	}
	if err := run.survey(ctx, a.Stderr, targets); err != nil {
		return err
	}
	report := run.report()
	if err := a.writeAudit(report, c.String("format"), c.StringSlice("report")); err != nil {
		return err
	}
	a.exit = report.exit(c.StringSlice("require"))
	if run.state != nil && len(run.problems) == 0 && a.exit != scanner.ExitIncomplete {
		return run.state.remove()
	}
	return nil
}

// auditAttempts is how often a question of an audit is put: many of them are
// throttled until the pacer has learnt how fast a Region answers.
const auditAttempts = 12

// plan lists the accounts and their Regions.
func (r *auditRun) plan(ctx context.Context, c *cli.Command) ([]kms.Target, error) {
	partition := c.String("partition")
	ids := slices.Clone(c.StringSlice("account"))
	switch {
	case c.Bool("organization"):
		all, err := r.session.Accounts(ctx, partition)
		if err != nil {
			return nil, fmt.Errorf("listing the organisation's accounts: %w", err)
		}
		for _, a := range all {
			r.names[a.ID] = a.Name
			ids = append(ids, a.ID)
		}
	case len(ids) == 0:
		if c.String("role-arn") != "" && strings.Contains(c.String("role-arn"), "{account}") {
			return nil, usage("name accounts with --account, or --organization", "--role-arn has {account}, and no account is named")
		}
		caller, err := r.session.Caller(ctx, live.ARN{Partition: partition})
		if err != nil {
			return nil, fmt.Errorf("finding out whose keys to audit, for no --account is named: %w", err)
		}
		ids = append(ids, caller.Account)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	r.accounts = len(ids)
	var targets []kms.Target
	for _, id := range ids {
		regions := c.StringSlice("region")
		if len(regions) == 0 {
			var err error
			if regions, err = r.session.Regions(ctx, partition, id); err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				r.problem("account %s: its Regions could not be listed, so that none was audited; name them with --region: %v", id, err)
				continue
			}
		}
		for _, region := range regions {
			targets = append(targets, kms.Target{Partition: partition, Account: id, Region: region})
		}
	}
	r.targets = len(targets)
	return targets, nil
}

func (r *auditRun) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// survey asks about all keys but those that an earlier run has answers for.
func (r *auditRun) survey(ctx context.Context, stderr io.Writer, targets []kms.Target) error {
	bar := newProgress(stderr, "keys", 0)
	var writeErr error
	v := kms.Surveyor{
		Listed: func(_ kms.Target, n int) { bar.total += n },
		Failed: func(t kms.Target, err error) {
			r.problem("account %s, %s: the keys could not be listed: %v", t.Account, t.Region, err)
		},
		Each: func(f *live.Facts) {
			bar.step()
			r.facts[f.Subject.ARN] = f
			if r.state != nil && writeErr == nil {
				writeErr = r.state.add(f)
			}
		},
		Skip: func(key live.ARN) bool { return r.state != nil && r.state.done[key] != nil },
	}
	err := v.Run(ctx, r.session, targets)
	bar.end()
	if err == nil {
		err = writeErr
	}
	if err != nil || r.state == nil {
		return err
	}
	wanted := map[kms.Target]bool{}
	for _, t := range targets {
		wanted[t] = true
	}
	for key, f := range r.state.done {
		if wanted[kms.Target{Partition: key.Partition, Account: key.Account, Region: key.Region}] {
			r.facts[key] = f
		}
	}
	return nil
}

// report applies the rules to what was found out.
func (r *auditRun) report() *auditReport {
	out := &auditReport{
		SchemaVersion: 1, Time: r.standard.Now, Accounts: r.accounts, Targets: r.targets, Problems: r.problems,
		Rules: []ruleSummary{}, Keys: []auditRow{},
	}
	for _, c := range r.checks {
		out.Rules = append(out.Rules, ruleSummary{Name: c.Name, Text: c.Text})
	}
	for _, f := range r.facts {
		row := rowOf(f, r.names[f.Subject.ARN.Account])
		for i := range r.checks {
			result := r.checks[i].Apply(f, r.standard)
			row.Checks = append(row.Checks, namedResult{r.checks[i].Name, result})
			out.Rules[i].count(result.Outcome)
		}
		out.Keys = append(out.Keys, row)
	}
	slices.SortFunc(out.Keys, func(a, b auditRow) int { return strings.Compare(a.ARN, b.ARN) })
	return out
}

// writeAudit writes the report to standard output and the files named.
func (a *app) writeAudit(r *auditReport, format string, files []string) error {
	out := bufio.NewWriter(a.Stdout)
	err := r.write(out, format)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	for _, s := range files {
		format, name, _ := strings.Cut(s, "=")
		if err := writeWhole(name, func(w io.Writer) error { return r.write(w, format) }); err != nil {
			return fmt.Errorf("writing the report %s: %w", name, err)
		}
	}
	return nil
}

// writeWhole writes a file that appears under its name only when it is
// complete.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".spillgate-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriter(f)
	err = errors.Join(write(w), w.Flush(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
