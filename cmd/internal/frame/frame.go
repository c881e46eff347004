// Package frame is what the command lines of spillgate and spillgate-live have
// in common: what a run gets from the system, and which exit code an error
// stands for.
package frame

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
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

// A Failure is an error of a command's action, as opposed to one that the
// command line library returns before it gets there.
type Failure struct{ Err error }

// Error returns what the action says.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the error of the action.
func (f *Failure) Unwrap() error { return f.Err }

// Usage returns the error of a call that is wrong as it stands, with the way out.
func Usage(fix, format string, args ...any) error {
	return &scanner.UsageError{What: fmt.Sprintf(format, args...), Fix: fix}
}

// ExitCode returns the exit code that stands for err, which is not nil: one of
// the scanner.Exit constants.
func ExitCode(err error) int {
	var usage *scanner.UsageError
	var failed *Failure
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

// Harden makes every command of the tree answer wrong usage with exit code 3
// and without the whole help text, and marks the errors of its action.
func Harden(c *cli.Command) {
	if act := c.Action; act != nil {
		c.Action = func(ctx context.Context, c *cli.Command) error {
			if err := act(ctx, c); err != nil {
				return &Failure{err}
			}
			return nil
		}
	}
	c.DisableSliceFlagSeparator = true // a file name may hold a comma
	c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
		fix := "see " + c.FullName() + " --help"
		name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
		if !unknown {
			return Usage(fix, "%s", flagError(err.Error()))
		}
		// the library names it with one dash, however it was typed
		name = strings.TrimLeft(name, "-")
		if near := rules.Nearest(name, flagNames(c)); near != "" {
			fix = "did you mean --" + near + "?"
		}
		return Usage(fix, "%s has no flag --%s", c.FullName(), name)
	}
	// Else "help" would be offered where a file name is typed, and a folder of
	// that name could not be scanned.
	c.HideHelpCommand = len(c.Commands) == 0
	for _, sub := range c.Commands {
		Harden(sub)
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

// CommandNames lists the subcommands that help shows.
func CommandNames(c *cli.Command) []string {
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

// Unknown returns the error of a command that c does not have, with the one that
// is meant, if one is near.
func Unknown(c *cli.Command, name string) error {
	fix := "see " + c.FullName() + " --help"
	if near := rules.Nearest(name, CommandNames(c)); near != "" {
		fix = "did you mean " + near + "?"
	}
	return Usage(fix, "unknown command %q", name)
}
