package scanner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/spillgate/spillgate/rules"
)

// A Feeder cuts the content of objects into chunks, decodes UTF-16 and UTF-32
// and tells binary content from text. The zero value is ready. One goroutine
// uses it at a time; its buffers are used again for the next object.
type Feeder struct {
	raw, text cutter
	sniffed   [sniffLen]byte
	decoded   []byte
	block     []byte // undecoded
	chunk     Chunk  // of Anchored
}

const (
	// sniffLen is how much of an object decides what it is, as in git, which
	// looks for a NUL byte in the first 8,000 (buffer_is_binary in xdiff).
	sniffLen = 8000
	// wholeMax is up to which size in bytes content in memory becomes a
	// single chunk. Detectors that parse whole files see those.
	wholeMax = 32 << 20
	// coreLen is how many bytes of a larger object one chunk answers for.
	coreLen = 1 << 20
)

// Bytes calls emit for the chunks of an object whose content is data, and sets
// o.Binary and o.Encoding. The first error of emit ends it and is returned.
func (f *Feeder) Bytes(o *Object, data []byte, emit func(*Chunk) error) error {
	s := sniff(data)
	o.Binary, o.Encoding = s.binary, s.name
	if s.width > 0 {
		_, err := f.both(o, s, bytes.NewReader(data), emit)
		return err
	}
	data = data[s.skip:]
	if len(data) <= wholeMax {
		c := Chunk{Object: o, Data: data, To: len(data), First: true, Last: true, Offset: int64(s.skip), Line: 1}
		return emit(&c)
	}
	at := position{line: 1}
	for from := 0; from < len(data); from += coreLen {
		to := min(from+coreLen, len(data))
		lo, hi := max(0, from-rules.ContextBefore), min(len(data), to+rules.ContextAfter)
		at.advance(data, lo)
		c := Chunk{
			Object: o, Data: data[lo:hi], From: from - lo, To: to - lo,
			First: lo == 0, Last: hi == len(data),
			Offset: int64(s.skip + lo), Line: at.line, Column: at.column,
		}
		if err := emit(&c); err != nil {
			return err
		}
	}
	return nil
}

// Anchored does what Bytes does for content whose anchors are at hand: those of
// found, a chunk without anything else but the fields that say so. They go with
// the chunk if it holds the bytes as they are.
func (f *Feeder) Anchored(o *Object, data []byte, found Chunk, emit func(*Chunk) error) error {
	s := sniffed{}
	// Without a NUL only a byte order mark makes data anything but text. All
	// of them begin with one of these bytes.
	if !found.NoNUL || len(data) > 0 && data[0] >= 0xEF {
		s = sniff(data)
	}
	if s.width > 0 || s.skip > 0 || len(data) > wholeMax {
		return f.Bytes(o, data, emit)
	}
	o.Binary, o.Encoding = s.binary, s.name
	// One chunk serves all objects: none is valid beyond the call.
	c := &f.chunk
	*c = found
	c.Object, c.Data, c.To, c.First, c.Last, c.Line, c.Anchored = o, data, len(data), true, true, 1, true
	return emit(c)
}

// Reader calls emit for the chunks of an object whose content r yields, in
// memory that does not depend on its size, and returns how many bytes r
// yielded. An error of r or emit ends it and is returned; what r yielded
// before its error was emitted.
func (f *Feeder) Reader(o *Object, r io.Reader, emit func(*Chunk) error) (int64, error) {
	n, err := io.ReadFull(r, f.sniffed[:])
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return int64(n), f.Bytes(o, f.sniffed[:n], emit)
	}
	head := f.sniffed[:n]
	s := sniff(head)
	o.Binary, o.Encoding = s.binary, s.name
	if err != nil { // r failed early: what it yielded counts all the same
		return int64(n), errors.Join(f.Bytes(o, head, emit), err)
	}
	all := io.MultiReader(bytes.NewReader(head), r)
	if s.width > 0 {
		return f.both(o, s, all, emit)
	}
	f.raw.reset(o, int64(s.skip))
	var total int64
	if s.skip > 0 {
		m, _ := io.CopyN(io.Discard, all, int64(s.skip))
		total = m
	}
	for {
		m, rerr := all.Read(f.raw.free())
		total += int64(m)
		if err := f.raw.wrote(m, emit); err != nil {
			return total, err
		}
		if rerr != nil {
			err := f.raw.close(emit)
			if rerr != io.EOF {
				err = errors.Join(err, rerr)
			}
			return total, err
		}
	}
}

