package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

func (a *app) rulesTest() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "run the examples of the rules",
		ArgsUsage: "[FILE...]",
		Description: "Each rule must find its match examples and not its clean ones, and no other rule\n" +
			"may find its match examples unless it says so. With FILEs of rules of your own, those\n" +
			"are run beside the built-in ones. Exit code 1: an example does not do what it should.\n\n" +
			"Example: spillgate rules test my-rules.toml",
		Action: func(_ context.Context, c *cli.Command) error {
			all, err := rules.ParseAll(rules.Sources())
			if err != nil {
				return err
			}
			for _, file := range c.Args().Slice() {
				text, err := os.ReadFile(file)
				if err != nil {
					return usage("name a file of rules", "%v", err)
				}
				own, err := rules.Parse(file, text)
				if err != nil {
					return usage("see spillgate rules --help", "%v", err)
				}
				all = append(all, own...)
			}
			program, err := rules.Compile(all)
			if err != nil {
				return usage("", "%v", err)
			}
			faults := program.Examine()
			for _, f := range faults {
				fmt.Fprintln(a.Stdout, f)
			}
			if len(faults) > 0 {
				a.exit = scanner.ExitFindings
				return nil
			}
			examples := 0
			for _, r := range program.Rules {
				examples += len(r.Match) + len(r.Clean)
			}
			_, err = fmt.Fprintf(a.Stdout, "%d examples of %d rules do what they should\n", examples, len(program.Rules))
			return err
		},
	}
}
