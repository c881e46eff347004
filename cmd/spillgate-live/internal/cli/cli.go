// Package cli is the command line of spillgate-live: one file per subcommand.
//
// Spillgate itself cannot open a socket, since it reads hostile text in
// everybody's hooks. What needs AWS is here, and gets from there nothing but
// findings without their secrets.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
)

// A Process is what a run of the program gets from the system.
type Process struct {
	Args           []string // with the program's name first
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main runs the command that p.Args name and returns the exit code: 0 as
// asked, 1 what was asked about is not as it should be (a command says which),
// 2 something could not be found out or done, 3 wrong usage or configuration,
// 130 interrupted.
func Main(p Process) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(p.Args) == 2 && p.Args[1] == "--version" { // what people try first
		p.Args = []string{p.Args[0], "version"}
	}
	a := &app{Process: p}
	err := a.root().Run(ctx, p.Args)
	if err == nil {
		return a.exit
	}
	fmt.Fprintf(p.Stderr, "spillgate-live: %v\n", err)
	a.advise(err)
	return exitCode(err)
}

// exitCode returns the exit code that stands for err.
func exitCode(err error) int {
	var usage *scanner.UsageError
	var failed *failure
	switch {
	case errors.As(err, &usage):
		return scanner.ExitUsage
	case errors.Is(err, context.Canceled):
		return scanner.ExitInterrupted
	case !errors.As(err, &failed):
		return scanner.ExitUsage // no action was reached: the call itself is wrong
	}
	return scanner.ExitIncomplete
}

// A failure is an error of a command's action, as opposed to one that the
// command line library returns before it gets there.
type failure struct{ error }

// Unwrap returns the error of the action.
func (f *failure) Unwrap() error { return f.error }

// app is one run of the program.
type app struct {
	Process
	exit int
}

func usage(fix, format string, args ...any) error {
	return &scanner.UsageError{What: fmt.Sprintf(format, args...), Fix: fix}
}

// commands are the subcommands, in the order of the help.
func (a *app) commands() []*cli.Command {
	return []*cli.Command{
		a.enrichCommand(),
		a.respondCommand(),
		a.auditLogCommand(),
		a.auditCommand(),
		a.watchCommand(),
		a.rewrapCommand(),
		a.versionCommand(),
	}
}

func (a *app) root() *cli.Command {
	root := &cli.Command{
		Name:  "spillgate-live",
		Usage: "find out what a leaked KMS key ARN means, and respond",
		Description: "Exit codes: 0 as asked, 1 what was asked about is not as it should be,\n" +
			"2 something could not be found out or done, 3 wrong usage or configuration,\n" +
			"130 interrupted.",
		Commands:       a.commands(),
		Suggest:        true,
		HideVersion:    true,
		Reader:         a.Stdin,
		Writer:         a.Stdout,
		ErrWriter:      a.Stderr,
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return usage("see spillgate-live --help", "unknown command %q", name)
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	harden(root)
	return root
}

// harden makes every command of the tree answer wrong usage with exit code 3
// and without the whole help text, and marks the errors of its action.
func harden(c *cli.Command) {
	if act := c.Action; act != nil {
		c.Action = func(ctx context.Context, c *cli.Command) error {
			if err := act(ctx, c); err != nil {
				return &failure{err}
			}
			return nil
		}
	}
	c.DisableSliceFlagSeparator = true
	c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
		return usage("see "+c.FullName()+" --help", "%v", err)
	}
	for _, sub := range c.Commands {
		harden(sub)
	}
}
