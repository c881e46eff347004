package cli

import (
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/report"
)

// An auditReport is an audit as its JSON format has it.
type auditReport struct {
	SchemaVersion int           `json:"schema_version"`
	Time          time.Time     `json:"time"`
	Accounts      int           `json:"accounts"`
	Targets       int           `json:"regions"` // of all accounts together
	Rules         []ruleSummary `json:"rules"`
	Problems      []string      `json:"problems,omitempty"`
	Keys          []auditRow    `json:"keys"`
}

// ruleSummary counts the outcomes of a rule.
type ruleSummary struct {
	Name          string `json:"name"`
	Text          string `json:"text"`
	Pass          int    `json:"pass"`
	Fail          int    `json:"fail"`
	Unknown       int    `json:"unknown"`
	NotApplicable int    `json:"not_applicable"`
}

func (s *ruleSummary) count(o kms.Outcome) {
	switch o {
	case kms.Pass:
		s.Pass++
	case kms.Fail:
		s.Fail++
	case kms.NotApplicable:
		s.NotApplicable++
	default:
		s.Unknown++
	}
}

// Rate returns the share of passes among the keys with an answer, in percent,
// rounded down so that 100 means all; "-" where no key has one.
func (s ruleSummary) Rate() string {
	if s.Pass+s.Fail == 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%d %%", s.Pass*100/(s.Pass+s.Fail), s.Pass*1000/(s.Pass+s.Fail)%10)
}

// An auditRow is a key as reports have it: texts, in which what is not known
// says so.
type auditRow struct {
	ARN          string            `json:"arn"`
	Account      string            `json:"account"`
	AccountName  string            `json:"account_name,omitempty"`
	Region       string            `json:"region"`
	State        string            `json:"state"`
	Manager      string            `json:"manager"`
	Spec         string            `json:"spec"`
	Usage        string            `json:"usage"`
	Origin       string            `json:"origin"`
	MultiRegion  string            `json:"multi_region"`
	Created      string            `json:"created"`
	Rotation     string            `json:"rotation"` // on, off, not applicable, unknown: …
	PeriodInDays int               `json:"period_in_days,omitempty"`
	LastRotation string            `json:"last_rotation"`
	NextRotation string            `json:"next_rotation"`
	Aliases      []string          `json:"aliases"`
	Tags         map[string]string `json:"tags"`
	Checks       []namedResult     `json:"checks"`
}

type namedResult struct {
	Rule string `json:"rule"`
	kms.Result
}

const unknownText = "unknown: "

func text(f live.Fact[string]) string { return f.Or(unknownText + f.Because()) }

func rowOf(f *live.Facts, accountName string) auditRow {
	k, a := f.Key, f.Subject.ARN
	r := auditRow{
		ARN: a.String(), Account: a.Account, AccountName: accountName, Region: a.Region, State: string(f.Status),
		Manager: text(k.KeyManager), Spec: text(k.KeySpec), Usage: text(k.KeyUsage), Origin: text(k.Origin),
		Aliases: k.Aliases.Or([]string{}), Tags: k.Tags.Or(map[string]string{}),
		Created: unknownText + k.CreationDate.Because(), MultiRegion: unknownText + k.MultiRegion.Because(),
		LastRotation: unknownText + k.Rotations.Because(), NextRotation: unknownText + k.Rotation.Because(),
		Rotation: unknownText + k.Rotation.Because(),
	}
	if t, ok := k.CreationDate.Get(); ok {
		r.Created = t.Format(time.RFC3339)
	}
	if m, ok := k.MultiRegion.Get(); ok {
		r.MultiRegion = strings.ToLower(m.Role)
	}
	if all, ok := k.Rotations.Get(); ok {
		r.LastRotation = ""
		if len(all) > 0 {
			r.LastRotation = all[0].At.Format(time.RFC3339)
		}
	}
	if s, ok := k.Rotation.Get(); ok {
		r.NextRotation = ""
		switch {
		case s.NotApplicable != "":
			r.Rotation = "not applicable"
		case s.Enabled:
			r.Rotation, r.PeriodInDays = "on", s.PeriodInDays
			if !s.Next.IsZero() {
				r.NextRotation = s.Next.Format(time.RFC3339)
			}
		default:
			r.Rotation = "off"
		}
	}
	return r
}

