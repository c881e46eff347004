package inflate

import "math/bits"

const (
	maxLit     = 288 // symbols of the literal/length code, two of them unused
	maxDist    = 32  // symbols of the distance code, two of them unused
	maxCodeLen = 15

	// First-level widths: wide enough that second-level look-ups are rare,
	// narrow enough that filling the table of a small block is cheap.
	litTableBits  = 11
	distTableBits = 8
	codeBits      = 7
	// The most entries that any complete code of that many symbols and at
	// most 15 bits can take, as zlib's program examples/enough.c computes
	// them, rounded up to the next power of two so that an index that was
	// masked needs no check.
	litEntries  = 4096 // enough 288 11 15 gives 2342
	distEntries = 1024 // enough 32 8 15 gives 402
)

// A table entry. Bits 0 to 7 say how many bits of input the symbol takes with
// its extra bits, bits 8 to 11 how many of them are the code itself, bits 16
// and up hold the literal, the base of the length or distance, or the start of
// a second-level table whose width stands in bits 8 to 11. Zero is no code.
const (
	isLiteral  = 1 << 31
	isSubtable = 1 << 15
	isEnd      = 1 << 14
)

// tables are the two codes of a block.
type tables struct {
	lit  [litEntries]uint32
	dist [distEntries]uint32
	// litBits and distBits are the widths of the first-level tables; a
	// literal code is never empty, so litBits of the fixed one is 0 before its first use.
	litBits, distBits uint
}

// symbolKind tells what a code's symbols mean.
type symbolKind uint8

const (
	codeLengths symbolKind = iota
	literals
	distances
)

