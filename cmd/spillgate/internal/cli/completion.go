package cli

import (
	"context"
	_ "embed" // for the scripts
	"io"

	"github.com/urfave/cli/v3"
)

// The scripts are ours and not the command line library's, whose script for
// bash evaluates the words that are typed: `spillgate $(…)` and the tab key
// would run what stands in the parentheses.
var (
	//go:embed completion/spillgate.bash
	bashCompletion string
	//go:embed completion/spillgate.zsh
	zshCompletion string
	//go:embed completion/spillgate.fish
	fishCompletion string
	//go:embed completion/spillgate.ps1
	pwshCompletion string
)

// completion makes the library's command print our scripts.
func (a *app) completion(c *cli.Command) {
	c.Hidden = false
	c.Action = func(_ context.Context, c *cli.Command) error {
		if name := c.Args().First(); name != "" {
			return usage("use bash, zsh, fish or pwsh", "there are no completions for %q", name)
		}
		return cli.ShowSubcommandHelp(c)
	}
	for _, shell := range c.Commands {
		script := ""
		switch shell.Name {
		case "bash":
			script = bashCompletion
		case "zsh":
			script = zshCompletion
		case "fish":
			script = fishCompletion
		case "pwsh":
			script = pwshCompletion
		}
		shell.Action = func(context.Context, *cli.Command) error {
			_, err := io.WriteString(a.Stdout, script)
			return err
		}
	}
}
