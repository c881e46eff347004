package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/report"
)

func (a *app) respondCommand() *cli.Command {
	return &cli.Command{
		Name:      "respond",
		Usage:     "plan what to do about findings, and with --apply do it",
		ArgsUsage: "[FILE]",
		Description: "Reads findings (spillgate … --format jsonl) or facts (spillgate-live enrich --format jsonl)\n" +
			"from FILE or standard input and prints what the operator's file allows to be done about them:\n" +
			"each exact call, why, how it is undone and what it does not fix. Without --apply nothing is\n" +
			"changed. With it the plan is carried out once it is approved: typed on a terminal, by the\n" +
			"hash of the plan that was reviewed (--approve), or by the operator's standing policy.\n" +
			"Examples:\n\n" +
			"    spillgate-live respond findings.jsonl --operator /etc/spillgate/operator.toml \\\n" +
			"        --ledger /var/lib/spillgate\n" +
			"    spillgate-live respond --plan plan.json --apply --approve 3f1c9a527b0e4d1c …\n\n" +
			"Exit codes: 0 the plan was made, or all of it carried out; 2 something could not be found\n" +
			"out or done; 3 wrong usage or operator's file, or the plan was not approved.",
		Flags: awsFlags(
			&cli.StringFlag{Name: "operator", Required: true, TakesFile: true, Usage: "the operator's `FILE`: what may be done, outside of every repository"},
			&cli.StringFlag{Name: "ledger", Required: true, TakesFile: true, Usage: "`DIR` of the ledger and the audit log, kept between runs"},
			&cli.StringFlag{Name: "plan", TakesFile: true, Usage: "take the plan from `FILE` (written by --format json; - is standard input) instead of making one"},
			&cli.BoolFlag{Name: "apply", Usage: "carry out the plan"},
			&cli.StringFlag{Name: "approve", Usage: "the `HASH` of the plan that was reviewed, at least 16 digits of it"},
			&cli.StringFlag{Name: "respond-role-arn", Usage: "assume this role for changes, apart from --role-arn, which reads; {account} and {partition} as there (`ARN`)"},
			&cli.StringFlag{Name: "respond-profile", Usage: "`PROFILE` of the shared AWS configuration for changes (default: that of --profile)"},
			&cli.StringSliceFlag{Name: "canary-account", Usage: "an `ACCOUNT` whose access keys are tripwires; may be repeated", Validator: accounts},
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "text", Usage: "`FORMAT`: text, json", Validator: oneOf("text", "json")},
		),
		Action: a.respond,
	}
}

// A response is one run of the command.
type response struct {
	app      *app
	c        *cli.Command
	op       *live.Operator
	read     *kms.Session
	actor    live.Actor
	history  live.History
	timeline []timelineStep
	unknown  int
	cutOff   bool
}

type timelineStep struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

func (a *app) respond(ctx context.Context, c *cli.Command) error {
	r := &response{app: a, c: c}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if !c.Bool("apply") {
		return r.dryRun(ctx)
	}
	if err := live.RefuseUnmerged(os.Getenv); err != nil {
		return usage("", "%v", err)
	}
	return r.apply(ctx)
}

// prepare reads what the flags name.
func (r *response) prepare(ctx context.Context) error {
	c := r.c
	switch {
	case c.Args().Len() > 1:
		return usage("give one file, or none for standard input", "%d files", c.Args().Len())
	case c.String("plan") != "" && c.Args().Present():
		return usage("give one of them", "--plan and findings")
	case c.String("approve") != "" && !c.Bool("apply"):
		return usage("add --apply, or leave it out", "--approve approves nothing without --apply")
	}
	var err error
	if r.op, err = live.LoadOperator(c.String("operator")); err != nil {
		return usage("", "%v", err)
	}
	o := awsOptions(c)
	o.IAM, o.Canaries = true, c.StringSlice("canary-account")
	if r.read, err = openAWS(ctx, o); err != nil {
		return err
	}
	if role := c.String("respond-role-arn"); role != "" {
		o.Role = role
	}
	if profile := c.String("respond-profile"); profile != "" {
		o.Profile = profile
	}
	write, err := openAWS(ctx, o)
	if err != nil {
		return err
	}
	r.actor = kms.NewActor(r.read, write)
	return nil
}

func (r *response) step(at time.Time, what string) {
	r.timeline = append(r.timeline, timelineStep{at.UTC(), what})
	if r.c.String("format") == "text" {
		since := at.Sub(r.timeline[0].At)
		fmt.Fprintf(r.app.Stderr, "%s %+7.2f s  %s\n", at.UTC().Format("15:04:05.000Z"), since.Seconds(), report.Escape(what))
	}
}

