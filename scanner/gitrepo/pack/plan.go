package pack

import (
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// A plan is one pack laid out for a sweep: its entries in the order in which
// they lie, which is how nodes are numbered, joined into families. It takes
// about 50 bytes for each entry.
type plan struct {
	p    *packFile
	rank int
	// start is the number that a Survey gives the first object of the index.
	start int

	offsets []int64  // of each node, rising; of two the same the second is bad
	pos     []int32  // in the index
	crcs    []uint32 // as the index says, if it does
	kinds   []Kind   // of the family, or 0 if not known
	flags   []uint8
	// parent is the base, first and next are the deltas made of a node, in
	// rising order of offset. None is -1.
	parent, first, next []int32
	// own estimates how many bytes a node has, weight how many its subtree
	// has, without those parts that are a task of their own.
	own, weight []int64
	mu          sync.Mutex // of bad, while heads are read
	bad         map[int32]error
	// astray are objects whose offsets lie outside the pack.
	astray []int32
	// order has the nodes, each after its base.
	order []int32

	buckets []int32
	shift   uint
	// some says that only a part of the entries is here: all that are wanted
	// have a place in the index, and bases have -1.
	some bool
	// strict says that the index lists every entry, so that one ends where
	// the next begins.
	strict bool
}

const (
	flagVisit   = 1 << iota // to be handed to the visitor
	flagNeed                // to be visited, or a base of such
	flagCut                 // the top of a task of its own
	flagOutside             // a delta whose base the index does not list
	flagTwice               // another pack, or another place of the index, has the object too and comes first
)

// newPlan reads the heads of all entries of p, the pack of that rank.
func newPlan(sw *sweep, p *packFile, rank int, z *inflate.Inflater) (*plan, error) {
	pl := &plan{p: p, rank: rank, strict: p.idx.offsets == nil, bad: map[int32]error{}}
	pl.sort()
	var err error
	pl.join(sw, func(f func(i int32)) { err = pl.each(sw, f) }, z)
	if err != nil {
		return nil, err
	}
	if err := pl.each(sw, func(i int32) { pl.unwanted(sw, i) }); err != nil {
		return nil, err
	}
	return pl, nil
}

// join reads the heads of the entries by way of each and joins them into
// families.
func (pl *plan) join(sw *sweep, each func(f func(i int32)), z *inflate.Inflater) {
	n := len(pl.offsets)
	pl.kinds, pl.flags = make([]Kind, n), make([]uint8, n)
	pl.parent, pl.first, pl.next = make([]int32, n), make([]int32, n), make([]int32, n)
	pl.own = make([]int64, n)
	for i := range n {
		pl.parent[i], pl.first[i], pl.next[i] = -1, -1, -1
	}
	each(pl.head)
	// Lists of children are made from the back, so that they rise.
	for i := n - 1; i >= 0; i-- {
		if b := pl.parent[i]; b >= 0 {
			pl.next[i], pl.first[b] = pl.first[b], int32(i)
		}
	}
	pl.arrange(sw, z)
}

// each calls f for every node, a range of them on each worker.
func (pl *plan) each(sw *sweep, f func(i int32)) error {
	n, jobs := len(pl.offsets), sw.opts.Jobs
	errs := make([]error, jobs)
	sw.workers(func(worker int) {
		errs[worker] = guarded(func() error {
			for i := n * worker / jobs; i < n*(worker+1)/jobs; i++ {
				f(int32(i))
			}
			return nil
		})
	})
	return errors.Join(errs...)
}

// spoil notes that node i cannot be read.
func (pl *plan) spoil(i int32, err error) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	pl.bad[i] = err
}

// sort lists the entries by offset, in time linear in their number: it deals
// them out to buckets of neighbouring offsets, which also serve to find them.
func (pl *plan) sort() {
	x, size := pl.p.idx, int64(len(pl.p.body))
	for size>>pl.shift > int64(x.n)+1 {
		pl.shift++
	}
	pl.buckets = make([]int32, size>>pl.shift+2)
	all := make([]int64, x.n)
	for i := range x.n {
		o, err := x.offset(i)
		if err != nil || o < packHeader || o >= size {
			pl.astray = append(pl.astray, int32(i))
			o = -1
		} else {
			pl.buckets[o>>pl.shift+1]++
		}
		all[i] = o
	}
	for b := 1; b < len(pl.buckets); b++ {
		pl.buckets[b] += pl.buckets[b-1]
	}
	n := x.n - len(pl.astray)
	pl.offsets, pl.pos = make([]int64, n), make([]int32, n)
	if x.crcs != nil {
		pl.crcs = make([]uint32, n)
	}
	fill := slices.Clone(pl.buckets)
	for i, o := range all {
		if o >= 0 {
			at := fill[o>>pl.shift]
			fill[o>>pl.shift]++
			pl.offsets[at], pl.pos[at] = o, int32(i)
			if pl.crcs != nil {
				pl.crcs[at] = x.crc(i)
			}
		}
	}
	for b := range len(pl.buckets) - 1 {
		if from, to := pl.buckets[b], pl.buckets[b+1]; to-from > 1 {
			pl.sortBucket(int(from), int(to))
		}
	}
}

