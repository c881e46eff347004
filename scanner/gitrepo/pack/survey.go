package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"math/bits"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// A Survey is a Store laid out to be swept several times, each time for other
// objects: first the commits, then the trees, then the blobs that they turn out
// to need. Objects have numbers from 0 to Len()-1, so that what is found out
// about them fits in arrays. It takes about 60 bytes for each object of a pack.
//
// A Survey does not learn of what git stores meanwhile. It is safe for
// concurrent use, but for Sweep, which is to be called once at a time.
type Survey struct {
	s     *Store
	st    *storeState
	plans []*plan
	fans  []fineFan // of the plans
	kinds []Kind    // by number; of objects in packs as their entries say
	loose []looseFile
	index map[ID]int32 // of loose, by number
}

// Survey reads the heads of all entries of all packs and lists the loose
// objects. Jobs is as in SweepOptions. Anything that cannot be read is an
// error: a sweep of the Store says more about it and reads what else there is.
func (s *Store) Survey(ctx context.Context, jobs int) (*Survey, error) {
	var lost []error
	sw := newSweep(s, SweepOptions{Jobs: jobs, Kinds: []Kind{Commit, Tree, Blob}}, func(_ int, o *Swept) error {
		lost = append(lost, o.Err)
		return nil
	})
	sw.open()
	v := &Survey{s: s, st: sw.st, index: map[ID]int32{}}
	for rank, p := range sw.st.packs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(v.kinds)+p.idx.n > math.MaxInt32 {
			return nil, errors.New("surveying packs: there are more than 2^31 objects")
		}
		pl := sw.plan(rank)
		if pl == nil || len(lost) > 0 {
			return nil, errors.Join(lost...)
		}
		pl.start = len(v.kinds)
		v.plans = append(v.plans, pl)
		v.kinds = append(v.kinds, make([]Kind, p.idx.n)...)
		if err := guarded(func() error {
			v.number(pl)
			v.fans = append(v.fans, newFineFan(p.idx))
			return nil
		}); err != nil {
			return nil, at(p.path, -1, err)
		}
	}
	err := guarded(func() error { return v.listLoose() })
	return v, errors.Join(append(lost, err)...)
}

// A fineFan finds ids in one step: it says where those begin that share their
// first bits, as many bits as leave an id or two.
type fineFan struct {
	shift uint
	first []int32
}

func newFineFan(x *index) fineFan {
	f := fineFan{shift: uint(64 - bits.Len(uint(x.n)))}
	f.first = make([]int32, 1<<(64-f.shift)+1)
	next := uint64(0)
	for i := range x.n {
		for b := x.head(i) >> f.shift; next <= b; next++ {
			f.first[next] = int32(i)
		}
	}
	for ; next < uint64(len(f.first)); next++ {
		f.first[next] = int32(x.n)
	}
	return f
}

// findAll sets numbers to start and the positions in x of those ids that are the
// first of those with the same first bits.
func (f *fineFan) findAll(x *index, start int, ids [][]byte, numbers []int32) {
	var first [FindAtOnce]int32
	var heads, want [FindAtOnce]uint64
	for i, id := range ids {
		if len(id) == x.hash {
			want[i] = binary.BigEndian.Uint64(id)
			first[i] = f.first[want[i]>>f.shift]
		} else {
			first[i] = int32(x.n)
		}
	}
	for i, at := range first[:len(ids)] {
		if int(at) < x.n {
			heads[i] = x.head(int(at))
		}
	}
	for i, at := range first[:len(ids)] {
		if heads[i] == want[i] && int(at) < x.n && string(x.id(int(at))) == string(ids[i]) {
			numbers[i] = int32(start) + at
		}
	}
}

// find returns the position of id in x, the first one if it is there twice, or
// -1.
func (f *fineFan) find(x *index, id []byte) int {
	if len(id) != x.hash {
		return -1
	}
	want := binary.BigEndian.Uint64(id)
	b := want >> f.shift
	for i := int(f.first[b]); i < int(f.first[b+1]); i++ {
		if x.head(i) == want && string(x.id(i)) == string(id) {
			return i
		}
	}
	return -1
}

// number notes the kinds of the objects of pl by number, and which of them are
// in a pack before it too.
func (v *Survey) number(pl *plan) {
	x := pl.p.idx
	twice := map[int32]bool{}
	for i := range x.n {
		is := i > 0 && bytes.Equal(x.id(i), x.id(i-1))
		for _, p := range v.st.packs[:pl.rank] {
			if !is {
				_, is = p.idx.find(x.id(i))
			}
		}
		if is {
			twice[int32(i)] = true
		}
	}
	for i, pos := range pl.pos {
		v.kinds[pl.start+int(pos)] = pl.kinds[i]
		if len(twice) > 0 && twice[pos] {
			pl.flags[i] |= flagTwice
		}
	}
}

