package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/spillgate/spillgate/scanner"
)

// The reasons for which something in an archive is skipped.
const (
	reasonLimit     = "archive limit"
	reasonDepth     = "archive in too many archives"
	reasonEncrypted = "encrypted archive entry"
	reasonMethod    = "archive entry in an unknown compression"
	reasonDamaged   = "damaged archive"
)

// errLimit ends the unpacking of an archive that came upon a limit.
var errLimit = errors.New("archive limit")

// errCut stands for io.ErrUnexpectedEOF, which io.ReadFull also returns for
// what ends as it should.
var errCut = errors.New("cut short")

// An emitError is an error of whoever receives the chunks, which ends the scan,
// to tell it from one of the archive.
type emitError struct{ error }

// A meter counts what one archive of the source unpacks to, with all that is
// in it.
type meter struct {
	in      atomic.Int64 // bytes of the archive itself that were seen
	out     int64        // bytes that came out of compression
	files   int64        // bytes of files in tars: a sparse one is long for nothing
	entries int
}

// An unpacker unpacks one archive of the source.
type unpacker struct {
	run     *run
	root    *scanner.Object
	meter   meter
	members int64
	feeder  scanner.Feeder
}

func (r *run) unpacker(root *scanner.Object) *unpacker { return &unpacker{run: r, root: root} }

// finish counts what was unpacked and turns err, of whatever ended it, into
// what ends the scan.
func (u *unpacker) finish(err error) error {
	r := u.run
	r.mu.Lock()
	r.coverage.Members += u.members
	r.coverage.Bytes += u.meter.out
	r.mu.Unlock()
	var stop emitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &stop):
		return stop.error
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case errors.Is(err, errLimit):
		r.skip(reasonLimit, u.root.Path)
	default:
		r.skip(reasonDamaged, u.root.Path)
	}
	return nil
}

// A reader is one that can be looked ahead in.
type reader struct{ *bufio.Reader }

func newReader(r io.Reader) *reader { return &reader{bufio.NewReaderSize(r, 32<<10)} }

// A metered reader adds to count what comes out of an archive, and stops it at
// the limits.
type metered struct {
	u     *unpacker
	r     io.Reader
	count *int64
}

// Read implements io.Reader.
func (m metered) Read(b []byte) (int, error) {
	u := m.u
	if err := u.run.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(b)
	if err == io.ErrUnexpectedEOF {
		err = errCut
	}
	*m.count += int64(n)
	if out := *m.count; out > u.run.options.MaxBytes || out > ratioFree && out > u.run.options.MaxRatio*u.meter.in.Load() {
		return n, errLimit
	}
	return n, err
}

// entry counts one entry.
func (u *unpacker) entry() error {
	if u.meter.entries++; u.meter.entries > u.run.options.MaxEntries {
		return errLimit
	}
	return u.run.ctx.Err()
}

