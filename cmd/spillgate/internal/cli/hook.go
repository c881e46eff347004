package cli

import (
	"github.com/urfave/cli/v3"
)

// hook is the family of commands about git hooks.
func (a *app) hook() *cli.Command {
	return &cli.Command{
		Name:  "hook",
		Usage: "install and run git hooks, and a hook for coding assistants",
		Commands: []*cli.Command{
			a.hookRun(), a.hookAgent(),
		},
		Action: needsSubcommand,
	}
}
