package decode

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
)

// Inflated bounds what is decompressed for one chunk, in bytes: a kilobyte of
// hostile text can hold a megabyte of zeros.
const inflated = 16 << 20

// An inflater decompresses; it is used again.
type inflater struct {
	src  bytes.Reader
	gzip gzip.Reader
	zlib io.ReadCloser
}

// inflate makes child the decompressed text of its parent. What comes out
// before an error counts: a text that was cut short may hold a secret in its
// beginning. It reports whether anything came out.
func (s *state) inflate(child, parent *layer, f form) bool {
	label := "gzip"
	if f == zlibbed {
		label = "zlib"
	}
	child.begin(parent, label, 0, len(parent.data))
	x := &s.inflater
	x.src.Reset(parent.data)
	var r io.Reader
	var err error
	switch {
	case f == gzipped:
		err = x.gzip.Reset(&x.src)
		r = &x.gzip
	case x.zlib == nil:
		x.zlib, err = zlib.NewReader(&x.src)
		r = x.zlib
	default:
		err = x.zlib.(zlib.Resetter).Reset(&x.src, nil)
		r = x.zlib
	}
	if err != nil {
		return false
	}
	n := 0
	for s.room > 0 {
		if n == len(child.out) {
			child.out = append(child.out, make([]byte, max(32<<10, n))...)
		}
		m, err := r.Read(child.out[n:min(len(child.out), n+s.room)])
		n += m
		s.room -= m
		if err != nil {
			break
		}
	}
	if s.room == 0 {
		s.detector.limited.Add(1)
	}
	child.data = child.out[:n]
	return n > 0
}
