package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/ci"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
	"github.com/spillgate/spillgate/scanner/report"
)

func (a *app) ci() *cli.Command {
	return &cli.Command{
		Name:  "ci",
		Usage: "scan what a CI run is about",
		Description: "Tells from the environment in which CI system it runs (" + strings.Join(ci.Systems(), ",\n") + "),\n" +
			"derives from the event which commits are new, fetches what a shallow clone lacks of\n" +
			"them, and scans them. Runs that are not about new commits, such as scheduled ones,\n" +
			"scan the whole history.\n\n" +
			"Example: spillgate ci --report sarif=spillgate.sarif",
		Flags: scanFlags(gitFlags(
			&cli.StringFlag{Name: "base", Sources: cli.EnvVars("SPILLGATE_BASE"), Usage: "scan what came after `REVISION`, whatever the event says"},
			&cli.StringFlag{Name: "head", Sources: cli.EnvVars("SPILLGATE_HEAD"), Usage: "`REVISION` is the newest commit to scan, whatever the event says"},
			&cli.StringFlag{Name: "remote", Value: "origin", Usage: "`NAME` of the remote that the clone comes from"},
			&cli.BoolFlag{Name: "no-fetch", Usage: "fetch nothing: what the clone lacks ends the run with exit code 2"},
			&cli.BoolFlag{Name: "plan", Usage: "say what would be scanned, and stop"},
			&cli.BoolFlag{Name: "no-annotations", Usage: "on GitHub: print no annotations"},
			&cli.BoolFlag{Name: "mask", Usage: "on GitHub: tell the runner the secrets found, by ::add-mask::, so that it masks them in the log from then on"},
			&cli.BoolFlag{Name: "no-summary", Usage: "on GitHub: write no job summary"},
		)...),
		Action: a.runCI,
	}
}

// runCI plans, scans and tells the CI system.
func (a *app) runCI(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	p, err := a.planCI(c)
	if err != nil {
		return err
	}
	a.sayCI(c, "%s: %s: %s", p.System, first(p.Event, "build"), p.Why)
	clone := ci.Clone{
		Dir: c.String("repo"), Remote: c.String("remote"), NoFetch: c.Bool("no-fetch"), TrustRepo: c.Bool("trust-repo"),
		Note: func(s string) { a.sayCI(c, "%s", s) },
	}
	r, err := clone.Prepare(ctx, p)
	if err != nil {
		return err
	}
	a.sayCI(c, "scanning %s", r)
	if c.Bool("plan") {
		return nil
	}
	if err := a.readyForLive(c); err != nil {
		return err
	}
	repo, err := openRepo(ctx, c)
	if err != nil {
		return err
	}
	defer repo.Close()
	source, err := a.sourceCI(ctx, c, repo, r)
	if err != nil {
		return err
	}
	result, err := a.result(ctx, c, source)
	if err != nil {
		return err
	}
	if err := a.reportCI(c, r, result); err != nil {
		return err
	}
	if r.Spec != "" && source.coverage.Commits == 0 && result.Complete() {
		a.sayCI(c, "0 new commits, proven: %s and what it is compared with are both here", r.Head)
	}
	return a.askLive(ctx, c, result)
}

// planCI returns the plan of the environment, or the one that flags give.
func (a *app) planCI(c *cli.Command) (*ci.Plan, error) {
	base, head := c.String("base"), c.String("head")
	p, err := ci.Detect(os.Getenv)
	if base != "" {
		system := first(ci.System(os.Getenv), "no CI system")
		return ci.Given(system, base, first(head, "HEAD"))
	}
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, usage("give --base and --head, or use spillgate range", "this is no CI system that spillgate ci knows")
	case head != "":
		return nil, usage("add --base REVISION", "--head says where to stop and nothing where to start")
	}
	return p, nil
}

// sourceCI returns the source of r, and settles which configuration holds.
func (a *app) sourceCI(ctx context.Context, c *cli.Command, repo *gitrepo.Repo, r *ci.Range) (*counted, error) {
	switch {
	case r.Nothing:
		a.origin = origin{repo: repo}
		return &counted{Source: nothing{}}, nil
	case r.Everything:
		a.origin = origin{repo: repo, whole: true}
		return &counted{Source: repo.History(historyOptions(c))}, nil
	}
	source, err := repo.Range(ctx, r.Spec)
	if err != nil {
		return nil, err
	}
	a.origin = origin{repo: repo, ranged: true, base: repo.BaseOf(source)}
	return &counted{Source: source}, nil
}

// nothing is the source of an event that brings nothing.
type nothing struct{}

// Chunks implements scanner.Source.
func (nothing) Chunks(context.Context, func(*scanner.Chunk) error) (scanner.Coverage, error) {
	return scanner.Coverage{What: "an event that brings nothing"}, nil
}

// sayCI prints what spillgate ci found out or did, unless it is to be quiet.
func (a *app) sayCI(c *cli.Command, format string, args ...any) {
	if !c.Bool("quiet") {
		fmt.Fprintf(a.Stderr, "spillgate ci: %s\n", report.Escape(fmt.Sprintf(format, args...)))
	}
}

// first returns the first of its arguments that is not empty.
func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
