package gitrepo

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// Attribute implements scanner.Attributor: it counts how many more commits
// hold each blob. Commit and path were known when the blob was
// emitted.
//
// Of all trees only those are read that lie on a path at which one of the
// blobs ever was, and of all commits only those that changed one: the walk over
// the commits has noted these paths. A blob comes to a path only by a commit
// none of whose parents has it there.
func (h *history) Attribute(ctx context.Context, objects []*scanner.Object) error {
	objects = h.own(objects)
	if h.census != nil {
		return h.attributeCensus(ctx, objects)
	}
	wanted := map[oid]int{}
	for _, o := range objects {
		if id, ok := h.blobOf(o); ok {
			if _, known := wanted[id]; !known {
				wanted[id] = len(wanted)
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	_, rd, err := h.repo.openStore(ctx, false)
	if err != nil {
		return err
	}
	defer func() { _ = rd.close() }()
	c := holders{trees: &trees{repo: h.repo, rd: rd}, wanted: wanted, memo: map[holderKey][]int{}}
	top := h.pathsOf(wanted)
	counts := make([]int, len(wanted))
	held := make([][]int, len(h.blobs.commits))
	for n := range held {
		if err := ctx.Err(); err != nil {
			return err
		}
		w := &h.blobs.commits[n]
		if w.base >= 0 && !slices.ContainsFunc(h.blobs.touched[w.from:w.to], top.meets) {
			held[n] = held[w.base]
		} else {
			held[n] = c.in(w.root, top, 0)
		}
		for _, i := range held[n] {
			counts[i]++
		}
	}
	for _, o := range objects {
		if id, ok := h.blobOf(o); ok {
			o.OtherCommits = max(counts[wanted[id]]-1, 0)
		}
	}
	return nil
}

// blobOf returns the id of o if it is a blob.
func (h *history) blobOf(o *scanner.Object) (oid, bool) {
	if o.Kind != scanner.Content && o.Kind != scanner.SymlinkTarget {
		return oid{}, false
	}
	id, err := parseOID(o.ID, h.repo.hashLen)
	return id, err == nil
}

// A folder is one of those that wanted blobs were in, with the names in it that
// lead to them: to folders, or nil where a blob has the name.
type folder struct{ names map[string]*folder }

// meets reports whether path, as a file or a folder, has to do with any of the
// paths of f.
func (f *folder) meets(path string) bool {
	for more := true; more && f != nil; {
		var name string
		name, path, more = strings.Cut(path, "/")
		below, ok := f.names[name]
		if !ok {
			return false
		}
		f = below
	}
	return true
}

// pathsOf returns the tree of all paths at which the wanted blobs were.
func (h *history) pathsOf(wanted map[oid]int) *folder {
	top := &folder{names: map[string]*folder{}}
	add := func(n int32, path string) {
		if _, ok := wanted[h.blobs.ids[n]]; !ok || path == "" {
			return
		}
		at := top
		for {
			name, rest, more := strings.Cut(path, "/")
			next := at.names[name]
			if !more {
				at.names[name] = next // it may be a folder in other commits
				return
			}
			if next == nil {
				next = &folder{names: map[string]*folder{}}
				at.names[name] = next
			}
			at, path = next, rest
		}
	}
	for n := range h.blobs.places {
		add(int32(n), h.blobs.places[n].path)
	}
	for _, c := range h.blobs.copies {
		add(c.blob, c.path)
	}
	return top
}

// holders tells which wanted blobs trees hold. What was found of a tree is
// remembered, so that each is read once however many commits share it.
type holders struct {
	*trees
	wanted map[oid]int
	memo   map[holderKey][]int
}

// A holderKey is a tree at a path.
type holderKey struct {
	tree oid
	at   *folder
}

// in returns the numbers of the wanted blobs in tree, which is at the folder
// at, each once. A tree that cannot be read was reported by the scan and holds
// nothing here.
func (h *holders) in(tree oid, at *folder, depth int) []int {
	if found, ok := h.memo[holderKey{tree, at}]; ok {
		return found
	}
	var found []int
	raw, err := h.read(tree)
	if err == nil && depth <= maxDepth {
		for t := (treeReader{rest: raw, hashLen: h.repo.hashLen}); t.skipTo(at.names) && t.next(); {
			below := at.names[string(t.entry.name)]
			if !t.entry.isTree() {
				if n, ok := h.wanted[t.entry.id]; ok {
					found = append(found, n)
				}
			} else if below != nil {
				found = append(found, h.in(t.entry.id, below, depth+1)...)
			}
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	h.memo[holderKey{tree, at}] = found
	return found
}

// skipTo passes over the entries whose names are not among names and reports
// whether it found one that is.
func (t *treeReader) skipTo(names map[string]*folder) bool {
	for {
		name := bytes.IndexByte(t.rest, ' ') + 1
		if name == 0 {
			return false
		}
		nul := bytes.IndexByte(t.rest[name:], 0)
		next := name + nul + 1 + t.hashLen
		if nul < 0 || next > len(t.rest) {
			return false
		}
		if _, ok := names[string(t.rest[name:name+nul])]; ok {
			return true
		}
		t.rest = t.rest[next:]
	}
}
