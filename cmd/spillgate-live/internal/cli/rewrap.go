package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

func (a *app) rewrapCommand() *cli.Command {
	return &cli.Command{
		Name:      "rewrap",
		Usage:     "find data under a leaked key, say how old its data keys are, and bring it under another key",
		ArgsUsage: "SOURCE…",
		Description: "A SOURCE is a file, a folder, s3://bucket/key, s3://bucket/prefix/ or s3://bucket. Found are\n" +
			"messages of the AWS Encryption SDK (raw or base64), objects that S3 encrypts under the key\n" +
			"(SSE-KMS), and files named by --blob that hold one KMS ciphertext each. Without --apply nothing\n" +
			"is changed. With it the plan is carried out once it is approved, typed on a terminal or by the\n" +
			"hash of the plan that was reviewed, and each step is written to --ledger: the same command goes\n" +
			"on after an interruption. Examples:\n\n" +
			"    spillgate-live rewrap --key ARN --to ARN s3://backups/payroll/ ./vault\n" +
			"    spillgate-live rewrap --key ARN --to ARN s3://backups/payroll/ --ledger rewrap.jsonl \\\n" +
			"        --apply --approve 3f1c9a527b0e4d1c\n\n" +
			"Exit codes: 0 the plan was made, or all of it carried out; 2 something could not be looked at\n" +
			"or done, or is left to be done by hand after --apply; 3 wrong usage, or the plan was not approved.",
		Flags: awsFlags(
			&cli.StringFlag{Name: "key", Usage: "`ARN` of the key that data is to leave"},
			&cli.StringFlag{Name: "to", Usage: "`ARN` of the key that it comes under"},
			&cli.StringFlag{Name: "list", TakesFile: true, Usage: "further sources, one a line of `FILE` (- is standard input)"},
			&cli.StringSliceFlag{Name: "blob", TakesFile: true, Usage: "a `FILE` that holds one KMS ciphertext, raw or base64; may be repeated"},
			&cli.StringMapFlag{Name: "context", Usage: "encryption context of the blobs, `NAME=VALUE`; may be repeated"},
			&cli.StringMapFlag{Name: "to-context", Usage: "encryption context that the blobs get, `NAME=VALUE` (default: the same)"},
			&cli.BoolFlag{Name: "new-data-keys", Usage: "encrypt the data of objects anew (CopyObject), as a leaked data key needs, instead of wrapping its data key anew"},
			&cli.BoolFlag{Name: "inside", Usage: "read the beginning of each object, to find messages that are stored in S3, and encrypt those anew too"},
			&cli.StringFlag{Name: "esdk", TakesFile: true, Usage: "`PROGRAM` that re-encrypts messages (default: spillgate-esdk, beside this program or in PATH)"},
			&cli.StringFlag{Name: "ledger", TakesFile: true, Usage: "`FILE` that remembers what was done; one for each plan"},
			&cli.BoolFlag{Name: "apply", Usage: "carry out the plan, or go on with the ledger's"},
			&cli.StringFlag{Name: "approve", Usage: "the `HASH` of the plan that was reviewed, at least 16 digits of it"},
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "text", Usage: "`FORMAT`: text, json", Validator: oneOf("text", "json")},
		),
		Action: a.rewrap,
	}
}

// A rewrapping is one run of the command.
type rewrapping struct {
	app    *app
	c      *cli.Command
	client *rewrapper.Client
	report rewrapReport
}

// A rewrapReport is the JSON of a run.
type rewrapReport struct {
	SchemaVersion int              `json:"schema_version"`
	Plan          *rewrap.Plan     `json:"plan"`
	Files         int              `json:"files_looked_at"`
	Objects       int              `json:"objects_looked_at"`
	Problems      []string         `json:"problems"`
	Applied       bool             `json:"applied"`
	Outcomes      []rewrap.Outcome `json:"outcomes,omitempty"`
	Stopped       string           `json:"stopped,omitempty"`
	Leaves        []string         `json:"does_not_fix,omitempty"`
	Complete      bool             `json:"complete"`
}

func (a *app) rewrap(ctx context.Context, c *cli.Command) error {
	r := &rewrapping{app: a, c: c, report: rewrapReport{SchemaVersion: 1, Problems: []string{}}}
	switch apply := c.Bool("apply"); {
	case apply && c.String("ledger") == "":
		return usage("name one, --ledger FILE", "--apply needs a ledger")
	case !apply && c.String("approve") != "":
		return usage("add --apply, or leave it out", "--approve approves nothing without --apply")
	case apply:
		if err := live.RefuseUnmerged(os.Getenv); err != nil {
			return usage("", "%v", err)
		}
		if v := os.Getenv(live.StopVariable); v != "" && v != "0" {
			return fmt.Errorf("%w: the variable %s is set", live.ErrStopped, live.StopVariable)
		}
	}
	if !c.Bool("apply") {
		return r.dryRun(ctx)
	}
	ledger, err := rewrap.OpenLedger(c.String("ledger"))
	if err != nil {
		return err
	}
	defer ledger.Close()
	return r.apply(ctx, ledger)
}