// dryRun prints the plan.
func (r *response) dryRun(ctx context.Context) error {
	held, err := live.ReadLedger(r.c.String("ledger"))
	if err != nil {
		return err
	}
	r.history = held
	p, err := r.plan(ctx)
	if err != nil {
		return err
	}
	r.app.exit = r.exit(nil)
	if r.c.String("format") == "json" {
		return r.app.writeJSON(p)
	}
	text := p.Text()
	if n := open(held); n > 0 {
		text += fmt.Sprintf("\n%d actions of earlier runs are open; --apply asks AWS about them first\n", n)
	}
	text += "\ndry run: nothing was changed\n"
	return r.app.write(text)
}

func open(history live.Entries) int {
	n := 0
	for i := range history {
		if s := history[i].State; s == live.Intended || s == live.Answered {
			n++
		}
	}
	return n
}

// plan reads or makes the plan.
func (r *response) plan(ctx context.Context) (*live.Plan, error) {
	if name := r.c.String("plan"); name != "" {
		in, err := r.app.input(name)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		text, err := io.ReadAll(io.LimitReader(in, 64<<20))
		if err != nil {
			return nil, fmt.Errorf("reading the plan: %w", err)
		}
		p, err := live.ParsePlan(text)
		if err == nil && p.Operator != r.op.Digest {
			err = usage("make it again", "the plan was made with another operator's file, or this one has changed since")
		}
		return p, err
	}
	facts, err := r.facts(ctx)
	if err != nil {
		return nil, err
	}
	p, err := live.NewPlan(facts, r.op, r.history, time.Now())
	if err != nil {
		return nil, err
	}
	r.step(time.Now(), fmt.Sprintf("planned %.16s: %d to do, %d refused", p.Hash, p.Acts(), len(p.Refusals)))
	return p, nil
}

// facts reads facts, or findings and asks AWS about them.
func (r *response) facts(ctx context.Context) ([]*live.Facts, error) {
	in, err := r.app.input(r.c.Args().First())
	if err != nil {
		return nil, err
	}
	defer in.Close()
	buffered := bufio.NewReader(in)
	head, err := buffered.Peek(len(`{"type":"enrich`))
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading the findings: %w", err)
	}
	if bytes.HasPrefix(head, []byte(`{"type":"enrich`)) {
		facts, unknown, err := live.ReadFacts(buffered)
		r.unknown, r.cutOff = unknown, errors.Is(err, live.ErrCutOff)
		if err != nil && !r.cutOff {
			return nil, err
		}
		r.step(time.Now(), fmt.Sprintf("read the facts about %d resources", len(facts)))
		return facts, nil
	}
	subjects, err := live.Subjects(buffered)
	r.cutOff = errors.Is(err, live.ErrCutOff)
	if err != nil && !r.cutOff {
		return nil, err
	}
	r.step(time.Now(), fmt.Sprintf("read findings about %d resources", len(subjects)))
	var facts []*live.Facts
	for line := range enrichAll(ctx, r.read, subjects, r.op.Trusted, r.c.Int("jobs")) {
		if line.Facts == nil || line.Facts.Status == live.StatusUnknown && line.Facts.AccessKey == nil {
			r.unknown++
		}
		if line.Facts == nil {
			r.step(time.Now(), line.Error)
			continue
		}
		facts = append(facts, line.Facts)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r.step(time.Now(), fmt.Sprintf("asked AWS about %d resources", len(subjects)))
	return facts, nil
}

// apply resolves what earlier runs left open, makes the plan, has it approved
// and carries it out.
func (r *response) apply(ctx context.Context) error {
	ledger, err := live.OpenLedger(r.c.String("ledger"))
	if err != nil {
		return err
	}
	defer ledger.Close()
	log, err := live.OpenAudit(ledger)
	if err != nil {
		return err
	}
	defer log.Close()
	responder := &live.Responder{Actor: r.actor, Operator: r.op, Ledger: ledger, Audit: log, Step: r.step}
	earlier, err := responder.Resolve(ctx)
	if err != nil {
		return err
	}
	r.history = ledger
	p, err := r.plan(ctx)
	if err != nil {
		return err
	}
	result := &live.Result{Outcomes: []live.Outcome{}}
	if p.Acts() > 0 {
		if r.c.String("format") == "text" {
			if err := r.app.write(p.Text() + "\n"); err != nil {
				return err
			}
		}
		by, err := r.approve(p)
		if err != nil {
			return usage("", "%v", err)
		}
		if result, err = responder.Run(ctx, p, by); err != nil {
			return err
		}
	}
	result.Earlier = append(earlier, result.Earlier...)
	r.app.exit = r.exit(result)
	return r.conclude(p, result, log.Head())
}

