package gitrepo

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// An index is git's staging area, as far as a scan needs it
// (format: https://git-scm.com/docs/index-format). It is read from the file's
// bytes without looking at the work tree.
type index struct {
	entries []indexEntry // sorted by path, then stage
	tree    *cacheTree   // nil when the file holds none
	unmap   func() error // of the file, which paths lie in; nil when that is not mapped
}

// close ends the use of the index.
func (ix *index) close() {
	if ix.unmap != nil {
		_ = ix.unmap() // nothing depends on it any more
	}
}

// An indexEntry is one path of the index. Whether it is checked out, which the
// flag skip-worktree tells, makes no difference to what is committed. In version 4 paths are rebuilt, in
// the others they lie in the file's own bytes.
type indexEntry struct {
	path        []byte
	id          oid
	mode        uint32
	stage       uint8 // 0, or 1 to 3 during a conflict
	intentToAdd bool  // git add -N: no content yet
}

// sparse reports whether e stands for a whole directory that is not checked
// out; id is then that of a tree, and the path ends in '/'.
func (e *indexEntry) sparse() bool { return e.mode&modeType == modeTree }

// A cacheTree says which tree object a directory of the index would become.
type cacheTree struct {
	name []byte
	// count is how many entries lie below, or negative when the directory
	// has changed since and id means nothing.
	count int
	id    oid
	subs  []cacheTree
}

// sub returns the child named name, or nil.
func (t *cacheTree) sub(name []byte) *cacheTree {
	if t == nil {
		return nil
	}
	for i := range t.subs {
		if bytes.Equal(t.subs[i].name, name) {
			return &t.subs[i]
		}
	}
	return nil
}

// errIndexNeedsGit says that an index uses a format only git itself reads: a
// split index ("link"), or one made after this code.
var errIndexNeedsGit = errors.New("the index format needs the git program")

// errNoPath says that an entry has no path, as those have that replace entries
// of a shared index; the extension that says so comes after them.
var errNoPath error = emptyPath{}

// emptyPath is the type of errNoPath, so that nothing is formatted when a program
// starts.
type emptyPath struct{}

func (emptyPath) Error() string { return "the path is empty: " + errIndexNeedsGit.Error() }
func (emptyPath) Unwrap() error { return errIndexNeedsGit }

// The bits of an index entry's flags.
const (
	flagNameMask = 0x0fff
	flagExtended = 0x4000
	flagStage    = 12 // shift
	extIntent    = 0x2000
)

// parseIndex reads an index file of version 2, 3 or 4. It checks the file's
// checksum, so that a damaged index is an error and not an empty change.
func parseIndex(data []byte, hashLen int) (*index, error) {
	if len(data) < 12+hashLen || string(data[:4]) != "DIRC" {
		return nil, errors.New("not an index file")
	}
	body, sum := data[:len(data)-hashLen], data[len(data)-hashLen:]
	if !checksumOK(body, sum, hashLen) {
		return nil, errors.New("its checksum is wrong: the file is damaged")
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return nil, fmt.Errorf("version %d: %w", version, errIndexNeedsGit)
	}
	p := indexParser{body: body, at: 12, hashLen: hashLen, version: version}
	if int64(count) > int64(len(body)/p.smallest()) {
		return nil, fmt.Errorf("it claims %d entries, more than its %d bytes can hold", count, len(data))
	}
	ix := &index{entries: make([]indexEntry, count)}
	for i := range ix.entries {
		e := &ix.entries[i]
		if err := p.entry(e); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		if e.sparse() != (e.path[len(e.path)-1] == '/') {
			return nil, fmt.Errorf("entry %d: a name that does not fit its mode %o", i+1, e.mode)
		}
		if i > 0 && !entryLess(&ix.entries[i-1], &ix.entries[i]) {
			return nil, fmt.Errorf("entry %d is out of order", i+1)
		}
	}
	return ix, p.extensions(ix)
}

func entryLess(a, b *indexEntry) bool {
	if c := bytes.Compare(a.path, b.path); c != 0 {
		return c < 0
	}
	return a.stage < b.stage
}

// checksumOK reports whether sum is the hash of body. All zeros stand for no
// checksum (index.skipHash).
func checksumOK(body, sum []byte, hashLen int) bool {
	if len(bytes.TrimLeft(sum, "\x00")) == 0 {
		return true
	}
	if hashLen == sha256Len {
		h := sha256.Sum256(body)
		return bytes.Equal(h[:], sum)
	}
	h := sha1.Sum(body)
	return bytes.Equal(h[:], sum)
}

type indexParser struct {
	body    []byte
	at      int
	hashLen int
	version uint32
	last    []byte // path of the entry before, for version 4
}

// smallest returns the least number of bytes that an entry takes.
func (p *indexParser) smallest() int { return 40 + p.hashLen + 2 + 2 }

var errTruncated = errors.New("the file ends too early")

