package gitrepo

import (
	"errors"
	"fmt"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// emitBlobs emits the blobs that the walk over the commits found.
//
// A walk meets blobs in the order of their age, in which each has to be made
// from a chain of deltas of its own. So where packs can be read here, the walk
// only notes what it meets, and the packs are then read in their own order,
// which makes each object once and carries anchors and verdicts over from the
// base of a delta to what is made of it (see package pack). What that does not
// yield, be it missing, damaged or no blob at all, is read one by one as
// everywhere else, which asks git in the end, or says what is wrong.
func (h *history) emitBlobs(s *commitScan) error {
	done := make([]bool, len(s.blobs.ids))
	s.repo.progress.Expect(len(done))
	if st, ok := s.store.(*packStore); ok && !h.oneByOne {
		if err := h.sweep(s, st, done); err != nil {
			return err
		}
	}
	for n := range done {
		if !done[n] {
			if err := s.add(s.blobs.ids[n], s.blobs.object(s.repo, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep emits the blobs in the order of the packs and notes in done which.
func (h *history) sweep(s *commitScan, st *packStore, done []bool) error {
	o := s.sweepOptions(h.anchoring())
	o.Want = func(id pack.ID) bool {
		name := rawOID(id.Bytes(), s.repo.hashLen)
		return s.blobs.find(&name) >= 0
	}
	feeders := make([]scanner.Feeder, o.Jobs)
	emit := s.guardedEmit()
	err := st.store.Sweep(s.ctx, o, func(worker int, obj *pack.Swept) error {
		if obj.ID.IsZero() {
			s.problem("", obj.Err.Error(), fixDamage)
			return nil
		}
		name := rawOID(obj.ID.Bytes(), s.repo.hashLen)
		n := s.blobs.find(&name)
		if n < 0 || obj.Err != nil {
			return nil // not wanted, or read once more by itself
		}
		done[n] = true
		return s.swept(&feeders[worker], h.anchoring(), s.blobs.object(s.repo, n), obj, emit)
	})
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped.error
	}
	return err
}

// An anchoring says which anchors blobs come with.
type anchoring struct {
	program *rules.Program
	encoded pack.Anchorer
}

// sweepOptions says how blobs are swept.
func (x *run) sweepOptions(a anchoring) pack.SweepOptions {
	o := pack.SweepOptions{Jobs: x.repo.options.Jobs, Memory: x.repo.options.Memory / 2}
	if a.program != nil {
		o.Anchorer, o.Reach = a.program, rules.MarkReach
		if a.encoded != nil {
			o.Anchorer = a.encoded
		}
	}
	return o
}

// swept emits one blob.
func (x *run) swept(f *scanner.Feeder, a anchoring, o *scanner.Object, obj *pack.Swept, emit func(*scanner.Chunk) error) error {
	n, err := obj.Size, error(nil)
	switch {
	case obj.Stream != nil:
		n, err = f.Reader(o, obj.Stream, emit)
	case obj.Anchored:
		found := scanner.Chunk{Program: a.program, Encoded: a.encoded != nil, Anchors: obj.Anchors, Marks: obj.Marks, NoNUL: obj.NoNUL}
		err = f.Anchored(o, obj.Data, found, emit)
	default:
		err = f.Bytes(o, obj.Data, emit)
	}
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped
	}
	if x.ctx.Err() != nil {
		return x.ctx.Err()
	}
	if err != nil {
		x.fail(o, rawOID(obj.ID.Bytes(), x.repo.hashLen), fmt.Errorf("reading it to its end: %w", err))
	}
	x.covered(o, n, obj.Data)
	return nil
}
