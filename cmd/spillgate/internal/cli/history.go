package cli

import (
	"context"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/decode"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

func (a *app) history() *cli.Command {
	return &cli.Command{
		Name:  "history",
		Usage: "scan everything that any ref reaches",
		Description: "Scans every blob once, and every commit message, author line, tag and file name. A\n" +
			"finding names the commit and path that first brought it.\n\n" +
			"Example: spillgate history --format json --output findings.json",
		Flags: scanFlags(gitFlags(
			plaintextFlag(),
			&cli.BoolFlag{Name: "all-objects", Usage: "scan unreachable objects too"},
			&cli.StringFlag{Name: "shard", Sources: cli.EnvVars("SPILLGATE_SHARD"), Usage: "scan one `SHARD` of the history: I/N, or as spillgate plan prints it"},
		)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			options := historyOptions(c)
			if text := c.String("shard"); text != "" {
				var err error
				if options.Shard, err = parseShard(text, os.Getenv); err != nil {
					return err
				}
			}
			repo, err := openRepo(ctx, c)
			if err != nil {
				return err
			}
			defer repo.Close()
			a.origin = origin{repo: repo, whole: options.Shard.Count == 0}
			return a.scan(ctx, c, repo.History(options))
		},
	}
}

// historyOptions are for a history that is looked at by the detectors that the
// flags of c ask for: anchors are found for those alone.
func historyOptions(c *cli.Command) gitrepo.HistoryOptions {
	o := gitrepo.HistoryOptions{AllObjects: c.Bool("all-objects"), Program: rules.Builtin()}
	if c.Int("decode-depth") > 0 {
		o.Encoded = decode.Anchorer{Program: o.Program}
	}
	return o
}
