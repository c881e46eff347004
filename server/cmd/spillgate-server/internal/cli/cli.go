// Package cli is the command line of spillgate-server: one file per
// subcommand. serve runs the server; the other commands ask a running one over
// its API.
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
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 2
	exitUsage       = 3
	exitInterrupted = 130
)

// A Process is what a run of the program gets from the system.
type Process struct {
	Args           []string // with the program's name first
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main runs the command that p.Args name and returns the exit code: 0 done, 2
// it could not be done, 3 wrong usage or configuration, 130 interrupted.
func Main(p Process) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(p.Args) == 2 && p.Args[1] == "--version" { // what people try first
		p.Args = []string{p.Args[0], "version"}
	}
	a := &app{p}
	err := a.root().Run(ctx, p.Args)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(p.Stderr, "spillgate-server: %v\n", err)
	var failed *failure
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &failed):
		return exitFailed
	}
	return exitUsage
}

// A failure is an error of something that was asked for correctly.
type failure struct{ error }

// Unwrap returns the error.
func (f *failure) Unwrap() error { return f.error }

// app is one run of the program.
type app struct{ Process }

func (a *app) root() *cli.Command {
	root := &cli.Command{
		Name:        "spillgate-server",
		Usage:       "scan what is pushed to an organisation's repositories, and answer what is found",
		Description: "Exit codes: 0 done, 2 it could not be done, 3 wrong usage or configuration, 130 interrupted.",
		Commands:    []*cli.Command{a.serve(), a.configuration(), a.incident(), a.queue(), a.fleet(), a.version()},
		Suggest:     true, HideVersion: true,
		Reader: a.Stdin, Writer: a.Stdout, ErrWriter: a.Stderr,
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return fmt.Errorf("unknown command %q; see spillgate-server --help", name)
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	harden(root)
	return root
}

// harden makes wrong usage a short message.
func harden(c *cli.Command) {
	c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
		return fmt.Errorf("%w; see %s --help", err, c.FullName())
	}
	for _, sub := range c.Commands {
		harden(sub)
	}
}
