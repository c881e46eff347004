package pack

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// maxSteps bounds the entries that one call looks at, over all chains and
// copies: git makes chains of at most 4,095 (pack.depth).
const maxSteps = 1 << 14

// budget counts down maxSteps, so that chains which lead back to themselves,
// within a pack or from one to the other, come to an end.
type budget int

func (b *budget) step() error {
	if *b--; *b < 0 {
		return errCycle
	}
	return nil
}

// Get reads an object into memory. The data must not be changed: others may
// be made of it. The error is ErrNotFound when nothing goes by id, and
// ErrTooLarge when Stream should be used; a copy that is damaged is passed
// over for another one that is not.
func (s *Store) Get(id ID) (kind Kind, data []byte, err error) {
	kind, data, _, err = s.GetInto(id, nil)
	return kind, data, err
}

// GetInto is Get for a caller that lends buf. own reports that data belongs to
// the caller alone, who may change it and lend it again: it lies in buf where
// that was large enough, and in new memory else. That is so for loose objects,
// which are what a commit brings; others may be made of the rest.
func (s *Store) GetInto(id ID, buf []byte) (kind Kind, data []byte, own bool, err error) {
	err = guarded(func() error {
		kind, data, own, err = s.findInto(id, buf)
		return err
	})
	if err != nil {
		return 0, nil, false, err
	}
	return kind, data, own, nil
}

// find is Get, without protection from faults.
func (s *Store) find(id ID) (kind Kind, data []byte, err error) {
	kind, data, _, err = s.findInto(id, nil)
	return kind, data, err
}

// findInto is GetInto, without protection from faults.
func (s *Store) findInto(id ID, buf []byte) (kind Kind, data []byte, own bool, err error) {
	r := s.readers.Get().(*reader)
	defer s.readers.Put(r)
	r.lent, r.own = buf, false
	defer func() { r.lent = nil }()
	r.left, r.chain, r.heads = maxSteps, r.chain[:0], r.heads[:0]
	if kind, data, err = r.object(id, place{}); err != nil && s.refresh() {
		r.left, r.chain, r.heads = maxSteps, r.chain[:0], r.heads[:0]
		kind, data, err = r.object(id, place{})
	}
	return kind, data, r.own, err
}

// A reader reads one object and what that needs. Its memory is used again.
type reader struct {
	s     *Store
	z     *inflate.Inflater
	left  budget
	delta []byte
	chain []link // of the objects being read, those that they need at the end
	heads []byte // read of packs that are not mapped
	large []byte // the same of one large entry, or of a loose object
	lent  []byte // memory of the caller for a loose object, see GetInto
	own   bool   // what object returned belongs to the caller
}

// object reads id from the first place other than skip where it is sound.
func (r *reader) object(id ID, skip place) (kind Kind, data []byte, err error) {
	var errs []error
	keep := func(k Kind, d []byte, e error) bool {
		if e == nil && r.s.opts.Verify {
			e = verifyID(id, k, d)
		}
		if e != nil {
			errs = append(errs, e)
			return false
		}
		kind, data = k, d
		return true
	}
	st := r.s.state.Load()
	if st.places(id.sum[:id.size], func(pl place) bool {
		if pl == skip {
			return false
		}
		offset, err := pl.p.idx.offset(pl.i)
		if err != nil {
			return keep(0, nil, err)
		}
		return keep(r.packed(pl.p, offset))
	}) {
		return kind, data, nil
	}
	for _, dir := range st.dirs {
		path := loosePath(dir, id)
		k, d, _, err := r.loose(path)
		if missing(err) {
			continue
		}
		if keep(k, d, err) {
			r.own = len(r.chain) == 0 // else others are made of it
			return kind, data, nil
		}
	}
	switch len(errs) {
	case 0:
		return 0, nil, fmt.Errorf("object %s: %w", id, ErrNotFound)
	case 1:
		return 0, nil, fmt.Errorf("object %s: %w", id, errs[0])
	}
	return 0, nil, fmt.Errorf("object %s: %w", id, errors.Join(errs...))
}

