package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// A packFile is one pack with its index. The pack is mapped on first use, but
// for the first entries of Get (see window.go).
type packFile struct {
	path string
	idx  *index

	once  sync.Once
	err   error  // of opening
	data  []byte // the whole file
	body  []byte // what is before the checksum at the end
	unmap func() error

	windows atomic.Int32 // entries read, or tried, without a mapping
	mapped  atomic.Bool
	opening sync.Once // of file
	file    *os.File  // for windows, or nil
	size    int64     // of body, where file is open
}

const packHeader = 12

var (
	errEntry     = errors.New("no valid entry of a pack")
	errTruncated = errors.New("the pack ends too early")
)

// load maps the pack and compares its header and checksum with the index.
func (p *packFile) load() error {
	p.once.Do(func() {
		p.opening.Do(func() {}) // no file from here on but the one that is open
		if p.file != nil {
			p.data, p.unmap, p.err = mapOpen(p.file, p.path) // its name may have gone
		} else {
			p.data, p.unmap, p.err = openMapped(p.path)
		}
		if p.err == nil {
			p.err = at(p.path, -1, p.check())
		}
		p.mapped.Store(p.err == nil)
	})
	return p.err
}

func (p *packFile) check() error {
	d := p.data
	end := len(d) - p.idx.hash
	if end < packHeader {
		return errNoPack
	}
	if err := p.checkEnds(d, d[end:]); err != nil {
		return err
	}
	p.body = d[:end]
	return nil
}

var errNoPack = errors.New("not a pack")

// checkEnds compares the first bytes of the pack, d, and the checksum at its end
// with the index.
func (p *packFile) checkEnds(d, sum []byte) error {
	if string(d[:4]) != "PACK" {
		return errNoPack
	}
	if v := binary.BigEndian.Uint32(d[4:]); v != 2 && v != 3 {
		return fmt.Errorf("pack version %d is not known", v)
	}
	if n := binary.BigEndian.Uint32(d[8:]); p.idx.crcs != nil && int64(n) != int64(p.idx.n) {
		return fmt.Errorf("the pack has %d objects, its index %d", n, p.idx.n)
	}
	if p.idx.packSum != nil && !bytes.Equal(sum, p.idx.packSum) {
		return errors.New("the pack is not the one its index was made for, or is cut short")
	}
	return nil
}

func (p *packFile) close() error {
	p.once.Do(func() { p.err = errors.New("closed") })
	err := p.idx.close()
	p.opening.Do(func() {})
	if p.file != nil {
		err = errors.Join(err, p.file.Close())
	}
	if p.unmap != nil {
		err = errors.Join(err, p.unmap())
	}
	return err
}

// An entry is the head of one entry of a pack.
type entry struct {
	kind Kind // also offsetDelta, refDelta
	// size is what the zlib stream must hold: the object, or the delta.
	size int64
	// base is the offset of the base of an offsetDelta, baseID the name of a
	// refDelta's.
	base   int64
	baseID []byte
	// data is where the zlib stream begins.
	data int64
	// start is the beginning of that stream where the pack is not mapped.
	start []byte
}

// entry reads the head of the entry at offset (gitformat-pack(5)).
func (p *packFile) entry(offset int64) (entry, error) {
	e, err := parseEntry(p.body, offset, p.idx.hash)
	if err != nil {
		return e, at(p.path, offset, err)
	}
	return e, nil
}

func parseEntry(body []byte, offset int64, hashSize int) (e entry, err error) {
	if offset < packHeader || offset >= int64(len(body)) {
		return e, fmt.Errorf("%w: the pack has %d bytes", errEntry, len(body))
	}
	return parseHead(body[offset:], offset, hashSize)
}

// parseHead reads the head of the entry at offset from b, which begins there
// and is not empty.
func parseHead(b []byte, offset int64, hashSize int) (e entry, err error) {
	c := b[0]
	n := 1
	e.kind = Kind(c >> 4 & 7)
	size := uint64(c & 15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if n == len(b) {
			return e, errTruncated
		}
		c = b[n]
		n++
		if shift > 56 {
			return e, fmt.Errorf("%w: its size has too many digits", errEntry)
		}
		size |= uint64(c&0x7f) << shift
	}
	e.size = int64(size)
	switch {
	case e.kind == offsetDelta:
		back, used := baseDistance(b[n:])
		if used == 0 || back <= 0 || back > offset-packHeader {
			return e, fmt.Errorf("%w: its base is outside the pack", errEntry)
		}
		n += used
		e.base = offset - back
	case e.kind == refDelta:
		if len(b)-n < hashSize {
			return e, errTruncated
		}
		e.baseID = b[n : n+hashSize : n+hashSize]
		n += hashSize
	case !e.kind.whole():
		return e, fmt.Errorf("%w: type %d is not known", errEntry, e.kind)
	}
	e.data = offset + int64(n)
	return e, nil
}

// baseDistance reads how far before a delta its base is: big-endian groups of
// seven bits, one being added at each step so that no number has two forms.
// It returns how many bytes that takes, or 0.
func baseDistance(b []byte) (back int64, used int) {
	for i, c := range b {
		if i > 0 {
			back++
		}
		if back > math.MaxInt64>>8 {
			return 0, 0
		}
		back = back<<7 | int64(c&0x7f)
		if c&0x80 == 0 {
			return back, i + 1
		}
	}
	return 0, 0
}

// plausible refuses a size that the compressed bytes left for it cannot have:
// deflate makes at most 1032 bytes of one (zlib's technical notes).
func plausible(size, compressed int64) error {
	if size > (compressed+64)*1032 {
		return fmt.Errorf("%w: %d bytes cannot come from the %d that are left", errEntry, size, compressed)
	}
	return nil
}

// inflate decompresses the stream of e, the entry at offset, into dst, which
// has e.size bytes, and returns where the entry ends.
func (p *packFile) inflate(z *inflate.Inflater, offset int64, e *entry, dst []byte) (end int64, err error) {
	n, err := z.Zlib(dst, p.body[e.data:])
	if err != nil {
		return 0, at(p.path, offset, err)
	}
	return e.data + int64(n), nil
}