// dryRun prints the plan, or how far the ledger's is.
func (r *rewrapping) dryRun(ctx context.Context) error {
	if name := r.c.String("ledger"); name != "" {
		ledger, err := rewrap.ReadLedger(name)
		if err != nil {
			return err
		}
		if ledger.Plan() != nil {
			return r.progress(ledger)
		}
	}
	if err := r.plan(ctx); err != nil {
		return err
	}
	r.report.Complete = len(r.report.Problems) == 0
	r.report.Leaves = r.report.Plan.Leaves()
	return r.print("dry run: nothing was changed\n")
}

// progress prints how far the plan of a ledger is.
func (r *rewrapping) progress(ledger *rewrap.Ledger) error {
	r.report.Plan, r.report.Applied = ledger.Plan(), true
	result := rewrap.Result{}
	for i := range ledger.Plan().Items {
		it := &ledger.Plan().Items[i]
		state, note := ledger.State(i)
		switch {
		case it.Action == rewrap.ByHand:
			result.ByHand++
			continue
		case state == rewrap.Done:
			result.Done++
		case state == rewrap.Waiting:
			result.Left++
			continue
		case state == rewrap.Changed:
			result.Changed++
		default:
			result.Failed++
		}
		r.report.Outcomes = append(r.report.Outcomes, rewrap.Outcome{Place: it.Place, State: state, Note: note})
	}
	r.report.Complete = result.Complete() && result.ByHand == 0
	return r.print(fmt.Sprintf("%d done, %d failed or begun, %d changed meanwhile, %d waiting, %d by hand\n",
		result.Done, result.Failed, result.Changed, result.Left, result.ByHand) + r.next(&result, "--apply goes on"))
}

// next says what is to be done about what is not done. A plan is for what was there
// when it was made, so that for what somebody has changed since there is another.
func (r *rewrapping) next(result *rewrap.Result, goesOn string) string {
	text := ""
	if result.Failed+result.Left > 0 {
		text = goesOn + " from the ledger " + r.c.String("ledger") + "\n"
	}
	if result.Changed > 0 {
		text += "what was changed meanwhile is left alone: make a plan of what is there now, with another ledger\n"
	}
	return text
}

// plan looks at the sources and makes the plan.
func (r *rewrapping) plan(ctx context.Context) error {
	c := r.c
	sources, err := r.sources()
	if err != nil {
		return err
	}
	if c.String("key") == "" || c.String("to") == "" {
		return usage("name both by ARN", "--key and --to are needed")
	}
	toContext := c.StringMap("to-context")
	if !c.IsSet("to-context") {
		toContext = c.StringMap("context")
	}
	if err := r.open(ctx, c.String("key"), c.String("to"), c.StringMap("context")); err != nil {
		return err
	}
	survey, err := r.client.Find(ctx, sources, c.StringSlice("blob"))
	if err != nil {
		return err
	}
	r.report.Plan = rewrap.NewPlan(c.String("key"), c.String("to"), c.StringMap("context"), toContext, survey.Items)
	r.report.Files, r.report.Objects = survey.Files, survey.Objects
	r.report.Problems = append(r.report.Problems, survey.Problems...)
	return nil
}

// sources are those of the command line and of --list.
func (r *rewrapping) sources() ([]string, error) {
	all := r.c.Args().Slice()
	if name := r.c.String("list"); name != "" {
		in, err := r.app.input(name)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("reading the list of sources: %w", err)
		}
	}
	if len(all) == 0 && len(r.c.StringSlice("blob")) == 0 {
		return nil, usage("name files, folders or s3://bucket/prefix/, or --blob or --list", "no source")
	}
	return all, nil
}

// open makes the client for two keys.
func (r *rewrapping) open(ctx context.Context, from, to string, blobContext map[string]string) error {
	old, err := live.ParseARN(from)
	if err != nil {
		return usage("", "--key: %v", err)
	}
	fresh, err := live.ParseARN(to)
	if err != nil {
		return usage("", "--to: %v", err)
	}
	helper, err := r.helper()
	if err != nil {
		return err
	}
	session, err := openAWS(ctx, awsOptions(r.c))
	if err != nil {
		return err
	}
	r.client, err = rewrapper.New(session, old, fresh, rewrapper.Options{
		NewDataKeys: r.c.Bool("new-data-keys"), Inside: r.c.Bool("inside"), Context: blobContext, Helper: helper, Jobs: r.c.Int("jobs"),
	})
	if err != nil {
		return usage("", "%v", err)
	}
	return nil
}

// helper returns the program that links the Encryption SDK, or nothing.
func (r *rewrapping) helper() (string, error) {
	if name := r.c.String("esdk"); name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", usage("name a program that can be run", "--esdk: %v", err)
		}
		return path, nil
	}
	name := "spillgate-esdk"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", nil
	}
	return path, nil
}

