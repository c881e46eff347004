package pack

import "github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"

// A frame is a node whose deltas are being visited.
type frame struct {
	node int32
	// next is the next child to look at, and heavy the one that comes last.
	next, heavy int32
	// data is nil when it was given up for lack of memory.
	data  []byte
	known anchored
	// shared says that data may belong to others too.
	shared bool
	// err says why there is no data and will be none.
	err error
}

func (f *frame) bytes() int64 { return int64(cap(f.data)) + f.known.bytes() }

// push puts f on the stack, unless it has no children to walk, and gives up
// data at the bottom of the stack when it is too much.
func (w *walker) push(f *frame) {
	f.next, f.heavy = w.pl.first[f.node], -1
	weight := int64(-1)
	for i := f.next; i >= 0; i = w.pl.next[i] {
		if w.walks(i) && w.pl.weight[i] > weight {
			f.heavy, weight = i, w.pl.weight[i]
		}
	}
	if f.heavy < 0 {
		w.done(f)
		return
	}
	w.stack = append(w.stack, f)
	w.held += f.bytes()
	for i := 0; w.held > w.limit && i < len(w.stack)-1; i++ {
		if g := w.stack[i]; g.data != nil {
			w.held -= g.bytes()
			w.release(g)
		}
	}
}

func (w *walker) pop() {
	f := w.stack[len(w.stack)-1]
	w.held -= f.bytes()
	w.stack = w.stack[:len(w.stack)-1]
	w.done(f)
}

// frame returns one of node i, and done takes it back.
func (w *walker) frame(i int32) *frame {
	n := len(w.free)
	if n == 0 {
		return &frame{node: i}
	}
	f := w.free[n-1]
	w.free = w.free[:n-1]
	*f = frame{node: i}
	return f
}

func (w *walker) done(f *frame) {
	w.release(f)
	w.free = append(w.free, f)
}

// release takes back the memory of f.
func (w *walker) release(f *frame) {
	if f.data != nil && !f.shared {
		w.putBuffer(f.data)
	}
	if f.known.bytes() > 0 && len(w.lists) < 16 && f.known.bytes() < 1<<20 {
		w.lists = append(w.lists, f.known)
	}
	f.data, f.known = nil, anchored{}
}

// buffer returns n bytes with the inflater's slack behind them.
func (w *walker) buffer(n int) []byte {
	best := -1
	for i, b := range w.buffers {
		if c := cap(b); c >= n+inflate.Slack && c <= 8*n+64<<10 && (best < 0 || c < cap(w.buffers[best])) {
			best = i
		}
	}
	if best < 0 {
		return make([]byte, n, n+min(n/8, 64<<10)+inflate.Slack)
	}
	b := w.buffers[best]
	end := len(w.buffers) - 1
	w.buffers[best] = w.buffers[end]
	w.buffers = w.buffers[:end]
	return b[:n]
}

// smallBuffer is the capacity up to which memory is kept between families.
const smallBuffer = 4 << 20

// putBuffer keeps b for later. Large ones are kept within a family only: its
// members are of much the same size.
func (w *walker) putBuffer(b []byte) {
	if len(w.buffers) < 16 && (cap(b) <= smallBuffer || w.big) {
		w.buffers = append(w.buffers, b)
	}
}

// list returns an empty anchored.
func (w *walker) list() (a anchored) {
	if n := len(w.lists); n > 0 {
		a = w.lists[n-1]
		w.lists = w.lists[:n-1]
		a.reset()
	}
	return a
}