// verifyID compares an object with its name.
func verifyID(id ID, kind Kind, data []byte) error {
	h := newHash(int(id.size))
	h.Write(objectHead(kind, int64(len(data))))
	h.Write(data)
	if got := MakeID(h.Sum(nil)); got != id {
		return fmt.Errorf("%w: its content has the id %s", errWrongID, got)
	}
	return nil
}

var errWrongID = errors.New("the object is not what its id says")

// objectHead returns what git hashes before an object's content.
func objectHead(kind Kind, size int64) []byte {
	b := append(make([]byte, 0, maxLooseHead), kind.String()...)
	b = strconv.AppendInt(append(b, ' '), size, 10)
	return append(b, 0)
}

// A link is a delta on the way to its base.
type link struct {
	offset int64
	entry
}

// packed reads the entry at offset: down the chain to a base that is whole or
// at hand, and up again applying the deltas.
func (r *reader) packed(p *packFile, offset int64) (kind Kind, data []byte, err error) {
	chain := len(r.chain) // where that of this object begins
	defer func() { r.chain = r.chain[:chain] }()
	cache := r.s.cache
	for data == nil {
		if k, d, ok := cache.get(p, offset); ok {
			kind, data = k, d
			break
		}
		if err := r.left.step(); err != nil {
			return 0, nil, at(p.path, offset, err)
		}
		e, err := r.entry(p, offset)
		if err == nil && e.kind.whole() {
			kind = e.kind
			data, err = r.payload(p, offset, &e, nil)
		}
		if err != nil {
			if kind, data, err = r.elsewhere(p, offset, err, len(r.chain)-chain); err != nil {
				return 0, nil, err
			}
		}
		if data != nil {
			if len(r.chain) > chain {
				cache.put(p, offset, kind, data)
			}
			break
		}
		r.chain = append(r.chain, link{offset, e})
		if e.kind == offsetDelta {
			offset = e.base
		} else if i, ok := p.idx.find(e.baseID); ok {
			if offset, err = p.idx.offset(i); err != nil {
				return 0, nil, err
			}
		} else if kind, data, err = r.object(MakeID(e.baseID), place{}); err != nil {
			return 0, nil, at(p.path, offset, fmt.Errorf("reading the base of a delta: %w", err))
		}
	}
	for k := len(r.chain) - 1; k >= chain; k-- {
		c := r.chain[k]
		d, err := r.apply(p, c.offset, &c.entry, data)
		if err != nil {
			if _, d, err = r.elsewhere(p, c.offset, err, k-chain); err != nil {
				return 0, nil, err
			}
		}
		if data = d; k > chain {
			cache.put(p, c.offset, kind, data)
		}
	}
	return kind, data, nil
}

// payload inflates the entry e at offset, into buf if that is large enough. The
// result is never nil.
func (r *reader) payload(p *packFile, offset int64, e *entry, buf []byte) ([]byte, error) {
	if e.size > r.s.opts.MaxObject {
		return nil, at(p.path, offset, fmt.Errorf("%w: %d bytes", ErrTooLarge, e.size))
	}
	if err := plausible(e.size, p.bytes()-e.data); err != nil {
		return nil, at(p.path, offset, err)
	}
	if buf == nil || int64(cap(buf)) < e.size+inflate.Slack {
		buf = make([]byte, e.size, e.size+inflate.Slack)
	}
	buf = buf[:e.size]
	return buf, r.inflate(p, offset, e, buf)
}

// apply returns the object that the delta e at offset makes of base.
func (r *reader) apply(p *packFile, offset int64, e *entry, base []byte) ([]byte, error) {
	delta, err := r.payload(p, offset, e, r.delta)
	if err != nil {
		return nil, err
	}
	if cap(delta) <= smallBuffer {
		r.delta = delta
	}
	size, ops, err := deltaHead(delta, int64(len(base)), r.s.opts.MaxObject)
	if err != nil {
		return nil, at(p.path, offset, err)
	}
	data := make([]byte, size)
	if _, err := applyDelta(data, base, ops, nil, int(maxDelta)); err != nil {
		return nil, at(p.path, offset, err)
	}
	return data, nil
}