// listLoose gives numbers to the loose objects.
func (v *Survey) listLoose() error {
	z := new(inflate.Inflater)
	return v.st.eachLoose(v.s.opts.HashSize, func(path string, id ID) error {
		kind, _, err := looseHeader(path, z)
		if errors.Is(err, fs.ErrNotExist) {
			return err // it was packed just now
		}
		if err != nil {
			kind = 0 // whoever needs it learns more
		}
		n := len(v.kinds)
		if n == math.MaxInt32 {
			return errors.New("surveying loose objects: there are more than 2^31 objects")
		}
		v.loose = append(v.loose, looseFile{path: path, id: id, number: n})
		v.index[id] = int32(n)
		v.kinds = append(v.kinds, kind)
		return nil
	})
}

// Len returns how many numbers there are. An object that is stored several
// times has several, but only one that Find returns and Sweep uses.
func (v *Survey) Len() int { return len(v.kinds) }

// Kind returns the kind of the object of that number, or 0 if it is not known.
func (v *Survey) Kind(number int) Kind { return v.kinds[number] }

// Count returns how many objects there are of a kind, and of kinds that are not
// known.
func (v *Survey) Count(kind Kind) (n int) {
	for _, k := range v.kinds {
		if k == kind || k == 0 {
			n++
		}
	}
	return n
}

// Find returns the number of the object whose id has the bytes id, or -1.
func (v *Survey) Find(id []byte) (number int) {
	number = -1
	_ = guarded(func() error {
		number = v.find(id)
		return nil
	})
	return number
}

// FindAtOnce is how many ids FindAll is best given.
const FindAtOnce = 64

// FindAll sets numbers to what Find returns for each of ids, of which there are
// at most FindAtOnce. Each step of a look-up waits for memory; where the same step
// of all comes before the next one of any, the processor waits for several at a
// time.
func (v *Survey) FindAll(ids [][]byte, numbers []int32) {
	for i := range ids {
		numbers[i] = -1
	}
	_ = guarded(func() error {
		if len(v.plans) > 0 {
			v.fans[0].findAll(v.plans[0].p.idx, v.plans[0].start, ids, numbers)
		}
		for i, id := range ids {
			if numbers[i] < 0 {
				numbers[i] = int32(v.find(id))
			}
		}
		return nil
	})
}

func (v *Survey) find(id []byte) int {
	for k, pl := range v.plans {
		if i := v.fans[k].find(pl.p.idx, id); i >= 0 {
			return pl.start + i
		}
	}
	if len(v.loose) > 0 {
		if n, ok := v.index[MakeID(id)]; ok {
			return int(n)
		}
	}
	return -1
}

// ID returns the name of the object of that number, or the zero ID when the
// index became unreadable.
func (v *Survey) ID(number int) (id ID) {
	if n := number - (len(v.kinds) - len(v.loose)); n >= 0 {
		return v.loose[n].id
	}
	_ = guarded(func() error {
		k := len(v.plans) - 1
		for v.plans[k].start > number {
			k--
		}
		id = MakeID(v.plans[k].p.idx.id(number - v.plans[k].start))
		return nil
	})
	return id
}

// Sweep is Store.Sweep over what the survey lists, with the numbers.
func (v *Survey) Sweep(ctx context.Context, opts SweepOptions, visit func(worker int, obj *Swept) error) error {
	sw := newSweep(v.s, opts, visit)
	sw.st, sw.survey = v.st, v
	defer context.AfterFunc(ctx, func() { sw.fail(ctx.Err()) })()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, pl := range v.plans {
		if sw.stop.Load() {
			break
		}
		if err := guarded(func() error { pl.choose(sw); return nil }); err != nil {
			sw.lost(at(pl.p.path, -1, err))
			continue
		}
		sw.walk(pl)
	}
	var files []looseFile
	for _, f := range v.loose {
		if k := v.kinds[f.number]; (k == 0 || sw.kinds[k]) && (opts.Wanted == nil || opts.Wanted(f.number)) {
			files = append(files, f)
		}
	}
	if !sw.stop.Load() {
		sw.looseFiles(files)
	}
	sw.once.Do(func() {}) // from here on ctx changes nothing
	return sw.err
}
