package gitrepo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/spillgate/spillgate/scanner"
)

// A Shard is one part of a history of which several machines scan one each.
//
// The commits are put in topological order, the oldest first, and cut into
// Count runs of the same length; a shard scans what the commits of its run
// bring, as for a range. The order follows from the commits alone and not from
// how a clone packs its objects, so that clones made apart agree on it. Two
// shards may both scan a blob that came, went and came back; none is left out.
type Shard struct {
	// Index is 1 to Count.
	Index, Count int
	// Tips is the digest of what the refs point to (see Plan). A shard of
	// another state of the repository is an error. Empty checks nothing.
	Tips string
}

// A Plan is what shards are made of.
type Plan struct {
	// Commits is how many there are.
	Commits int
	// Tips is a digest of the objects that refs point to: the same for clones
	// in the same state.
	Tips string
}

// Plan counts the commits that refs reach. A shallow clone, or one that lacks
// commits otherwise, is an error: its shards would not make up the history.
func (r *Repo) Plan(ctx context.Context) (*Plan, error) {
	st, rd, err := r.openStore(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rd.close() }()
	t, err := r.allRefs(ctx)
	if err != nil {
		return nil, err
	}
	var problem error
	x := r.begin(ctx, st, "the plan", func(*scanner.Chunk) error { return nil })
	s, err := newCommitScan(x, rd)
	if err != nil {
		return nil, err
	}
	h := &history{repo: r}
	s.history = true
	tips, err := h.refs(s, t, &strays{})
	if err != nil {
		return nil, err
	}
	if err := s.walk.between(ctx, tips, nil); err != nil {
		return nil, err
	}
	order := s.walk.oldestFirst()
	for _, n := range order {
		switch at := &s.walk.nodes[n]; {
		case at.bad:
			problem = fmt.Errorf("commit %s cannot be read", r.hex(at.id))
		case at.cut:
			problem = fmt.Errorf("the clone is shallow at commit %s; git fetch --unshallow", r.hex(at.id))
		}
	}
	if problem != nil {
		return nil, problem
	}
	return &Plan{Commits: len(order), Tips: r.tipsDigest(tips)}, nil
}

// tipsDigest names a set of tips, whatever their order and however many refs
// point to one.
func (r *Repo) tipsDigest(tips []oid) string {
	var names []string
	for _, id := range tips {
		names = append(names, r.hex(id))
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range slices.Compact(names) {
		fmt.Fprintln(sum, name)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// scanShard emits what the shard's commits bring. Names of refs, tags, and objects
// that no commit leads to belong to the first shard: who reads all reports reads
// of them once.
func (h *history) scanShard(s *commitScan, tips []oid, loose *strays, seen map[oid]struct{}) error {
	shard := h.options.Shard
	got := s.repo.tipsDigest(tips)
	h.shard = fmt.Sprintf("%d/%d@%s", shard.Index, shard.Count, got)
	if shard.Tips != "" && shard.Tips != got {
		return &scanner.UsageError{
			What: fmt.Sprintf("shard %d/%d@%s is of another state of the repository: its refs are at %s now", shard.Index, shard.Count, shard.Tips, got),
			Fix:  "make all shards anew with spillgate plan, from clones of one state",
		}
	}
	if h.options.AllObjects {
		if err := h.everything(s, loose); err != nil {
			return err
		}
		tips = append(tips, loose.commits...)
	}
	if err := s.walk.between(s.ctx, tips, nil); err != nil {
		return err
	}
	order := s.walk.oldestFirst()
	from, to := shard.run(len(order))
	if err := s.all(order[from:to]); err != nil {
		return err
	}
	s.sayCut("so the history before them was not scanned")
	if shard.Index == 1 {
		if err := h.rest(s, loose, seen); err != nil {
			return err
		}
	}
	return h.emitBlobs(s)
}

// run returns which of n commits are the shard's.
func (s Shard) run(n int) (from, to int) {
	return n * (s.Index - 1) / s.Count, n * s.Index / s.Count
}
