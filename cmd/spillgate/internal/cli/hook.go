package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/hooks"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

// hook is the family of commands about git hooks.
func (a *app) hook() *cli.Command {
	return &cli.Command{
		Name:  "hook",
		Usage: "install and run git hooks, and a hook for coding assistants",
		Commands: []*cli.Command{
			a.hookInstall(), a.hookUninstall(), a.hookStatus(), a.hookRun(), a.hookRescan(), a.hookAgent(),
		},
		Action: needsSubcommand,
	}
}

// hookFlags are the flags that say where hooks are meant.
func hookFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.BoolFlag{Name: "global", Usage: "the user's hooks, for all repositories"},
		&cli.StringFlag{Name: "repo", Aliases: []string{"C"}, TakesFile: true, Usage: "the repository in `DIR` instead of the one around the working directory"},
	}, more...)
}

// hookArgument and hookText describe the arguments of the commands that take
// names of hooks.
const hookArgument = "[HOOK...]"

func hookText() string {
	return "HOOK is " + strings.Join(hooks.Client(), ", ") + "; on a server pre-receive or update.\n" +
		"Without one: all of the former, or in a bare repository pre-receive.\n\n"
}

func withFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "with", Usage: "as a part of a hook `MANAGER`: " + strings.Join(hooks.Managers(), ", "),
		Validator: func(name string) error {
			if !slices.Contains(hooks.Managers(), name) {
				return fmt.Errorf("unknown hook manager %q: use %s", name, strings.Join(hooks.Managers(), ", "))
			}
			return nil
		},
	}
}

// setup finds out where git takes its hooks from.
func (a *app) setup(ctx context.Context, c *cli.Command) (*hooks.Setup, error) {
	known := append(hooks.Client(), hooks.Server()...)
	for _, name := range c.Args().Slice() {
		if !slices.Contains(known, name) {
			return nil, usage("use "+strings.Join(known, ", "), "unknown hook %q", name)
		}
	}
	a.signals.handle() // whether git runs configured hooks is tried out in a folder
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	return hooks.Open(ctx, hooks.Options{
		Dir: c.String("repo"), Global: c.Bool("global"), Files: c.Bool("files"), Events: c.Args().Slice(), Program: filepath.Clean(program),
	})
}

func (a *app) hookInstall() *cli.Command {
	return &cli.Command{
		Name:      "install",
		ArgsUsage: hookArgument,
		Usage:     "make git run Spillgate before commits and pushes",
		Description: hookText() + "Writes the hooks where git looks for them: its configuration where git runs hooks from\n" +
			"there, else files in the hooks folder (core.hooksPath is honoured). A hook that is there\n" +
			"already is moved aside and called first. Doing it twice changes nothing.\n\n" +
			"Example: spillgate hook install && spillgate doctor",
		Flags: hookFlags(withFlag(), &cli.BoolFlag{
			Name: "files", Usage: "files in the hooks folder even where git runs hooks of its configuration, for older gits that commit here too",
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			s, err := a.setup(ctx, c)
			if err != nil {
				return err
			}
			if manager := c.String("with"); manager != "" {
				return a.changed(s.With(manager))
			}
			done, err := s.Install(ctx)
			return a.changed(done, "", err)
		},
	}
}

func (a *app) hookUninstall() *cli.Command {
	return &cli.Command{
		Name:        "uninstall",
		ArgsUsage:   hookArgument,
		Usage:       "take Spillgate out of git's hooks again",
		Description: hookText() + "Puts back what was there before, byte for byte.\n\nExample: spillgate hook uninstall",
		Flags:       hookFlags(withFlag()),
		Action: func(ctx context.Context, c *cli.Command) error {
			s, err := a.setup(ctx, c)
			if err != nil {
				return err
			}
			if manager := c.String("with"); manager != "" {
				return a.changed(s.Without(manager))
			}
			done, err := s.Uninstall(ctx)
			if err == nil && len(done) == 0 {
				fmt.Fprintln(a.Stdout, "nothing of Spillgate's is installed in "+report.Escape(s.Folder))
			}
			return a.changed(done, "", err)
		},
	}
}

// changed says what was done, or what to do.
func (a *app) changed(done []hooks.Change, text string, err error) error {
	for _, d := range done {
		line := fmt.Sprintf("%s: %s (%s)", d.Event, d.What, d.Where)
		if d.Moved != "" && d.What == "removed" {
			line += "; what was there before is back"
		} else if d.Moved != "" {
			line += "; the hook that was there is called first, as " + filepath.Base(d.Moved)
		}
		fmt.Fprintln(a.Stdout, report.Escape(line))
	}
	fmt.Fprint(a.Stdout, text)
	return err
}

func (a *app) hookStatus() *cli.Command {
	return &cli.Command{
		Name:        "status",
		ArgsUsage:   hookArgument,
		Usage:       "say which hooks git runs, in which order",
		Description: hookText() + "Exit code 0: Spillgate guards each of the hooks. 2: not all of them.\n\nExample: spillgate hook status",
		Flags:       hookFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			s, err := a.setup(ctx, c)
			if err != nil {
				return err
			}
			_, err = a.describe(ctx, s, wantsColor(c, a.Stdout))
			return err
		},
	}
}

// describe prints what git runs for each event and returns the guarded ones.
// If one is not guarded, the exit code is 2.
func (a *app) describe(ctx context.Context, s *hooks.Setup, color bool) (guarded []string, err error) {
	for _, event := range s.Events {
		steps, err := s.Steps(ctx, event)
		if err != nil {
			return nil, err
		}
		state := inColor(color, bad, "NOT guarded")
		switch {
		case hooks.Guarded(steps):
			guarded = append(guarded, event)
			state = inColor(color, good, "guarded")
		case len(steps) == 0:
			state += ": git runs nothing"
		}
		fmt.Fprintf(a.Stdout, "%s: %s\n", event, state)
		for i, step := range steps {
			line := fmt.Sprintf("  %d. %s", i+1, step.Where)
			if step.By != "" {
				line += " [" + step.By + "]"
			}
			if !step.Guards {
				line += ": does not call Spillgate"
			}
			if step.Trouble != "" {
				line += ": " + step.Trouble
			}
			fmt.Fprintln(a.Stdout, report.Escape(line))
		}
	}
	if len(guarded) < len(s.Events) {
		a.exit = scanner.ExitIncomplete
		fmt.Fprintln(a.Stdout, "to guard the rest: spillgate hook install")
	}
	return guarded, nil
}

// The colours of what is as it should be, and of what is not, as SGR parameters.
const (
	good = "32"
	bad  = "1;31"
)

func inColor(color bool, sgr, text string) string {
	if !color {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}
