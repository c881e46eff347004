package inflate

import "encoding/binary"

// inStride and outStride are how many bytes one turn of the fast loop may read
// and write: three refills of eight bytes; two literals, one match of 258 and
// what a copy in steps of eight writes too much.
const (
	inStride  = 24
	outStride = 2 + 258 + 22
)

// fast decodes symbols while a whole turn fits into input and output, and
// reports whether the block ended. Bits are used so: after a refill at least
// 56 are valid; two literals of the first-level table and one more code take
// at most 2*litTableBits + 15 + 5 = 42, a distance after another refill 28.
// It is one long function because calls, and values that go through memory
// from one part to the next, are what it is there to save.
func (z *Inflater) fast() (done bool, err error) {
	in, out := z.in, z.out
	ip, op, bits, nbits := z.ip, z.op, z.bits, z.nbits
	inEnd, outEnd := len(in)-inStride, min(z.n-1, len(out)-outStride)
	lit, dists := &z.tables.lit, &z.tables.dist
	litMask, litBits := uint64(1)<<z.litBits-1, z.litBits
	distMask, distBits := uint64(1)<<z.distBits-1, z.distBits
	for ip <= inEnd && op <= outEnd {
		bits |= binary.LittleEndian.Uint64(in[ip:]) << (nbits & 63)
		ip += int((63 - nbits) >> 3)
		nbits |= 56

		e := lit[bits&litMask&(1<<litTableBits-1)]
		if e&isLiteral != 0 {
			bits >>= e & 63
			nbits -= uint(e & 0xff)
			out[op] = byte(e >> 16)
			op++
			e = lit[bits&litMask&(1<<litTableBits-1)]
			if e&isLiteral != 0 {
				bits >>= e & 63
				nbits -= uint(e & 0xff)
				out[op] = byte(e >> 16)
				op++
				e = lit[bits&litMask&(1<<litTableBits-1)]
			}
		}
		if e&isSubtable != 0 {
			e = lit[uint64(e>>16)+bits>>(litBits&63)&(1<<(e>>8&15)-1)]
		}
		saved := bits
		bits >>= e & 63
		nbits -= uint(e & 0xff)
		if e&isLiteral != 0 {
			out[op] = byte(e >> 16)
			op++
			continue
		}
		if e&0xffff_0000 == 0 {
			done = e&isEnd != 0
			if !done {
				err = ErrCorrupt
			}
			break
		}
		length := int(e>>16&0x1ff) + int(saved&(1<<(e&63)-1)>>(e>>8&15))

		bits |= binary.LittleEndian.Uint64(in[ip:]) << (nbits & 63)
		ip += int((63 - nbits) >> 3)
		nbits |= 56
		e = dists[bits&distMask&(1<<distTableBits-1)]
		if e&isSubtable != 0 {
			e = dists[uint64(e>>16)+bits>>(distBits&63)&(1<<(e>>8&15)-1)]
		}
		dist := int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&15))
		bits >>= e & 63
		nbits -= uint(e & 0xff)
		if dist > op || e == 0 {
			err = ErrCorrupt
			break
		}
		if dist < 8 || length > 40 {
			copyMatch(out, op, dist, length)
			op += length
			continue
		}
		// Most matches: in steps of eight, none of which reads what it writes,
		// because they are eight or more bytes apart. Up to 22 bytes too many are
		// written, for which out has room.
		s, d := out[op-dist:], out[op:]
		binary.LittleEndian.PutUint64(d, binary.LittleEndian.Uint64(s))
		binary.LittleEndian.PutUint64(d[8:], binary.LittleEndian.Uint64(s[8:]))
		for i := 16; i < length; i += 8 {
			binary.LittleEndian.PutUint64(d[i:], binary.LittleEndian.Uint64(s[i:]))
		}
		op += length
	}
	z.ip, z.op, z.bits, z.nbits = ip, op, bits, nbits
	if err == nil && op > z.n {
		err = errFull
	}
	return done && err == nil, err
}

// copyMatch repeats length bytes of out that begin dist before op: the few
// matches that are long or repeat what they write. It may write up to 7 bytes too
// many, for which out has room.
func copyMatch(out []byte, op, dist, length int) {
	src := op - dist
	switch {
	case dist >= length:
		copy(out[op:op+length], out[src:])
	case dist == 1:
		v := uint64(out[src]) * 0x0101010101010101
		d := out[op:]
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(d[i:], v)
		}
	default:
		// The run repeats itself: each copy doubles what the next can take.
		d := out[src : op+length]
		for n := dist; n < len(d); n *= 2 {
			copy(d[n:], d[:n])
		}
	}
}
