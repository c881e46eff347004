package gitrepo

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// A commitScan emits what commits brought. A commit is judged against all its
// parents: what any of them has already is not new, and what only a merge
// brought is. The same goes for ranges and for whole histories; they differ in
// which commits they look at and in what makes two blobs the same.
type commitScan struct {
	*run
	walk  *walk
	trees *trees
	rd    reader
	// history says that each blob is emitted once, as a whole. Else it is
	// emitted once for each set of parents' blobs, with the lines that count.
	history bool
	blobs   *blobTable // in a history
	numbers []int32    // in a history, of the walk's nodes among blobs.commits
	changes map[string]struct{}
	paths   map[string]string // each to itself
	inTrees func(id oid)      // told of every tree that is entered, or nil
	tags    map[oid]bool
	// muteTags leaves out what tags say, not what they point to.
	muteTags bool
	cuts     int // commits whose parents a shallow clone lacks
	cut      oid
}

// newCommitScan prepares a scan that reads with rd.
func newCommitScan(x *run, rd reader) (*commitScan, error) {
	w, err := newWalk(x.repo, rd, func(id oid, err error) {
		x.failed("commit "+x.repo.hex(id), id, err)
	})
	return &commitScan{
		run: x, walk: w, rd: rd, trees: &trees{repo: x.repo, rd: rd},
		blobs: newBlobTable(), changes: map[string]struct{}{}, paths: map[string]string{}, tags: map[oid]bool{},
	}, err
}

// all emits the commits with the given numbers.
func (s *commitScan) all(order []int32) error {
	if s.history {
		s.numbers = make([]int32, len(s.walk.nodes))
		for i := range s.numbers {
			s.numbers[i] = -1
		}
	}
	for _, n := range order {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.one(n); err != nil {
			return err
		}
	}
	return nil
}

func (s *commitScan) one(n int32) error {
	at := s.walk.nodes[n]
	if at.bad {
		return nil // reported when it was first read
	}
	c, err := s.repo.readCommit(s.rd, at.id)
	if err != nil {
		s.failed("commit "+s.repo.hex(at.id), at.id, err)
		return nil
	}
	d, err := s.commit(at.id, &c)
	if err != nil {
		return err
	}
	if at.cut {
		s.cuts++
		s.cut = at.id
		if !s.history {
			return nil // without parents nobody knows what it changed
		}
	}
	parents := make([]oid, len(at.parents))
	for i, p := range at.parents {
		parents[i] = s.walk.nodes[p].tree
	}
	if s.history {
		base := int32(-1)
		if len(at.parents) == 1 && !s.walk.nodes[at.parents[0]].bad {
			base = s.numbers[at.parents[0]]
		}
		s.numbers[n] = int32(len(s.blobs.commits))
		from := len(s.blobs.touched)
		s.blobs.commits = append(s.blobs.commits, walked{root: c.tree, base: base, from: from, to: from})
	}
	return s.tree(c.tree, parents, d)
}

// tree emits what tree has and parents have not. d may be nil.
func (s *commitScan) tree(tree oid, parents []oid, d *scanner.Commit) error {
	lost := func() []lostFile { return s.repo.lostFiles(tree, parents) }
	c := comparison{trees: s.trees, seen: s.inTrees}
	c.failed = func(path []byte, id oid, err error) {
		where := "directory " + string(path)
		if len(path) == 0 {
			where = "the top directory"
		}
		if d != nil {
			where += " of commit " + d.ID
		}
		s.failed(where, id, err)
		if s.history && d != nil {
			s.blobs.commits[len(s.blobs.commits)-1].base = -1
		}
	}
	if s.history && d != nil {
		c.gone = s.touch
	}
	c.visit = func(ch *change) error { return s.change(ch, d, lost) }
	return c.compare(tree, parents)
}