// deltaHead returns the size of the result of delta, which is proved to be
// what its instructions yield where it is large, and the instructions.
func deltaHead(delta []byte, base, limit int64) (size int64, ops []byte, err error) {
	stated, size, n, err := deltaSizes(delta)
	switch {
	case err != nil:
		return 0, nil, err
	case stated != base:
		return 0, nil, deltaError("it is for a base of %d bytes, not of %d", stated, base)
	case size > limit:
		return 0, nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	ops = delta[n:]
	if size > 1<<20 {
		switch real, err := deltaLength(ops); {
		case err != nil:
			return 0, nil, err
		case real != size:
			return 0, nil, deltaError("it yields %d bytes and states %d", real, size)
		}
	}
	return size, ops, nil
}

// elsewhere looks for another copy of the object that cannot be read at
// offset, because of why. depth 0 is the object that was asked for, of which
// the caller knows the other copies.
func (r *reader) elsewhere(p *packFile, offset int64, why error, depth int) (Kind, []byte, error) {
	if depth == 0 {
		return 0, nil, why
	}
	if err := r.left.step(); err != nil {
		return 0, nil, why
	}
	for i := range p.idx.n {
		if o, err := p.idx.offset(i); err == nil && o == offset {
			kind, data, err := r.object(MakeID(p.idx.id(i)), place{p, i})
			if err != nil {
				return 0, nil, why
			}
			return kind, data, nil
		}
	}
	return 0, nil, why
}

// Header returns an object's kind and size in bytes without reading all of it.
func (s *Store) Header(id ID) (kind Kind, size int64, err error) {
	z := s.inflaters.Get().(*inflate.Inflater)
	defer s.inflaters.Put(z)
	r := reader{s: s, z: z, left: maxSteps}
	err = guarded(func() error {
		if kind, size, err = r.header(id); err != nil && s.refresh() {
			r.left = maxSteps
			kind, size, err = r.header(id)
		}
		return err
	})
	return kind, size, err
}

// header is Header without a second look at the folders.
func (r *reader) header(id ID) (kind Kind, size int64, err error) {
	var errs []error
	st := r.s.state.Load()
	if st.places(id.sum[:id.size], func(pl place) bool {
		offset, err := pl.p.idx.offset(pl.i)
		if err == nil {
			kind, size, err = r.packedHeader(pl.p, offset)
		}
		if err != nil {
			errs = append(errs, err)
		}
		return err == nil
	}) {
		return kind, size, nil
	}
	for _, dir := range st.dirs {
		kind, size, err = looseHeader(loosePath(dir, id), r.z)
		if missing(err) {
			continue
		}
		if err == nil {
			return kind, size, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		errs = []error{ErrNotFound}
	}
	return 0, 0, fmt.Errorf("object %s: %w", id, errors.Join(errs...))
}

// packedHeader follows the chain from offset for the kind, and reads the
// result's size from the head of the first delta.
func (r *reader) packedHeader(p *packFile, offset int64) (kind Kind, size int64, err error) {
	if err := p.load(); err != nil {
		return 0, 0, err
	}
	size = -1
	for {
		if err := r.left.step(); err != nil {
			return 0, 0, at(p.path, offset, err)
		}
		e, err := p.entry(offset)
		if err != nil {
			return 0, 0, err
		}
		if e.kind.whole() {
			if size < 0 {
				size = e.size
			}
			return e.kind, size, nil
		}
		if size < 0 {
			var head [20]byte
			n, err := r.z.Prefix(head[:min(e.size, 20)], p.body[e.data:])
			if err == nil {
				_, size, _, err = deltaSizes(head[:n])
			}
			if err != nil {
				return 0, 0, at(p.path, offset, err)
			}
		}
		if e.kind == offsetDelta {
			offset = e.base
		} else if i, ok := p.idx.find(e.baseID); !ok {
			kind, _, err = r.header(MakeID(e.baseID))
			return kind, size, err
		} else if offset, err = p.idx.offset(i); err != nil {
			return 0, 0, err
		}
	}
}
