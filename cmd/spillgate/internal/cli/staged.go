package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner/gitrepo"
)

func (a *app) staged() *cli.Command {
	return &cli.Command{
		Name:  "staged",
		Usage: "scan what the next commit would add",
		Description: "Reads the blobs of the index (also the one that git gives a hook in GIT_INDEX_FILE)\n" +
			"and reports what is new in them against HEAD. The working tree is not looked at.\n\n" +
			"Example: spillgate staged --fail-on high",
		Flags: scanFlags(gitFlags(
			plaintextFlag(),
			&cli.BoolFlag{Name: "amend", Usage: "compare with the parent of HEAD, as git commit --amend will"},
		)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return a.scanStaged(ctx, c, gitrepo.StagedOptions{Amend: c.Bool("amend")})
		},
	}
}

// scanStaged scans what is staged in the repository that the flags of c name.
func (a *app) scanStaged(ctx context.Context, c *cli.Command, o gitrepo.StagedOptions) error {
	repo, err := openRepo(ctx, c)
	if err != nil {
		return err
	}
	defer repo.Close()
	a.origin = origin{repo: repo}
	source := &counted{Source: repo.Staged(o)}
	if err := a.scan(ctx, c, source); err != nil {
		return err
	}
	if source.empty() && os.Getenv("PRE_COMMIT") == "1" && !c.Bool("quiet") {
		fmt.Fprintln(a.Stderr, "spillgate: nothing is staged; for `pre-commit run --all-files` or `--files` use the hook id spillgate-files")
	}
	return nil
}