// apply carries out the plan of the ledger, or makes one, has it approved and
// begins the ledger with it.
func (r *rewrapping) apply(ctx context.Context, ledger *rewrap.Ledger) error {
	if p := ledger.Plan(); p != nil {
		switch c := r.c; {
		case c.IsSet("key") && c.String("key") != p.From, c.IsSet("to") && c.String("to") != p.To:
			return usage("name another ledger for another plan", "the ledger is about other keys")
		case c.IsSet("approve") && p.Approved(c.String("approve")) != nil:
			return usage("name another ledger for another plan", "the ledger's plan is %.16s", p.Hash)
		}
		r.report.Plan = p
		if err := r.open(ctx, p.From, p.To, p.Context); err != nil {
			return err
		}
		if ledger.Finished() { // the old key may be disabled by now
			return r.run(ctx, ledger)
		}
		if err := r.ready(ctx); err != nil {
			return err
		}
		return r.run(ctx, ledger)
	}
	if err := r.plan(ctx); err != nil {
		return err
	}
	p := r.report.Plan
	if p.Acts() == 0 {
		r.report.Complete = len(r.report.Problems) == 0 && len(p.Items) == 0
		return r.print("nothing to change\n")
	}
	by, err := r.approve(p)
	if err != nil {
		return usage("", "%v", err)
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	if err := ledger.Begin(p, by); err != nil {
		return err
	}
	return r.run(ctx, ledger)
}

// ready holds that the keys are fit for what is planned.
func (r *rewrapping) ready(ctx context.Context) error {
	warning, err := r.client.Ready(ctx)
	if warning != "" {
		r.report.Problems = append(r.report.Problems, warning)
	}
	return err
}

// approve has the plan approved, by its hash or by a person at the terminal.
func (r *rewrapping) approve(p *rewrap.Plan) (string, error) {
	if hash := r.c.String("approve"); hash != "" {
		return "hash", p.Approved(hash)
	}
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONIN$"
	}
	tty, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("there is no terminal to confirm on: review the plan (leave --apply out) and name it, --approve %s", p.Hash)
	}
	defer tty.Close()
	fmt.Fprint(r.app.Stderr, p.Text(time.Now()))
	fmt.Fprint(r.app.Stderr, "Type the first 16 digits of the plan's hash to carry it out (anything else stops): ")
	typed, err := bufio.NewReader(io.LimitReader(tty, 200)).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("not confirmed: %w", err)
	}
	return "terminal", p.Approved(strings.TrimSpace(typed))
}

func (r *rewrapping) run(ctx context.Context, ledger *rewrap.Ledger) error {
	r.report.Applied = true
	bar := newProgress(r.app.Stderr, "changed", r.report.Plan.Acts())
	result, err := rewrap.Run(ctx, ledger, r.client, rewrap.Options{
		Jobs: min(r.c.Int("jobs"), 16),
		Each: func(o rewrap.Outcome) {
			bar.step()
			r.report.Outcomes = append(r.report.Outcomes, o)
		},
	})
	bar.end()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	r.report.Stopped, r.report.Leaves = result.Stopped, r.report.Plan.Leaves()
	r.report.Complete = err == nil && result.Complete() && result.ByHand == 0 && len(r.report.Problems) == 0
	text := fmt.Sprintf("%d done, %d failed, %d changed meanwhile, %d not begun, %d by hand\n",
		result.Done, result.Failed, result.Changed, result.Left, result.ByHand)
	return errors.Join(r.print(text+r.next(&result, "the same command goes on")), err)
}

// print writes the report, and sets the exit code by it.
func (r *rewrapping) print(conclusion string) error {
	out := &r.report
	if !out.Complete {
		r.app.exit = scanner.ExitIncomplete
	}
	if r.c.String("format") == "json" {
		return r.app.writeJSON(out)
	}
	var b strings.Builder
	if !out.Applied {
		fmt.Fprintf(&b, "%s\nlooked at %d files and %d objects\n", out.Plan.Text(time.Now()), out.Files, out.Objects)
	}
	for _, o := range out.Outcomes {
		fmt.Fprintf(&b, "%s: %s\n", o.State, o.Place)
		if o.Note != "" {
			fmt.Fprintf(&b, "  %s\n", o.Note)
		}
	}
	for _, p := range out.Problems {
		fmt.Fprintf(&b, "problem: %s\n", p)
	}
	if out.Stopped != "" {
		fmt.Fprintf(&b, "stopped: %s\n", out.Stopped)
	}
	if len(out.Plan.Items) > 0 && len(out.Leaves) > 0 {
		b.WriteString("this does not fix:\n  " + strings.Join(out.Leaves, "\n  ") + "\n")
	}
	return r.app.write(b.String() + conclusion)
}
