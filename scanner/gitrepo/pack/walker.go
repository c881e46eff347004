package pack

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// A walker is one worker of a sweep, with the memory it uses again and again.
type walker struct {
	sw     *sweep
	pl     *plan
	worker int
	r      reader

	stack []*frame
	free  []*frame
	held  int64 // bytes that the frames of the stack keep
	limit int64

	buffers [][]byte   // free
	lists   []anchored // free
	spare   anchored
	delta   []byte
	runs    []run
	change  TreeChange // of the latest tree, where the sweep asks for entries
	swept   Swept      // what is handed over
	big     bool       // holds sweep.big
}

func newWalker(sw *sweep, pl *plan, worker int) *walker {
	return &walker{sw: sw, pl: pl, worker: worker, limit: sw.opts.Memory / int64(sw.opts.Jobs),
		r: reader{s: sw.s, z: new(inflate.Inflater)}}
}

// do walks the tasks. A fault in mapped memory ends them.
func (w *walker) do(tasks []task) {
	err := guarded(func() error {
		for _, t := range tasks {
			if w.sw.stop.Load() {
				return nil
			}
			w.sw.fail(w.family(t.node))
		}
		return nil
	})
	w.rest()
	if err != nil && !w.sw.stop.Load() {
		w.sw.fail(w.emit(&Swept{Err: at(w.pl.p.path, -1, err)}))
	}
}

// rest gives back what a family may have held when it ended early.
func (w *walker) rest() {
	w.stack, w.held = w.stack[:0], 0
	if w.big {
		w.big = false
		w.sw.big.Unlock()
		w.buffers = slices.DeleteFunc(w.buffers, func(b []byte) bool { return cap(b) > smallBuffer })
	}
}

// emit hands o to the visitor.
func (w *walker) emit(o *Swept) error { return w.sw.visit(w.worker, o) }

// family visits the subtree of top.
func (w *walker) family(top int32) error {
	defer w.rest()
	var base frame
	if b := w.pl.parent[top]; b >= 0 {
		base = w.rebuild(b)
	}
	f, err := w.visit(top, &base)
	w.release(&base)
	if err != nil {
		return err
	}
	w.push(f)
	for len(w.stack) > 0 && !w.sw.stop.Load() {
		f := w.stack[len(w.stack)-1]
		child, last := w.child(f)
		if child < 0 {
			w.pop()
			continue
		}
		if f.data == nil && f.err == nil {
			again := w.rebuild(f.node)
			again.next, again.heavy = f.next, f.heavy
			*f = again
			w.held += f.bytes()
		}
		c, err := w.visit(child, f)
		if err != nil {
			return err
		}
		if last {
			w.pop()
		}
		w.push(c)
	}
	return nil
}

// child returns the next child of f to be walked, or -1. The heaviest comes
// last, and then f is needed no more: so a stack is no deeper than the
// logarithm of the number of nodes below it.
func (w *walker) child(f *frame) (node int32, last bool) {
	for f.next >= 0 {
		i := f.next
		f.next = w.pl.next[i]
		if i != f.heavy && w.walks(i) {
			return i, false
		}
	}
	node, f.heavy = f.heavy, -1
	return node, true
}

// walks reports whether child i is walked together with its base.
func (w *walker) walks(i int32) bool { return w.pl.flags[i]&(flagNeed|flagCut) == flagNeed }

// parents reports whether any object that is needed is made of node i, by
// whichever worker.
func (w *walker) parents(i int32) bool {
	for c := w.pl.first[i]; c >= 0; c = w.pl.next[c] {
		if w.pl.flags[c]&flagNeed != 0 {
			return true
		}
	}
	return false
}

