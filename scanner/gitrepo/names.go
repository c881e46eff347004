package gitrepo

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
)

// A nameTable numbers names from 0. The zero value is ready.
type nameTable struct {
	bytes []byte // of all names, one after the other
	ends  []int32
	slots []int32 // numbers plus one, at the place of their hash or behind
	seed  maphash.Seed
}

func (t *nameTable) len() int { return len(t.ends) }

// name returns the bytes of the name of number n.
func (t *nameTable) name(n uint32) []byte {
	from := int32(0)
	if n > 0 {
		from = t.ends[n-1]
	}
	return t.bytes[from:t.ends[n]:t.ends[n]]
}

// slot returns where name is or belongs.
func (t *nameTable) slot(name []byte) int {
	i := int(maphash.Bytes(t.seed, name) & uint64(len(t.slots)-1))
	for t.slots[i] != 0 && !bytes.Equal(t.name(uint32(t.slots[i]-1)), name) {
		i = (i + 1) & (len(t.slots) - 1)
	}
	return i
}

// find returns the number of name and whether it has one.
func (t *nameTable) find(name []byte) (uint32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	n := t.slots[t.slot(name)]
	return uint32(n - 1), n != 0
}

// add returns the number of name.
func (t *nameTable) add(name []byte) uint32 {
	if 2*len(t.ends) >= len(t.slots) {
		t.grow()
	}
	i := t.slot(name)
	if t.slots[i] == 0 {
		t.bytes = append(t.bytes, name...)
		t.ends = append(t.ends, int32(len(t.bytes)))
		t.slots[i] = int32(len(t.ends))
	}
	return uint32(t.slots[i] - 1)
}

func (t *nameTable) grow() {
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]int32, max(1024, 2*len(t.slots)))
	for n := range t.ends {
		t.slots[t.slot(t.name(uint32(n)))] = int32(n + 1)
	}
}

// A pathNode is a path: a name in a folder.
type pathNode struct {
	parent int32
	name   uint32
	depth  uint16 // names in it
	file   bool   // some tree has something else than a folder there
	link   bool   // some tree has a submodule there
	wanted bool   // see origins
}

// A pathTable numbers paths from 0, which is the top folder. The zero value
// has to be given its top by start.
type pathTable struct {
	nodes []pathNode
	slots []int32 // numbers, at the place of their hash or behind, 0 for none
	seed  uint64
}

func (t *pathTable) start() {
	t.nodes, t.slots, t.seed = make([]pathNode, 1, 1024), make([]int32, 1024), rand.Uint64()|1
}

func (t *pathTable) slot(parent int32, name uint32) int {
	key := uint64(uint32(parent))<<32 | uint64(name)
	h, _ := bits.Mul64((key^key>>29)*t.seed, uint64(len(t.slots)))
	for i := int(h); ; i++ {
		if i == len(t.slots) {
			i = 0
		}
		n := t.slots[i]
		if n == 0 || t.nodes[n].parent == parent && t.nodes[n].name == name {
			return i
		}
	}
}

// find returns the number of the path of name in parent, or 0.
func (t *pathTable) find(parent int32, name uint32) int32 { return t.slots[t.slot(parent, name)] }

// add returns the number of the path of name in parent.
func (t *pathTable) add(parent int32, name uint32) int32 {
	i := t.slot(parent, name)
	if t.slots[i] == 0 {
		t.slots[i] = int32(len(t.nodes))
		t.nodes = append(t.nodes, pathNode{parent: parent, name: name, depth: t.nodes[parent].depth + 1})
		if 2*len(t.nodes) > len(t.slots) {
			t.grow()
			return int32(len(t.nodes) - 1)
		}
	}
	return t.slots[i]
}

func (t *pathTable) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	for n := 1; n < len(t.nodes); n++ {
		t.slots[t.slot(t.nodes[n].parent, t.nodes[n].name)] = int32(n)
	}
}

// appendPath appends path p with '/' between its names.
func (c *census) appendPath(dst []byte, p int32) []byte {
	n := &c.paths.nodes[p]
	if n.parent != 0 {
		dst = append(c.appendPath(dst, n.parent), '/')
	}
	return append(dst, c.names.name(n.name)...)
}

// path returns path p, or "" for the top and what is no path.
func (c *census) path(p int32) string {
	if p <= 0 {
		return ""
	}
	return string(c.appendPath(nil, p))
}

// findPath returns the number of a path, or 0.
func (c *census) findPath(path string) (p int32) {
	for rest := []byte(path); ; {
		name, more, ok := bytes.Cut(rest, []byte{'/'})
		n, known := c.names.find(name)
		if !known {
			return 0
		}
		if p = c.paths.find(p, n); p == 0 || !ok {
			return p
		}
		rest = more
	}
}
