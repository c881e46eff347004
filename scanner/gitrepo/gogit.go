package gitrepo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	billy "github.com/go-git/go-billy/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// A goGitStore reads SHA-1 repositories in this process: packs through
// go-git's decoder, loose objects and indexes by itself.
type goGitStore struct {
	repo *Repo
	dirs *objectDirs
}

func newGoGitStore(r *Repo) (*goGitStore, error) {
	dirs, err := newObjectDirs(&r.place, r.hashLen)
	if err != nil {
		return nil, err
	}
	return &goGitStore{r, dirs}, nil
}

func (s *goGitStore) name() string { return backendGoGit }
func (s *goGitStore) close() error { return s.dirs.close() }

// deltaCache is how many bytes of delta bases one reader keeps.
const deltaCache = 24 << 20

func (s *goGitStore) open(ctx context.Context) (reader, error) {
	return &goGitReader{
		ctx: ctx, store: s,
		packs: map[*packFile]*openPack{},
		bases: cache.NewObjectLRU(deltaCache),
	}, nil
}

// each lists packs, then loose objects.
func (s *goGitStore) each(ctx context.Context, visit func(oid, kind) error) error {
	rd := &goGitReader{ctx: ctx, store: s}
	packs, err := s.dirs.current()
	if err != nil {
		return err
	}
	for _, p := range packs {
		if err := p.open(s.dirs.hashLen); err != nil {
			return err
		}
		for i := range p.index.count() {
			if err := ctx.Err(); err != nil {
				return err
			}
			id, err := p.index.idAt(i)
			if err != nil {
				return err
			}
			off, err := p.index.offsetAt(i)
			if err != nil {
				return err
			}
			k, err := rd.kindAt(packed{p, off})
			if err != nil {
				k = noKind // reading it will say what is wrong
			}
			if err := visit(id, k); err != nil {
				return err
			}
		}
	}
	return s.dirs.eachLoose(func(id oid) error {
		k := noKind
		if o, err := rd.readLoose(id); err == nil {
			k = o.kind
			closeStream(o)
		}
		return visit(id, k)
	})
}

// A goGitReader reads for one goroutine.
type goGitReader struct {
	ctx      context.Context
	store    *goGitStore
	packs    map[*packFile]*openPack
	bases    cache.Object
	buf      []byte
	inflater io.ReadCloser
	input    *bufio.Reader
}

// An openPack is go-git's view of a pack.
type openPack struct{ small, large *packfile.Packfile }

func (rd *goGitReader) close() error { return nil }

// read looks among the loose objects first, since what is being committed lies
// there.
func (rd *goGitReader) read(id oid) (object, error) {
	if err := rd.ctx.Err(); err != nil {
		return object{}, err
	}
	o, err := rd.readLoose(id)
	if err == nil {
		return o, nil
	}
	o, perr := rd.readPacked(id)
	if perr != nil && errors.Is(err, fs.ErrNotExist) {
		err = perr
	}
	if perr != nil {
		return object{}, err
	}
	return o, nil
}

func (rd *goGitReader) readPacked(id oid) (object, error) {
	found, err := rd.store.dirs.find(id)
	if len(found) == 0 {
		again, rerr := rd.store.dirs.refresh()
		if again {
			found, err = rd.store.dirs.find(id)
		}
		err = errors.Join(err, rerr)
	}
	if len(found) == 0 {
		if err != nil {
			return object{}, fmt.Errorf("looking for object %s: %w", rd.store.repo.hex(id), err)
		}
		return object{}, &missingError{rd.store.repo.hex(id)}
	}
	for _, at := range found {
		var o object
		if o, err = rd.decode(at, id); err == nil {
			return o, nil
		}
		err = fmt.Errorf("object %s at offset %d of %s.pack: %w", rd.store.repo.hex(id), at.offset, at.pack.base, err)
	}
	return object{}, err
}

// decode reads one packed object. A panic of the decoder on hostile bytes is
// an error like any other.
func (rd *goGitReader) decode(at packed, id oid) (o object, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the pack decoder gave up: %v", p)
		}
	}()
	h, err := rd.header(at)
	if err != nil {
		return o, err
	}
	if h.size > maxHeld && h.kind != noKind {
		zr, err := zlib.NewReader(bufio.NewReader(at.pack.from(h.content)))
		if err != nil {
			return o, err
		}
		return object{kind: h.kind, size: h.size, stream: exactly(zr, h.size)}, nil
	}
	p := rd.pack(at.pack)
	from := p.small
	if h.size > maxHeld {
		from = p.large
	}
	e, err := from.Get(plumbing.Hash(id[:sha1Len]))
	if err != nil {
		return o, err
	}
	o.size = e.Size()
	if o.kind = kindOf(e.Type().String()); o.kind == noKind {
		return o, fmt.Errorf("unexpected type %s", e.Type())
	}
	content, err := e.Reader()
	if err != nil {
		return o, err
	}
	if o.size > maxHeld {
		o.stream = exactly(content, o.size)
		return o, nil
	}
	defer func() { _ = content.Close() }()
	o.data = rd.space(o.size)
	_, err = io.ReadFull(content, o.data)
	return o, err
}

