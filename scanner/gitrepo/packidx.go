package gitrepo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"sync/atomic"
)

// A packIndex finds objects in a pack through its .idx file
// (format: https://git-scm.com/docs/gitformat-pack). go-git decodes the whole
// file before the first answer, which costs a commit hook more than all the
// rest; this one reads the fan-out table and looks up by binary search in the
// file, and takes the file into memory only when lookups become many.
type packIndex struct {
	name    string
	file    indexFile
	size    int64
	version int
	hashLen int
	fanout  [256]uint32

	lookups atomic.Int32
	loading sync.Once
	whole   atomic.Pointer[[]byte]
	loadErr error

	reversing  sync.Once
	byOffset   []uint32 // positions in order of offset
	reverseErr error
}

// lookupsBeforeLoad is how many lookups are cheaper in the file than reading
// all of it.
const lookupsBeforeLoad = 64

// openPackIndex opens the .idx file called name.
func openPackIndex(name string, hashLen int) (*packIndex, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var x *packIndex
		if x, err = newPackIndex(name, f, info.Size(), hashLen); err == nil {
			return x, nil
		}
	}
	_ = f.Close()
	return nil, fmt.Errorf("reading pack index %s: %w", name, err)
}

// indexFile is what a packIndex needs of its file.
type indexFile interface {
	io.ReaderAt
	io.Closer
}

// newPackIndex reads the head of an index of size bytes.
func newPackIndex(name string, file indexFile, size int64, hashLen int) (*packIndex, error) {
	x := &packIndex{name: name, file: file, size: size, hashLen: hashLen, version: 1}
	var head [8 + 1024]byte
	if n, err := x.file.ReadAt(head[:], 0); n < 1024 {
		return nil, fmt.Errorf("too short: %w", err)
	}
	table := head[:1024]
	if string(head[:4]) == "\xfftOc" {
		if x.version = int(binary.BigEndian.Uint32(head[4:])); x.version != 2 {
			return nil, fmt.Errorf("unknown version %d", x.version)
		}
		table = head[8:]
	}
	for i := range x.fanout {
		x.fanout[i] = binary.BigEndian.Uint32(table[4*i:])
		if i > 0 && x.fanout[i] < x.fanout[i-1] {
			return nil, errors.New("its fan-out table is not in order")
		}
	}
	if end := x.tableEnd(); end > x.size {
		return nil, fmt.Errorf("%d objects do not fit into %d bytes", x.count(), x.size)
	}
	return x, nil
}

func (x *packIndex) count() int { return int(x.fanout[255]) }

// tableEnd returns the offset at which the tables that every index has end.
func (x *packIndex) tableEnd() int64 {
	n, h := int64(x.count()), int64(x.hashLen)
	if x.version == 1 {
		return 1024 + n*(4+h)
	}
	return 8 + 1024 + n*(h+4+4)
}

// at returns n bytes of the file at offset off, in buf or in memory.
func (x *packIndex) at(buf []byte, off int64) ([]byte, error) {
	if p := x.whole.Load(); p != nil {
		if off+int64(len(buf)) > int64(len(*p)) {
			return nil, errTruncated
		}
		return (*p)[off : off+int64(len(buf))], nil
	}
	_, err := x.file.ReadAt(buf, off)
	return buf, err
}

// load takes the file into memory.
func (x *packIndex) load() error {
	x.loading.Do(func() {
		whole := make([]byte, x.size)
		if _, err := x.file.ReadAt(whole, 0); err != nil {
			x.loadErr = fmt.Errorf("reading pack index %s: %w", x.name, err)
			return
		}
		x.whole.Store(&whole)
	})
	return x.loadErr
}

// nameAt returns the id at position i.
func (x *packIndex) nameAt(i int, buf []byte) ([]byte, error) {
	if x.version == 1 {
		return x.at(buf[:x.hashLen], 1024+int64(i)*int64(4+x.hashLen)+4)
	}
	return x.at(buf[:x.hashLen], 8+1024+int64(i)*int64(x.hashLen))
}

