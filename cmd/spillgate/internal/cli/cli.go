// Package cli is the command line of spillgate: one file per subcommand, one
// definition per flag, from which help, completions and the man page come.
//
// The commands only choose: a source, the detectors, the stages and the
// reports. What they choose from lives in the packages under scanner.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// A Process is what a run of the program gets from the system.
type Process struct {
	Args           []string // with the program's name first
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

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
	return &scanner.UsageError{What: fmt.Sprintf(format, args...), Fix: fix}
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
				fix := "see spillgate --help"
				if near := rules.Nearest(name, commandNames(c)); near != "" {
					fix = "did you mean " + near + "?"
				}
				return usage(fix, "unknown command %q", name)
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	if !alone {
		root.ConfigureShellCompletionCommand = a.completion
	}
	harden(root)
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

// commandNames lists the subcommands that help shows.
func commandNames(c *cli.Command) []string {
	var names []string
	for _, sub := range c.VisibleCommands() {
		names = append(names, sub.Name)
	}
	return names
}

// flagNames lists the long names of the flags of a command.
func flagNames(c *cli.Command) []string {
	var names []string
	for _, f := range c.Flags {
		for _, name := range f.Names() {
			if len(name) > 1 {
				names = append(names, name)
			}
		}
	}
	return names
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
	c.DisableSliceFlagSeparator = true // a file name may hold a comma
	c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
		fix := "see " + c.FullName() + " --help"
		name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
		if !unknown {
			return usage(fix, "%s", flagError(err.Error()))
		}
		// the library names it with one dash, however it was typed
		name = strings.TrimLeft(name, "-")
		if near := rules.Nearest(name, flagNames(c)); near != "" {
			fix = "did you mean --" + near + "?"
		}
		return usage(fix, "%s has no flag --%s", c.FullName(), name)
	}
	// Else "help" would be offered where a file name is typed, and a folder of
	// that name could not be scanned.
	c.HideHelpCommand = len(c.Commands) == 0
	for _, sub := range c.Commands {
		harden(sub)
	}
}

// wrongValue is how the library says that a flag's value is wrong, and why.
const wrongValue = `(?s)^invalid value (".*") for (?:flag -|argument )([\w-]+): (.*)$`

// flagError says in the words of this program what the library says of a flag.
func flagError(text string) string {
	if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		return "--" + strings.TrimLeft(name, "-") + " needs a value"
	}
	if name, ok := strings.CutPrefix(text, "Required flag \""); ok {
		return "--" + strings.TrimSuffix(name, "\" not set") + " is missing"
	}
	parts := regexp.MustCompile(wrongValue).FindStringSubmatch(text)
	if parts == nil {
		return text
	}
	value, flag, why := parts[1], "--"+parts[2], parts[3]
	switch {
	case why == "parse error": // of a flag without a value of its own
		return flag + " " + value + ": use true or false"
	case strings.Contains(why, "strconv.Parse"):
		return flag + " " + value + " is no whole number"
	case strings.HasPrefix(why, "time: "):
		return flag + " " + value + " is no time: write 4s, 500ms or 1m30s"
	case strings.Contains(why, flag) || strings.HasPrefix(why, "unknown"):
		return why
	}
	return flag + " " + value + ": " + why
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Command) error {
	if c.Args().Present() {
		return usage("see "+c.FullName()+" --help", "%s takes no arguments, got %q", c.FullName(), c.Args().First())
	}
	return nil
}
