package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

// companion is the program that may use the network. This one cannot open a
// socket, and so starts it, as git starts its own subcommands; what crosses the
// pipe are findings without their secrets.
const companion = "spillgate-live"

func (a *app) live() *cli.Command {
	return &cli.Command{
		Name:      "live",
		Usage:     "ask AWS what found ARNs mean, and respond (runs spillgate-live)",
		ArgsUsage: "enrich | respond | audit | watch | audit-log …",
		Description: "Runs spillgate-live with the same arguments, from the folder of this program or from PATH;\n" +
			"never from the working directory. Example:\n\n" +
			"    spillgate range --format jsonl | spillgate live enrich",
		SkipFlagParsing: true,
		Action: func(ctx context.Context, c *cli.Command) error {
			switch c.Args().First() {
			case "", "-h", "--help": // of this command; what comes after another word is the companion's
				return cli.ShowSubcommandHelp(c)
			}
			program, err := findCompanion()
			if err != nil {
				return err
			}
			a.exit, err = runCompanion(ctx, program, c.Args().Slice(), a.Stdin, a.Stdout, a.Stderr)
			return err
		},
	}
}

// liveFlags are the flags of commands that can ask AWS about their findings.
func liveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "live", Usage: "after the report, ask AWS what the found ARNs and access keys mean (runs spillgate-live enrich)"},
		&cli.StringSliceFlag{Name: "live-arg", Usage: "pass `ARG` on to spillgate-live enrich, as in --live-arg=--iam; may be repeated"},
		&cli.BoolFlag{Name: "name-access-keys", Usage: "name AWS access key ids in full in the jsonl report, for spillgate-live respond"},
	}
}

// readyForLive finds out before a scan whether what comes after it can be done.
func (a *app) readyForLive(c *cli.Command) error {
	if !c.Bool("live") {
		if len(c.StringSlice("live-arg")) > 0 {
			return usage("add --live", "--live-arg is for spillgate-live, which is not asked")
		}
		return nil
	}
	_, err := findCompanion()
	return err
}

// askLive asks AWS about the findings, if the flags want it. A clean exit code
// becomes that of the answers; another one stays.
func (a *app) askLive(ctx context.Context, c *cli.Command, result *scanner.Result) error {
	if !c.Bool("live") || len(result.Findings) == 0 {
		return nil
	}
	program, err := findCompanion()
	if err != nil {
		return err
	}
	options, err := a.reportOptions(c)
	if err != nil {
		return err
	}
	options.NameAccessKeys = true
	sink, err := report.New("jsonl", options)
	if err != nil {
		return err
	}
	var findings bytes.Buffer
	if err := sink.Write(&findings, result); err != nil {
		return fmt.Errorf("handing the findings to %s: %w", companion, err)
	}
	out := a.Stdout
	if c.String("format") != "text" && c.String("output") == "-" {
		out = a.Stderr // standard output is for the program that reads the report
	}
	if c.String("format") == "text" {
		fmt.Fprintln(out) // apart from the report
	}
	args := append([]string{"enrich", "--format", "text"}, c.StringSlice("live-arg")...)
	exit, err := runCompanion(ctx, program, args, &findings, out, a.Stderr)
	if err == nil && a.exit == scanner.ExitClean {
		a.exit = exit
	}
	return err
}

// findCompanion returns the path of spillgate-live. It is looked for beside
// this program and in the folders of PATH that are absolute: the working
// directory may be anybody's repository.
func findCompanion() (string, error) {
	name := companion
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	var folders []string
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			folders = append(folders, filepath.Dir(self))
		}
	}
	for _, dir := range append(folders, filepath.SplitList(os.Getenv("PATH"))...) {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) {
			return path, nil
		}
	}
	return "", usage("install it beside spillgate: go install github.com/spillgate/spillgate/cmd/spillgate-live@latest, or take it from the release's archive",
		"%s is neither in the folder of this program nor in PATH; this program asks nobody about anything", companion)
}

// runCompanion runs the companion and returns its exit code. An interrupt of
// this program is passed on and waited for: a response in the middle of a
// change ends it in its own way.
func runCompanion(ctx context.Context, program string, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Stdin, c.Stdout, c.Stderr = stdin, stdout, stderr
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	err := c.Run()
	var exit *exec.ExitError
	switch {
	case c.ProcessState != nil && c.ProcessState.Exited():
		return c.ProcessState.ExitCode(), nil
	case errors.As(err, &exit):
		return scanner.ExitIncomplete, fmt.Errorf("%s ended: %w", companion, err)
	case err != nil:
		return scanner.ExitIncomplete, fmt.Errorf("running %s: %w", program, err)
	}
	return scanner.ExitClean, nil
}