// visit makes node i of base and hands it to the visitor.
func (w *walker) visit(i int32, base *frame) (*frame, error) {
	pl, sw, f := w.pl, w.sw, w.frame(i)
	f.err = pl.bad[i]
	switch {
	case f.err != nil:
	case base.err != nil:
		f.err = at(pl.p.path, pl.offsets[i], fmt.Errorf("its base cannot be read: %w", base.err))
	default:
		if streamed, err := w.stream(f); streamed || err != nil {
			return f, err
		}
		w.build(f, base, true)
		if f.err == nil && sw.s.opts.Verify {
			f.err = at(pl.p.path, pl.offsets[i], verifyID(pl.id(i), pl.kinds[i], f.data))
		}
	}
	kind := pl.kinds[i]
	if f.err != nil {
		w.release(f)
		kind = w.rescue(f, kind)
	}
	if pl.flags[i]&flagVisit == 0 || kind != 0 && f.err == nil && !sw.kinds[kind] {
		return f, nil
	}
	o := &w.swept
	o.Number, o.Kind, o.Size, o.Data, o.Err = pl.number(i), kind, int64(len(f.data)), f.data, f.err
	o.Anchors, o.Marks, o.Anchored, o.NoNUL, o.Parsed = f.known.anchors, f.known.marks, f.known.ok, f.known.noNUL, false
	if sw.opts.Entries {
		o.Anchored = false
		if f.err == nil {
			o.TreeChange = w.change
		}
	}
	if !sw.opts.Nameless || o.Err != nil {
		o.ID = pl.id(i)
	}
	if o.Err != nil {
		o.Err = fmt.Errorf("object %s: %w", o.ID, o.Err)
	}
	return f, w.emit(o)
}

// rescue looks everywhere else for the object that f could not be made of.
func (w *walker) rescue(f *frame, kind Kind) Kind {
	pos := w.pl.place(f.node)
	if pos < 0 {
		return kind
	}
	w.r.left = maxSteps
	k, data, err := w.r.object(MakeID(w.pl.p.idx.id(int(pos))), place{w.pl.p, int(pos)})
	if err != nil {
		return kind
	}
	f.data, f.shared, f.err = data, true, nil
	f.known = w.list()
	w.know(&f.known, data)
	return k
}

// astray visits an object whose offset is not in the pack.
func (w *walker) astray(i int32) {
	id := MakeID(w.pl.p.idx.id(int(i)))
	if w.sw.st.packedBefore(w.pl.p.idx, int(i), w.pl.rank) || !w.sw.wants(w.pl, i) {
		return
	}
	w.sw.fail(guarded(func() error {
		w.r.left = maxSteps
		kind, data, err := w.r.object(id, place{w.pl.p, int(i)})
		if err != nil {
			offset, _ := w.pl.p.idx.offset(int(i))
			return w.emit(&Swept{ID: id, Number: w.pl.start + int(i), Err: fmt.Errorf("object %s: %w", id,
				at(w.pl.p.path, offset, errors.New("the index puts it outside the pack")))})
		}
		if !w.sw.kinds[kind] {
			return nil
		}
		return w.emitAlone(id, w.pl.start+int(i), kind, data)
	}))
}

// stream hands over f's object as a stream if it is large and stored whole,
// and either nothing is made of it or it does not fit in memory at all.
func (w *walker) stream(f *frame) (done bool, err error) {
	pl, sw := w.pl, w.sw
	offset := pl.offsets[f.node]
	if pl.parent[f.node] >= 0 || pl.flags[f.node]&flagOutside != 0 || pl.own[f.node] <= sw.opts.StreamOver {
		return false, nil
	}
	e, err := pl.p.entry(offset)
	if err != nil || e.size <= sw.opts.StreamOver || e.size <= sw.s.opts.MaxObject && w.parents(f.node) {
		return false, nil
	}
	if w.parents(f.node) {
		f.err = at(pl.p.path, offset, fmt.Errorf("%w: %d bytes", ErrTooLarge, e.size))
	}
	if pl.flags[f.node]&flagVisit == 0 {
		return true, nil
	}
	o := Swept{ID: pl.id(f.node), Number: pl.number(f.node), Kind: e.kind, Size: e.size}
	if o.Err = pl.checkCRC(f.node); o.Err != nil {
		if e.size <= sw.s.opts.MaxObject {
			return false, nil // build notices too, and looks elsewhere
		}
		o.Err = fmt.Errorf("object %s: %w", o.ID, o.Err)
		return true, w.emit(&o)
	}
	st := pl.p.open(offset, &e)
	if sw.s.opts.Verify {
		st.verify(o.ID, e.kind)
	}
	o.Stream = st
	return true, w.emit(&o)
}

// rebuild makes node i again, from the nearest base that the stack still has.
func (w *walker) rebuild(i int32) (f frame) {
	var chain []int32
	var held *frame
climb:
	for n := i; n >= 0; n = w.pl.parent[n] {
		for k := range w.stack {
			if g := w.stack[k]; g.node == n && n != i && (g.data != nil || g.err != nil) {
				held = g
				break climb
			}
		}
		chain = append(chain, n)
	}
	last := frame{shared: true}
	if held != nil {
		last = *held
		last.shared, last.known = true, anchored{} // what it has stays its own
	}
	for k := len(chain) - 1; k >= 0; k-- {
		f = frame{node: chain[k], err: last.err}
		if f.err == nil {
			f.err = w.pl.bad[f.node]
		}
		if f.err == nil {
			w.build(&f, &last, false)
		}
		if f.err != nil {
			w.rescue(&f, 0)
		}
		w.release(&last)
		last = f
	}
	if f.err == nil && !f.known.ok {
		f.known = w.list()
		w.know(&f.known, f.data)
	}
	return f
}

