package pack

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
)

// newHash returns the hash function whose sums are size bytes long.
func newHash(size int) hash.Hash {
	if size == sha256.Size {
		return sha256.New()
	}
	return sha1.New()
}

// An index finds the entries of one pack by id: a version 1 or 2 index file,
// or what a multi-pack index says of the pack.
type index struct {
	path string
	n    int
	hash int // bytes of an id
	// fan is the table of 256 counts: of ids whose first byte is at most i.
	fan []byte
	// ids has the sorted ids, one every stride bytes.
	ids    []byte
	stride int
	// Of a version 2 index: offsets of 31 bits or places in the table of long
	// ones, and checksums.
	short, long, crcs []byte
	// Of a version 1 index the offset stands before the id.
	records []byte
	// Of a multi-pack index the offsets come as numbers.
	offsets []int64
	// packSum is the checksum of the pack, or nil if not known, and whole the
	// index file, whose last bytes are its own checksum.
	packSum, whole []byte
	unmap          func() error
}

const fanSize = 256 * 4

var errIndex = errors.New("not a pack index, or one that is damaged")

func indexError(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errIndex, fmt.Sprintf(format, a...))
}

// openIndex maps and checks the index at path. Only what costs little is
// checked: sizes and the fan-out table.
func openIndex(path string, hashSize int) (*index, error) {
	data, unmap, err := openMapped(path)
	if err != nil {
		return nil, err
	}
	x, err := parseIndex(data, hashSize)
	if err != nil {
		_ = unmap()
		return nil, at(path, -1, err)
	}
	x.path, x.unmap = path, unmap
	return x, nil
}

// parseIndex reads an index of version 1 or 2 (gitformat-pack(5)).
func parseIndex(data []byte, hashSize int) (*index, error) {
	x := &index{hash: hashSize, whole: data}
	v2 := len(data) >= 8 && string(data[:4]) == "\377tOc"
	tables := data
	if v2 {
		if v := binary.BigEndian.Uint32(data[4:]); v != 2 {
			return nil, indexError("version %d is not known", v)
		}
		tables = data[8:]
	}
	if len(tables) < fanSize+2*hashSize {
		return nil, indexError("%d bytes are too few", len(data))
	}
	var err error
	if x.fan, x.n, err = parseFan(tables); err != nil {
		return nil, err
	}
	tables, sums := tables[fanSize:len(tables)-2*hashSize], tables[len(tables)-2*hashSize:]
	x.packSum = sums[:hashSize]
	n := x.n
	if !v2 {
		if len(tables)/(4+hashSize) < n || len(tables) != n*(4+hashSize) {
			return nil, indexError("%d bytes do not fit %d objects", len(data), n)
		}
		x.records, x.stride = tables, 4+hashSize
		if n > 0 {
			x.ids = tables[4:]
		}
		return x, nil
	}
	// Division first: a product of the hostile count could overflow.
	if len(tables)/(hashSize+8) < n || (len(tables)-n*(hashSize+8))%8 != 0 {
		return nil, indexError("%d bytes do not fit %d objects", len(data), n)
	}
	x.ids, x.stride = tables[:n*hashSize], hashSize
	tables = tables[n*hashSize:]
	x.crcs, x.short, x.long = tables[:n*4], tables[n*4:n*8], tables[n*8:]
	return x, nil
}

// parseFan checks the fan-out table at the start of data and returns it with
// the number of objects.
func parseFan(data []byte) (fan []byte, n int, err error) {
	if len(data) < fanSize {
		return nil, 0, indexError("the fan-out table is cut short")
	}
	fan = data[:fanSize]
	last := uint32(0)
	for i := range 256 {
		v := binary.BigEndian.Uint32(fan[4*i:])
		if v < last {
			return nil, 0, indexError("the fan-out table falls at %d", i)
		}
		last = v
	}
	// Positions are kept in 32 bits with a sign; git itself stops at 2^32.
	if last > 1<<31-2 {
		return nil, 0, indexError("it lists %d objects", last)
	}
	return fan, int(last), nil
}

// id returns the i-th id, which must not be changed.
func (x *index) id(i int) []byte {
	at := i * x.stride
	return x.ids[at : at+x.hash : at+x.hash]
}

// offset returns where in the pack the i-th object is. It may be anything.
func (x *index) offset(i int) (int64, error) {
	switch {
	case x.offsets != nil:
		return x.offsets[i], nil
	case x.records != nil:
		return int64(binary.BigEndian.Uint32(x.records[i*x.stride:])), nil
	}
	v := binary.BigEndian.Uint32(x.short[4*i:])
	if v>>31 == 0 {
		return int64(v), nil
	}
	far := int(v & (1<<31 - 1))
	if far >= len(x.long)/8 {
		return 0, at(x.path, -1, indexError("object %d has no offset", i))
	}
	return int64(binary.BigEndian.Uint64(x.long[8*far:])), nil
}

// crc returns the CRC-32 of the i-th object's entry. The index must have crcs.
func (x *index) crc(i int) uint32 { return binary.BigEndian.Uint32(x.crcs[4*i:]) }

// head returns the first eight bytes of the i-th id as a number, which orders
// ids as their bytes do.
func (x *index) head(i int) uint64 { return binary.BigEndian.Uint64(x.ids[i*x.stride:]) }

// find returns the position of id, the first one if it is listed more than
// once.
func (x *index) find(id []byte) (int, bool) {
	if len(id) != x.hash {
		return 0, false
	}
	lo, hi := 0, int(binary.BigEndian.Uint32(x.fan[4*int(id[0]):]))
	if id[0] > 0 {
		lo = int(binary.BigEndian.Uint32(x.fan[4*int(id[0])-4:]))
	}
	want := binary.BigEndian.Uint64(id)
	lo, hi = x.narrow(want, lo, hi)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if x.head(mid) < want {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for ; lo < x.n && x.head(lo) == want; lo++ {
		if string(x.id(lo)) == string(id) {
			return lo, true
		}
	}
	return 0, false
}

// narrow returns a part of the ids from lo to hi, all of which begin with the
// same byte, in which the first id with the head want is, or belongs. Ids are
// spread evenly, so it is near the place that its next bytes say, and few pages
// are touched.
func (x *index) narrow(want uint64, lo, hi int) (int, int) {
	const near = 16
	if hi-lo <= 2*near {
		return lo, hi
	}
	guess := lo + int(want<<8>>32*uint64(hi-lo)>>32)
	if x.head(guess) < want {
		lo = guess + 1
		for step := near; lo+step < hi; step *= 4 {
			if x.head(lo+step) >= want {
				return lo, lo + step
			}
			lo += step
		}
		return lo, hi
	}
	hi = guess
	for step := near; hi-step >= lo; step *= 4 {
		if x.head(hi-step) < want {
			return hi - step, hi
		}
		hi -= step
	}
	return lo, hi
}

// verify compares the index with its own checksum.
func (x *index) verify() error {
	if x.whole == nil {
		return nil
	}
	h := newHash(x.hash)
	end := len(x.whole) - x.hash
	h.Write(x.whole[:end])
	if !bytes.Equal(h.Sum(nil), x.whole[end:]) {
		return at(x.path, int64(end), indexError("its checksum does not match"))
	}
	return nil
}

func (x *index) close() error {
	if x.unmap == nil {
		return nil
	}
	return x.unmap()
}
