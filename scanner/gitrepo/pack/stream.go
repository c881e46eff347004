package pack

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"syscall"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// missing reports whether err says that there is no file of that name.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Stream opens an object for reading piece by piece. Its memory does not
// depend on the object's size, unless the object is stored as a delta: then it
// is read as Get does, and is at most Options.MaxObject large. A reader that
// comes to the end without an error has yielded exactly size bytes.
func (s *Store) Stream(id ID) (kind Kind, size int64, r io.ReadCloser, err error) {
	err = guarded(func() error {
		kind, size, r, err = s.stream(id)
		return err
	})
	return kind, size, r, err
}

func (s *Store) stream(id ID) (kind Kind, size int64, rc io.ReadCloser, err error) {
	var st *stream
	state := s.state.Load()
	_ = state.places(id.sum[:id.size], func(pl place) bool {
		offset, err := pl.p.idx.offset(pl.i)
		if err != nil || pl.p.load() != nil {
			return false
		}
		e, err := pl.p.entry(offset)
		if err != nil || !e.kind.whole() {
			return false
		}
		kind, st = e.kind, pl.p.open(offset, &e)
		return true
	})
	for i := 0; st == nil && i < len(state.dirs); i++ {
		if k, n, l, err := openLoose(loosePath(state.dirs[i], id)); err == nil {
			kind, st = k, l
			st.left = n
		}
	}
	if st != nil {
		if s.opts.Verify {
			st.verify(id, kind)
		}
		return kind, st.left, st, nil
	}
	kind, data, err := s.find(id)
	if err != nil {
		return 0, 0, nil, err
	}
	return kind, int64(len(data)), io.NopCloser(bytes.NewReader(data)), nil
}

// open returns the content of the whole entry e at offset as a stream.
func (p *packFile) open(offset int64, e *entry) *stream {
	return &stream{src: bytes.NewReader(p.body[e.data:]), left: e.size, file: p.path, offset: offset}
}

// A stream yields an object of known size and checks it.
type stream struct {
	src    io.Reader // of the zlib stream, until r is made
	r      io.Reader
	left   int64
	sum    hash.Hash // nil unless the id is verified
	id     ID
	file   string
	offset int64
	close  func() error
	err    error
}

// verify makes the stream compare its content with id at the end.
func (s *stream) verify(id ID, kind Kind) {
	s.id, s.sum = id, newHash(int(id.size))
	s.sum.Write(objectHead(kind, s.left))
}

// Read fills p. At the end it also compares size, checksum and id.
func (s *stream) Read(p []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	err = guarded(func() error {
		if s.r == nil {
			if s.r, err = zlib.NewReader(s.src); err != nil {
				return err
			}
		}
		n, err = s.read(p)
		return err
	})
	if err != nil && err != io.EOF {
		n, err = 0, at(s.file, s.offset, err)
	}
	s.err = err
	return n, err
}

func (s *stream) read(p []byte) (n int, err error) {
	if s.left > 0 {
		n, err = s.r.Read(p[:min(int64(len(p)), s.left)])
		s.left -= int64(n)
		if s.sum != nil {
			s.sum.Write(p[:n])
		}
		if err == nil || n > 0 && err == io.EOF && s.left == 0 {
			return n, nil
		}
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			err = inflate.ErrShort
		}
		return n, err
	}
	// The end of the zlib stream brings its checksum.
	var more [1]byte
	if n, err = io.ReadFull(s.r, more[:]); n > 0 {
		return 0, inflate.ErrLong
	}
	if err != io.EOF {
		return 0, err
	}
	if s.sum != nil {
		if got := MakeID(s.sum.Sum(nil)); got != s.id {
			return 0, fmt.Errorf("%w: its content has the id %s", errWrongID, got)
		}
	}
	return 0, io.EOF
}

// Close closes the file, if there is one.
func (s *stream) Close() error {
	s.err = fs.ErrClosed
	if s.close != nil {
		return s.close()
	}
	return nil
}