// entry reads one entry. Its fixed part is ten 32-bit numbers taken from
// stat(2), of which only the mode (the seventh) matters here.
func (p *indexParser) entry(e *indexEntry) error {
	b := p.body[p.at:]
	fixed := 40 + p.hashLen + 2
	if len(b) < fixed {
		return errTruncated
	}
	e.mode = binary.BigEndian.Uint32(b[24:])
	e.id = rawOID(b[40:40+p.hashLen], p.hashLen)
	flags := binary.BigEndian.Uint16(b[40+p.hashLen:])
	e.stage = uint8(flags>>flagStage) & 3
	if flags&flagExtended != 0 {
		if p.version < 3 || len(b) < fixed+2 {
			return errors.New("extended flags where there are none")
		}
		ext := binary.BigEndian.Uint16(b[fixed:])
		e.intentToAdd = ext&extIntent != 0
		fixed += 2
	}
	if p.version == 4 {
		return p.compressedPath(e, fixed)
	}
	nul := bytes.IndexByte(b[fixed:], 0)
	if n := int(flags & flagNameMask); nul < 0 || n < flagNameMask && nul != n {
		return errors.New("the length of the path is wrong")
	}
	if nul == 0 {
		return errNoPath
	}
	e.path = b[fixed : fixed+nul]
	size := (fixed + nul + 8) &^ 7 // padded with 1 to 8 NULs
	if size > len(b) {
		return errTruncated
	}
	p.at += size
	return nil
}

// compressedPath reads a version 4 path: how many bytes to drop from the path
// before it, and what to append.
func (p *indexParser) compressedPath(e *indexEntry, fixed int) error {
	b := p.body[p.at+fixed:]
	drop, n := offsetVarint(b)
	if n == 0 || drop > uint64(len(p.last)) {
		return errors.New("bad prefix length of a compressed path")
	}
	b = b[n:]
	nul := bytes.IndexByte(b, 0)
	if nul < 0 {
		return errTruncated
	}
	keep := len(p.last) - int(drop)
	if keep+nul == 0 {
		return errNoPath
	}
	path := make([]byte, 0, keep+nul)
	e.path = append(append(path, p.last[:keep]...), b[:nul]...)
	p.last = e.path
	p.at += fixed + n + nul + 1
	return nil
}

// offsetVarint reads the variable-length number of pack offsets and index
// version 4 and returns it with its length, 0 when it is malformed.
func offsetVarint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 9 {
		c := b[n]
		if n > 0 {
			v = (v + 1) << 7
		}
		v |= uint64(c & 0x7f)
		n++
		if c&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

// extensions reads what follows the entries. A name in lower case marks an
// extension that must be understood.
func (p *indexParser) extensions(ix *index) error {
	for p.at < len(p.body) {
		b := p.body[p.at:]
		if len(b) < 8 {
			return errTruncated
		}
		name, size := string(b[:4]), binary.BigEndian.Uint32(b[4:])
		if int64(size) > int64(len(b)-8) {
			return fmt.Errorf("extension %q: %w", name, errTruncated)
		}
		content := b[8 : 8+size]
		p.at += 8 + int(size)
		switch {
		case name == "TREE":
			t := treeParser{rest: content, hashLen: p.hashLen}
			if root, ok := t.parse(0); ok {
				ix.tree = &root // a malformed one is only a lost shortcut
			}
		case name == "sdir": // it may hold directories, see indexEntry.sparse
		case name[0] < 'A' || name[0] > 'Z':
			return fmt.Errorf("extension %q: %w", name, errIndexNeedsGit)
		}
	}
	return nil
}

// maxDepth bounds how deep directories nest; a path of git's own limit, 4,096
// bytes, holds at most half as many.
const maxDepth = 2048

// A treeParser reads the TREE extension.
type treeParser struct {
	rest    []byte
	hashLen int
}

func (p *treeParser) parse(depth int) (t cacheTree, ok bool) {
	nul := bytes.IndexByte(p.rest, 0)
	if nul < 0 || depth > maxDepth {
		return t, false
	}
	t.name = p.rest[:nul]
	line, rest, found := bytes.Cut(p.rest[nul+1:], []byte("\n"))
	count, subs, _ := bytes.Cut(line, []byte(" "))
	n, err1 := strconv.Atoi(string(count))
	m, err2 := strconv.Atoi(string(subs))
	if !found || err1 != nil || err2 != nil || m < 0 || m > len(rest) {
		return t, false
	}
	t.count = n
	if n >= 0 {
		if len(rest) < p.hashLen {
			return t, false
		}
		t.id, rest = rawOID(rest, p.hashLen), rest[p.hashLen:]
	}
	p.rest = rest
	if m > 0 {
		t.subs = make([]cacheTree, 0, min(m, 64)) // m may be a lie
	}
	for range m {
		s, ok := p.parse(depth + 1)
		if !ok {
			return t, false
		}
		t.subs = append(t.subs, s)
	}
	return t, true
}