// RFC 1951, 3.2.5.
var (
	lengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	codeOrder   = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// A symbolTable has for each symbol of a code what its table entry says beside
// the bits that its code takes, or 0 for a symbol that has no meaning.
type symbolTable [maxLit]uint32

// perBit is what each bit of a code adds to its entry.
const perBit = 1<<8 | 1

// with returns the table entry of symbol sym with a code of n bits.
func (t *symbolTable) with(sym uint16, n uint) uint32 {
	e := t[sym&(1<<9-1)%maxLit]
	if e == 0 {
		return 0
	}
	return e + uint32(n)*perBit
}

// fillIn computes the tables of all kinds.
func (b *tableBuilder) fillIn() {
	for sym := range len(codeOrder) {
		b.symbols[codeLengths][sym] = uint32(sym)<<16 | isEnd // that is never looked at
	}
	for sym := range 256 {
		b.symbols[literals][sym] = isLiteral | uint32(sym)<<16
	}
	b.symbols[literals][256] = isEnd
	for i, base := range lengthBase {
		b.symbols[literals][257+i] = uint32(base)<<16 | uint32(lengthExtra[i])
	}
	for sym, base := range distBase {
		b.symbols[distances][sym] = uint32(base)<<16 | uint32(distExtra[sym])
	}
}

// tableBuilder is the scratch space of make.
type tableBuilder struct {
	symbols [3]symbolTable // by kind
	sorted  [maxLit]uint16
	counts  [maxCodeLen + 1]uint16
	next    [maxCodeLen + 2]uint16
}

// make fills table with the canonical Huffman code (RFC 1951, 3.2.2) of the
// symbols used, in rising order, whose lengths are lens[symbol]. The code of a
// block of few bytes has few of them, so that the others are not asked for. It
// returns the width of the first-level table, at most width, or false when the
// lengths are no complete code. As in compress/flate, one code of one bit is let
// pass, and so is no code at all: to use what is missing is the error.
func (b *tableBuilder) make(table []uint32, used []uint16, lens []uint8, width uint, kind symbolKind) (uint, bool) {
	if len(used) == 0 {
		table[0] = 0
		return 0, true
	}
	if b.symbols[literals][0] == 0 {
		b.fillIn()
	}
	b.counts = [maxCodeLen + 1]uint16{}
	for _, sym := range used {
		b.counts[lens[sym]&15]++
	}
	longest := uint(maxCodeLen)
	for b.counts[longest] == 0 {
		longest--
	}
	left := 1
	b.next[1] = 0
	for l := uint(1); l <= longest; l++ {
		left = left<<1 - int(b.counts[l])
		if left < 0 {
			return 0, false
		}
		b.next[l+1] = b.next[l] + b.counts[l]
	}
	if left != 0 {
		if longest != 1 {
			return 0, false
		}
		table[0], table[1] = b.symbols[kind].with(used[0], 1), 0
		return 1, true
	}
	for _, sym := range used {
		l := lens[sym] & 15
		b.sorted[b.next[l]%maxLit] = sym
		b.next[l]++
	}
	width = min(width, longest)
	b.fill(table, width, longest, kind)
	return width, true
}

// fill writes the entries of a complete code. Codes are taken in rising order
// and kept bit-reversed, as the input presents them. The first-level table is
// filled as if it were as wide as the code at hand, and doubled whenever the
// codes grow longer.
func (b *tableBuilder) fill(table []uint32, width, longest uint, kind symbolKind) {
	symbols := &b.symbols[kind]
	code, i := uint(0), 0
	l := uint(1)
	for b.counts[l] == 0 {
		l++
	}
	size := 1 << l
	for ; l <= width; l++ {
		for n := b.counts[l]; n > 0; n-- {
			table[code] = symbols.with(b.sorted[i], l)
			i++
			if code == 1<<l-1 {
				// All ones: the last code. Fewer bits than width would have
				// made width smaller.
				return
			}
			code = nextReversed(code, l)
		}
		if l < width {
			copy(table[size:2*size], table[:size])
			size *= 2
		}
	}
	b.fillSubtables(table, width, longest, code, i, l, kind)
}

// nextReversed adds one to the bit-reversed code of l bits, which is not all
// ones.
func nextReversed(code, l uint) uint {
	bit := uint(1) << (bits.Len(code^(1<<l-1)) - 1)
	return code&(bit-1) | bit
}

// fillSubtables writes the codes from the i-th on, which are longer than
// width: l bits or more, the first of them code.
func (b *tableBuilder) fillSubtables(table []uint32, width, longest, code uint, i int, l uint, kind symbolKind) {
	for b.counts[l] == 0 {
		l++
	}
	left := int(b.counts[l])
	next := 1 << width
	prefix, start, subWidth := ^uint(0), 0, uint(0)
	for {
		if p := code & (1<<width - 1); p != prefix {
			prefix, start = p, next
			subWidth = b.subtableWidth(l, width, left)
			next = start + 1<<subWidth
			table[prefix] = uint32(start)<<16 | isSubtable | uint32(subWidth)<<8 | uint32(width)
		}
		e := b.symbols[kind].with(b.sorted[i], l)
		for at := code >> width; at < 1<<subWidth; at += 1 << (l - width) {
			table[start+int(at)] = e
		}
		i++
		if code == 1<<l-1 {
			return
		}
		code = nextReversed(code, l)
		for left--; left == 0; {
			l++
			left = int(b.counts[l])
		}
	}
}

// subtableWidth returns how many bits the second-level table needs that begins
// with a code of l bits, of which there are left more: as many as make the
// codes with its prefix complete.
func (b *tableBuilder) subtableWidth(l, width uint, left int) uint {
	w := l - width
	room := 1<<w - left
	for room > 0 && width+w < maxCodeLen {
		w++
		room = room<<1 - int(b.counts[width+w])
	}
	return w
}

// readCodes reads the codes of a block with dynamic codes (RFC 1951, 3.2.7).
func (z *Inflater) readCodes() error {
	z.refill()
	if z.nbits < 14 {
		return ErrTruncated
	}
	nlit, ndist, ncode := int(z.bits&31)+257, int(z.bits>>5&31)+1, int(z.bits>>10&15)+4
	z.drop(14)
	if nlit > 286 || ndist > 30 {
		return ErrCorrupt
	}
	z.tables = &z.dynamic
	z.used = z.used[:0]
	for i := 0; i < ncode; i++ {
		if z.nbits < 3 {
			if z.refill(); z.nbits < 3 {
				return ErrTruncated
			}
		}
		z.lens[codeOrder[i]] = uint8(z.bits & 7)
		z.drop(3)
	}
	for i := ncode; i < len(codeOrder); i++ {
		z.lens[codeOrder[i]] = 0
	}
	for sym := range uint16(len(codeOrder)) {
		if z.lens[sym] != 0 {
			z.used = append(z.used, sym)
		}
	}
	width, ok := z.build.make(z.codes[:], z.used, z.lens[:], codeBits, codeLengths)
	if !ok {
		return ErrCorrupt
	}
	split, err := z.readLengths(nlit, ndist, width)
	if err != nil {
		return err
	}
	if z.litBits, ok = z.build.make(z.lit[:], z.used[:split], z.lens[:nlit], litTableBits, literals); !ok {
		return ErrCorrupt
	}
	if z.distBits, ok = z.build.make(z.dist[:], z.used[split:], z.lens[nlit:], distTableBits, distances); !ok {
		return ErrCorrupt
	}
	return nil
}

// readLengths reads the code lengths of both codes into z.lens, one behind the
// other, and notes in z.used which symbols have one: those of the first code,
// split of them, then those of the second.
func (z *Inflater) readLengths(nlit, ndist int, width uint) (split int, err error) {
	n, mask := nlit+ndist, uint64(1)<<width-1
	used, value := z.used[:0], uint8(0)
	split = -1
	for i := 0; i < n; {
		if z.nbits < 14 { // a code of 7 bits and 7 extra bits
			z.refill()
		}
		e := z.codes[z.bits&mask&(1<<codeBits-1)]
		bits := uint(e & 0xff)
		if bits == 0 || bits > z.nbits {
			return 0, z.bad(e)
		}
		z.drop(bits)
		rep := 1
		switch sym := uint8(e >> 16); sym {
		case 16:
			if i == 0 {
				return 0, ErrCorrupt
			}
			rep, err = z.repeat(3, 2)
		case 17:
			value = 0
			rep, err = z.repeat(3, 3)
		case 18:
			value = 0
			rep, err = z.repeat(11, 7)
		default:
			value = sym
		}
		if err != nil {
			return 0, err
		}
		if rep > n-i {
			return 0, ErrCorrupt
		}
		end := i + rep
		if value == 0 {
			i = end
			continue
		}
		for ; i < end; i++ {
			sym := i
			if i >= nlit {
				if split < 0 {
					split = len(used)
				}
				sym -= nlit
			}
			z.lens[i] = value
			used = append(used, uint16(sym))
		}
	}
	if z.used = used; split < 0 {
		split = len(used)
	}
	return split, nil
}

// repeat reads how often a code length is repeated: base, and as many times
// more as the next extra bits say.
func (z *Inflater) repeat(base int, extra uint) (int, error) {
	if z.nbits < extra {
		return 0, ErrTruncated
	}
	n := base + int(z.bits&(1<<extra-1))
	z.drop(extra)
	return n, nil
}

// loadFixed makes the fixed codes current, and builds them on first use.
func (z *Inflater) loadFixed() {
	z.tables = &z.fixed
	if z.litBits != 0 {
		return
	}
	for i := range maxLit {
		switch {
		case i < 144, i >= 280:
			z.lens[i] = 8
		case i < 256:
			z.lens[i] = 9
		default:
			z.lens[i] = 7
		}
	}
	for i := range maxDist {
		z.lens[maxLit+i] = 5
	}
	z.used = z.used[:0]
	for i := range uint16(maxLit) {
		z.used = append(z.used, i)
	}
	z.litBits, _ = z.build.make(z.lit[:], z.used, z.lens[:maxLit], litTableBits, literals)
	z.distBits, _ = z.build.make(z.dist[:], z.used[:maxDist], z.lens[maxLit:], distTableBits, distances)
}
