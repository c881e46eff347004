// Package inflate decompresses zlib streams whose length is known beforehand,
// as it is for every object of a git repository.
//
// compress/zlib is made for streams: it decodes into a window, copies the
// window out, asks its reader for one byte at a time and hands over its state
// between calls. The median entry of a git pack is a delta of a few hundred
// bytes, for which that is most of the cost. Here all of the input and all of
// the room for the output lie in memory, so that one loop moves bytes from one
// to the other: 64 bits of input are kept in a register, a table lookup yields
// a symbol together with everything needed to consume it, and the output
// itself is the window.
//
// The input is hostile. Every access to a slice is checked by the language
// (the package does not import unsafe), no memory is allocated on the word of
// the input, and the output never exceeds what the caller asked for. The
// Adler-32 checksum is always compared. What this package accepts and refuses
// is exactly what compress/zlib does; a fuzz test holds the two equal.
//
// The technique of packed table entries is the one of libdeflate
// (https://github.com/ebiggers/libdeflate), the format is RFC 1950 and 1951.
package inflate

import (
	"encoding/binary"
	"errors"
)

// Slack is how many bytes of capacity beyond its length a destination should
// have: they let the fast loop, which writes in strides, run to the end. Their
// content is undefined afterwards. Less is correct too, but slower.
const Slack = 288

// The reasons why a stream is refused.
var (
	ErrTruncated = errors.New("zlib stream is cut short")
	ErrCorrupt   = errors.New("zlib stream is corrupt")
	ErrChecksum  = errors.New("zlib stream does not match its checksum")
	ErrShort     = errors.New("zlib stream holds less than the object's size")
	ErrLong      = errors.New("zlib stream holds more than the object's size")
)

// An Inflater decompresses one stream after another. The zero value is ready.
// It is about 42 KiB large and not safe for concurrent use.
type Inflater struct {
	// tables are those of the current block: either the dynamic ones or the
	// fixed ones of RFC 1951, 3.2.6, which are kept because they return.
	*tables
	dynamic, fixed tables
	codes          [1 << codeBits]uint32
	lens           [maxLit + maxDist]uint8
	used           []uint16 // symbols that have a length
	build          tableBuilder

	in  []byte
	out []byte // with slack
	n   int    // bytes of out that are asked for
	ip  int    // next byte of in
	op  int    // next byte of out
	// bits holds nbits valid bits of input, the next one lowest. Bits above
	// them are either zero or what stands there in the input.
	bits  uint64
	nbits uint
}

// Zlib decompresses the zlib stream at the start of src into dst and returns
// how many bytes of src it takes. The stream must hold exactly len(dst) bytes.
// dst[len(dst):cap(dst)] may be overwritten (see Slack). On an error the
// content of dst is undefined.
func (z *Inflater) Zlib(dst, src []byte) (int, error) {
	err := z.run(dst, src)
	defer z.release()
	switch {
	case err == errFull:
		return 0, ErrLong
	case err != nil:
		return 0, err
	case z.op < z.n:
		return 0, ErrShort
	}
	if len(src)-z.ip < 4 {
		return 0, ErrTruncated
	}
	if binary.BigEndian.Uint32(src[z.ip:]) != Adler32(dst) {
		return 0, ErrChecksum
	}
	return z.ip + 4, nil
}

// Prefix decompresses the first bytes of the zlib stream at the start of src
// into dst and returns how many there are: len(dst), or fewer when the stream
// ends before. It does not look at the checksum. dst[len(dst):cap(dst)] may be
// overwritten.
func (z *Inflater) Prefix(dst, src []byte) (int, error) {
	err := z.run(dst, src)
	defer z.release()
	if err != nil && err != errFull {
		return 0, err
	}
	return min(z.op, z.n), nil
}

// errFull is returned when the stream goes on after the output is full.
var errFull = errors.New("inflate: output is full")

func (z *Inflater) release() { z.in, z.out = nil, nil }