// fatal reports whether err ends the whole archive and not one member.
func fatal(err error) bool {
	var stop emitError
	return errors.Is(err, errLimit) || errors.As(err, &stop) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// member scans what r yields as a member of container.
func (u *unpacker) member(container *scanner.Object, name string, r io.Reader, depth int) error {
	o := u.object(container, name)
	b := newReader(r)
	head, err := b.Peek(headLen)
	if fatal(err) {
		return err
	}
	f := recognise(head)
	switch {
	case f == none:
		return u.content(o, b)
	case f.unread() != "":
		u.run.skip(f.unread(), o.Path)
		return u.content(o, b)
	case depth >= u.run.options.Depth:
		u.run.skip(reasonDepth, o.Path)
		return u.content(o, b)
	case f != zipped:
		return u.stream(o, f, b, depth+1)
	}
	data, err := io.ReadAll(io.LimitReader(b, u.run.options.MaxZip+1))
	switch {
	case int64(len(data)) > u.run.options.MaxZip:
		u.run.skip(reasonLimit, o.Path)
		return u.content(o, &reader{bufio.NewReader(io.MultiReader(bytes.NewReader(data), b))})
	case err != nil && fatal(err):
		return err
	}
	if err := u.content(o, newBytesReader(data)); err != nil {
		return err
	}
	return errors.Join(err, u.zip(o, data, depth+1))
}

// object returns the object for a member, with what is known of its container.
func (u *unpacker) object(container *scanner.Object, name string) *scanner.Object {
	return &scanner.Object{
		Kind: scanner.Content, Path: join(container.Path, name), Container: container,
		ID: container.ID, Commit: container.Commit, Ref: container.Ref,
	}
}

// content scans a member that is no archive.
func (u *unpacker) content(o *scanner.Object, r io.Reader) error {
	u.members++
	_, err := u.feeder.Reader(o, r, u.emit)
	return err
}

func (u *unpacker) emit(c *scanner.Chunk) error {
	if err := u.run.emit(c); err != nil {
		return emitError{err}
	}
	return nil
}

// text scans something short that an archive says of a member.
func (u *unpacker) text(k scanner.Kind, o *scanner.Object, data string) error {
	named := *o
	named.Kind = k
	return u.feeder.Bytes(&named, []byte(data), u.emit)
}

// stream unpacks what r yields, which is tar or compressed.
func (u *unpacker) stream(o *scanner.Object, f format, r *reader, depth int) error {
	switch f {
	case tarred:
		return u.tar(o, r, depth)
	case gzipped:
		z, err := gzip.NewReader(r)
		if err != nil {
			return u.damaged(o, err)
		}
		return u.compressed(o, z.Name, z, depth)
	case bzipped:
		return u.compressed(o, "", bzip2.NewReader(r), depth)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return u.damaged(o, err)
	}
	defer z.Close()
	return u.compressed(o, "", z, depth)
}

// compressed unpacks what z yields, out of o. A tar in it needs no further name.
func (u *unpacker) compressed(o *scanner.Object, name string, z io.Reader, depth int) error {
	if err := u.entry(); err != nil {
		return err
	}
	b := newReader(metered{u, z, &u.meter.out})
	if head, err := b.Peek(headLen); fatal(err) {
		return err
	} else if recognise(head) == tarred {
		return u.tar(o, b, depth)
	}
	return u.damaged(o, u.member(o, inside(o.Path, name), b, depth))
}

// damaged counts an archive that could not be read to its end, and returns err
// only if the rest cannot be read either.
func (u *unpacker) damaged(o *scanner.Object, err error) error {
	if err == nil || fatal(err) {
		return err
	}
	u.run.skip(reasonDamaged, o.Path)
	return nil
}

// tar unpacks a tar.
func (u *unpacker) tar(o *scanner.Object, r *reader, depth int) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return u.damaged(o, err)
		}
		if err := u.entry(); err != nil {
			return err
		}
		m := u.object(o, h.Name)
		m.Mode = uint32(h.Mode) & 0o7777
		if err := u.text(scanner.FileName, m, h.Name); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
			if err := u.member(o, h.Name, metered{u, t, &u.meter.files}, depth); err != nil {
				if err = u.damaged(m, err); err != nil {
					return err
				}
			}
		case tar.TypeSymlink, tar.TypeLink:
			if err := u.text(scanner.SymlinkTarget, m, h.Linkname); err != nil {
				return err
			}
		}
	}
}

// zip unpacks a zip.
func (u *unpacker) zip(o *scanner.Object, data []byte, depth int) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return u.damaged(o, err)
	}
	z.RegisterDecompressor(12, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(93, zstd.ZipDecompressor(zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderLowmem(true)))
	for _, f := range z.File {
		if err := u.entry(); err != nil {
			return err
		}
		if err := u.zipEntry(o, f, depth); err != nil {
			return err
		}
	}
	if z.Comment != "" {
		return u.text(scanner.Content, u.object(o, "(comment)"), z.Comment)
	}
	return nil
}

// zipEntry unpacks one entry of a zip.
func (u *unpacker) zipEntry(o *scanner.Object, f *zip.File, depth int) error {
	m := u.object(o, f.Name)
	if err := u.text(scanner.FileName, m, f.Name); err != nil {
		return err
	}
	if f.Comment != "" {
		if err := u.text(scanner.Content, u.object(o, f.Name+" (comment)"), f.Comment); err != nil {
			return err
		}
	}
	if f.FileInfo().IsDir() {
		return nil
	}
	if f.Flags&1 != 0 { // APPNOTE.TXT, 4.4.4
		u.run.skip(reasonEncrypted, m.Path)
		return nil
	}
	r, err := f.Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		u.run.skip(reasonMethod, m.Path)
		return nil
	case err != nil:
		return u.damaged(m, err)
	}
	defer r.Close()
	return u.damaged(m, u.member(o, f.Name, metered{u, r, &u.meter.out}, depth))
}
