package decode

import "sort"

type span struct{ from, to int }

// A piece says that what was decoded from out on stems from the letters that
// stand at in and behind it in the parent, up to the next piece.
type piece struct{ out, in int }

// A layer is a text and where it comes from.
type layer struct {
	parent *layer // nil for the chunk itself
	depth  int    // of decoding: 0 for the chunk itself
	label  string // how it was encoded in the parent
	data   []byte
	// run is where the layer stands in the parent's data.
	run span
	// pieces lead back to the parent; without any, as after decompression,
	// all of run stands for each byte. num letters of the parent make den
	// bytes of data.
	pieces   []piece
	num, den int
	binary   bool

	// Buffers, used again for the next layer of the same depth.
	compact, out []byte
	lines        []span
}

// begin makes l the layer of parent.data[from:to], with empty data.
func (l *layer) begin(parent *layer, label string, from, to int) {
	l.parent, l.label, l.run, l.depth = parent, label, span{from, to}, parent.depth+1
	l.data, l.binary, l.pieces, l.num, l.den = nil, false, l.pieces[:0], 1, 1
}

// labels returns how the layer was encoded, the outermost first.
func (l *layer) labels() string {
	if l.parent == nil || l.parent.parent == nil {
		return l.label
	}
	return l.parent.labels() + ", " + l.label
}

// up returns the part of the parent's data that data[from:to] stems from. It
// is not empty.
func (l *layer) up(from, to int) (int, int) {
	if len(l.pieces) == 0 {
		return l.run.from, l.run.to
	}
	start := l.at(from * l.num / l.den)
	last := max(to-1, from)
	end := 0
	if l.num == l.den {
		// The end of an escape is where the next piece begins.
		end = l.at(last) + 1
		if i := l.find(last + 1); l.pieces[i].out == last+1 {
			end = l.pieces[i].in
		}
	} else {
		end = l.at(((last+1)*l.num+l.den-1)/l.den-1) + 1
	}
	return start, max(min(end, l.run.to), start+1)
}

// root returns the part of the chunk that data[from:to] stems from.
func (l *layer) root(from, to int) (int, int) {
	for ; l.parent != nil; l = l.parent {
		from, to = l.up(from, to)
	}
	return from, to
}

// find returns the piece that holds position out.
func (l *layer) find(out int) int {
	return sort.Search(len(l.pieces), func(i int) bool { return l.pieces[i].out > out }) - 1
}

func (l *layer) at(out int) int {
	p := l.pieces[l.find(out)]
	return p.in + out - p.out
}

// altered reports whether data[from:to] or the byte before reads otherwise in
// the parent, so that looking at it here can tell more than looking there did.
func (l *layer) altered(from, to int) bool {
	if l.num != l.den || len(l.pieces) == 0 {
		return true
	}
	// Escapes are longer than what they stand for: each widens the distance.
	a, b := l.pieces[l.find(max(from-1, 0))], l.pieces[l.find(to)]
	return a.in-a.out != b.in-b.out
}