// both emits the decoded text of an object that looks like UTF-16 or UTF-32,
// and its raw bytes as binary content as well: whether a program reads it as
// text or as bytes is not known here, so neither reading may hide a secret.
func (f *Feeder) both(o *Object, s sniffed, r io.Reader, emit func(*Chunk) error) (int64, error) {
	rawObject := *o
	rawObject.Binary, rawObject.Encoding, rawObject.decodedToo = true, "", true
	f.raw.reset(&rawObject, 0)
	f.text.reset(o, 0)
	var total int64
	pending, skip := 0, s.skip // undecoded bytes at the start of raw's buffer
	if f.block == nil {
		f.block = make([]byte, 64<<10)
	}
	block := f.block
	for {
		n, rerr := r.Read(block[pending:])
		total += int64(n)
		if err := f.raw.write(block[pending:pending+n], emit); err != nil {
			return total, err
		}
		n += pending
		from := min(skip, n)
		skip -= from
		var used int
		f.decoded, used = s.decode(f.decoded[:0], block[from:n], rerr != nil)
		if err := f.text.write(f.decoded, emit); err != nil {
			return total, err
		}
		pending = copy(block, block[from+used:n])
		if rerr != nil {
			err := errors.Join(f.text.close(emit), f.raw.close(emit))
			if rerr != io.EOF {
				err = errors.Join(err, rerr)
			}
			return total, err
		}
	}
}

// A position is the line, from 1, and the number of characters before a byte
// in that line; at is its offset in whatever is walked.
type position struct{ at, line, column int }

// advance moves p to offset to of data.
func (p *position) advance(data []byte, to int) {
	step := data[p.at:to]
	if n := bytes.Count(step, newline); n > 0 {
		p.line += n
		p.column = runeCount(step[bytes.LastIndexByte(step, '\n')+1:])
	} else {
		p.column += runeCount(step)
	}
	p.at = to
}

// runeCount is utf8.RuneCount, in far less time where all is ASCII: lines may
// be as long as the file.
func runeCount(b []byte) (n int) {
	for len(b) >= 64 {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 == 0 {
			b, n = b[8:], n+8
			continue
		}
		// Cut where a character begins. Without one among four bytes, no
		// character goes over the cut either.
		end := 64 - 1
		for back := 0; back < utf8.UTFMax-1 && !utf8.RuneStart(b[end]); back++ {
			end--
		}
		if !utf8.RuneStart(b[end]) {
			end = 64 - 1
		}
		n += utf8.RuneCount(b[:end])
		b = b[end:]
	}
	return n + utf8.RuneCount(b)
}

var newline = []byte{'\n'}

// A cutter turns a stream into chunks with context.
type cutter struct {
	object *Object
	buf    []byte // context before, core, context after; used up to n
	n      int
	from   int // start of the core in buf
	offset int64
	pos    position // of buf[0]; its at is always 0
	first  bool
}

func (c *cutter) reset(o *Object, offset int64) {
	if c.buf == nil {
		c.buf = make([]byte, rules.ContextBefore+coreLen+rules.ContextAfter)
	}
	c.object, c.n, c.from, c.offset, c.first = o, 0, 0, offset, true
	c.pos = position{line: 1}
}

// free returns the space to read into; it is never empty after wrote.
func (c *cutter) free() []byte { return c.buf[c.n:] }

// wrote says that n bytes of free were filled.
func (c *cutter) wrote(n int, emit func(*Chunk) error) error {
	c.n += n
	if c.n < len(c.buf) {
		return nil
	}
	return c.cut(c.n-rules.ContextAfter, false, emit)
}

// write copies p in.
func (c *cutter) write(p []byte, emit func(*Chunk) error) error {
	for len(p) > 0 {
		n := copy(c.free(), p)
		p = p[n:]
		if err := c.wrote(n, emit); err != nil {
			return err
		}
	}
	return nil
}

// close emits what is left.
func (c *cutter) close(emit func(*Chunk) error) error {
	if c.from == c.n && !c.first {
		return nil
	}
	return c.cut(c.n, true, emit)
}

// cut emits the core up to to and keeps the context that the next one needs.
func (c *cutter) cut(to int, last bool, emit func(*Chunk) error) error {
	chunk := Chunk{
		Object: c.object, Data: c.buf[:c.n], From: c.from, To: to,
		First: c.first, Last: last,
		Offset: c.offset, Line: c.pos.line, Column: c.pos.column,
	}
	if err := emit(&chunk); err != nil {
		return err
	}
	keep := max(0, to-rules.ContextBefore)
	for i := 0; i < utf8.UTFMax && keep > 0 && !utf8.RuneStart(c.buf[keep]); i++ {
		keep-- // no character is counted in two halves
	}
	c.pos.advance(c.buf, keep)
	c.pos.at = 0
	c.offset += int64(keep)
	c.first = c.first && keep == 0
	c.n = copy(c.buf, c.buf[keep:c.n])
	c.from = to - keep
	return nil
}