func (pl *plan) sortBucket(from, to int) {
	if to-from <= 16 {
		for i := from + 1; i < to; i++ {
			for k := i; k > from && pl.offsets[k] < pl.offsets[k-1]; k-- {
				pl.swap(k, k-1)
			}
		}
		return
	}
	sort.Sort(&bucket{pl, from, to})
}

func (pl *plan) swap(i, k int) {
	pl.offsets[i], pl.offsets[k] = pl.offsets[k], pl.offsets[i]
	pl.pos[i], pl.pos[k] = pl.pos[k], pl.pos[i]
	if pl.crcs != nil {
		pl.crcs[i], pl.crcs[k] = pl.crcs[k], pl.crcs[i]
	}
}

// A bucket sorts a part of the entries by offset.
type bucket struct {
	pl       *plan
	from, to int
}

// Len, Less and Swap implement sort.Interface.
func (b *bucket) Len() int           { return b.to - b.from }
func (b *bucket) Less(i, k int) bool { return b.pl.offsets[b.from+i] < b.pl.offsets[b.from+k] }

// Swap swaps two entries.
func (b *bucket) Swap(i, k int) { b.pl.swap(b.from+i, b.from+k) }

// node returns the node at offset, or -1.
func (pl *plan) node(offset int64) int32 {
	if offset < 0 || offset >= int64(len(pl.p.body)) {
		return -1
	}
	b := offset >> pl.shift
	from, to := pl.buckets[b], pl.buckets[b+1]
	i, ok := slices.BinarySearch(pl.offsets[from:to], offset)
	if !ok {
		return -1
	}
	return from + int32(i)
}

// end returns where the entry of node i ends at the latest: where the next
// begins, if the index lists all entries.
func (pl *plan) end(i int32) int64 {
	if pl.strict {
		for k := int(i) + 1; k < len(pl.offsets); k++ {
			if pl.offsets[k] > pl.offsets[i] {
				return pl.offsets[k]
			}
		}
	}
	return int64(len(pl.p.body))
}

// number returns the number of node i in a Survey.
func (pl *plan) number(i int32) int { return pl.start + int(pl.pos[i]) }

// id returns the name of node i.
func (pl *plan) id(i int32) ID { return MakeID(pl.p.idx.id(int(pl.pos[i]))) }

// head reads the head of entry i.
func (pl *plan) head(i int32) {
	offset := pl.offsets[i]
	if i > 0 && pl.offsets[i-1] == offset {
		pl.spoil(i, at(pl.p.path, offset, errors.New("the index puts two objects there")))
		return
	}
	if i == 0 && pl.strict && offset != packHeader {
		pl.spoil(i, at(pl.p.path, packHeader, errors.New("the index does not list the first entry")))
		return
	}
	e, err := pl.p.entry(offset)
	if err != nil {
		pl.spoil(i, err)
		return
	}
	// Bounded, so that sums stay far from overflow.
	pl.own[i] = min(e.size, 1<<32) + 256
	switch e.kind {
	case offsetDelta:
		pl.parent[i] = pl.node(e.base)
	case refDelta:
		if k, ok := pl.p.idx.find(e.baseID); ok {
			if o, err := pl.p.idx.offset(k); err == nil {
				pl.parent[i] = pl.node(o)
			}
		}
	default:
		pl.kinds[i] = e.kind
		return
	}
	if pl.parent[i] < 0 {
		pl.flags[i] |= flagOutside
	}
}

// arrange orders the nodes from bases to deltas, hands the kinds down, and
// finds what has no end.
func (pl *plan) arrange(sw *sweep, z *inflate.Inflater) {
	n := len(pl.offsets)
	pl.order = make([]int32, 0, n)
	for i := range int32(n) {
		if pl.parent[i] >= 0 {
			continue
		}
		if pl.flags[i]&flagOutside != 0 {
			r := reader{s: sw.s, z: z, left: maxSteps}
			k, _, err := r.packedHeader(pl.p, pl.offsets[i])
			if pl.kinds[i] = k; err != nil {
				pl.bad[i] = err
			}
		}
		pl.order = append(pl.order, i)
	}
	for k := 0; k < len(pl.order); k++ {
		b := pl.order[k]
		for i := pl.first[b]; i >= 0; i = pl.next[i] {
			pl.kinds[i] = pl.kinds[b]
			// A delta's own size says little of what it yields.
			pl.own[i] = pl.own[b]
			pl.order = append(pl.order, i)
		}
	}
	if len(pl.order) == n {
		return
	}
	reached := make([]bool, n)
	for _, i := range pl.order {
		reached[i] = true
	}
	for i := range int32(n) {
		if !reached[i] {
			pl.bad[i] = at(pl.p.path, pl.offsets[i], errCycle)
			pl.parent[i], pl.first[i] = -1, -1
			pl.order = append(pl.order, i)
		}
	}
}

