package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// Range returns the source of what a range of commits brings: for each commit
// the blobs that none of its parents has at the path, the names of new files,
// the message and the people, and the messages of annotated tags that point to
// one of the commits.
//
// spec is a list of words with the meaning that `git rev-list` gives them:
// A..B is what B reaches and A does not, A...B what only one of the two
// reaches, ^A leaves out what A reaches; --all, --branches, --tags,
// --remotes[=NAME] stand for refs, and --not turns the words after it round.
// A side of .. or ... that is left out is HEAD. If A is all zeros, as in a
// push of a new branch, the default branch is meant.
//
// Two forms mean more than to git, where they would be whole histories. A
// single revision B is what B has and the default branch lacks: origin/HEAD,
// or main, master or init.defaultBranch, of origin or local. The empty spec is
// what the current branch has and its upstream lacks, or else the default
// branch. Where neither can be told Range returns a *scanner.UsageError. A
// revision that does not resolve is another error.
//
// A range without commits is fine: its coverage says so. If the clone is
// shallow and was cut inside the range, that is a Problem.
func (r *Repo) Range(ctx context.Context, spec string) (scanner.Source, error) {
	_, rd, err := r.openStore(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rd.close() }()
	s, err := r.parseRange(ctx, rd, spec)
	if err != nil {
		return nil, err
	}
	source := &commitRange{repo: r, spec: s}
	for i, list := range [...][]oid{s.include, s.exclude} {
		for _, id := range list {
			target, k, err := r.peel(rd, id)
			if err != nil {
				return nil, r.rangeError(first(spec, s.text), err)
			}
			if k != commitKind {
				if strings.Contains(spec, "--") {
					continue // --tags and --all also name trees and blobs
				}
				return nil, r.rangeError(spec, fmt.Errorf("%s is a %s, not a commit", r.hex(id), k))
			}
			if i == 1 {
				source.exclude = append(source.exclude, target)
				continue
			}
			source.include = append(source.include, target)
			if target != id {
				source.tags = append(source.tags, id)
			}
		}
	}
	return source, nil
}

type commitRange struct {
	repo             *Repo
	spec             rangeSpec
	include, exclude []oid // commits
	tags             []oid // tags that the range itself names
}

// Chunks implements scanner.Source.
func (c *commitRange) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	return c.repo.scanCommits(ctx, "commits "+c.spec.text, emit, c.scan)
}

func (c *commitRange) scan(s *commitScan) error {
	if err := s.walk.between(s.ctx, c.include, c.exclude); err != nil {
		return err
	}
	n, err := s.newCommits(c.spec.text)
	if err != nil {
		return err
	}
	return c.scanTags(s, n)
}

// scanTags emits the tags that point into the range, and those it names.
func (c *commitRange) scanTags(s *commitScan, commits int) error {
	for _, id := range c.tags {
		if err := c.oneTag(s, id, ""); err != nil {
			return err
		}
	}
	if commits == 0 {
		return nil
	}
	t, err := s.repo.allRefs(s.ctx)
	if err != nil {
		return err
	}
	inRange := func(id oid) bool {
		n, ok := s.walk.index[id]
		return ok && !s.walk.nodes[n].excluded
	}
	for _, f := range t.refs {
		if f.plain || !strings.HasPrefix(f.name, "refs/tags/") || inRange(f.id) {
			continue
		}
		target := f.peeled
		if target.isZero() {
			if target, _, err = s.repo.peel(s.rd, f.id); err != nil {
				s.failed("tag "+f.name, f.id, err)
				continue
			}
		}
		if target != f.id && inRange(target) {
			if err := c.oneTag(s, f.id, f.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *commitRange) oneTag(s *commitScan, id oid, name string) error {
	_, _, err := s.tagChain(id, name)
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped.error
	}
	if err != nil {
		s.failed("tag "+first(name, s.repo.hex(id)), id, err)
	}
	return nil
}
