// Package cli is the command line of spillgate-live: one file per subcommand.
//
// Spillgate itself cannot open a socket, since it reads hostile text in
// everybody's hooks. What needs AWS is here, and gets from there nothing but
// findings without their secrets.
package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/internal/frame"
)

// A Process is what a run of the program gets from the system.
type Process = frame.Process

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
	return frame.ExitCode(err)
}

// app is one run of the program.
type app struct {
	Process
	exit int
}

func usage(fix, format string, args ...any) error {
	return frame.Usage(fix, format, args...)
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
				return frame.Unknown(c, name)
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	frame.Harden(root)
	return root
}
