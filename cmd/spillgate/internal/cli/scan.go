package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
	"github.com/spillgate/spillgate/scanner/report"
)

// scan runs source through the rules and writes the reports that the flags of
// c ask for.
func (a *app) scan(ctx context.Context, c *cli.Command, source scanner.Source) error {
	if err := a.readyForLive(c); err != nil {
		return err
	}
	if err := readyForPlaintext(ctx, c, os.Getenv); err != nil {
		return err
	}
	result, err := a.result(ctx, c, source)
	if err != nil {
		return err
	}
	if err := a.report(c, result); err != nil {
		return err
	}
	return a.askLive(ctx, c, result)
}

// result runs source through the rules and stages that the flags of c and the
// configuration of a.origin ask for.
func (a *app) result(ctx context.Context, c *cli.Command, source scanner.Source) (*scanner.Result, error) {
	s, err := settle(ctx, c, a.origin)
	if err != nil {
		return nil, err
	}
	a.settings = s
	a.say(s)
	limitMemory(c)
	if a.origin.repo != nil {
		a.origin.repo.Watch(&a.progress)
	}
	source = a.watch(c, source, a.origin.repo != nil)
	source, detector, limited := unpacked(c, source, s.Config.Detector())
	detectors, judged := a.infrastructure(c, []scanner.Detector{detector})
	result, err := scanner.Scan(ctx, scanner.Options{
		Sources:   []scanner.Source{source},
		Detectors: detectors,
		Stages:    s.stages(),
	})
	if err != nil {
		return nil, err
	}
	limited(result)
	judged(result)
	return result, nil
}

// howToAllow tells in the text report how to excuse what is no secret.
const howToAllow = "end its line with the comment `spillgate:allow RULE REASON`, or list its file in .spillgateignore."

// reportOptions returns what the reports of a run have in common.
func (a *app) reportOptions(c *cli.Command) (report.Options, error) {
	s := a.settings
	o := report.Options{
		FailOn:         s.gate.FailOn,
		MinConfidence:  s.gate.MinConfidence,
		FailOnUnused:   s.gate.FailOnUnused,
		Allow:          howToAllow,
		ShowSuppressed: c.Bool("show-suppressed"),
		Verbose:        c.Bool("verbose"),
		Quiet:          c.Bool("quiet"),
		Version:        build().Version,
		NameAccessKeys: c.Bool("name-access-keys"),
	}
	if file := c.String("template"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return o, usage("--template names a file", "reading the template: %v", err)
		}
		o.Template = string(text)
		return o, report.CheckTemplate(o.Template)
	}
	return o, nil
}

// report writes the reports and sets the exit code.
func (a *app) report(c *cli.Command, result *scanner.Result) error {
	s := a.settings
	options, err := a.reportOptions(c)
	if err != nil {
		return err
	}
	a.exit = result.ExitCode(s.gate)
	a.findings, a.scanned = c.Int("exit-code"), true
	if err := a.write(c.String("format"), c.String("output"), options, c, result); err != nil {
		return err
	}
	for _, r := range c.StringSlice("report") {
		format, file, err := splitReport(r)
		if err != nil {
			return err
		}
		if err := a.write(format, file, options, c, result); err != nil {
			return err
		}
	}
	a.notices(s, result)
	a.conclude(c, result)
	return a.writePlaintext(c, result)
}

// write writes one report to file, or to standard output if that is "-".
func (a *app) write(format, file string, o report.Options, c *cli.Command, result *scanner.Result) error {
	if file == "-" {
		o.Color, o.Width = wantsColor(c, a.Stdout), width(a.Stdout)
	}
	sink, err := report.New(format, o)
	if err != nil {
		return err
	}
	if file == "-" {
		if err := sink.Write(a.Stdout, result); err != nil {
			return fmt.Errorf("writing the %s report: %w", format, err)
		}
		return nil
	}
	if err := report.WriteFile(file, sink, result); err != nil {
		return fmt.Errorf("writing the %s report to %s: %w", format, file, err)
	}
	return nil
}

// conclude prints what was covered, and on failure why, to standard error.
func (a *app) conclude(c *cli.Command, result *scanner.Result) {
	textShown := c.String("format") == "text" && c.String("output") == "-"
	for _, cov := range result.Coverage {
		for _, p := range cov.Problems {
			if textShown {
				break // the text report has them
			}
			fmt.Fprintf(a.Stderr, "spillgate: not scanned: %s\n", report.Escape(p.Error()))
		}
	}
	if c.Bool("quiet") && a.exit == scanner.ExitClean {
		return
	}
	line := report.CoverageLine(result, c.Bool("verbose"))
	if wantsColor(c, a.Stderr) {
		line = "\x1b[2m" + line + "\x1b[0m"
	}
	fmt.Fprintln(a.Stderr, line)
}

// wantsColor follows no-color.org and the variables that go with it.
func wantsColor(c *cli.Command, w io.Writer) bool {
	set := func(name string) bool { v := os.Getenv(name); return v != "" && v != "0" }
	switch {
	case c.Bool("no-color") || os.Getenv("NO_COLOR") != "":
		return false
	case set("CLICOLOR_FORCE") || set("FORCE_COLOR") || os.Getenv("PRE_COMMIT_COLOR") == "always":
		return true
	case os.Getenv("TERM") == "dumb" || os.Getenv("PRE_COMMIT_COLOR") == "never":
		return false
	}
	return isTerminal(w)
}

// openRepo opens the repository that the flags of c name.
func openRepo(ctx context.Context, c *cli.Command) (*gitrepo.Repo, error) {
	h := historyOptions(c)
	return gitrepo.Open(ctx, gitrepo.Options{
		Dir: c.String("repo"), Backend: c.String("backend"),
		Jobs: c.Int("jobs"), Memory: limitMemory(c), TrustRepo: c.Bool("trust-repo"),
		Program: h.Program, Encoded: h.Encoded,
		Submodules: c.Bool("recurse-submodules"), LFS: c.Bool("lfs"),
	})
}
