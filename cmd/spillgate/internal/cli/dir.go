package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner/filetree"
)

func (a *app) dir() *cli.Command {
	return &cli.Command{
		Name:      "dir",
		Usage:     "scan files and directories",
		ArgsUsage: "PATH...",
		Description: "Scans files as they lie on the disk, whether git knows them or not. What .gitignore\n" +
			"and .spillgateignore exclude is left out, but for files that are named as PATH.\n\n" +
			"Example: spillgate dir --no-ignore build/",
		Flags: scanFlags(
			plaintextFlag(),
			&cli.BoolFlag{Name: "no-follow", Usage: "of a PATH that is a symbolic link, scan its text, as git would commit it, and not what it leads to"},
			&cli.BoolFlag{Name: "no-ignore", Usage: "scan what .gitignore and .spillgateignore exclude too"},
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			if !c.Args().Present() {
				return usage("to scan the working directory: spillgate dir .", "dir needs a PATH")
			}
			a.origin = origin{path: c.Args().First(), noIgnore: c.Bool("no-ignore")}
			return a.scan(ctx, c, filetree.New(c.Args().Slice(), filetree.Options{
				NoIgnore: c.Bool("no-ignore"), NoFollow: c.Bool("no-follow"), Jobs: c.Int("jobs"),
			}))
		},
	}
}
