package gitrepo

import (
	"cmp"
	"context"
	"slices"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// An origin is where a blob or a file's name came from.
type origin struct {
	commit  int32 // the first one that has it, as a node of the walk, or -1
	path    int32 // where that one has it, the first in the order of its trees
	mode    uint32
	commits int // that have it
}

// origins finds the origins of blobs, given by number, and of names, given by
// path.
//
// Only the paths count at which one of them ever was. Of a folder on the way to
// these, just the entries that lead on are looked at; a tree none of whose edges
// is one of them has the same as its base, and so takes no time of its own.
// A commit is first if it has what no commit before it in topological order had.
func (c *census) origins(ctx context.Context, blobs, names []int32) (ofBlobs, ofNames []origin, err error) {
	t := &tracer{census: c, first: make([]remembered, len(c.trees)), named: make([]bool, c.names.len()), more: map[uint64]*holding{}, blob: map[int32]int32{}, file: map[int32]int32{}}
	for i, b := range blobs {
		t.blob[b] = int32(i)
	}
	for i, p := range names {
		t.file[p] = int32(len(blobs) + i)
		t.want(p)
	}
	for i := range c.places {
		if _, ok := t.blob[c.places[i].blob]; ok {
			t.want(c.places[i].path)
		}
	}
	defer func() {
		for i := range c.paths.nodes {
			c.paths.nodes[i].wanted = false
		}
	}()
	all := make([]origin, len(blobs)+len(names))
	for i := range all {
		all[i] = origin{commit: -1}
	}
	known := make([]bool, len(all))
	meet := func(h *holding, commit int32) {
		if h.met {
			return
		}
		h.met = true
		for _, item := range h.items {
			if !known[item] {
				known[item] = true
				all[item].commit = commit
				t.locate(h, item, &all[item])
			}
		}
	}
	var holdings []*holding
	for _, n := range c.order {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		h := t.holds(visit{c.walk.nodes[n].record, 0})
		if meet(h, n); h.commits == 0 {
			holdings = append(holdings, h)
		}
		h.commits++
	}
	for _, s := range c.strays {
		meet(t.holds(visit{s, 0}), -1)
	}
	for _, h := range holdings {
		for _, item := range h.items {
			all[item].commits += h.commits
		}
	}
	return all[:len(blobs)], all[len(blobs):], nil
}

// A tracer is one call of origins.
type tracer struct {
	*census
	first      []remembered // by tree
	named      []bool       // by name, whether a path that is wanted has it
	more       map[uint64]*holding
	blob, file map[int32]int32 // items by number and by path
	chain      []int32
}

// A remembered is what a tree has at the first path that was asked for.
type remembered struct {
	*holding
	path int32
}

// recall returns what was found out of a tree at a path, or nil.
func (t *tracer) recall(at visit) *holding {
	if r := &t.first[at.tree]; r.holding == nil || r.path == at.path {
		return r.holding
	}
	return t.more[at.key()]
}

// remember keeps h for recall.
func (t *tracer) remember(at visit, h *holding) {
	if r := &t.first[at.tree]; r.holding == nil {
		*r = remembered{h, at.path}
		return
	}
	t.more[at.key()] = h
}

// A holding is what a tree at a path has of what is looked for: the entries
// that lead to it and the items themselves, rising. Trees that have the same
// share it.
type holding struct {
	entries []held
	items   []int32
	met     bool
	commits int
}

// A held is an entry of a holding.
type held struct {
	treeEdge
	path  int32
	below *holding // of a folder
}

// want marks path p and the folders it is in.
func (t *tracer) want(p int32) {
	for ; !t.paths.nodes[p].wanted; p = t.paths.nodes[p].parent {
		t.paths.nodes[p].wanted = true
		if p == 0 {
			return
		}
		t.named[t.paths.nodes[p].name] = true
	}
}

// holds returns what a tree has at a path. What a base has is found out first,
// so that the depth of a chain does not matter.
func (t *tracer) holds(at visit) *holding {
	from := len(t.chain)
	var h *holding
	tree := at.tree
	for ; tree >= 0; tree = t.trees[tree].base {
		if h = t.recall(visit{tree, at.path}); h != nil {
			break
		}
		t.chain = append(t.chain, tree)
	}
	if h == nil {
		h = &holding{}
	}
	for len(t.chain) > from {
		tree = t.chain[len(t.chain)-1]
		t.chain = t.chain[:len(t.chain)-1]
		h = t.changed(h, visit{tree, at.path})
		t.remember(visit{tree, at.path}, h)
	}
	return h
}

// changed returns what a tree has whose base has h: h itself if it has the same.
func (t *tracer) changed(h *holding, at visit) *holding {
	var next *holding
	edges := t.edgesOf(at.tree)
	for i := range edges {
		e := &edges[i]
		if !t.named[e.name()] { // most are not on the way to anything
			continue
		}
		p := t.paths.find(at.path, e.name())
		if p == 0 || !t.paths.nodes[p].wanted {
			continue
		}
		now := held{treeEdge: *e, path: p}
		if child := t.tree(e.child); e.isTree() && child >= 0 {
			now.below = t.holds(visit{child, p})
		}
		old := h.entries
		if next != nil {
			old = next.entries
		}
		k := slices.IndexFunc(old, func(o held) bool { return o.key == e.key })
		switch {
		case e.child == edgeGone && k < 0, k >= 0 && now.below != nil && old[k].below == now.below:
			continue
		case next == nil:
			next = &holding{entries: slices.Clone(old)}
		}
		switch {
		case e.child == edgeGone:
			next.entries = slices.Delete(next.entries, k, k+1)
		case k < 0:
			next.entries = append(next.entries, now)
		default:
			next.entries[k] = now
		}
	}
	if next == nil {
		return h
	}
	for i := range next.entries {
		next.items = t.itemsOf(next.items, &next.entries[i])
	}
	slices.Sort(next.items)
	next.items = slices.Compact(next.items)
	return next
}

// itemsOf appends the items that are in o.
func (t *tracer) itemsOf(items []int32, o *held) []int32 {
	if o.isTree() {
		if o.below != nil {
			items = append(items, o.below.items...)
		}
		return items
	}
	if item, ok := t.blob[o.child]; ok {
		items = append(items, item)
	}
	if item, ok := t.file[o.path]; ok {
		items = append(items, item)
	}
	return items
}

// locate notes the first place of item in h.
func (t *tracer) locate(h *holding, item int32, to *origin) {
	for h != nil {
		var first *held
		for i := range h.entries {
			o := &h.entries[i]
			if !slices.Contains(t.itemsOf(nil, o), item) {
				continue
			}
			if first == nil || t.compare(o, first) < 0 {
				first = o
			}
		}
		if first == nil {
			return
		}
		to.path, to.mode = first.path, first.mode
		h = first.below
	}
}

// compare orders entries as git's trees do.
func (t *tracer) compare(a, b *held) int {
	return cmp.Or(pack.CompareEntries(
		&pack.TreeEntry{Mode: a.mode, Name: t.names.name(a.name())},
		&pack.TreeEntry{Mode: b.mode, Name: t.names.name(b.name())}), cmp.Compare(a.key, b.key))
}
