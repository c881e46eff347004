package cli

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/ci"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

// reportCI writes the reports, and hands the result to the CI system in its own
// way: on GitHub as annotations, as a job summary and as outputs of the step.
func (a *app) reportCI(c *cli.Command, r *ci.Range, result *scanner.Result) error {
	if os.Getenv("GITHUB_ACTIONS") != "true" {
		return a.report(c, result)
	}
	// The runner obeys every line of a step's output that begins with ::, and
	// a line of the text report begins with a path that anybody may have
	// chosen. The other formats are for a program that reads them: it gets
	// nothing else, and the annotations go to standard error.
	commands := a.Stderr
	if f := c.String("format"); f == "text" || f == "template" || c.String("output") != "-" {
		commands = a.Stdout
	}
	token := "spillgate-" + rand.Text()
	if commands == a.Stdout {
		fmt.Fprintf(a.Stdout, "::stop-commands::%s\n", token)
	}
	err := a.report(c, result)
	if commands == a.Stdout {
		fmt.Fprintf(a.Stdout, "::%s::\n", token)
	}
	if err != nil {
		return err
	}
	return a.tellGitHub(c, commands, r, result)
}

// tellGitHub prints the annotations to commands, and writes the job summary and
// the outputs of the step into the files that the runner names.
func (a *app) tellGitHub(c *cli.Command, commands io.Writer, r *ci.Range, result *scanner.Result) error {
	options, err := a.reportOptions(c)
	if err != nil {
		return err
	}
	if c.Bool("mask") && masks(os.Getenv) {
		if err := tellMasks(commands, result.Findings); err != nil {
			return fmt.Errorf("telling the runner what to mask: %w", err)
		}
	}
	if !c.Bool("no-annotations") {
		sink, err := report.New("github", options)
		if err != nil {
			return err
		}
		if err := sink.Write(commands, result); err != nil {
			return fmt.Errorf("writing the annotations: %w", err)
		}
	}
	if file := os.Getenv("GITHUB_STEP_SUMMARY"); file != "" && !c.Bool("no-summary") {
		sink, err := report.New("markdown", options)
		if err != nil {
			return err
		}
		if err := appendTo(file, func(w io.Writer) error { return sink.Write(w, result) }); err != nil {
			return fmt.Errorf("writing the job summary: %w", err)
		}
	}
	file := os.Getenv("GITHUB_OUTPUT")
	if file == "" {
		return nil
	}
	if err := appendTo(file, func(w io.Writer) error { return a.outputs(w, r, result) }); err != nil {
		return fmt.Errorf("writing the outputs of the step: %w", err)
	}
	return nil
}

// masks reports whether the runner is one that obeys ::add-mask:: without
// printing what is behind it. Those of Gitea and Forgejo call themselves
// GitHub's, and not all of their versions do.
func masks(env func(string) string) bool {
	return env("GITHUB_ACTIONS") == "true" && env("GITEA_ACTIONS") == "" && env("FORGEJO_ACTIONS") == ""
}

// minMask is the length in bytes from which on a secret is masked: the runner
// replaces every occurrence, and a short word would spoil the log.
const minMask = 8

// tellMasks has the runner replace the secrets by *** in all that the job logs
// after it. This is the one place where a secret is printed: the runner swallows
// the line (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands,
// "masking a value in a log"). Identifiers stay readable.
func tellMasks(w io.Writer, findings []*scanner.Finding) error {
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, f := range findings {
		if f.Rule.Identifier || f.Suppression != nil || f.Secret.Len() < minMask {
			continue
		}
		if _, err := fmt.Fprintf(w, "::add-mask::%s\n", escape.Replace(f.Secret.Reveal())); err != nil {
			return err
		}
	}
	return nil
}

// outputs writes the outputs of the step, a line each.
func (a *app) outputs(w io.Writer, r *ci.Range, result *scanner.Result) error {
	blocking := 0
	for _, f := range result.Findings {
		if f.Blocks(a.settings.gate) {
			blocking++
		}
	}
	_, err := fmt.Fprintf(w, "findings=%d\nnew-findings=%d\nrange=%s\ncoverage=%s\n",
		len(result.Findings), blocking, r, report.CoverageLine(result, true))
	return err
}

// appendTo opens a file of the runner, to which every step appends.
func appendTo(file string, write func(io.Writer) error) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err = write(&b); err == nil {
		_, err = io.WriteString(f, b.String())
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
