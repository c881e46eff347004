package inflate

import "encoding/binary"

// adlerMod is the largest prime below 65536 (RFC 1950, 8.2).
const adlerMod = 65521

// adlerBlock is how many bytes adlerLanes sums before a 16-bit lane of it
// could overflow: with n steps of eight bytes, 255*n*(n-1)/2 < 65536.
const adlerBlock = 23 * 8

// Adler32 returns the checksum of data. It differs from hash/adler32 only in
// speed: eight bytes at a time, in lanes of 16 bits.
func Adler32(data []byte) uint32 {
	s1, s2 := uint64(1), uint64(0)
	for pending := 0; len(data) >= adlerBlock; data = data[adlerBlock:] {
		d1, d2 := adlerLanes(data[:adlerBlock])
		s2 += s1*adlerBlock + d2
		s1 += d1
		// s1 grows by at most 2^16 a block and s2 by 2^24 and s1*184: after
		// 4096 blocks both are far below 2^64.
		if pending++; pending == 4096 {
			s1, s2, pending = s1%adlerMod, s2%adlerMod, 0
		}
	}
	s1, s2 = s1%adlerMod, s2%adlerMod
	for _, b := range data {
		s1 += uint64(b)
		s2 += s1
	}
	return uint32(s2%adlerMod)<<16 | uint32(s1%adlerMod)
}

// adlerLanes returns the sum of the bytes of p and the sum of all sums of its
// prefixes. len(p) is adlerBlock.
func adlerLanes(p []byte) (s1, s2 uint64) {
	const mask = 0x00ff00ff00ff00ff
	var even, odd, evenSums, oddSums uint64
	for len(p) >= 8 {
		v := binary.LittleEndian.Uint64(p)
		p = p[8:]
		evenSums += even
		oddSums += odd
		even += v & mask
		odd += v >> 8 & mask
	}
	s1 = lanes(even) + lanes(odd)
	// A byte at place j of its step counts once for itself and each byte
	// behind it in the step, and eight times for each step behind it.
	s2 = 8 * (lanes(evenSums) + lanes(oddSums))
	for i := range uint64(4) {
		s2 += (even >> (16 * i) & 0xffff) * (8 - 2*i)
		s2 += (odd >> (16 * i) & 0xffff) * (7 - 2*i)
	}
	return s1, s2
}

// lanes adds up the four 16-bit lanes of v.
func lanes(v uint64) uint64 {
	v = v&0x0000ffff0000ffff + v>>16&0x0000ffff0000ffff
	return v&0xffffffff + v>>32
}
