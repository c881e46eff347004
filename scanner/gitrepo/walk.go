package gitrepo

import (
	"container/heap"
	"context"
	"fmt"
	"math"
)

// A node is one commit of a walk.
type node struct {
	id, tree oid
	// Of a census: the record of the tree, and the place of the commit's text
	// plus one.
	record, text int32
	date         int64 // committer date, Unix seconds
	parents      []int32
	// parentIDs are the parents until their own nodes are known.
	parentIDs []oid
	// excluded says that the walk was asked to leave out the commit and all
	// it reaches; left and right are the sides of a merge-base search.
	excluded, left, right bool
	queued                bool // waits in the queue
	cut                   bool // its parents were cut off by a shallow clone
	bad                   bool // it could not be read
}

// A walk reads commits, newest first, and keeps the graph they make. Only
// what a later step needs of each is kept, for histories have a million.
type walk struct {
	repo    *Repo
	rd      reader
	shallow map[oid]bool
	nodes   []node
	index   map[oid]int32
	queue   []int32
	live    int // queued nodes that are not excluded
	// failed is told of commits that cannot be read.
	failed func(id oid, err error)
	// known, where not nil, returns commits that were read before, and where
	// their text is.
	known func(id oid) (c commit, text int32, ok bool)
}

func newWalk(r *Repo, rd reader, failed func(oid, error)) (*walk, error) {
	cut, err := r.shallow()
	if err != nil {
		return nil, err
	}
	return &walk{repo: r, rd: rd, shallow: cut, index: map[oid]int32{}, failed: failed}, nil
}

// expect says how many commits there will be, at most.
func (w *walk) expect(commits int) {
	w.nodes, w.index = make([]node, 0, commits), make(map[oid]int32, commits)
}

// Len, Less, Swap, Push and Pop make the queue a heap, newest first; of equal
// dates the one found first.
func (w *walk) Len() int { return len(w.queue) }
func (w *walk) Less(i, j int) bool {
	a, b := w.queue[i], w.queue[j]
	if w.nodes[a].date != w.nodes[b].date {
		return w.nodes[a].date > w.nodes[b].date
	}
	return a < b
}
func (w *walk) Swap(i, j int) { w.queue[i], w.queue[j] = w.queue[j], w.queue[i] }

// Push adds a node number.
func (w *walk) Push(x any) { w.queue = append(w.queue, x.(int32)) }

// Pop removes the last node number.
func (w *walk) Pop() any {
	last := w.queue[len(w.queue)-1]
	w.queue = w.queue[:len(w.queue)-1]
	return last
}

// add reads commit id unless it is known and returns its number. The parents
// are not looked at yet.
func (w *walk) add(id oid) int32 {
	if n, ok := w.index[id]; ok {
		return n
	}
	n := int32(len(w.nodes))
	w.index[id] = n
	w.nodes = append(w.nodes, node{id: id})
	at := &w.nodes[n]
	c, err := w.read(id, at)
	if err != nil {
		at.bad = true
		w.failed(id, err)
		return n
	}
	at.tree, at.date = c.tree, c.seconds()
	if at.cut = w.shallow[id] && len(c.parents) > 0; !at.cut {
		at.parentIDs = c.parents
	}
	return n
}

func (w *walk) read(id oid, at *node) (commit, error) {
	if w.known != nil {
		if c, text, ok := w.known(id); ok {
			at.text = text
			return c, nil
		}
	}
	return w.repo.readCommit(w.rd, id)
}

func (w *walk) push(n int32) {
	if at := &w.nodes[n]; !at.queued {
		at.queued = true
		heap.Push(w, n)
		if !at.excluded {
			w.live++
		}
	}
}

