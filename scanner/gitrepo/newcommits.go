package gitrepo

import (
	"context"

	"github.com/spillgate/spillgate/scanner"
)

// scanCommits runs scan over some commits of the repository: it opens the
// objects, gathers what is emitted and says at the end what was covered.
func (r *Repo) scanCommits(ctx context.Context, what string, emit func(*scanner.Chunk) error, scan func(*commitScan) error) (scanner.Coverage, error) {
	failed := scanner.Coverage{What: what}
	st, rd, err := r.openStore(ctx, false)
	if err != nil {
		return failed, err
	}
	defer func() { _ = rd.close() }()
	x := r.begin(ctx, st, what, emit)
	s, err := newCommitScan(x, rd)
	if err == nil {
		x.gather()
		err = scan(s)
	}
	if err == nil {
		err = x.spread()
	}
	return x.finish(ctx, err)
}

// newCommits emits what the commits of the walk brought, and returns how many
// they are. where says in the coverage what they are new in.
func (s *commitScan) newCommits(where string) (int, error) {
	order := s.walk.oldestFirst()
	s.note(func(v *scanner.Coverage) {
		v.What = count(len(order), "new commit", "new commits") + " in " + where
	})
	if err := s.all(order); err != nil {
		return 0, err
	}
	s.sayCut("so what they changed was not scanned")
	return len(order), nil
}
