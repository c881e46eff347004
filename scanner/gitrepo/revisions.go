package gitrepo

import (
	"context"
	"errors"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// A Tip is one thing that a push brings: an object and the ref that will name
// it.
type Tip struct {
	// Rev names the object, usually by its full id.
	Rev string
	// Ref is the full name of the ref on the receiving side if the push
	// creates it, or "" if the receiver has the name already.
	Ref string
}

// RevisionsOptions say what is new. The zero value is an empty push.
type RevisionsOptions struct {
	// Tips are what comes.
	Tips []Tip
	// TipRefs are prefixes of full names of refs, such as "refs/heads/": what
	// they point to comes too.
	TipRefs []string
	// Exclude are revisions that the receiver has. One that is not in this
	// repository excludes nothing, so that more is scanned and never less.
	Exclude []string
	// ExcludeRefs are prefixes as in TipRefs; the receiver has what those refs
	// point to. "" stands for every ref and HEAD.
	ExcludeRefs []string
	// What says in the coverage what was scanned, after "N new commits in".
	What string
}

// Revisions returns the source of what several tips bring that a receiver
// lacks, each commit once: what Range returns for one range, and also the
// annotated tags on the way to a tip, trees and blobs that a tip names
// directly, and the names of new refs. A tip that does not resolve is an
// error.
func (r *Repo) Revisions(ctx context.Context, o RevisionsOptions) (scanner.Source, error) {
	_, rd, err := r.openStore(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rd.close() }()
	s := &revisions{repo: r, what: o.What}
	for _, t := range o.Tips {
		id, err := r.resolve(ctx, rd, t.Rev)
		if err != nil {
			return nil, r.rangeError(t.Rev, err)
		}
		s.tips = append(s.tips, ref{name: t.Ref, id: id})
	}
	if err := s.addRefs(ctx, o); err != nil {
		return nil, err
	}
	for _, rev := range o.Exclude {
		id, err := r.resolve(ctx, rd, rev)
		if err != nil {
			continue // the receiver is ahead of this repository
		}
		s.exclude = append(s.exclude, id)
	}
	s.exclude = r.commitsHere(rd, s.exclude)
	return s, nil
}

// commitsHere returns the commits that ids lead to, without those that are not
// in the repository and without what is no commit.
func (r *Repo) commitsHere(rd reader, ids []oid) []oid {
	var here []oid
	seen := map[oid]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if target, k, err := r.peel(rd, id); err == nil && k == commitKind {
			here = append(here, target)
		}
	}
	return here
}

type revisions struct {
	repo    *Repo
	what    string
	tips    []ref // names of new refs, and what comes under them
	exclude []oid
}

// addRefs adds the refs whose names begin as TipRefs and ExcludeRefs say.
func (s *revisions) addRefs(ctx context.Context, o RevisionsOptions) error {
	if len(o.TipRefs)+len(o.ExcludeRefs) == 0 {
		return nil
	}
	t, err := s.repo.allRefs(ctx)
	if err != nil {
		return err
	}
	begins := func(name string, prefixes []string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				return true
			}
		}
		return false
	}
	for _, f := range t.refs {
		if begins(f.name, o.TipRefs) {
			s.tips = append(s.tips, ref{id: f.id})
		}
		if begins(f.name, o.ExcludeRefs) {
			s.exclude = append(s.exclude, f.id)
		}
	}
	return nil
}

// Chunks implements scanner.Source.
func (s *revisions) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	return s.repo.scanCommits(ctx, s.what, emit, s.scan)
}

func (s *revisions) scan(c *commitScan) error {
	commits, others, err := s.arrivals(c)
	if err != nil {
		return err
	}
	if len(commits) > 0 {
		if err := c.walk.between(c.ctx, commits, s.exclude); err != nil {
			return err
		}
	}
	if _, err := c.newCommits(s.what); err != nil {
		return err
	}
	for _, f := range others {
		if err := s.single(c, f); err != nil {
			return err
		}
	}
	return nil
}

// arrivals emits the names and tags of the tips and returns the commits they
// lead to, and the trees and blobs, each once.
func (s *revisions) arrivals(c *commitScan) (commits []oid, others []ref, err error) {
	seen := map[oid]bool{}
	for _, f := range s.tips {
		if f.name != "" {
			c.note(func(v *scanner.Coverage) { v.Refs++ })
			o := &scanner.Object{Kind: scanner.RefName, Ref: f.name, ID: s.repo.hex(f.id)}
			if err := c.text(o, []byte(f.name)); err != nil {
				return nil, nil, err
			}
		}
		target, k, err := c.tagChain(f.id, f.name)
		var stopped emitError
		switch {
		case errors.As(err, &stopped):
			return nil, nil, stopped.error
		case err != nil:
			c.failed(first(f.name, s.repo.hex(f.id)), target, err)
		case seen[target]:
		case k == commitKind:
			commits = append(commits, target)
		default:
			others = append(others, ref{id: target, plain: k == treeKind})
		}
		seen[target] = true
	}
	return commits, others, nil
}

// single emits a tree or a blob that a tip names without a commit.
func (s *revisions) single(c *commitScan, f ref) error {
	if f.plain {
		return c.tree(f.id, nil, nil)
	}
	return c.add(f.id, &scanner.Object{ID: s.repo.hex(f.id)})
}

// HeadID returns the id of the commit that HEAD points to, or "" if there is
// none yet. On a server that is the default branch.
func (r *Repo) HeadID(ctx context.Context) (string, error) {
	id, _, err := r.head(ctx)
	if err != nil || id.isZero() {
		return "", err
	}
	return r.hex(id), nil
}

// Has reports whether rev names an object that the repository has.
func (r *Repo) Has(ctx context.Context, rev string) bool {
	_, err := r.kindOf(ctx, func(rd reader) (oid, error) { return r.resolve(ctx, rd, rev) })
	return err == nil
}

// kindOf returns what the object that find names is, or what a tag of that name
// is of.
func (r *Repo) kindOf(ctx context.Context, find func(reader) (oid, error)) (k kind, err error) {
	_, rd, err := r.openStore(ctx, false)
	if err != nil {
		return k, err
	}
	defer func() { _ = rd.close() }()
	id, err := find(rd)
	if err != nil {
		return k, err
	}
	_, k, err = r.peel(rd, id)
	return k, err
}