// offsetAt returns the pack offset of the object at position i.
func (x *packIndex) offsetAt(i int) (int64, error) {
	var buf [8]byte
	n, h := int64(x.count()), int64(x.hashLen)
	if x.version == 1 {
		b, err := x.at(buf[:4], 1024+int64(i)*(4+h))
		if err != nil {
			return 0, err
		}
		return int64(binary.BigEndian.Uint32(b)), nil
	}
	b, err := x.at(buf[:4], 8+1024+n*(h+4)+int64(i)*4)
	if err != nil {
		return 0, err
	}
	v := binary.BigEndian.Uint32(b)
	if v&(1<<31) == 0 {
		return int64(v), nil
	}
	b, err = x.at(buf[:8], x.tableEnd()+int64(v&^(1<<31))*8)
	if err != nil {
		return 0, fmt.Errorf("64-bit offset: %w", err)
	}
	off := binary.BigEndian.Uint64(b)
	if off > 1<<62 {
		return 0, errors.New("64-bit offset out of range")
	}
	return int64(off), nil
}

// errNotInPack says that an index does not list an object.
var errNotInPack = errors.New("not in this pack")

// find returns the pack offset of id, or errNotInPack.
func (x *packIndex) find(id oid) (int64, error) {
	if x.lookups.Add(1) > lookupsBeforeLoad {
		if err := x.load(); err != nil {
			return 0, err
		}
	}
	lo, hi := 0, int(x.fanout[id[0]])
	if id[0] > 0 {
		lo = int(x.fanout[id[0]-1])
	}
	var buf [sha256Len]byte
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		name, err := x.nameAt(mid, buf[:])
		if err != nil {
			return 0, fmt.Errorf("reading pack index %s: %w", x.name, err)
		}
		switch c := bytes.Compare(id[:x.hashLen], name); {
		case c == 0:
			return x.offsetAt(mid)
		case c < 0:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	return 0, errNotInPack
}

// id returns the id of the object at pack offset off.
func (x *packIndex) id(off int64) (oid, error) {
	if err := x.reverse(); err != nil {
		return oid{}, err
	}
	i := sort.Search(len(x.byOffset), func(i int) bool {
		o, err := x.offsetAt(int(x.byOffset[i]))
		return err != nil || o >= off
	})
	if i < len(x.byOffset) {
		if o, err := x.offsetAt(int(x.byOffset[i])); err == nil && o == off {
			return x.idAt(int(x.byOffset[i]))
		}
	}
	return oid{}, errNotInPack
}

// idAt returns the id at position i.
func (x *packIndex) idAt(i int) (oid, error) {
	var buf [sha256Len]byte
	name, err := x.nameAt(i, buf[:])
	if err != nil {
		return oid{}, err
	}
	return rawOID(name, x.hashLen), nil
}

// reverse builds the table of positions by offset.
func (x *packIndex) reverse() error {
	if err := x.load(); err != nil {
		return err
	}
	x.reversing.Do(func() {
		n := x.count()
		keys := make([]int64, n)
		order := make([]uint32, n)
		for i := range order {
			order[i] = uint32(i)
			if keys[i], x.reverseErr = x.offsetAt(i); x.reverseErr != nil {
				return
			}
		}
		x.byOffset = sortByKey(order, keys)
	})
	return x.reverseErr
}

// sortByKey sorts order by keys[order[i]] with a radix sort over 16 bits at a
// time: packs have up to millions of objects, and this runs in a hook.
func sortByKey(order []uint32, keys []int64) []uint32 {
	var largest int64
	for _, k := range keys {
		largest = max(largest, k)
	}
	spare := make([]uint32, len(order))
	for shift := 0; shift < 64 && largest>>shift > 0; shift += 16 {
		var starts [1<<16 + 1]uint32
		for _, k := range keys {
			starts[int(uint16(k>>shift))+1]++
		}
		for i := 1; i < len(starts); i++ {
			starts[i] += starts[i-1]
		}
		for _, o := range order {
			b := uint16(keys[o] >> shift)
			spare[starts[b]] = o
			starts[b]++
		}
		order, spare = spare, order
	}
	return order
}

func (x *packIndex) close() error { return x.file.Close() }
