package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner/filetree"
)

func (a *app) standardInput() *cli.Command {
	return &cli.Command{
		Name:        "stdin",
		Usage:       "scan standard input",
		Description: "Example: kubectl logs deploy/api | spillgate stdin --name api.log",
		Flags: scanFlags(
			plaintextFlag(),
			&cli.StringFlag{Name: "name", Value: "stdin", Usage: "what reports call the input"},
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return a.scan(ctx, c, filetree.Stdin(a.signals.awaited(a.Stdin), c.String("name")))
		},
	}
}
