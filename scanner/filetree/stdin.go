package filetree

import (
	"context"
	"io"

	"github.com/spillgate/spillgate/scanner"
)

// Stdin returns the source over one stream, in bounded memory. Reports call it
// name; empty means "stdin".
func Stdin(r io.Reader, name string) scanner.Source {
	if name == "" {
		name = "stdin"
	}
	return &stream{r, name}
}

type stream struct {
	r    io.Reader
	name string
}

// Chunks reads the stream to its end. A read that fails is a Problem of the
// coverage: what came before it was scanned.
func (s *stream) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c := scanner.Coverage{What: "standard input", Backend: "files", Files: 1}
	var f scanner.Feeder
	o := &scanner.Object{Kind: scanner.Content, Path: s.name}
	r := newInterruptible(ctx, s.r)
	defer r.close()
	n, err := f.Reader(o, r, emit)
	c.Bytes = n
	if o.Binary {
		c.Binaries = 1
	}
	switch {
	case ctx.Err() != nil:
		return c, ctx.Err()
	case r.err != nil:
		c.Fail(s.name, "reading stopped early: "+cause(r.err), "")
		return c, nil
	}
	return c, err
}

// An interruptible reads from a stream that may block for ever, such as a
// terminal, and gives up when its context ends. The reader runs in a goroutine
// of its own, which a read that never returns keeps alive; it holds nothing
// that anybody waits for.
type interruptible struct {
	ctx    context.Context
	cancel context.CancelFunc
	filled chan filled
	empty  chan []byte
	now    filled
	rest   []byte
	err    error // of the stream, but for io.EOF
}

type filled struct {
	buf []byte // to give back
	n   int
	err error
}

func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	const size = 256 << 10
	ctx, cancel := context.WithCancel(ctx)
	i := &interruptible{ctx: ctx, cancel: cancel, filled: make(chan filled), empty: make(chan []byte, 2)}
	i.empty <- make([]byte, size)
	i.empty <- make([]byte, size)
	go func() {
		for buf := range i.empty {
			n, err := r.Read(buf)
			select {
			case i.filled <- filled{buf, n, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return i
}

// close lets the goroutine end, at the latest when its read returns.
func (i *interruptible) close() {
	i.cancel()
	close(i.empty)
}

// Read implements io.Reader.
func (i *interruptible) Read(b []byte) (int, error) {
	for len(i.rest) == 0 {
		if i.now.err != nil {
			if i.now.err != io.EOF {
				i.err = i.now.err
			}
			return 0, i.now.err
		}
		if i.now.buf != nil {
			i.empty <- i.now.buf
			i.now.buf = nil
		}
		select {
		case i.now = <-i.filled:
			i.rest = i.now.buf[:i.now.n]
		case <-i.ctx.Done():
			return 0, i.ctx.Err()
		}
	}
	n := copy(b, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}