// exclude marks n and all it reaches as far as that is known already.
func (w *walk) exclude(n int32) {
	stack := []int32{n}
	for len(stack) > 0 {
		at := &w.nodes[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if at.excluded {
			continue
		}
		at.excluded = true
		if at.queued {
			w.live--
		}
		stack = append(stack, at.parents...)
	}
}

// slop is how many further excluded commits are looked at once nothing else
// waits, in case dates are out of order, as git does (SLOP in its revision.c).
// Where the clock was off by more, commits that are old are taken for new:
// never the other way round.
const slop = 5

// between reads what include reaches and exclude does not. With nothing
// excluded that is everything.
func (w *walk) between(ctx context.Context, include, exclude []oid) error {
	for _, id := range include {
		w.push(w.add(id))
	}
	for _, id := range exclude {
		n := w.add(id)
		w.exclude(n)
		w.push(n)
	}
	spare, oldest := slop, int64(math.MaxInt64)
	for len(w.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case w.live > 0, len(exclude) == 0:
			spare = slop
		case w.nodes[w.queue[0]].date >= oldest:
			spare = slop // newer than something taken for new: it may reach it
		default:
			spare--
		}
		if spare <= 0 {
			return nil
		}
		n := heap.Pop(w).(int32)
		w.nodes[n].queued = false
		if !w.nodes[n].excluded {
			w.live--
			oldest = min(oldest, w.nodes[n].date)
		}
		w.expand(n)
	}
	return nil
}

// expand adds the parents of n to the graph.
func (w *walk) expand(n int32) {
	ids := w.nodes[n].parentIDs
	w.nodes[n].parentIDs = nil
	for _, id := range ids {
		_, known := w.index[id]
		p := w.add(id)
		w.nodes[n].parents = append(w.nodes[n].parents, p)
		if w.nodes[n].excluded {
			w.exclude(p)
		}
		if !known {
			w.push(p)
		}
	}
}

// oldestFirst returns the numbers of all nodes that are not excluded, parents
// before children, and as far as that leaves a choice by date.
func (w *walk) oldestFirst() []int32 {
	waiting := make([]int32, len(w.nodes)) // parents still to come
	children := make([][]int32, len(w.nodes))
	ready := &byDate{w: w}
	total := 0
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.excluded {
			continue
		}
		total++
		for _, p := range n.parents {
			if !w.nodes[p].excluded {
				waiting[i]++
				children[p] = append(children[p], int32(i))
			}
		}
		if waiting[i] == 0 {
			ready.list = append(ready.list, int32(i))
		}
	}
	heap.Init(ready)
	order := make([]int32, 0, total)
	for ready.Len() > 0 {
		n := heap.Pop(ready).(int32)
		order = append(order, n)
		for _, c := range children[n] {
			if waiting[c]--; waiting[c] == 0 {
				heap.Push(ready, c)
			}
		}
	}
	return order
}

// byDate is a heap of nodes, oldest first.
type byDate struct {
	w    *walk
	list []int32
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h *byDate) Len() int { return len(h.list) }
func (h *byDate) Less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if da, db := h.w.nodes[a].date, h.w.nodes[b].date; da != db {
		return da < db
	}
	return a > b // found later, so most likely older
}
func (h *byDate) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }

// Push adds a node number.
func (h *byDate) Push(x any) { h.list = append(h.list, x.(int32)) }

// Pop removes the last node number.
func (h *byDate) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// mergeBases returns commits that a and b both reach, among them all best
// ones, so that leaving out what they reach leaves out all that a and b share.
func (r *Repo) mergeBases(ctx context.Context, rd reader, a, b oid) ([]oid, error) {
	var failure error
	w, err := newWalk(r, rd, func(_ oid, err error) { failure = err })
	if err != nil {
		return nil, err
	}
	for i, id := range [...]oid{a, b} {
		if id, _, err = r.peel(rd, id); err != nil {
			return nil, fmt.Errorf("finding merge bases: %w", err)
		}
		n := w.add(id)
		w.nodes[n].left = w.nodes[n].left || i == 0
		w.nodes[n].right = w.nodes[n].right || i == 1
		w.push(n)
	}
	var bases []oid
	// excluded marks what lies below a base already found
	for w.live > 0 && failure == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := heap.Pop(w).(int32)
		at := w.nodes[n]
		w.nodes[n].queued = false
		if !at.excluded {
			w.live--
		}
		if at.left && at.right && !at.excluded {
			bases = append(bases, at.id)
			w.nodes[n].excluded = true
		}
		for _, id := range at.parentIDs {
			_, known := w.index[id]
			p := w.add(id)
			to := &w.nodes[p]
			below := w.nodes[n].excluded
			changed := !known || at.left && !to.left || at.right && !to.right || below && !to.excluded
			if changed && to.queued && below && !to.excluded {
				w.live--
			}
			to.left, to.right = to.left || at.left, to.right || at.right
			to.excluded = to.excluded || below
			if changed {
				w.push(p)
			}
		}
	}
	return bases, failure
}
