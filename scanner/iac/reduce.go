package iac

import (
	"sort"
	"sync"
)

// Parsers take about a millisecond for 5 KB, and in a history each version of a
// file differs from the one before in a few lines, mostly of other resources. So
// what no verdict depends on is cut away first, which is a hundred times as
// fast, and what is left is parsed once for all versions that have it in common.
//
// A cut is not believed where it is not certain. It knows of a language what it
// takes to tell where a part ends, and a file with anything else is parsed as a
// whole. A fuzz target for each language holds both ways equal.

// A reduction is a file without what no verdict depends on.
type reduction struct {
	text []byte
	// pieces say where the text stands in the file. What stands nowhere is
	// there for the parser.
	pieces []piece
}

// reduce returns the reduction of a file, or false if it has to be parsed as a
// whole.
func reduce(l language, data []byte) (r *reduction, ok bool) {
	switch l {
	case hclLanguage:
		return reduceHCL(data)
	case jsonLanguage:
		return reduceJSON(data)
	case yamlLanguage:
		return reduceYAML(data)
	}
	return nil, false
}

// keep appends data[from:to].
func (r *reduction) keep(data []byte, from, to int) {
	if from == to {
		return
	}
	if n := len(r.pieces); n > 0 && r.pieces[n-1].at+r.pieces[n-1].n == len(r.text) && r.pieces[n-1].src+r.pieces[n-1].n == from {
		r.pieces[n-1].n += to - from
	} else {
		r.pieces = append(r.pieces, piece{len(r.text), from, to - from})
	}
	r.text = append(r.text, data[from:to]...)
}

// place returns where the character at offset at of the text stands in the file.
func (r *reduction) place(at int) (src int, ok bool) {
	i := sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].at > at }) - 1
	if i < 0 || at >= r.pieces[i].at+r.pieces[i].n {
		return 0, false
	}
	return r.pieces[i].src + at - r.pieces[i].at, true
}

// span returns where s stands in the file. The zero span stands for none.
func (r *reduction) span(s span) (span, bool) {
	if s == (span{}) {
		return s, true
	}
	start, ok := r.place(s.start)
	if !ok || s.end <= s.start {
		return span{start, start}, ok
	}
	last, ok := r.place(s.end - 1)
	return span{start, last + 1}, ok && last >= start
}

// restore returns problems of the text with their places in the file, or false if
// one of them has none.
func (r *reduction) restore(found []problem) (all []problem, ok bool) {
	all = make([]problem, len(found))
	for i, p := range found {
		var a, b bool
		p.at, a = r.span(p.at)
		p.within, b = r.span(p.within)
		if !a || !b {
			return nil, false
		}
		also := make([]span, len(p.also))
		for k, s := range p.also {
			if also[k], ok = r.span(s); !ok {
				return nil, false
			}
		}
		p.also = also
		all[i] = p
	}
	return all, true
}

// A recall remembers what was found in reductions, which it compares byte for byte.
type recall struct {
	mu    sync.Mutex
	known map[string][]problem // by language and text
	bytes int
}

// maxRecalled bounds the text that is remembered in bytes: that of some hundred
// files.
const maxRecalled = 4 << 20

// problems returns what check finds in text, or found there before.
func (k *recall) problems(l language, text []byte) ([]problem, error) {
	key := append([]byte{byte(l)}, text...)
	k.mu.Lock()
	found, ok := k.known[string(key)]
	k.mu.Unlock()
	if ok {
		return found, nil
	}
	f, err := parse(l, text)
	if err != nil {
		return nil, err
	}
	found = check(f)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || k.bytes+len(key) > maxRecalled {
		k.known, k.bytes = map[string][]problem{}, 0
	}
	k.known[string(key)] = found
	k.bytes += len(key)
	return found, nil
}
