package gitrepo

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/spillgate/spillgate/scanner"
)

// A blobTable holds the blobs of a history, each with the place that first
// brought it. There may be millions: so their ids are numbered, and everything
// else goes by number.
type blobTable struct {
	ids    []oid
	places []firstPlace
	// commits are what was walked, bases before what is made of them, and
	// touched the paths that they changed, those of one after the other.
	commits []walked
	touched []string
	// copies are further paths at which blobs were brought, some of them
	// twice.
	copies []copied
	// slots has the numbers plus one, at the place that their hash says or
	// the next one that was free.
	slots []int32
	seed  uint64
}

// A firstPlace is what first brought a blob.
type firstPlace struct {
	path   string
	commit *scanner.Commit // nil for a blob that no commit leads to
	mode   uint32
}

// A walked is a commit that was walked.
type walked struct {
	root oid
	// base is the number of the only parent, or -1: there are none or several,
	// or some tree could not be compared. Else the commit differs from it in
	// touched[from:to] and nowhere else.
	base     int32
	from, to int
}

// A copied is another path of a blob.
type copied struct {
	blob int32
	path string
}

func newBlobTable() *blobTable {
	return &blobTable{slots: make([]int32, 1024), seed: rand.Uint64() | 1}
}

// slot returns where id is or belongs. Ids are hashes already; the seed keeps
// those who choose them from choosing the same slot.
func (t *blobTable) slot(id *oid) int {
	h, _ := bits.Mul64(binary.LittleEndian.Uint64(id[:])*t.seed, uint64(len(t.slots)))
	for i := int(h); ; i++ {
		if i == len(t.slots) {
			i = 0
		}
		if n := t.slots[i]; n == 0 || t.ids[n-1] == *id {
			return i
		}
	}
}

// find returns the number of id, or -1.
func (t *blobTable) find(id *oid) int { return int(t.slots[t.slot(id)]) - 1 }

// add returns the number of id and whether it is new.
func (t *blobTable) add(id *oid, p firstPlace) (n int, isNew bool) {
	s := t.slot(id)
	if t.slots[s] != 0 {
		return int(t.slots[s]) - 1, false
	}
	t.ids, t.places = append(t.ids, *id), append(t.places, p)
	n = len(t.ids)
	t.slots[s] = int32(n)
	if 2*n > len(t.slots) {
		t.grow()
	}
	return n - 1, true
}

func (t *blobTable) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	for i := range t.ids {
		t.slots[t.slot(&t.ids[i])] = int32(i + 1)
	}
}

// object returns the object of blob n.
func (t *blobTable) object(r *Repo, n int) *scanner.Object {
	p := &t.places[n]
	o := &scanner.Object{Path: p.path, Commit: p.commit, Mode: p.mode, ID: r.hex(t.ids[n])}
	if p.mode&modeType == modeSymlink {
		o.Kind = scanner.SymlinkTarget
	}
	return o
}
