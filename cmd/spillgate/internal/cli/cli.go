// Package cli is the command line of spillgate: one file per subcommand, one
// definition per flag, from which help, completions and the man page come.
//
// The commands only choose: a source, the detectors, the stages and the
// reports. What they choose from lives in the packages under scanner.
package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/internal/frame"
	"github.com/spillgate/spillgate/scanner"
)

// A Process is what a run of the program gets from the system.
type Process = frame.Process

// Main runs the command that p.Args name and returns the exit code, one of the
// scanner.Exit constants. An interrupt or SIGTERM ends the scan and still
// writes the reports.
func Main(p Process) int {
	collectLater()
	ctx, signals := interruptible()
	defer signals.stop()
	if len(p.Args) == 2 && p.Args[1] == "--version" { // what people try first
		p.Args = []string{p.Args[0], "version"}
	}
	a := &app{Process: p, signals: signals}
	command, args := a.command()
	err := command.Run(ctx, args)
	if err == nil {
		if a.exit == scanner.ExitFindings && a.scanned {
			return a.findings
		}
		return a.exit
	}
	fmt.Fprintf(p.Stderr, "spillgate: %v\n", err)
	return frame.ExitCode(err)
}

// app is one run of the program.
type app struct {
	Process
	signals *interrupts
	exit    int
	// findings is the code that the user wants instead of ExitFindings, once
	// scanned.
	findings int
	scanned  bool
	// origin says where the source of the scan comes from, and settings what
	// holds for it; scan finds out the latter.
	origin   origin
	settings *settings
	late     bool // a deadline alone kept the scan from being complete
	// later keeps what a hook of a server was to scan for another time.
	later    func() error
	progress scanner.Progress
}

func usage(fix, format string, args ...any) error {
	return frame.Usage(fix, format, args...)
}

func (a *app) root() *cli.Command {
	commands, alone := a.commands()
	root := &cli.Command{
		Name:  "spillgate",
		Usage: "find secrets and AWS key ARNs before they leave the machine",
		Description: "Exit codes: 0 clean, 1 findings at or above --fail-on, 2 something could not be\n" +
			"scanned, 3 wrong usage or configuration, 130 interrupted.",
		Commands:              commands,
		EnableShellCompletion: !alone,
		Suggest:               true,
		HideVersion:           true,
		Reader:                a.Stdin,
		Writer:                a.Stdout,
		ErrWriter:             a.Stderr,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return frame.Unknown(c, name)
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	if !alone {
		root.ConfigureShellCompletionCommand = a.completion
	}
	frame.Harden(root)
	return root
}

// command returns what runs the arguments, and those that it takes. Where they
// begin with a command that has none below it and ask for no help, that is the
// command itself, which then knows nothing of the root: all that the library
// does for a root and each command below it is a twentieth of the time that a
// commit waits.
func (a *app) command() (*cli.Command, []string) {
	root := a.root()
	if len(root.Commands) != 1 || len(root.Commands[0].Commands) > 0 || slices.ContainsFunc(a.Args, asksForHelp) {
		return root, a.Args
	}
	c := root.Commands[0]
	c.Name = root.Name + " " + c.Name // what errors call it
	c.HideHelp, c.HideVersion = true, true
	c.Reader, c.Writer, c.ErrWriter, c.ExitErrHandler = root.Reader, root.Writer, root.ErrWriter, root.ExitErrHandler
	return c, a.Args[1:]
}

// asksForHelp reports whether an argument may be a form of -h or --help.
func asksForHelp(arg string) bool {
	return strings.HasPrefix(strings.TrimLeft(arg, "-"), "h") && strings.HasPrefix(arg, "-")
}

// commands returns all commands, or, where alone says so, only the one that the
// arguments begin with: to make the flags of the others would take a quarter of
// the time that a commit waits.
func (a *app) commands() (list []*cli.Command, alone bool) {
	all := [...]struct {
		name string
		make func() *cli.Command
	}{
		{"staged", a.staged}, {"range", a.commits}, {"history", a.history}, {"plan", a.plan}, {"dir", a.dir}, {"stdin", a.standardInput}, {"ci", a.ci}, {"live", a.live},
		{"hook", a.hook}, {"doctor", a.doctor}, {"baseline", a.baseline}, {"config", a.configuration}, {"explain", a.explain}, {"verify", a.verify}, {"attest", a.attest},
		{"rules", a.rules}, {"selftest", a.selftest}, {"version", a.version}, {"man", a.man},
	}
	if n := len(a.Args); n > 1 && a.Args[1] != "man" && a.Args[n-1] != completing {
		for _, command := range all {
			if command.name == a.Args[1] {
				return []*cli.Command{command.make()}, true
			}
		}
	}
	for _, command := range all {
		list = append(list, command.make())
	}
	return list, false
}

// completing is the last argument when a shell asks what may stand before it.
const completing = "--generate-shell-completion"

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Command) error {
	if c.Args().Present() {
		return usage("see "+c.FullName()+" --help", "%s takes no arguments, got %q", c.FullName(), c.Args().First())
	}
	return nil
}