// approve has the plan approved, by the first of the ways that is at hand.
func (r *response) approve(p *live.Plan) (live.Approval, error) {
	if hash := r.c.String("approve"); hash != "" {
		return live.ApproveHash(p, hash)
	}
	if by, err := live.ApproveStanding(p, r.op); err == nil {
		return by, nil
	}
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		return live.Approval{}, fmt.Errorf("nobody is at a terminal in GitHub Actions: review the plan and name it, --approve %s (the Action's input approve), or let the operator's standing policy cover it", p.Hash)
	}
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONIN$" // standard input may be the findings
	}
	tty, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return live.Approval{}, fmt.Errorf("there is no terminal to confirm on: review the plan and name it, --approve %s, or let the operator's standing policy cover it", p.Hash)
	}
	defer tty.Close()
	fmt.Fprintf(r.app.Stderr, "Type the first %d digits of the plan's hash to carry it out (anything else stops): ", live.ConfirmLength)
	typed, err := bufio.NewReader(io.LimitReader(tty, 200)).ReadString('\n')
	if err != nil {
		return live.Approval{}, fmt.Errorf("not confirmed: %w", err)
	}
	return live.ApproveTyped(p, typed)
}

// exit returns the exit code: what could not be found out or done is told
// from what is done, or needs no doing.
func (r *response) exit(result *live.Result) int {
	if r.unknown > 0 || r.cutOff || result != nil && !result.Done() {
		return scanner.ExitIncomplete
	}
	return scanner.ExitClean
}

// An applied is the JSON of a run with --apply.
type applied struct {
	Plan      *live.Plan     `json:"plan"`
	Result    *live.Result   `json:"result"`
	Timeline  []timelineStep `json:"timeline"`
	AuditHead string         `json:"audit_head"`
	Complete  bool           `json:"complete"`
}

// conclude prints what was done, and what was not fixed by it.
func (r *response) conclude(p *live.Plan, result *live.Result, head string) error {
	if r.c.String("format") == "json" {
		return r.app.writeJSON(applied{p, result, r.timeline, head, r.app.exit == scanner.ExitClean})
	}
	var b strings.Builder
	if p.Acts() == 0 {
		b.WriteString(p.Text() + "\nnothing to do\n")
	}
	for _, part := range []struct {
		title string
		all   []live.Outcome
	}{{"of earlier runs:", result.Earlier}, {"done:", result.Outcomes}} {
		if len(part.all) > 0 {
			b.WriteString(part.title + "\n")
		}
		for i := range part.all {
			outcomeText(&b, &part.all[i])
		}
	}
	b.WriteString(leftText(result))
	if result.Stopped != "" {
		fmt.Fprintf(&b, "stopped: %s\n", result.Stopped)
	}
	if r.cutOff {
		fmt.Fprintf(&b, "%v\n", live.ErrCutOff)
	}
	if head != "" {
		fmt.Fprintf(&b, "audit log: %s\n", head)
	}
	return r.app.write(b.String())
}

func outcomeText(b *strings.Builder, o *live.Outcome) {
	state := string(o.State)
	if state == "" {
		state = "not begun"
	}
	fmt.Fprintf(b, "  %s: %s of %s", state, o.Action.Kind, o.Action.Target)
	if o.RequestID != "" {
		fmt.Fprintf(b, ", request %s", o.RequestID)
	}
	b.WriteString("\n")
	for _, s := range append(o.Reasons, o.Evidence) {
		if s != "" {
			fmt.Fprintf(b, "    %s\n", s)
		}
	}
}

// leftText says what the response does not fix.
func leftText(result *live.Result) string {
	text := ""
	seen := map[string]bool{}
	for _, o := range result.Outcomes {
		for _, l := range o.Action.Leaves {
			if !seen[l] {
				seen[l] = true
				text += "  " + l + "\n"
			}
		}
	}
	if text == "" {
		return ""
	}
	return "this does not fix:\n" + text
}

// write prints text for people, line by line without control characters.
func (a *app) write(text string) error {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(report.Escape(strings.TrimSuffix(line, "\n")) + "\n")
	}
	if _, err := io.WriteString(a.Stdout, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (a *app) writeJSON(v any) error {
	e := json.NewEncoder(a.Stdout)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
