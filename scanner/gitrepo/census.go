package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// A census is what is known of a history once its commits and trees were read
// in the order in which packs store them, each once:
//
//	commits --parents, trees--> walk --roots--> reach --numbers--> blobs to read
//	trees --entries that the base of their delta has not--^
//
// To compare the trees of each commit with its parents' means to read
// each tree several times, one by one. The packs have compared them already: a
// tree is stored as what it has beyond another version of the same folder. Of
// 130,000 trees so the entries of some ten thousand are left, and to follow
// these from the roots of all commits tells every blob and every path that any
// commit has (see reach), and, once something was found, which commit had it
// first (see origins).
//
// It is only for histories in which nothing is wrong. Whatever is unusual,
// be it an object that is missing or damaged, or a tree out of order, is
// errUnusual: then nothing was emitted yet, and the walk over the commits one
// by one, which knows what to say about it, does all the work.
type census struct {
	repo *Repo
	v    *pack.Survey

	// records has, by number, the place in trees of a tree plus one, and that
	// in texts of a commit plus one with the sign turned round.
	records []int32
	texts   [][]byte // of commits
	trees   []treeRecord
	edges   []treeEdge
	names   nameTable
	paths   pathTable

	// hint has, by number, a path at which a blob is, 0 for one that nothing
	// reaches, noPath for one that a ref names directly.
	hint  []int32
	blobs int // that are reached
	// links has the numbers of blobs that are nothing but symbolic links.
	links  map[int32]struct{}
	places []blobPlace

	walk   *walk
	order  []int32 // of the walk's nodes, the oldest first
	strays []int32 // trees that no commit leads to but a ref
}

var errUnusual = errors.New("the history has something unusual in it")

func unusual(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errUnusual, fmt.Sprintf(format, a...))
}

// A treeRecord is what is kept of a tree.
type treeRecord struct {
	number int32
	base   int32 // its place in trees, or -1
	// edges[from:to] are what the base has and the tree has not, then what
	// the tree has and the base has not.
	from, to int32
}

// A treeEdge is an entry of a tree. In the order of git's trees no name comes
// twice, unless once for a folder and once not: so key tells entries apart.
type treeEdge struct {
	child int32  // the number of the object, or one of the constants below
	key   uint32 // the number of its name, times two, plus one for a folder
	mode  uint32
}

const (
	edgeGone    = -1 // only the base has the entry
	edgeMissing = -2 // the object is not there
	edgeLink    = -3 // the commit of a submodule
)

func edgeKey(name uint32, e *pack.TreeEntry) uint32 {
	if e.IsTree() {
		return name<<1 | 1
	}
	return name << 1
}

func (e *treeEdge) name() uint32 { return e.key >> 1 }
func (e *treeEdge) isTree() bool { return e.key&1 != 0 }

// takeCensus reads commits and trees and finds out what tips and strays reach.
// Nothing is emitted.
func takeCensus(s *commitScan, st *packStore, tips []oid, loose *strays) (*census, error) {
	r := s.repo
	v, err := st.store.Survey(s.ctx, r.options.Jobs)
	if err != nil {
		return nil, errors.Join(errUnusual, err)
	}
	c := &census{repo: r, v: v, records: make([]int32, v.Len()), hint: make([]int32, v.Len()), links: map[int32]struct{}{}}
	if err := c.readCommits(s.ctx); err != nil {
		return nil, err
	}
	var failure error
	if c.walk, err = newWalk(r, s.rd, func(id oid, e error) { failure = unusual("commit %s: %v", r.hex(id), e) }); err != nil {
		return nil, err
	}
	c.walk.known = c.commit
	c.walk.expect(v.Count(pack.Commit))
	if err := c.walk.between(s.ctx, tips, nil); err != nil {
		return nil, err
	}
	if failure != nil {
		return nil, failure
	}
	c.order = c.walk.oldestFirst()
	if err := c.readTrees(s.ctx); err != nil {
		return nil, err
	}
	return c, c.reach(s.ctx, loose)
}

// maxTexts bounds how many bytes of commits are kept until they are emitted.
// The others are read again.
const maxTexts = 32 << 20

// readCommits reads all commits that are stored.
func (c *census) readCommits(ctx context.Context) error {
	jobs := c.repo.options.Jobs
	type commits struct {
		numbers []int32
		texts   [][]byte
		arena   []byte
		kept    int
	}
	workers := make([]commits, jobs)
	err := c.v.Sweep(ctx, c.options(pack.Commit), func(worker int, o *pack.Swept) error {
		w := &workers[worker]
		if o.Err != nil && o.ID.IsZero() {
			return errors.Join(errUnusual, o.Err)
		}
		if o.Err != nil || o.Stream != nil || w.kept > maxTexts/jobs {
			return nil // read again by itself, if it is reached
		}
		if len(o.Data) > cap(w.arena)-len(w.arena) {
			w.arena = make([]byte, 0, max(256<<10, len(o.Data)))
		}
		from := len(w.arena)
		w.arena = append(w.arena, o.Data...)
		w.kept += len(o.Data)
		w.numbers = append(w.numbers, int32(o.Number))
		w.texts = append(w.texts, w.arena[from:len(w.arena):len(w.arena)])
		return nil
	})
	for i := range workers {
		for k, n := range workers[i].numbers {
			c.texts = append(c.texts, workers[i].texts[k])
			c.records[n] = -int32(len(c.texts))
		}
	}
	return err
}

func (c *census) options(k pack.Kind) pack.SweepOptions {
	return pack.SweepOptions{Jobs: c.repo.options.Jobs, Memory: c.repo.options.Memory / 2, Kinds: []pack.Kind{k}, Entries: k == pack.Tree, Nameless: true}
}