// change emits one changed path.
func (s *commitScan) change(ch *change, d *scanner.Commit, lost func() []lostFile) error {
	if ch.added {
		if err := s.name(ch.path, d); err != nil {
			return err
		}
	}
	link := ch.mode&modeType == modeGitlink
	if s.history && d != nil {
		s.touch(ch.path)
	}
	switch {
	case link:
		// Of a history all that its repository has is meant, of a range what
		// each change of the name brings; without submodules each counts once.
		name := "submodule\x00" + string(ch.path)
		if s.names[name] && (s.history || !s.repo.options.Submodules) {
			return nil
		}
		s.names[name] = true
	case s.history:
		s.brought(ch, d)
		return nil
	default:
		key := changeKey(ch)
		if _, ok := s.changes[key]; ok {
			return nil
		}
		s.changes[key] = struct{}{}
	}
	o := &scanner.Object{Path: string(ch.path), Commit: d, Mode: ch.mode}
	if !s.history && len(ch.olds) > 0 {
		n := &newLines{repo: s.repo, object: o, id: ch.id, olds: append([]oid(nil), ch.olds...)}
		if ch.added {
			n.lost = lost
		}
		o.New = n
	}
	return s.file(o, ch.id, ch.olds, false)
}

// touch notes that the latest commit changed path.
func (s *commitScan) touch(path []byte) {
	s.blobs.touched = append(s.blobs.touched, s.shared(path))
	s.blobs.commits[len(s.blobs.commits)-1].to++
}

// shared returns path, all equal ones with the same bytes.
func (s *commitScan) shared(path []byte) string {
	p, ok := s.paths[string(path)]
	if !ok {
		p = string(path)
		s.paths[p] = p
	}
	return p
}

// brought notes a blob of a history for later.
func (s *commitScan) brought(ch *change, d *scanner.Commit) {
	path := s.shared(ch.path)
	n, isNew := s.blobs.add(&ch.id, firstPlace{path: path, commit: d, mode: ch.mode})
	if !isNew && s.blobs.places[n].path != path {
		s.blobs.copies = append(s.blobs.copies, copied{int32(n), path})
	}
}

// changeKey identifies a blob and the blobs it replaces, whatever the order of
// the parents.
func changeKey(ch *change) string {
	var olds []oid
	for _, id := range ch.olds {
		if !id.isZero() {
			olds = append(olds, id)
		}
	}
	sort.Slice(olds, func(i, j int) bool { return bytes.Compare(olds[i][:], olds[j][:]) < 0 })
	key := append([]byte(nil), ch.id[:]...)
	for _, id := range olds {
		key = append(key, id[:]...)
	}
	return string(key)
}

// lostFiles returns the paths that a parent has and tree has not, for the
// search for renames. What cannot be read is left out: then lines are new.
func (r *Repo) lostFiles(tree oid, parents []oid) []lostFile {
	rd, done, err := r.borrow()
	if err != nil {
		return nil
	}
	defer done()
	var lost []lostFile
	for _, p := range parents {
		c := comparison{trees: &trees{repo: r, rd: rd}, failed: func([]byte, oid, error) {}}
		c.visit = func(ch *change) error {
			if ch.added && ch.mode&modeType != modeGitlink && len(lost) < maxLost {
				lost = append(lost, lostFile{string(ch.path), ch.id})
			}
			return nil
		}
		_ = c.compare(p, []oid{tree}) // visit returns no error
	}
	return lost
}

// tagChain emits the annotated tags from id on, each once, and returns what
// the last of them points to. name is the ref, or "".
func (s *commitScan) tagChain(id oid, name string) (oid, kind, error) {
	for range 64 {
		o, err := s.rd.read(id)
		if err != nil {
			return id, noKind, err
		}
		closeStream(o)
		if o.kind != tagKind {
			return id, o.kind, nil
		}
		t, err := s.repo.readTag(s.rd, id)
		if err != nil {
			return id, noKind, err
		}
		if !s.tags[id] && !s.muteTags {
			s.tags[id] = true
			if err := s.tag(id, &t, first(strings.TrimPrefix(name, "refs/tags/"), s.repo.hex(id))); err != nil {
				return id, noKind, emitError{err}
			}
		}
		id = t.target
	}
	return id, noKind, fmt.Errorf("more than 64 tags in a row")
}

// sayCut records that a shallow clone hides what was asked for.
func (s *commitScan) sayCut(what string) {
	if s.cuts > 0 {
		s.problem("commit "+s.repo.hex(s.cut), fmt.Sprintf("the clone is shallow: the parents of %s are not here, %s",
			count(s.cuts, "commit", "commits"), what), fixShallow)
	}
}
