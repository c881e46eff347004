package pack

import (
	"context"
	"math"
	"slices"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// SweepSome is Sweep for the objects ids, each of which may be named once. Of a
// pack it looks at no more than their entries and those of their bases, so
// that what it costs does not depend on how much else there is. It visits only
// what it finds in packs: loose objects, and what is nowhere, are the caller's
// to Get. As with Get, entries are not compared with the checksums of the
// index.
func (s *Store) SweepSome(ctx context.Context, opts SweepOptions, ids []ID, visit func(worker int, obj *Swept) error) error {
	sw := newSweep(s, opts, visit)
	defer context.AfterFunc(ctx, func() { sw.fail(ctx.Err()) })()
	if err := ctx.Err(); err != nil {
		return err
	}
	sw.open()
	left := slices.Clone(ids)
	for rank, p := range sw.st.packs {
		if sw.stop.Load() || len(left) == 0 {
			break
		}
		var pl *plan
		if err := guarded(func() error {
			var here []int32
			left = slices.DeleteFunc(left, func(id ID) bool {
				i, ok := p.idx.find(id.sum[:id.size])
				if ok {
					here = append(here, int32(i))
				}
				return ok
			})
			pl = newSomePlan(sw, p, rank, here)
			return nil
		}); err != nil {
			sw.lost(at(p.path, -1, err))
			continue
		}
		sw.walk(pl)
	}
	sw.once.Do(func() {}) // from here on ctx changes nothing
	return sw.err
}

// newSomePlan lays out the entries at the places wanted of the index, and those
// that they are made of. The places of these are not known (-1).
func newSomePlan(sw *sweep, p *packFile, rank int, wanted []int32) *plan {
	pl := &plan{p: p, rank: rank, some: true, bad: map[int32]error{}, shift: 62}
	places := make(map[int64]int32, 2*len(wanted))
	var queue []int64
	add := func(offset int64, pos int32) {
		old, known := places[offset]
		if !known || old < 0 {
			places[offset] = pos
		}
		if !known {
			queue = append(queue, offset)
		}
	}
	for _, i := range wanted {
		if offset, err := p.idx.offset(int(i)); err != nil || offset < packHeader || offset >= int64(len(p.body)) {
			pl.astray = append(pl.astray, i)
		} else {
			add(offset, i)
		}
	}
	for len(queue) > 0 {
		offset := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		e, err := p.entry(offset)
		switch {
		case err != nil: // the plan finds that out again
		case e.kind == offsetDelta:
			add(e.base, -1)
		case e.kind == refDelta:
			if i, ok := p.idx.find(e.baseID); ok {
				if o, err := p.idx.offset(i); err == nil && o >= packHeader && o < int64(len(p.body)) {
					add(o, -1)
				}
			}
		}
	}
	for offset := range places {
		pl.offsets = append(pl.offsets, offset)
	}
	slices.Sort(pl.offsets)
	pl.pos = make([]int32, len(pl.offsets))
	pl.buckets = []int32{0, int32(len(pl.offsets))}
	for i, offset := range pl.offsets {
		pl.pos[i] = places[offset]
	}
	pl.join(sw, func(f func(i int32)) {
		for i := range pl.offsets {
			f(int32(i))
		}
	}, new(inflate.Inflater))
	pl.choose(sw)
	return pl
}

// place returns where in the index node i is, or -1. Of a base that was found
// by its offset that takes a search of all the index, so it is asked only when
// something is wrong.
func (pl *plan) place(i int32) int32 {
	if pl.pos[i] >= 0 {
		return pl.pos[i]
	}
	for k := range pl.p.idx.n {
		if offset, err := pl.p.idx.offset(k); err == nil && offset == pl.offsets[i] && k < math.MaxInt32 {
			return int32(k)
		}
	}
	return -1
}
