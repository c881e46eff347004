package cli

import (
	"context"

	"github.com/urfave/cli/v3"
)

func (a *app) commits() *cli.Command {
	return &cli.Command{
		Name:      "range",
		Usage:     "scan the commits of a range",
		ArgsUsage: "[A..B | A...B | B]",
		Description: "Scans every commit that B reaches and A does not: files, messages, author lines,\n" +
			"tags and file names. Configuration, ignore file and baseline are those of A, so that the\n" +
			"change cannot excuse itself. Without an argument: the commits of the current branch that\n" +
			"its upstream, or else the default branch, lacks.\n\n" +
			"Example: spillgate range origin/main..HEAD --report sarif=spillgate.sarif",
		Flags: scanFlags(gitFlags(plaintextFlag())...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() > 1 {
				return usage("write A..B for the commits that B has and A has not", "range takes one argument, got %d", c.Args().Len())
			}
			repo, err := openRepo(ctx, c)
			if err != nil {
				return err
			}
			defer repo.Close()
			source, err := repo.Range(ctx, c.Args().First())
			if err != nil {
				return err
			}
			a.origin = origin{repo: repo, ranged: true, base: repo.BaseOf(source)}
			return a.scan(ctx, c, source)
		},
	}
}
