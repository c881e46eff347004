package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/hooks"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// spoolOf returns the spool of a repository.
func spoolOf(repo *gitrepo.Repo) hooks.Spool {
	return hooks.Spool{Dir: filepath.Join(repo.GitDir(), "spillgate", "rescan")}
}

// spool keeps updates for spillgate hook rescan. The deadline of the hook, which
// is over, does not hold for it.
func (a *app) spool(ctx context.Context, c *cli.Command, updates []hooks.Update) error {
	ctx = context.WithoutCancel(ctx)
	repo, err := openRepo(ctx, c)
	if err != nil {
		return err
	}
	defer repo.Close()
	p := hooks.Pending{Time: time.Now().UTC(), Updates: updates}
	if p.Base, err = repo.HeadID(ctx); err != nil {
		return err
	}
	return spoolOf(repo).Add(p)
}

func (a *app) hookRescan() *cli.Command {
	return &cli.Command{
		Name:  "rescan",
		Usage: "on a server: scan the pushes that were let in before their scan ended",
		Description: "Scans what --on-timeout rescan of pre-receive and update let in, without a deadline, by the\n" +
			"configuration that held when it came. A push stays in the spool, below the repository,\n" +
			"until it was scanned to the end. For cron, or a post-receive hook that does not wait.\n\n" +
			"Exit codes as for a scan: 1 says that something was let in that must not be there.\n\n" +
			"Example: spillgate hook rescan -C /srv/git/shop.git --report jsonl=/var/log/shop.jsonl",
		Flags: scanFlags(gitFlags()...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			repo, err := openRepo(ctx, c)
			if err != nil {
				return err
			}
			defer repo.Close()
			return a.rescan(ctx, c, repo)
		},
	}
}

// rescan scans what is in the spool of repo, and empties it when that was done.
func (a *app) rescan(ctx context.Context, c *cli.Command, repo *gitrepo.Repo) error {
	all, err := spoolOf(repo).List()
	if err != nil {
		return fmt.Errorf("reading the spool: %w", err)
	}
	if len(all) == 0 {
		if !c.Bool("quiet") {
			fmt.Fprintln(a.Stderr, "spillgate: no push waits for its scan")
		}
		return nil
	}
	o, gone := waiting(ctx, repo, all)
	if gone > 0 {
		fmt.Fprintf(a.Stderr, "spillgate: %s not here: something else refused the push, or it was taken back\n", plural(gone, "new value of a ref is", "new values of refs are"))
	}
	source, err := repo.Revisions(ctx, o)
	if err != nil {
		return err
	}
	a.origin = origin{repo: repo, ranged: true, base: all[0].Base}
	scanned := &whole{Source: source}
	if err := a.scan(ctx, c, scanned); err != nil {
		return err
	}
	if !scanned.complete {
		fmt.Fprintf(a.Stderr, "spillgate: %s in the spool until scanned to the end\n", plural(len(all), "push stays", "pushes stay"))
		return nil
	}
	return spoolOf(repo).Remove(all)
}

// waiting says what pushes brought, and how many of their new values the
// repository has not. By now its refs reach them, so that the old values alone,
// and the default branch of then, tell what is new.
func waiting(ctx context.Context, repo *gitrepo.Repo, all []hooks.Pending) (o gitrepo.RevisionsOptions, gone int) {
	o.What = plural(len(all), "push that was let in", "pushes that were let in")
	brought := map[string]bool{}
	for _, p := range all {
		for _, u := range p.Updates {
			brought[u.New] = true
		}
	}
	for _, p := range all {
		here := p.Updates[:0:0]
		for _, u := range p.Updates {
			if brought[u.Old] {
				u.Old = u.New[:0] // it came unscanned itself
			}
			switch {
			case u.Deletes():
			case repo.Has(ctx, u.New):
				here = append(here, u)
			default:
				gone++
			}
		}
		o = received(o, here)
		if p.Base != "" && !brought[p.Base] {
			o.Exclude = append(o.Exclude, p.Base)
		}
	}
	return o, gone
}

// whole is a source that tells whether it was scanned to its end, and what that
// covered.
type whole struct {
	scanner.Source
	complete bool
	coverage scanner.Coverage
}

// Chunks implements scanner.Source.
func (s *whole) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c, err := s.Source.Chunks(ctx, emit)
	s.complete, s.coverage = err == nil && c.Complete(), c
	return c, err
}
