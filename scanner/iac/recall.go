package iac

import (
	"encoding/binary"
	"sort"
	"sync"
)

// A recall remembers what was found in the blocks of a file that matter, so that
// a version of the file in which none of them changed is not parsed again. The
// blocks are compared byte for byte.
type recall struct {
	mu    sync.Mutex
	known map[string]recalled
	bytes int
}

// maxRecalled bounds the text that is remembered: that of some hundred files.
const maxRecalled = 4 << 20

// A recalled verdict is what was found, where the blocks then were.
type recalled struct {
	blocks   []block
	problems []problem
}

// recallKey is the text of blocks, each behind its length.
func recallKey(data []byte, blocks []block) []byte {
	n := 0
	for _, b := range blocks {
		n += binary.MaxVarintLen32 + b.end - b.start
	}
	key := make([]byte, 0, n)
	for _, b := range blocks {
		key = binary.AppendUvarint(key, uint64(b.end-b.start))
		key = append(key, data[b.start:b.end]...)
	}
	return key
}

// find returns what was found in a file with the same blocks, moved to where
// they are now.
func (r *recall) find(key []byte, now []block) ([]problem, bool) {
	r.mu.Lock()
	v, ok := r.known[string(key)]
	r.mu.Unlock()
	if !ok {
		return nil, false
	}
	moved := make([]problem, len(v.problems))
	for i, p := range v.problems {
		p.at, p.within = v.move(p.at, now), v.move(p.within, now)
		also := make([]span, len(p.also))
		for k, s := range p.also {
			also[k] = v.move(s, now)
		}
		p.also = also
		moved[i] = p
	}
	return moved, true
}

// move returns where s is when the blocks are those of now. The zero span, which
// stands for none, stays as it is.
func (v *recalled) move(s span, now []block) span {
	if i := v.blockOf(s); i >= 0 {
		by := now[i].start - v.blocks[i].start
		return span{s.start + by, s.end + by}
	}
	return s
}

// blockOf returns the number of the block that s lies in, or -1.
func (v *recalled) blockOf(s span) int {
	i := sort.Search(len(v.blocks), func(i int) bool { return v.blocks[i].start > s.start }) - 1
	if i < 0 || s.end > v.blocks[i].end || s == (span{}) {
		return -1
	}
	return i
}

// keep remembers what was found, unless it stands outside the blocks.
func (r *recall) keep(key []byte, v recalled) {
	inside := func(s span) bool { return s == (span{}) || v.blockOf(s) >= 0 }
	for _, p := range v.problems {
		ok := inside(p.at) && inside(p.within)
		for _, s := range p.also {
			ok = ok && inside(s)
		}
		if !ok {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || r.bytes+len(key) > maxRecalled {
		r.known, r.bytes = map[string]recalled{}, 0
	}
	r.known[string(key)] = v
	r.bytes += len(key)
}
