package gitrepo

import (
	"context"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// A blobPlace is a path at which some reached tree has a blob.
type blobPlace struct{ blob, path int32 }

// noPath is the hint of a blob that a ref names directly.
const noPath = -1

// maxPaths bounds how many paths there are in all, and maxPlaces how many trees
// have beside their first. What has more was made to have them: a dozen trees
// can have a million million paths.
const (
	maxPaths  = 1 << 22
	maxPlaces = 1 << 21
)

// A visit is a tree at a path.
type visit struct{ tree, path int32 }

func (v visit) key() uint64 { return uint64(uint32(v.tree))<<32 | uint64(uint32(v.path)) }

// A reacher follows trees from the roots of commits.
//
// A tree is visited once at each path. Most of what it has its base has too: if
// the base is visited at the same path, which it nearly always is, the edges
// of the record are all that is left to be followed. Where, in the end, the
// base turns out not to be visited there, all entries are put together from the
// chain of bases. Either way exactly what the tree has is followed: each entry
// that is not among its edges is one of the base, at the same path.
type reacher struct {
	*census
	first []int32 // by tree, the path at which it was visited first, or -1
	more  map[uint64]struct{}
	queue []visit
	late  []visit  // of those visited, whose base was not
	seen  []uint32 // by key, the call of expand that met it
	calls uint32
}

// reach finds out which blobs and paths the commits and loose reach.
func (c *census) reach(ctx context.Context, loose *strays) error {
	c.paths.start()
	r := &reacher{census: c, first: make([]int32, len(c.trees)), more: map[uint64]struct{}{}}
	for i := range r.first {
		r.first[i] = -1
	}
	for _, n := range c.order {
		if err := r.root(&c.walk.nodes[n].tree, &c.walk.nodes[n].record); err != nil {
			return err
		}
	}
	for i := range loose.trees {
		var record int32
		if err := r.root(&loose.trees[i], &record); err != nil {
			return err
		}
		c.strays = append(c.strays, record)
	}
	for i := range loose.blobs {
		if err := r.blob(c.number(&loose.blobs[i]), noPath); err != nil {
			return err
		}
	}
	return r.run(ctx)
}

// root visits a tree at the top, and notes its place.
func (r *reacher) root(id *oid, record *int32) error {
	*record = r.tree(int32(r.number(id)))
	return r.push(*record, 0)
}

// run follows what was pushed, and all that comes of it.
func (r *reacher) run(ctx context.Context) error {
	for len(r.queue) > 0 || len(r.late) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		for len(r.queue) > 0 {
			at := r.queue[len(r.queue)-1]
			r.queue = r.queue[:len(r.queue)-1]
			if base := r.trees[at.tree].base; base >= 0 && !r.visited(visit{base, at.path}) {
				r.late = append(r.late, at)
				continue
			}
			if err := r.follow(r.edgesOf(at.tree), at.path); err != nil {
				return err
			}
		}
		for _, at := range r.late {
			var err error
			if r.visited(visit{r.trees[at.tree].base, at.path}) {
				err = r.follow(r.edgesOf(at.tree), at.path)
			} else {
				err = r.expand(at)
			}
			if err != nil {
				return err
			}
		}
		r.late = r.late[:0]
	}
	return nil
}

func (r *reacher) visited(at visit) bool {
	if r.first[at.tree] == at.path {
		return true
	}
	if len(r.more) == 0 {
		return false
	}
	_, ok := r.more[at.key()]
	return ok
}

// push visits a tree at a path, unless it was.
func (r *reacher) push(tree, path int32) error {
	at := visit{tree, path}
	switch {
	case tree < 0:
		return unusual("a tree of %s cannot be read", r.path(path))
	case r.visited(at):
		return nil
	case r.first[tree] < 0:
		r.first[tree] = path
	case len(r.more) == maxPlaces:
		return unusual("folders are at more than %d paths", maxPlaces)
	default:
		r.more[at.key()] = struct{}{}
	}
	r.queue = append(r.queue, at)
	return nil
}

// follow follows edges of a tree at path.
func (r *reacher) follow(edges []treeEdge, path int32) error {
	for i := range edges {
		if edges[i].child != edgeGone {
			if err := r.edge(&edges[i], path); err != nil {
				return err
			}
		}
	}
	return nil
}

// edge follows one edge.
func (r *reacher) edge(e *treeEdge, path int32) error {
	p := r.paths.add(path, e.name())
	n := &r.paths.nodes[p]
	switch {
	case len(r.paths.nodes) > maxPaths:
		return unusual("there are more than %d paths", maxPaths)
	case e.isTree():
		if n.depth > maxDepth || e.child < 0 {
			return unusual("%s is too deep or missing", r.path(p))
		}
		return r.push(r.tree(e.child), p)
	case e.child == edgeLink:
		n.file, n.link = true, true
		return nil
	}
	n.file = true
	r.places = append(r.places, blobPlace{e.child, p})
	isNew, isLink := e.child >= 0 && r.hint[e.child] == 0, e.mode&modeType == modeSymlink
	if isNew && isLink {
		r.links[e.child] = struct{}{}
	} else if !isLink && len(r.links) > 0 {
		delete(r.links, e.child)
	}
	return r.blob(int(e.child), p)
}

// blob notes that a blob is reached.
func (r *reacher) blob(number int, path int32) error {
	if number < 0 || r.v.Kind(number) != pack.Blob {
		return unusual("the blob at %s is missing or none", r.path(path))
	}
	if r.hint[number] == 0 {
		r.hint[number] = path
		r.blobs++
	}
	return nil
}

// expand follows all entries of a tree.
func (r *reacher) expand(at visit) error {
	if r.seen == nil {
		r.seen = make([]uint32, 2*r.names.len())
	}
	if r.calls++; r.calls == 0 { // all marks are of this call, or of none
		clear(r.seen)
		r.calls = 1
	}
	for t := at.tree; t >= 0; t = r.trees[t].base {
		for i, edges := 0, r.edgesOf(t); i < len(edges); i++ {
			e := &edges[i]
			if r.seen[e.key] == r.calls {
				continue // changed or gone in a tree that was made of this one
			}
			r.seen[e.key] = r.calls
			if e.child == edgeGone {
				continue
			}
			if err := r.edge(e, at.path); err != nil {
				return err
			}
		}
	}
	return nil
}
