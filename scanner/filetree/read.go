package filetree

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strconv"

	"github.com/spillgate/spillgate/scanner"
)

const (
	// bufLen is the read buffer of a worker to begin with; almost all source
	// files fit.
	bufLen = 128 << 10
	// wholeLen is up to which size a file is read whole, and one chunk; what
	// is larger is streamed. The buffer grows up to it when a file needs it.
	wholeLen = 4 << 20
)

// files scans files of an open folder.
func (w *worker) files(t *task, files []entry) {
	for _, e := range files {
		if w.halted() {
			return
		}
		abs := t.abs + e.name
		f, err := t.in.open(e.name)
		if err != nil {
			w.failed(t.root, abs, err, "cannot open: ")
			continue
		}
		w.file(t.root.show(abs), f)
	}
}

// file scans the name and the content of one open file and closes it.
func (w *worker) file(shown string, f io.ReadCloser) {
	defer f.Close()
	w.name(shown)
	o := &scanner.Object{Kind: scanner.Content, Path: shown}
	if w.buf == nil {
		w.buf = make([]byte, bufLen)
	}
	n := 0
	for {
		m, err := f.Read(w.buf[n:])
		n += m
		if err != nil {
			w.tally.bytes += int64(n)
			w.feed(o, w.buf[:n])
			if _, ok := scanner.ParseLFSPointer(w.buf[:n]); ok {
				w.tally.skip(scanner.SkippedLFS, o.Path)
			}
			w.finished(o, int64(n), err)
			return
		}
		if n < len(w.buf) {
			continue
		}
		if n == wholeLen {
			w.stream(o, &stoppable{walk: w.walk, r: io.MultiReader(bytes.NewReader(w.buf), f)})
			return
		}
		w.buf = append(make([]byte, 0, min(4*n, wholeLen)), w.buf...)
		w.buf = w.buf[:cap(w.buf)]
	}
}

// stream scans a file that is too large for memory.
func (w *worker) stream(o *scanner.Object, r *stoppable) {
	n, err := w.feeder.Reader(o, r, w.emit)
	w.tally.bytes += n
	if err != nil && r.err == nil {
		w.stop(err) // emit's
		return
	}
	w.finished(o, n, r.err)
}

// finished counts a file that was read until err, after n bytes.
func (w *worker) finished(o *scanner.Object, n int64, err error) {
	w.tally.files++
	if o.Binary {
		w.tally.binaries++
	}
	switch {
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, errStopped):
	case n > 0:
		w.tally.fail(o.Path, "read only the first "+strconv.FormatInt(n, 10)+" bytes: "+cause(err), fixUnreadable)
	case errors.Is(err, fs.ErrNotExist):
		w.tally.skip("vanished during the scan", o.Path)
	default:
		w.tally.fail(o.Path, "cannot read: "+cause(err), fixUnreadable)
	}
}

// name scans a path.
func (w *worker) name(shown string) {
	w.tally.names++
	w.feed(&scanner.Object{Kind: scanner.FileName, Path: shown}, []byte(shown))
}

// feed scans content that is in memory.
func (w *worker) feed(o *scanner.Object, data []byte) {
	if w.halted() {
		return
	}
	if err := w.feeder.Bytes(o, data, w.emit); err != nil {
		w.stop(err)
	}
}

var errStopped = errors.New("the scan was stopped")

// A stoppable reads r until the walk is stopped, and keeps r's error.
type stoppable struct {
	*walk
	r   io.Reader
	err error
}

// Read reads from r.
func (s *stoppable) Read(b []byte) (int, error) {
	if s.halted() {
		s.err = errStopped
		return 0, errStopped
	}
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