// run decompresses up to and including the last block and leaves ip behind it.
func (z *Inflater) run(dst, src []byte) error {
	if len(src) < 2 {
		return ErrTruncated
	}
	// RFC 1950, 2.2: method 8, a window of at most 32 KiB, no preset
	// dictionary, and a check sum over both bytes.
	if src[0]&0x0f != 8 || src[0]>>4 > 7 || src[1]&0x20 != 0 || (uint(src[0])<<8|uint(src[1]))%31 != 0 {
		return ErrCorrupt
	}
	z.in, z.ip, z.bits, z.nbits = src, 2, 0, 0
	z.out, z.n, z.op = dst[:cap(dst)], len(dst), 0
	for {
		z.refill()
		if z.nbits < 3 {
			return ErrTruncated
		}
		last, kind := z.bits&1 != 0, z.bits>>1&3
		z.drop(3)
		var err error
		switch kind {
		case 0:
			err = z.stored()
		case 1:
			z.loadFixed()
			err = z.block()
		case 2:
			if err = z.readCodes(); err == nil {
				err = z.block()
			}
		default:
			err = ErrCorrupt
		}
		if err != nil {
			return err
		}
		if last {
			z.ip -= int(z.nbits >> 3)
			return nil
		}
	}
}

// refill brings in as many whole bytes as fit. At least 56 bits are valid
// afterwards unless the input ends.
func (z *Inflater) refill() {
	if len(z.in)-z.ip >= 8 {
		z.bits |= binary.LittleEndian.Uint64(z.in[z.ip:]) << (z.nbits & 63)
		z.ip += int((63 - z.nbits) >> 3)
		z.nbits |= 56
		return
	}
	for z.nbits < 56 && z.ip < len(z.in) {
		z.bits |= uint64(z.in[z.ip]) << (z.nbits & 63)
		z.ip++
		z.nbits += 8
	}
}

// drop consumes n bits, of which there must be that many.
func (z *Inflater) drop(n uint) {
	z.bits >>= n & 63
	z.nbits -= n
}

// stored copies a block that is not compressed (RFC 1951, 3.2.4).
func (z *Inflater) stored() error {
	z.ip -= int(z.nbits >> 3)
	z.bits, z.nbits = 0, 0
	if len(z.in)-z.ip < 4 {
		return ErrTruncated
	}
	n := int(binary.LittleEndian.Uint16(z.in[z.ip:]))
	if n^0xffff != int(binary.LittleEndian.Uint16(z.in[z.ip+2:])) {
		return ErrCorrupt
	}
	z.ip += 4
	if len(z.in)-z.ip < n {
		return ErrTruncated
	}
	room := z.n - z.op
	copy(z.out[z.op:z.n], z.in[z.ip:z.ip+n])
	if n > room {
		z.op = z.n
		return errFull
	}
	z.ip += n
	z.op += n
	return nil
}

// block decodes one compressed block with the current tables: in strides as
// long as input and output leave room for them, then with care.
func (z *Inflater) block() error {
	done, err := z.fast()
	for !done && err == nil {
		done, err = z.careful()
	}
	return err
}

// careful decodes one symbol with every bound checked, and reports whether it
// was the end of the block.
func (z *Inflater) careful() (done bool, err error) {
	z.refill()
	e := z.lit[z.bits&(1<<z.litBits-1)]
	if e&isSubtable != 0 {
		e = z.lit[uint64(e>>16)+z.bits>>z.litBits&(1<<(e>>8&15)-1)]
	}
	used := uint(e & 0xff)
	if e == 0 || used > z.nbits {
		return false, z.bad(e)
	}
	saved := z.bits
	z.drop(used)
	if e&isLiteral != 0 {
		if z.op >= z.n {
			return false, errFull
		}
		z.out[z.op] = byte(e >> 16)
		z.op++
		return false, nil
	}
	if e&isEnd != 0 {
		return true, nil
	}
	length := int(e>>16&0x1ff) + int(saved&(1<<used-1)>>(e>>8&15))

	z.refill()
	e = z.dist[z.bits&(1<<z.distBits-1)]
	if e&isSubtable != 0 {
		e = z.dist[uint64(e>>16)+z.bits>>z.distBits&(1<<(e>>8&15)-1)]
	}
	used = uint(e & 0xff)
	if e == 0 || used > z.nbits {
		return false, z.bad(e)
	}
	saved = z.bits
	z.drop(used)
	dist := int(e>>16) + int(saved&(1<<used-1)>>(e>>8&15))
	if dist > z.op {
		return false, ErrCorrupt
	}
	for ; length > 0; length-- {
		if z.op >= z.n {
			return false, errFull
		}
		z.out[z.op] = z.out[z.op-dist]
		z.op++
	}
	return false, nil
}

// bad says why a code was not found: there were too few bits, or it is none.
func (z *Inflater) bad(e uint32) error {
	if e != 0 || z.nbits < maxCodeLen {
		return ErrTruncated
	}
	return ErrCorrupt
}