// space returns a buffer of n bytes that is valid until the next read.
func (rd *goGitReader) space(n int64) []byte {
	if int64(cap(rd.buf)) < n {
		rd.buf = make([]byte, n+n/4)
	}
	return rd.buf[:n]
}

// An entryHeader is the head of a pack entry: its final size, and its kind
// unless it is a delta (format: https://git-scm.com/docs/gitformat-pack).
type entryHeader struct {
	kind    kind
	size    int64
	content int64 // offset of the compressed bytes
	base    int64 // offset of an offset delta's base, 0 for none
	ref     oid   // base of a reference delta
}

func (rd *goGitReader) header(at packed) (entryHeader, error) {
	h, size, err := at.pack.header(at.offset, rd.store.dirs.hashLen)
	if err != nil || h.kind != noKind {
		h.size = size
		return h, err
	}
	zr, err := rd.inflate(at.pack.from(h.content))
	if err != nil {
		return h, err
	}
	var head [20]byte
	n, err := io.ReadFull(zr, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return h, err
	}
	_, m := sizeVarint(head[:n])
	final, k := sizeVarint(head[m:n])
	if m == 0 || k == 0 || final > 1<<62 {
		return h, errors.New("malformed delta")
	}
	h.size = int64(final)
	return h, nil
}

// inflate returns a decompressor over r that the reader uses again and again.
func (rd *goGitReader) inflate(r io.Reader) (io.Reader, error) {
	if rd.inflater == nil {
		rd.input = bufio.NewReader(r)
		zr, err := zlib.NewReader(rd.input)
		if err != nil {
			return nil, err
		}
		rd.inflater = zr
		return zr, nil
	}
	rd.input.Reset(r)
	return rd.inflater, rd.inflater.(zlib.Resetter).Reset(rd.input, nil)
}

// header reads the head of the entry at off. The size it returns is that of
// the entry's own content, which for a delta is not the object's.
func (p *packFile) header(off int64, hashLen int) (h entryHeader, size int64, err error) {
	var raw [64]byte
	n, err := p.file.ReadAt(raw[:], off)
	if err != nil && (err != io.EOF || n == 0) {
		return h, 0, err
	}
	b := raw[:n]
	types := [8]kind{1: commitKind, 2: treeKind, 3: blobKind, 4: tagKind}
	number := b[0] >> 4 & 7
	size, used := int64(b[0]&15), 1
	for shift := 4; b[used-1]&0x80 != 0; shift += 7 {
		if used >= len(b) || shift > 56 {
			return h, 0, errors.New("malformed size of a pack entry")
		}
		size |= int64(b[used]&0x7f) << shift
		used++
	}
	switch h.kind = types[number]; {
	case h.kind != noKind:
	case number == 6:
		d, m := offsetVarint(b[used:])
		if m == 0 || d == 0 || d >= uint64(off) {
			return h, 0, errors.New("malformed base of a delta")
		}
		h.base, used = off-int64(d), used+m
	case number == 7 && len(b) >= used+hashLen:
		h.ref, used = rawOID(b[used:], hashLen), used+hashLen
	default:
		return h, 0, fmt.Errorf("unknown type %d of a pack entry", number)
	}
	h.content = off + int64(used)
	return h, size, nil
}