// number returns the number of an object, or -1.
func (c *census) number(id *oid) int { return c.v.Find(id[:c.repo.hashLen]) }

// commit parses commit id if its text was kept.
func (c *census) commit(id oid) (parsed commit, text int32, ok bool) {
	n := c.number(&id)
	if n < 0 || c.records[n] >= 0 {
		return commit{}, 0, false
	}
	text = -c.records[n]
	parsed, err := parseCommit(c.texts[text-1], c.repo.hashLen)
	return parsed, text, err == nil
}

// A treeReading is what one worker has read of the trees.
type treeReading struct {
	c     *census
	names nameTable
	trees []treeRecord // whose base is a number yet
	edges []treeEdge
	// The first waits of ids are the objects whose numbers the edges with the
	// same places in of wait for; text is what ids point into.
	waits int
	ids   [pack.FindAtOnce][]byte
	of    [pack.FindAtOnce]int32
	text  [pack.FindAtOnce]oid
}

// number sets the child of an edge, sooner or later.
func (w *treeReading) number(edge int, id []byte) {
	text := w.text[w.waits][:]
	w.ids[w.waits], w.of[w.waits] = text[:copy(text, id)], int32(edge)
	if w.waits++; w.waits == pack.FindAtOnce {
		w.settle()
	}
}

// settle sets the children of all edges that wait for it.
func (w *treeReading) settle() {
	var numbers [pack.FindAtOnce]int32
	w.c.v.FindAll(w.ids[:w.waits], numbers[:])
	for i, edge := range w.of[:w.waits] {
		if w.edges[edge].child = numbers[i]; numbers[i] < 0 {
			w.edges[edge].child = edgeMissing
		}
	}
	w.waits = 0
}

// readTrees reads all trees that are stored.
func (c *census) readTrees(ctx context.Context) error {
	workers := make([]treeReading, c.repo.options.Jobs)
	all := c.v.Count(pack.Tree)
	for i := range workers {
		room := all/len(workers) + 1
		if i == 0 {
			room = all // what the others have read joins it
		}
		// Most trees are another with one entry changed. Room that is not used
		// costs nothing, since no one has touched it.
		workers[i] = treeReading{c: c, trees: make([]treeRecord, 0, room), edges: make([]treeEdge, 0, 2*room)}
	}
	if err := c.v.Sweep(ctx, c.options(pack.Tree), func(worker int, o *pack.Swept) error {
		if o.Err != nil && o.ID.IsZero() {
			return errors.Join(errUnusual, o.Err)
		}
		if o.Parsed {
			workers[worker].take(o)
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range workers {
		workers[i].settle()
		if err := c.join(&workers[i]); err != nil {
			return err
		}
	}
	for i := range c.trees {
		t := &c.trees[i]
		if t.base >= 0 {
			if t.base = c.tree(t.base); t.base < 0 {
				return unusual("tree %s has no base", c.v.ID(int(t.number)))
			}
		}
	}
	return nil
}

// take notes a tree. One with a slash in a name is left out, as one that
// cannot be read is.
func (w *treeReading) take(o *pack.Swept) {
	for i := range o.Added {
		if bytes.IndexByte(o.Added[i].Name, '/') >= 0 {
			return
		}
	}
	from, first := len(w.edges), 0
	for i := range o.Gone {
		e := &o.Gone[i]
		for first < len(o.Added) && pack.CompareEntries(&o.Added[first], e) < 0 {
			first++
		}
		if first == len(o.Added) || pack.CompareEntries(&o.Added[first], e) != 0 { // else it was changed
			w.edges = append(w.edges, treeEdge{child: edgeGone, key: edgeKey(w.names.add(e.Name), e)})
		}
	}
	for i := range o.Added {
		e := &o.Added[i]
		w.edges = append(w.edges, treeEdge{child: edgeLink, key: edgeKey(w.names.add(e.Name), e), mode: e.Mode})
		if !e.IsGitlink() {
			w.number(len(w.edges)-1, e.ID)
		}
	}
	w.trees = append(w.trees, treeRecord{number: int32(o.Number), base: int32(o.Base), from: int32(from), to: int32(len(w.edges))})
}

// join adds what a worker has read.
func (c *census) join(w *treeReading) error {
	if len(c.trees) == 0 {
		c.trees, c.edges, c.names = w.trees, w.edges, w.names
		for i := range c.trees {
			c.records[c.trees[i].number] = int32(i + 1)
		}
		return nil
	}
	if len(c.edges)+len(w.edges) > 1<<31-1 {
		return unusual("trees have more than 2^31 entries")
	}
	renamed := make([]uint32, w.names.len())
	for i := range renamed {
		renamed[i] = c.names.add(w.names.name(uint32(i)))
	}
	shift := int32(len(c.edges))
	for _, e := range w.edges {
		e.key = renamed[e.key>>1]<<1 | e.key&1
		c.edges = append(c.edges, e)
	}
	for _, t := range w.trees {
		t.from, t.to = t.from+shift, t.to+shift
		c.trees = append(c.trees, t)
		c.records[t.number] = int32(len(c.trees))
	}
	return nil
}

// tree returns the place in trees of the object of that number, or -1.
func (c *census) tree(number int32) int32 {
	if number < 0 || c.records[number] <= 0 {
		return -1
	}
	return c.records[number] - 1
}

// edgesOf returns what tree t has and its base has not, and the other way round.
func (c *census) edgesOf(t int32) []treeEdge { return c.edges[c.trees[t].from:c.trees[t].to] }
