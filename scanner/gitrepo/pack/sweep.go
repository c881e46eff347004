package pack

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// SweepOptions say what Sweep visits and how. The zero value visits every
// blob, with a worker for each processor, and looks for no anchors.
type SweepOptions struct {
	// Jobs is the number of workers; GOMAXPROCS when 0.
	Jobs int
	// Memory is how many bytes of objects the workers may keep, all together,
	// because others are still to be made of them; 256 MiB when 0. What does
	// not fit is made again. The objects being worked on come on top of it:
	// three for each worker, of at most StreamOver, and one at a time of more.
	Memory int64
	// Kinds are the kinds of object to visit; blobs when empty.
	Kinds []Kind
	// Want chooses the objects to visit by name; nil means all. It is called
	// once for each object of one of the Kinds.
	Want func(ID) bool
	// Anchorer finds the anchors of each object. Nil means none.
	Anchorer Anchorer
	// FullScan searches every object from end to end instead of carrying
	// anchors from bases to deltas. It yields the same and takes longer: it is
	// there to be compared with.
	FullScan bool
	// Reach says how many bytes before an anchor's position, and from it on,
	// must have been copied for the anchor to keep a mark. Nil means that no
	// mark is kept.
	Reach func(mark byte) (before, after int)
	// StreamOver is the size in bytes from which on an object that no other
	// is made of is handed over as a stream; 32 MiB when 0.
	StreamOver int64
	// Wanted is like Want, by number. Survey.Sweep looks at it, Store.Sweep
	// does not.
	Wanted func(number int) bool
	// Nameless says that the visitor goes by numbers: objects that can be read
	// come without their ID.
	Nameless bool
	// Entries asks for what trees have beyond their bases (Swept.Inserted).
	Entries bool
}

const (
	defaultMemory = 256 << 20
	defaultStream = 32 << 20
)

// Swept is one object, or one thing that could not be read. All of it is
// valid only during the call that receives it.
type Swept struct {
	// ID is zero when Err is not about one object. In a Nameless sweep only
	// objects with an Err have one.
	ID   ID
	Kind Kind  // 0 if not known
	Size int64 // in bytes
	// Data is the content, unless there is a Stream. It must not be changed.
	Data []byte
	// Stream yields the content of a large object. An error that it returns
	// names file and offset, and means that the object was not read in full.
	Stream io.Reader
	// Anchors are those of a search of all of Data, if Anchored. They are
	// missing without an Anchorer, for streams, and for an object that has
	// more than a million of them.
	Anchors  []rules.Anchor
	Anchored bool
	// NoNUL says of an object with anchors that none of its bytes is NUL.
	NoNUL bool
	// Marks has a byte for each anchor that is the visitor's to set. It is
	// zero at first. When a delta copies an anchor from this object together
	// with the surroundings that its mark asks for (Reach), or up to the same
	// edge of both objects, the mark goes along. A verdict on an anchor that
	// depends on nothing else may so be remembered.
	Marks []byte
	// Err says why the object, or a whole pack, could not be read from
	// anywhere.
	Err error
	// Number is the object's in a Survey, and 0 without one.
	Number int
	// TreeChange is there for trees, where Entries asks for it.
	TreeChange
}

// sweep is one call of Sweep.
type sweep struct {
	s       *Store
	st      *storeState // without the packs that cannot be read
	survey  *Survey     // or nil
	opts    SweepOptions
	kinds   [8]bool
	carrier carrier
	visit   func(worker int, obj *Swept) error

	big  sync.Mutex // held by the one worker that deals with large objects
	stop atomic.Bool
	once sync.Once
	err  error
}

// fail ends the sweep with err unless it is ending already.
func (sw *sweep) fail(err error) {
	if err != nil {
		sw.once.Do(func() { sw.err = err })
		sw.stop.Store(true)
	}
}

// Sweep visits every object that the options ask for exactly once, wherever
// and however often it is stored: pack after pack in the order in which the
// entries lie, then loose objects. visit is called by worker 0 to Jobs-1, each
// of which makes one call at a time. An error of visit or ctx ends the sweep
// and is returned; what cannot be read does not, but is handed to visit.
func (s *Store) Sweep(ctx context.Context, opts SweepOptions, visit func(worker int, obj *Swept) error) error {
	sw := newSweep(s, opts, visit)
	defer context.AfterFunc(ctx, func() { sw.fail(ctx.Err()) })()
	if err := ctx.Err(); err != nil {
		return err
	}
	sw.open()
	for rank := range sw.st.packs {
		sw.pack(rank)
	}
	sw.loose()
	sw.once.Do(func() {}) // from here on ctx changes nothing
	return sw.err
}

