package gitrepo

import (
	"errors"
	"sync"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// A gathering holds back the blobs of a range until there are many, to read
// them in the order of the packs: versions of a file are stored as deltas of
// one another, so that all of them cost little more than one, in reading and in
// searching.
type gathering struct {
	store   *packStore
	objects map[oid][]*scanner.Object
	count   int
}

// maxGathered bounds how many objects are held back.
const maxGathered = 1 << 16

// gather makes add hold back blobs, where packs can be read here. spread must
// follow the last one.
func (x *run) gather() {
	if st, ok := x.store.(*packStore); ok {
		x.gathered = &gathering{store: st, objects: map[oid][]*scanner.Object{}}
	}
}

// hold holds a blob back.
func (x *run) hold(id oid, o *scanner.Object) error {
	g := x.gathered
	g.objects[id] = append(g.objects[id], o)
	if g.count++; g.count < maxGathered {
		return x.ctx.Err()
	}
	return x.spread()
}

// spread emits what was held back. What is in no pack, and what cannot be read
// there, is read one by one.
func (x *run) spread() error {
	g := x.gathered
	if g == nil || g.count == 0 {
		return nil
	}
	objects := g.objects
	g.objects, g.count = map[oid][]*scanner.Object{}, 0
	ids := make([]pack.ID, 0, len(objects))
	done := make(map[oid]*bool, len(objects))
	for id := range objects {
		ids = append(ids, pack.MakeID(id[:x.repo.hashLen]))
		done[id] = new(bool)
	}
	a := anchoring{x.repo.options.Program, x.repo.options.Encoded}
	o := x.sweepOptions(a)
	feeders := make([]scanner.Feeder, o.Jobs)
	var mu sync.Mutex
	var left []job
	emit := x.guardedEmit()
	err := g.store.store.SweepSome(x.ctx, o, ids, func(worker int, obj *pack.Swept) error {
		if obj.Err != nil {
			return nil
		}
		id := rawOID(obj.ID.Bytes(), x.repo.hashLen)
		*done[id] = true
		for i, object := range objects[id] {
			if i > 0 && obj.Stream != nil { // which has been read to its end
				mu.Lock()
				left = append(left, job{id, object})
				mu.Unlock()
				continue
			}
			if err := x.swept(&feeders[worker], a, object, obj, emit); err != nil {
				return err
			}
		}
		return nil
	})
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped.error
	}
	if err != nil {
		return err
	}
	for id, list := range objects {
		for i := 0; i < len(list) && !*done[id]; i++ {
			left = append(left, job{id, list[i]})
		}
	}
	for _, j := range left {
		if err := x.enqueue(j.id, j.object); err != nil {
			return err
		}
	}
	return nil
}