// sizeVarint reads a little-endian base-128 number and returns it with its
// length, 0 when it is malformed.
func sizeVarint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 9 {
		v |= uint64(b[n]&0x7f) << (7 * n)
		n++
		if b[n-1]&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

// kindAt follows deltas down to the object whose kind they share.
func (rd *goGitReader) kindAt(at packed) (kind, error) {
	for range 1 << 16 {
		h, _, err := at.pack.header(at.offset, rd.store.dirs.hashLen)
		if err != nil || h.kind != noKind {
			return h.kind, err
		}
		if h.base > 0 {
			at.offset = h.base
			continue
		}
		if at.offset, err = at.pack.index.find(h.ref); err != nil {
			return noKind, err
		}
	}
	return noKind, errors.New("endless chain of deltas")
}

// from returns the bytes of the pack from offset off on.
func (p *packFile) from(off int64) io.Reader { return io.NewSectionReader(p.file, off, p.size-off) }

func (rd *goGitReader) pack(p *packFile) *openPack {
	o := rd.packs[p]
	if o == nil {
		x := goGitIndex{index: p.index}
		o = &openPack{
			small: packfile.NewPackfileWithCache(x, nil, packView(p), rd.bases, 0),
			large: packfile.NewPackfileWithCache(x, packOpener{pack: p}, packView(p), rd.bases, maxHeld),
		}
		rd.packs[p] = o
	}
	return o
}

// goGitIndex lets go-git look up in a packIndex. The embedded interface is
// nil: its other methods list whole packs, which nothing here asks for.
type goGitIndex struct {
	idxfile.Index
	index *packIndex
}

// FindOffset returns the pack offset of h.
func (x goGitIndex) FindOffset(h plumbing.Hash) (int64, error) {
	off, err := x.index.find(rawOID(h[:], sha1Len))
	if errors.Is(err, errNotInPack) {
		err = plumbing.ErrObjectNotFound
	}
	return off, err
}

// FindHash returns the id of the object at pack offset off.
func (x goGitIndex) FindHash(off int64) (plumbing.Hash, error) {
	id, err := x.index.id(off)
	if errors.Is(err, errNotInPack) {
		err = plumbing.ErrObjectNotFound
	}
	return plumbing.Hash(id[:sha1Len]), err
}

// packBytes is a billy.File over a pack that all readers share: it has a
// position of its own and closing it leaves the pack open. The embedded
// interface is nil: its other methods write.
type packBytes struct {
	billy.File
	*io.SectionReader
	name string
}

func packView(p *packFile) billy.File {
	return packBytes{SectionReader: io.NewSectionReader(p.file, 0, p.size), name: p.base + ".pack"}
}

// Name returns the path of the pack.
func (b packBytes) Name() string { return b.name }

// Close does nothing.
func (b packBytes) Close() error { return nil }

// Read, ReadAt and Seek read the pack.
func (b packBytes) Read(p []byte) (int, error)              { return b.SectionReader.Read(p) }
func (b packBytes) ReadAt(p []byte, off int64) (int, error) { return b.SectionReader.ReadAt(p, off) }
func (b packBytes) Seek(off int64, whence int) (int64, error) {
	return b.SectionReader.Seek(off, whence)
}

// packOpener is the file system that go-git opens its one pack from when it
// streams a large object.
type packOpener struct {
	billy.Filesystem
	pack *packFile
}

// Open returns another view of the pack.
func (o packOpener) Open(string) (billy.File, error) { return packView(o.pack), nil }

// readLoose reads a loose object: a zlib stream of "KIND SIZE\0CONTENT".
func (rd *goGitReader) readLoose(id oid) (object, error) {
	f, err := rd.store.dirs.loose(id)
	if err != nil {
		return object{}, err
	}
	o, err := rd.looseFrom(f)
	if o.stream == nil {
		_ = f.Close()
	}
	if err != nil {
		return o, fmt.Errorf("loose object %s: %w", f.Name(), err)
	}
	return o, nil
}

func (rd *goGitReader) looseFrom(f *os.File) (o object, err error) {
	zr, err := rd.inflate(f)
	if err != nil {
		return o, err
	}
	var head [32]byte
	n, err := io.ReadFull(zr, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return o, err
	}
	line, rest, ok := bytes.Cut(head[:n], []byte{0})
	name, digits, _ := bytes.Cut(line, []byte(" "))
	size, perr := strconv.ParseInt(string(digits), 10, 64)
	if o.kind = kindOf(string(name)); !ok || perr != nil || size < 0 || o.kind == noKind {
		return o, errors.New("malformed header")
	}
	o.size = size
	if size > maxHeld {
		// the shared decompressor goes with the stream
		content := io.MultiReader(bytes.NewReader(append([]byte(nil), rest...)), rd.inflater)
		rd.inflater = nil
		o.stream = exactly(streamOf{content, f}, size)
		return o, nil
	}
	if int64(len(rest)) > size {
		return o, errors.New("longer than its header says")
	}
	o.data = rd.space(size)
	copy(o.data, rest)
	if _, err := io.ReadFull(zr, o.data[len(rest):]); err != nil {
		return o, err
	}
	return o, atEnd(zr)
}

// atEnd reads on to the end of a compressed stream, where its checksum is.
func atEnd(r io.Reader) error {
	var one [1]byte
	switch n, err := io.ReadFull(r, one[:]); {
	case n > 0:
		return errors.New("longer than its header says")
	case err != io.EOF:
		return err
	}
	return nil
}

// streamOf joins a reader with what is to be closed after it.
type streamOf struct {
	io.Reader
	io.Closer
}

// exactly returns r, which ends in an error unless it yields n bytes.
func exactly(r io.ReadCloser, n int64) io.ReadCloser { return &sized{r, n} }

type sized struct {
	io.ReadCloser
	left int64
}

// Read reads and counts.
func (s *sized) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.left -= int64(n)
	if s.left < 0 {
		return n, errors.New("longer than its header says")
	}
	if err == io.EOF && s.left > 0 {
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}
