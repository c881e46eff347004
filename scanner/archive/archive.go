// Package archive lets any Source look into archives: zip and its many names
// (jar, war, apk, whl, docx, xlsx), tar, gzip, bzip2 and zstd, in each other up
// to a depth. It wraps a Source: what that emits passes through, and where the
// beginning of an object says that it is an archive, its members follow as
// objects of their own, with a path such as "lib/app.jar!/META-INF/x.properties".
// Whether the object is a file, standard input, or a blob of a repository makes
// no difference, nor does its name: content decides, since a blob's path may
// not be known yet.
//
// Nothing is written to disk, and a member's name is only shown, so that
// "../../etc/passwd" is a strange name and no more. Compressed streams and tar
// are unpacked as they pass, however large; a zip, whose directory is at its
// end, is kept in memory up to a limit.
//
// An archive may be made to exhaust whoever opens it. So there are limits on
// what one archive, with all archives in it, may unpack to: bytes, ratio to its
// own size, entries and depth. What they or a password, damage or an unknown
// format keep from being scanned is counted as skipped, with the reason and an
// example. It makes no scan incomplete: the archive itself was scanned, as the
// bytes it is, and anybody could otherwise stop a repository's builds with a
// file that nobody can unpack.
//
// The lines of an archive's members are not compared with those of an older
// version of the archive: all of a changed archive is new.
package archive

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/spillgate/spillgate/scanner"
)

// Options bound what is unpacked. The zero value is the default.
type Options struct {
	// Depth is how many archives inside each other are opened. Zero means 3.
	// A compressed tar counts as one.
	Depth int
	// MaxBytes bounds what one archive of the source may unpack to, in bytes.
	// Zero means 2 GiB.
	MaxBytes int64
	// MaxRatio bounds how many times its own size that may be, once it is more
	// than 64 MiB. Zero means 100.
	MaxRatio int64
	// MaxEntries bounds the entries of one archive of the source, those of the
	// archives in it included. Zero means 100,000.
	MaxEntries int
	// MaxZip is the size in bytes up to which a zip is kept in memory. Zero
	// means 64 MiB.
	MaxZip int64
}

// ratioFree is how many bytes an archive may unpack to whatever its own size.
const ratioFree = 64 << 20

func (o Options) filled() Options {
	if o.Depth <= 0 {
		o.Depth = 3
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 2 << 30
	}
	if o.MaxRatio <= 0 {
		o.MaxRatio = 100
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = 100_000
	}
	if o.MaxZip <= 0 {
		o.MaxZip = 64 << 20
	}
	return o
}

// New returns a source that emits what inner emits and what the archives among
// it hold. It implements scanner.Attributor if inner does.
func New(inner scanner.Source, o Options) scanner.Source {
	s := &source{inner: inner, options: o.filled()}
	if a, ok := inner.(scanner.Attributor); ok {
		return &attributor{source: s, inner: a}
	}
	return s
}

type source struct {
	inner   scanner.Source
	options Options
}

// Chunks implements scanner.Source.
func (s *source) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	r := &run{ctx: ctx, options: s.options, emit: emit}
	coverage, err := s.inner.Chunks(ctx, r.chunk)
	if rest := r.finish(); err == nil {
		err = rest
	}
	coverage.Add(r.coverage)
	return coverage, err
}

// A run is one call of Chunks.
type run struct {
	ctx     context.Context
	options Options
	emit    func(*scanner.Chunk) error

	live     atomic.Int64 // how many entries streams has
	mu       sync.Mutex
	open     map[*scanner.Object]*stream
	coverage scanner.Coverage
}

// chunk passes a chunk on and unpacks the archive that it is, begins or goes on.
func (r *run) chunk(c *scanner.Chunk) error {
	if err := r.emit(c); err != nil {
		return err
	}
	if c.Object.Kind != scanner.Content || c.Object.Encoding != "" {
		return nil
	}
	if !c.First {
		if r.live.Load() == 0 {
			return nil
		}
		return r.more(c)
	}
	f := recognise(c.Data)
	if f == none && c.Last && endsAsZip(c.Data) {
		f = zipped // behind a program that unpacks it
	}
	if f == none {
		return nil
	}
	if f.unread() != "" {
		r.skip(f.unread(), c.Object.Path)
		return nil
	}
	if c.Last {
		u := r.unpacker(c.Object)
		u.meter.in.Store(int64(len(c.Data)))
		if f == zipped {
			return u.finish(u.zip(c.Object, c.Data, 1))
		}
		return u.finish(u.stream(c.Object, f, newBytesReader(c.Data), 1))
	}
	return r.begin(c, f)
}

// skip counts something that was not scanned.
func (r *run) skip(reason, path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coverage.Skip(reason, path)
}

// A stream is an archive that comes in several chunks.
type stream struct {
	object *scanner.Object
	format format
	unpack *unpacker
	// Of a zip.
	data    []byte
	tooLong bool
	// Of the others: a goroutine unpacks what is written.
	pipe *io.PipeWriter
	done chan error
}

// begin starts a stream with its first chunk.
func (r *run) begin(c *scanner.Chunk, f format) error {
	s := &stream{object: c.Object, format: f, unpack: r.unpacker(c.Object)}
	if f != zipped {
		pr, pw := io.Pipe()
		s.pipe, s.done = pw, make(chan error, 1)
		go func() {
			err := s.unpack.finish(s.unpack.stream(s.object, f, newReader(pr), 1))
			_ = pr.Close() // what is written from now on is thrown away
			s.done <- err
		}()
	}
	r.mu.Lock()
	if r.open == nil {
		r.open = map[*scanner.Object]*stream{}
	}
	r.open[c.Object] = s
	r.live.Add(1)
	r.mu.Unlock()
	return r.write(s, c)
}

// more hands a further chunk to its stream, if it has one.
func (r *run) more(c *scanner.Chunk) error {
	r.mu.Lock()
	s := r.open[c.Object]
	r.mu.Unlock()
	if s == nil {
		return nil
	}
	return r.write(s, c)
}

// write hands the bytes that c answers for to s.
func (r *run) write(s *stream, c *scanner.Chunk) error {
	core := c.Data[c.From:c.To]
	s.unpack.meter.in.Add(int64(len(core)))
	switch {
	case s.pipe != nil:
		_, _ = s.pipe.Write(core) // fails when the unpacker has had enough
	case s.tooLong:
	case int64(len(s.data)+len(core)) > r.options.MaxZip:
		s.tooLong, s.data = true, nil
	default:
		s.data = append(s.data, core...)
	}
	if !c.Last {
		return nil
	}
	r.mu.Lock()
	delete(r.open, s.object)
	r.live.Add(-1)
	r.mu.Unlock()
	return r.end(s)
}

// end unpacks what is left of s.
func (r *run) end(s *stream) error {
	switch {
	case s.pipe != nil:
		_ = s.pipe.Close()
		return <-s.done
	case s.tooLong:
		r.skip(reasonLimit, s.object.Path)
		return nil
	}
	data := s.data
	s.data = nil
	return s.unpack.finish(s.unpack.zip(s.object, data, 1))
}

// finish ends the streams whose end never came, because reading them failed.
func (r *run) finish() (err error) {
	for _, s := range r.open {
		if e := r.end(s); err == nil {
			err = e
		}
	}
	return err
}