// exit returns the exit code: a failed rule outranks what is unknown.
func (r *auditReport) exit(required []string) int {
	code := scanner.ExitClean
	if len(r.Problems) > 0 {
		code = scanner.ExitIncomplete
	}
	for _, s := range r.Rules {
		switch {
		case !slices.Contains(required, s.Name):
		case s.Fail > 0:
			return scanner.ExitFindings
		case s.Unknown > 0:
			code = scanner.ExitIncomplete
		}
	}
	return code
}

// Extent says what was audited.
func (r *auditReport) Extent() string {
	return fmt.Sprintf("%s in %s of %s", plural(len(r.Keys), "key"), plural(r.Targets, "Region"), plural(r.Accounts, "account"))
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (r *auditReport) write(w io.Writer, format string) error {
	switch format {
	case "csv":
		return r.csv(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "html":
		return auditPage(w, r)
	}
	return r.text(w)
}

// shownFailures is how many failures of a rule the text lists.
const shownFailures = 20

func (r *auditReport) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Extent())
	fmt.Fprintf(&b, "%-10s %8s %8s %8s %8s %15s\n", "rule", "rate", "pass", "fail", "unknown", "not applicable")
	for _, s := range r.Rules {
		fmt.Fprintf(&b, "%-10s %8s %8d %8d %8d %15d\n", s.Name, s.Rate(), s.Pass, s.Fail, s.Unknown, s.NotApplicable)
	}
	for i, s := range r.Rules {
		r.list(&b, i, kms.Fail, s.Fail)
		r.list(&b, i, kms.Unknown, s.Unknown)
	}
	for i, p := range r.Problems {
		if i == 0 {
			b.WriteString("\nnot audited\n")
		}
		fmt.Fprintf(&b, "  %s\n", report.Escape(p))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *auditReport) list(b *strings.Builder, rule int, o kms.Outcome, n int) {
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s: %s\n", r.Rules[rule].Name, o)
	shown := 0
	for i := range r.Keys {
		c := r.Keys[i].Checks[rule]
		if c.Outcome != o {
			continue
		}
		if shown++; shown > shownFailures {
			fmt.Fprintf(b, "  and %d more; --format csv, json or html lists all\n", n-shownFailures)
			return
		}
		fmt.Fprintf(b, "  %s  %s\n", r.Keys[i].ARN, report.Escape(c.Why))
	}
}

func (r *auditReport) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"arn", "account", "account_name", "region", "state", "manager", "spec", "usage", "origin", "multi_region",
		"created", "rotation", "period_in_days", "last_rotation", "next_rotation", "aliases", "tags"}
	for _, s := range r.Rules {
		head = append(head, s.Name, s.Name+"_why")
	}
	rows := [][]string{head}
	for i := range r.Keys {
		k := &r.Keys[i]
		period := ""
		if k.PeriodInDays > 0 {
			period = strconv.Itoa(k.PeriodInDays)
		}
		row := []string{k.ARN, k.Account, k.AccountName, k.Region, k.State, k.Manager, k.Spec, k.Usage, k.Origin, k.MultiRegion,
			k.Created, k.Rotation, period, k.LastRotation, k.NextRotation, strings.Join(k.Aliases, " "), k.TagText()}
		for _, result := range k.Checks {
			row = append(row, string(result.Outcome), result.Why)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = report.Cell(row[i])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// TagText returns the tags on one line, sorted.
func (r *auditRow) TagText() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Tags)) {
		all = append(all, name+"="+r.Tags[name])
	}
	return strings.Join(all, " ")
}

//go:embed audit.html.tmpl
var auditTemplate string

func auditPage(w io.Writer, r *auditReport) error {
	t, err := template.New("audit").Parse(auditTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, r)
}