// newSweep fills in the defaults of opts.
func newSweep(s *Store, opts SweepOptions, visit func(worker int, obj *Swept) error) *sweep {
	if opts.Jobs <= 0 {
		opts.Jobs = runtime.GOMAXPROCS(0)
	}
	if opts.Memory <= 0 {
		opts.Memory = defaultMemory
	}
	if opts.StreamOver <= 0 {
		opts.StreamOver = defaultStream
	}
	if len(opts.Kinds) == 0 {
		opts.Kinds = []Kind{Blob}
	}
	opts.StreamOver = min(opts.StreamOver, s.opts.MaxObject)
	sw := &sweep{s: s, opts: opts, visit: visit, carrier: newCarrier(opts.Anchorer, opts.Reach)}
	for _, k := range opts.Kinds {
		sw.kinds[k&7] = true
	}
	if opts.Entries {
		sw.carrier.minRun = minTreeRun
	}
	return sw
}

// open maps all packs and tells of those that cannot be.
func (sw *sweep) open() {
	var state *storeState
	var errs []error
	// Should git pack anew just now, then look again, but not for ever.
	for try := 0; try == 0 || try < 5 && errors.Is(errors.Join(errs...), fs.ErrNotExist); try++ {
		sw.s.refresh()
		state = sw.s.state.Load()
		sw.st, errs = &storeState{dirs: state.dirs}, nil
		for _, p := range state.packs {
			if err := p.load(); err != nil {
				errs = append(errs, err)
				continue
			}
			sw.st.packs = append(sw.st.packs, p)
		}
	}
	for _, err := range append(slices.Clip(state.problems), errs...) {
		sw.lost(err)
	}
}

// lost reports an error that is not about one object.
func (sw *sweep) lost(err error) {
	if !sw.stop.Load() {
		sw.fail(sw.visit(0, &Swept{Err: err}))
	}
}

// pack visits the objects of one pack.
func (sw *sweep) pack(rank int) {
	if sw.stop.Load() {
		return
	}
	if pl := sw.plan(rank); pl != nil {
		pl.choose(sw)
		sw.walk(pl)
	}
}

// plan lays out a pack, or tells why it cannot and returns nil.
func (sw *sweep) plan(rank int) (pl *plan) {
	p := sw.st.packs[rank]
	if err := guarded(func() error {
		if err := p.idx.verify(); err != nil {
			sw.lost(err)
		}
		var err error
		pl, err = newPlan(sw, p, rank, new(inflate.Inflater))
		return err
	}); err != nil {
		sw.lost(at(p.path, -1, err))
		return nil
	}
	return pl
}

// walk visits what pl has chosen.
func (sw *sweep) walk(pl *plan) {
	total := int64(0)
	for i, b := range pl.parent {
		if b < 0 && pl.flags[i]&flagNeed != 0 {
			total += pl.weight[i]
		}
	}
	// Shares small enough that all workers end at about the same time.
	limit := int64(math.MaxInt64)
	if sw.opts.Jobs > 1 {
		limit = max(total/int64(16*sw.opts.Jobs), 4<<20)
	}
	tasks := pl.tasks(limit)
	var mu sync.Mutex
	sw.workers(func(worker int) {
		w := newWalker(sw, pl, worker)
		for !sw.stop.Load() {
			mu.Lock()
			n, weight := 0, int64(0)
			for n < len(tasks) && weight < limit/4 && n < 4096 {
				weight += tasks[n].weight
				n++
			}
			share := tasks[:n]
			tasks = tasks[n:]
			mu.Unlock()
			if n == 0 {
				break
			}
			w.do(share)
		}
	})
	if pl.astray != nil {
		w := newWalker(sw, pl, 0)
		for _, i := range pl.astray {
			if sw.stop.Load() {
				break
			}
			w.astray(i)
		}
	}
}

// workers runs f on each worker and waits for all.
func (sw *sweep) workers(f func(worker int)) {
	if sw.opts.Jobs == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	for i := range sw.opts.Jobs {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
