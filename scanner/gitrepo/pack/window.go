package pack

import (
	"os"
	"slices"
)

// What a commit brings is a few dozen objects. To map a pack for them costs a
// page fault for most entries and their unmapping in the end, together more
// than copying them: a twentieth of the time of `spillgate staged`. So the first entries that
// Get wants of a pack are read from its file, and only when they become many,
// or one is large or not as expected, is the pack mapped. An entry read in
// this way is exactly the one that the mapping has, and whatever fails here is
// tried again there, so that no error depends on how a pack is read.
const (
	// maxWindows is how many entries of a pack are read from its file.
	maxWindows = 512
	// smallWindow is how many bytes are read when the size of an entry is not
	// known yet. Most deltas are shorter.
	smallWindow = 1 << 10
	// largeWindow bounds what is read of one entry, in bytes.
	largeWindow = 128 << 10
)

// unmapped opens p for reading by windows, and reports whether it is to be
// read so. Where not, load is the way, and says what is wrong.
func (p *packFile) unmapped() bool {
	if p.mapped.Load() || p.windows.Load() >= maxWindows || p.windows.Add(1) > maxWindows {
		return false
	}
	p.opening.Do(func() {
		f, size, err := p.openFile()
		if err != nil {
			p.windows.Store(maxWindows)
			return
		}
		p.file, p.size = f, size
	})
	return p.file != nil
}

// openFile opens the pack, makes the checks that load makes, and returns how
// many bytes come before its checksum.
func (p *packFile) openFile() (f *os.File, size int64, err error) {
	if f, err = os.Open(p.path); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // err is what went wrong first
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if size = info.Size() - int64(p.idx.hash); !info.Mode().IsRegular() || size < packHeader {
		return nil, 0, errNoPack
	}
	var head [packHeader]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, 0, err
	}
	sum := make([]byte, p.idx.hash)
	if _, err := f.ReadAt(sum, size); err != nil {
		return nil, 0, err
	}
	return f, size, p.checkEnds(head[:], sum)
}

// bytes returns how long p is without its checksum, when an entry was read.
func (p *packFile) bytes() int64 {
	if p.mapped.Load() {
		return int64(len(p.body))
	}
	return p.size
}

// entry reads the head of the entry at offset, and in a file as much of its
// content as comes with it.
func (r *reader) entry(p *packFile, offset int64) (entry, error) {
	if p.unmapped() {
		if n := min(smallWindow, p.size-offset); offset >= packHeader && n > 0 {
			used := len(r.heads)
			r.heads = slices.Grow(r.heads, int(n))[:used+int(n)]
			b := r.heads[used:]
			if _, err := p.file.ReadAt(b, offset); err == nil {
				if e, err := parseHead(b, offset, p.idx.hash); err == nil {
					e.start = b[e.data-offset:]
					return e, nil
				}
			}
		}
	}
	if err := p.load(); err != nil {
		return entry{}, err
	}
	return p.entry(offset)
}

// inflate decompresses the entry e at offset into dst, from the file or, where
// that does not do, from the mapping.
func (r *reader) inflate(p *packFile, offset int64, e *entry, dst []byte) error {
	if r.inflateWindow(p, e, dst) {
		return nil
	}
	if err := p.load(); err != nil {
		return err
	}
	_, err := p.inflate(r.z, offset, e, dst)
	return err
}

// inflateWindow is inflate from the file, and reports whether that did.
func (r *reader) inflateWindow(p *packFile, e *entry, dst []byte) bool {
	if len(e.start) > 0 {
		if _, err := r.z.Zlib(dst, e.start); err == nil {
			return true
		}
	}
	// Data that does not shrink is stored, in blocks with five bytes more each
	// (RFC 1951, 3.2.4). What another program made longer still is left to the
	// mapping.
	n := e.size + e.size>>10 + 64
	if n > largeWindow || !p.unmapped() {
		return false
	}
	n = min(n, p.size-e.data)
	if int64(len(r.large)) < n {
		r.large = make([]byte, n)
	}
	if _, err := p.file.ReadAt(r.large[:n], e.data); err != nil {
		return false
	}
	_, err := r.z.Zlib(dst, r.large[:n])
	return err == nil
}