// build sets f's data, and its anchors if they are asked for, or its err.
func (w *walker) build(f *frame, base *frame, anchors bool) {
	c := &w.sw.carrier
	if w.pl.flags[f.node]&flagOutside != 0 {
		w.r.left = maxSteps
		if _, f.data, f.err = w.r.packed(w.pl.p, w.pl.offsets[f.node]); f.err != nil {
			return
		}
		f.shared = true
	} else if f.err = w.entry(f, base, anchors); f.err != nil {
		return
	}
	switch {
	case !anchors:
	case w.pl.parent[f.node] < 0 || w.sw.opts.FullScan:
		f.known = w.list()
		w.know(&f.known, f.data)
	case w.sw.opts.Entries:
		f.known = w.list()
		w.knowTree(f, base)
	default:
		f.known = w.list()
		c.carry(&f.known, f.data, base.data, &base.known, w.runs)
	}
}

// know sets k to what is to be known of data that is not made of a base.
func (w *walker) know(k *anchored, data []byte) {
	if w.sw.opts.Entries {
		w.change.whole(k, data, w.sw.s.opts.HashSize)
		return
	}
	w.sw.carrier.full(k, data)
}

// entry inflates f's entry and applies it to base if it is a delta. It leaves
// the copied runs in w.runs.
func (w *walker) entry(f, base *frame, runs bool) error {
	pl, sw := w.pl, w.sw
	p, offset, end := pl.p, pl.offsets[f.node], pl.end(f.node)
	e, err := p.entry(offset)
	if err != nil {
		return err
	}
	if e.size > sw.s.opts.MaxObject {
		return at(p.path, offset, fmt.Errorf("%w: %d bytes", ErrTooLarge, e.size))
	}
	if err := plausible(e.size, end-e.data); err != nil {
		return at(p.path, offset, err)
	}
	if err := pl.checkCRC(f.node); err != nil {
		return err
	}
	w.large(e.size)
	var buf []byte
	if e.kind.whole() {
		buf = w.buffer(int(e.size))
	} else {
		if cap(w.delta) < int(e.size)+inflate.Slack || cap(w.delta) > smallBuffer {
			w.delta = make([]byte, 0, int(e.size)+min(int(e.size)/8, 64<<10)+inflate.Slack)
		}
		buf = w.delta[:e.size]
	}
	got, err := p.inflate(w.r.z, offset, &e, buf)
	if err == nil && pl.strict && got != end {
		err = at(p.path, offset, fmt.Errorf("%w: it ends at %d, the next begins at %d", errEntry, got, end))
	}
	switch {
	case !e.kind.whole() && err == nil:
		return w.applyTo(f, base, buf, offset, runs)
	case !e.kind.whole():
		return err
	case err != nil:
		w.putBuffer(buf)
		return err
	}
	f.data = buf
	return nil
}

// applyTo makes f's data of base by the delta of the entry at offset.
func (w *walker) applyTo(f, base *frame, delta []byte, offset int64, runs bool) error {
	path := w.pl.p.path
	size, ops, err := deltaHead(delta, int64(len(base.data)), w.sw.s.opts.MaxObject)
	if err != nil {
		return at(path, offset, err)
	}
	w.large(size)
	minRun := w.sw.carrier.minRun
	if !runs || w.sw.opts.FullScan || !base.known.ok {
		minRun = math.MaxInt
	}
	buf := w.buffer(int(size))
	if cap(w.runs) > 1<<20 {
		w.runs = nil
	}
	made, err := applyDelta(buf, base.data, ops, w.runs[:0], minRun)
	if err != nil {
		w.putBuffer(buf)
		return at(path, offset, err)
	}
	w.runs, f.data = made, buf
	return nil
}

// large waits until no other worker has objects of more than StreamOver, if
// size is.
func (w *walker) large(size int64) {
	if size > w.sw.opts.StreamOver && !w.big {
		w.sw.big.Lock()
		w.big = true
	}
}