// unwanted compares entry i with its CRC if it is not wanted for its kind:
// what damages an entry may change its kind.
func (pl *plan) unwanted(sw *sweep, i int32) {
	if k := pl.kinds[i]; k != 0 && !sw.kinds[k] {
		if err := pl.checkCRC(i); err != nil {
			pl.spoil(i, err)
		}
	}
}

// choose marks what is to be visited and what is needed for it, and adds up
// the weights.
func (pl *plan) choose(sw *sweep) {
	for i := range int32(len(pl.offsets)) {
		pl.flags[i] &^= flagVisit | flagNeed | flagCut
		if k := pl.kinds[i]; k != 0 && !sw.kinds[k] && pl.bad[i] == nil {
			continue
		}
		if pl.some {
			if pl.pos[i] >= 0 {
				pl.flags[i] |= flagVisit | flagNeed
			}
			continue
		}
		if pl.flags[i]&flagTwice != 0 || sw.survey == nil && sw.st.packedBefore(pl.p.idx, int(pl.pos[i]), pl.rank) {
			continue
		}
		if sw.wants(pl, pl.pos[i]) {
			pl.flags[i] |= flagVisit | flagNeed
		}
	}
	pl.weight = append(pl.weight[:0], pl.own...)
	for k := len(pl.order) - 1; k >= 0; k-- {
		i := pl.order[k]
		if b := pl.parent[i]; b >= 0 && pl.flags[i]&flagNeed != 0 {
			pl.flags[b] |= flagNeed
			pl.weight[b] += pl.weight[i]
		}
	}
}

// wants reports whether the object at pos of the index is to be visited.
func (sw *sweep) wants(pl *plan, pos int32) bool {
	if sw.survey != nil {
		return sw.opts.Wanted == nil || sw.opts.Wanted(pl.start+int(pos))
	}
	return sw.opts.Want == nil || sw.opts.Want(MakeID(pl.p.idx.id(int(pos))))
}

// checkCRC compares entry i with the index.
func (pl *plan) checkCRC(i int32) error {
	offset := pl.offsets[i]
	if pl.crcs != nil && crc32.ChecksumIEEE(pl.p.body[offset:pl.end(i)]) != pl.crcs[i] {
		return at(pl.p.path, offset, errors.New("the entry does not match the checksum that the index has of it"))
	}
	return nil
}

// A task is a node whose subtree one worker walks.
type task struct {
	node   int32
	weight int64
}

// tasks returns the work to be done, in the order of the pack. Subtrees of
// more than limit are cut off to be tasks of their own.
func (pl *plan) tasks(limit int64) (all []task) {
	if limit < math.MaxInt64 {
		pl.cut(limit)
	}
	for i := range int32(len(pl.offsets)) {
		if pl.flags[i]&flagNeed != 0 && (pl.parent[i] < 0 || pl.flags[i]&flagCut != 0) {
			all = append(all, task{i, pl.weight[i]})
		}
	}
	return all
}

// cut takes subtrees out of families until no task is much above limit. A
// worker that begins in the middle of a family has to rebuild one chain, so
// that is done only where the chain is short against the subtree.
func (pl *plan) cut(limit int64) {
	depth := make([]int32, len(pl.offsets))
	for _, i := range pl.order {
		if b := pl.parent[i]; b >= 0 {
			depth[i] = depth[b] + 1
		}
	}
	for k := len(pl.order) - 1; k >= 0; k-- {
		i := pl.order[k]
		// A quarter of the work at most is to build the chain.
		if depth[i] == 0 || pl.flags[i]&flagNeed == 0 || pl.weight[i] <= limit || pl.weight[i]/4/int64(depth[i]) < pl.own[i] {
			continue
		}
		// Nodes come from the deepest up, so none of its bases is cut yet.
		pl.flags[i] |= flagCut
		for b := pl.parent[i]; b >= 0; b = pl.parent[b] {
			pl.weight[b] -= pl.weight[i]
		}
	}
}
