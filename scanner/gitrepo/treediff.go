package gitrepo

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A treeCache keeps raw trees that were read lately. It has two generations:
// when the younger is full, it becomes the older and the older is dropped.
type treeCache struct {
	young, old map[uint64]cachedTree // by the first bytes of the id
	size       int
}

type cachedTree struct {
	id  oid
	raw []byte
}

// treeCacheBytes bounds each generation.
const treeCacheBytes = 24 << 20

func (c *treeCache) get(id oid) ([]byte, bool) {
	key := binary.LittleEndian.Uint64(id[:])
	if t, ok := c.young[key]; ok && t.id == id {
		return t.raw, true
	}
	t, ok := c.old[key]
	if !ok || t.id != id {
		return nil, false
	}
	c.put(id, t.raw)
	return t.raw, true
}

func (c *treeCache) put(id oid, raw []byte) {
	if c.young == nil || c.size > treeCacheBytes {
		c.old, c.young, c.size = c.young, map[uint64]cachedTree{}, 0
	}
	c.young[binary.LittleEndian.Uint64(id[:])] = cachedTree{id, raw}
	c.size += len(raw) + 128
}

// A trees reads and compares trees for one goroutine.
type trees struct {
	repo  *Repo
	rd    reader
	cache treeCache
	once  bool // hardly a tree is read twice: they are not kept
}

// read returns the raw tree id; the zero id is the empty tree.
func (t *trees) read(id oid) ([]byte, error) {
	if id.isZero() {
		return nil, nil
	}
	if raw, ok := t.cache.get(id); ok {
		return raw, nil
	}
	raw, err := whole(t.rd, id, treeKind, t.repo.hashLen)
	if err != nil {
		return nil, err
	}
	if !t.once {
		t.cache.put(id, raw)
	}
	return raw, nil
}

// A change is a path whose entry differs from those of all parents.
type change struct {
	path []byte // valid during the call
	id   oid
	mode uint32
	// olds are the entries of the parents at that path, one for each parent,
	// zero where it has none or a directory, or where one of the two is a
	// submodule and the other is not.
	olds []oid
	// added says that no parent has the path.
	added bool
}

// A comparison walks a tree against those of all parents and calls visit for
// every entry that is no directory and differs from all of them; without a
// parent that is every entry. A directory that equals that of one parent is
// not entered.
type comparison struct {
	*trees
	visit func(*change) error
	// failed is told of trees that cannot be read; the walk goes on.
	failed func(path []byte, id oid, err error)
	// seen, where not nil, is told of each tree that is entered.
	seen func(id oid)
	// gone, where not nil and there is one parent, is told of each path that
	// the parent has and the tree has not; of a directory, once for all that
	// is in it.
	gone func(path []byte)
	path []byte
}

// compare compares tree with parents, zero standing for the empty tree.
func (c *comparison) compare(tree oid, parents []oid) error {
	return c.dir(tree, parents, 0)
}

func (c *comparison) dir(tree oid, parents []oid, depth int) error {
	for _, p := range parents {
		if p == tree {
			return nil
		}
	}
	if depth > maxDepth {
		c.failed(c.path, tree, fmt.Errorf("more than %d directories deep", maxDepth))
		return nil
	}
	if c.seen != nil {
		c.seen(tree)
	}
	raw, err := c.read(tree)
	if err != nil {
		c.failed(c.path, tree, err)
		return nil
	}
	others := make([]sibling, len(parents))
	for i, p := range parents {
		old, err := c.read(p)
		if err != nil {
			// everything below counts as new: too much, never too little
			c.failed(c.path, p, err)
			old = nil
		}
		others[i].reader = treeReader{rest: old, hashLen: c.repo.hashLen}
	}
	return c.entries(tree, raw, others, depth)
}

// entries goes through one directory and those of the parents side by side.
func (c *comparison) entries(tree oid, raw []byte, others []sibling, depth int) error {
	t := treeReader{rest: raw, hashLen: c.repo.hashLen}
	olds := make([]oid, len(others))
	base := len(c.path)
	for t.skipEqual(others); t.next(); t.skipEqual(others) {
		e := &t.entry
		same, added := false, true
		for i := range others {
			old, ok := c.find(others, i, e)
			olds[i] = oid{}
			if ok {
				same = same || old.id == e.id && old.isTree() == e.isTree()
				added = false
				if old.isTree() == e.isTree() && (old.mode&modeType == modeGitlink) == (e.mode&modeType == modeGitlink) {
					olds[i] = old.id
				}
			}
		}
		if same {
			continue
		}
		if base > 0 {
			c.path = append(c.path, '/')
		}
		c.path = append(c.path, e.name...)
		var err error
		if e.isTree() {
			err = c.dir(e.id, append([]oid(nil), olds...), depth+1)
		} else {
			err = c.visit(&change{path: c.path, id: e.id, mode: e.mode, olds: olds, added: added})
		}
		c.path = c.path[:base]
		if err != nil {
			return err
		}
	}
	if t.err != nil {
		c.failed(c.path, tree, t.err)
	}
	if c.gone != nil && len(others) == 1 {
		for others[0].peek() {
			c.passed(&others[0].reader.entry)
			others[0].held = false
		}
	}
	return nil
}

// passed tells of an entry that the only parent has and the tree has not.
func (c *comparison) passed(e *treeEntry) {
	base := len(c.path)
	if base > 0 {
		c.path = append(c.path, '/')
	}
	c.gone(append(c.path, e.name...))
	c.path = c.path[:base]
}

// skipEqual passes over the entries that t and all others have next. Trees have
// most of their entries in common, and to compare them whole is far cheaper
// than to take them apart.
func (t *treeReader) skipEqual(others []sibling) {
	if len(others) == 0 || t.err != nil {
		return
	}
	rest := t.rest
	for i := range others {
		if s := &others[i]; s.held {
			s.reader.rest, s.held = s.start, false
		}
	}
	for {
		n := bytes.IndexByte(rest, 0) + 1 + t.hashLen
		if n <= t.hashLen || n > len(rest) {
			break
		}
		equal := true
		for i := range others {
			r := &others[i].reader
			equal = equal && r.err == nil && len(r.rest) >= n && string(r.rest[:n]) == string(rest[:n])
		}
		if !equal {
			break
		}
		rest = rest[n:]
		for i := range others {
			others[i].reader.rest = others[i].reader.rest[n:]
		}
	}
	t.rest = rest
}

// A sibling is a parent's version of a directory, walked in step with the new
// one.
type sibling struct {
	reader treeReader
	// held says that reader.entry, which begins at start, comes next.
	held  bool
	start []byte
}

// peek makes the next entry the reader's and reports whether there is one.
func (s *sibling) peek() bool {
	if !s.held {
		s.start = s.reader.rest
		s.held = s.reader.next()
	}
	return s.held
}

// find moves the i-th of others on to the entry of e's name and kind, and
// reports whether there is one. Both trees are sorted, so the search never has
// to go back. An entry that turned from a file into a directory is not found.
func (c *comparison) find(others []sibling, i int, e *treeEntry) (treeEntry, bool) {
	s := &others[i]
	for s.peek() {
		old := &s.reader.entry
		order := compareNames(old.name, old.isTree(), e.name, e.isTree())
		if order > 0 {
			return treeEntry{}, false
		}
		s.held = false
		if order == 0 && bytes.Equal(old.name, e.name) {
			return *old, true
		}
		if c.gone != nil && len(others) == 1 {
			c.passed(old)
		}
	}
	return treeEntry{}, false
}
