package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// HistoryOptions say how much of a history is scanned. The zero value scans
// what refs reach.
type HistoryOptions struct {
	// AllObjects scans every object that is stored, also what no ref reaches:
	// leftovers of amended and dropped commits.
	AllObjects bool
	// Program is the rule program of the detectors. With it, blobs come with
	// their anchors, which for versions of a file cost little to find. Nil
	// leaves all of that to the detectors.
	Program *rules.Program
	// Shard is the part of the history that is scanned. The zero value is all
	// of it.
	Shard Shard
	// Encoded finds the anchors of Program and those of encoded text, for a
	// detector that decodes (decode.Anchorer). Nil leaves the latter to it.
	// Without a Program it does nothing.
	Encoded pack.Anchorer
}

// History returns the source of everything that refs reach: branches, tags,
// notes, all entries of the stash, and the HEAD of every work tree. Each blob
// is emitted once, with the commit and path that first brought it: the oldest
// commit in topological order. Messages, people, and the names of files and
// refs come once each.
//
// The source also implements scanner.Attributor.
func (r *Repo) History(o HistoryOptions) scanner.Source { return &history{repo: r, options: o} }

type history struct {
	repo    *Repo
	options HistoryOptions
	blobs   *blobTable // of a walk over the commits one by one
	census  *census    // where there could be one
	// described are the commits that findings name.
	described map[oid]*scanner.Commit
	// foreign are the objects of submodules.
	foreign map[*scanner.Object]bool
	shard   string // what Coverage.Shard says
	// oneByOne reads blobs in the order in which commits brought them, to
	// compare with.
	oneByOne bool
}

func (h *history) anchoring() anchoring { return anchoring{h.options.Program, h.options.Encoded} }

// Chunks implements scanner.Source.
func (h *history) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	what := "the history of all refs"
	if h.options.AllObjects {
		what = "all objects"
	}
	if h.options.Shard.Count > 0 {
		what = fmt.Sprintf("shard %d of %d of %s", h.options.Shard.Index, h.options.Shard.Count, what)
	}
	failed := scanner.Coverage{What: what}
	if h.repo.options.Submodules && h.options.Shard.Count > 0 {
		return failed, &scanner.UsageError{
			What: "a shard of a history cannot recurse into submodules",
			Fix:  "scan each by itself: spillgate history -C PATH",
		}
	}
	st, rd, err := h.repo.openStore(ctx, false)
	if err != nil {
		return failed, err
	}
	defer func() { _ = rd.close() }()
	t, err := h.repo.allRefs(ctx)
	if err != nil {
		return failed, err
	}
	x := h.repo.begin(ctx, st, what, emit)
	x.whole = true
	s, err := newCommitScan(x, rd)
	if err == nil {
		s.history, h.blobs = true, s.blobs
		err = h.scan(s, t)
	}
	coverage, err := x.finish(ctx, err)
	h.foreign = x.foreign
	coverage.Shard = h.shard
	return coverage, err
}

// scan emits what refs reach, then, where asked, the rest.
func (h *history) scan(s *commitScan, t *refTable) error {
	for _, name := range t.broken {
		s.problem(name, "the ref is broken: it holds no object id", "delete it with `git update-ref -d "+name+"`")
	}
	treesSeen := map[oid]struct{}{}
	if h.options.AllObjects {
		s.inTrees = func(id oid) { treesSeen[id] = struct{}{} }
	}
	loose := &strays{}
	tips, err := h.refs(s, t, loose)
	if err != nil {
		return err
	}
	if h.options.Shard.Count > 0 {
		return h.scanShard(s, tips, loose, treesSeen)
	}
	if done, err := h.scanCensus(s, tips, loose); done || err != nil {
		return err
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
	if err := s.all(s.walk.oldestFirst()); err != nil {
		return err
	}
	s.sayCut("so the history before them was not scanned")
	if err := h.rest(s, loose, treesSeen); err != nil {
		return err
	}
	return h.emitBlobs(s)
}

// strays are objects that no commit leads to.
type strays struct{ commits, trees, tags, blobs []oid }

// refs emits the names of refs and the tags they point to, and returns the
// commits they lead to.
func (h *history) refs(s *commitScan, t *refTable, loose *strays) (tips []oid, err error) {
	s.muteTags = h.options.Shard.Index > 1 // see scanShard
	for _, f := range t.refs {
		if strings.HasPrefix(f.name, "refs/") && h.options.Shard.Index <= 1 {
			s.note(func(c *scanner.Coverage) { c.Refs++ })
			o := &scanner.Object{Kind: scanner.RefName, Ref: f.name, ID: s.repo.hex(f.id)}
			if err := s.text(o, []byte(f.name)); err != nil {
				return nil, err
			}
		}
		target, k, err := s.tagChain(f.id, f.name)
		var stopped emitError
		switch {
		case errors.As(err, &stopped):
			return nil, stopped.error
		case err != nil:
			s.failed(f.name, target, err)
		case k == commitKind:
			tips = append(tips, target)
		case k == treeKind:
			loose.trees = append(loose.trees, target)
		default:
			loose.blobs = append(loose.blobs, target)
		}
	}
	return tips, nil
}

// everything adds all stored objects to loose.
func (h *history) everything(s *commitScan, loose *strays) error {
	return s.store.each(s.ctx, func(id oid, k kind) error {
		switch k {
		case commitKind:
			loose.commits = append(loose.commits, id)
		case treeKind:
			loose.trees = append(loose.trees, id)
		case tagKind:
			loose.tags = append(loose.tags, id)
		default: // what cannot be told is read as a blob, and reported if it is none
			loose.blobs = append(loose.blobs, id)
		}
		return nil
	})
}

// rest emits the strays that the commits did not lead to.
func (h *history) rest(s *commitScan, loose *strays, seen map[oid]struct{}) error {
	for _, id := range loose.tags {
		_, _, err := s.tagChain(id, "")
		var stopped emitError
		if errors.As(err, &stopped) {
			return stopped.error
		}
		if err != nil {
			s.failed("tag "+s.repo.hex(id), id, err)
		}
	}
	for _, id := range loose.trees {
		if _, ok := seen[id]; ok {
			continue
		}
		if err := s.tree(id, nil, nil); err != nil {
			return err
		}
	}
	for _, id := range loose.blobs {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		s.blobs.add(&id, firstPlace{})
	}
	return nil
}
