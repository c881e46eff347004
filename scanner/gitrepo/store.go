package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// maxHeld is the size in bytes up to which an object is held in memory; larger
// ones are streamed.
const maxHeld = 32 << 20

// maxParsed bounds the size of trees, commits and tags, which are parsed as a
// whole. GitHub refuses far smaller ones.
const maxParsed = 1 << 30

// An object is one object of a store. Its content is data or, if that is nil
// and size is not 0, comes out of stream, which the caller closes. Both are
// valid until the next call of the reader they came from.
type object struct {
	kind   kind
	size   int64
	data   []byte
	stream io.ReadCloser
	// lasting says that data stays valid and that nobody changes it.
	lasting bool
}

// A store holds the objects of a repository.
type store interface {
	// name is what Coverage.Backend says.
	name() string
	// open returns a reader for one goroutine.
	open(ctx context.Context) (reader, error)
	// each calls visit for every object that is stored, reachable or not; an
	// object may come twice.
	each(ctx context.Context, visit func(oid, kind) error) error
	close() error
}

// A reader reads objects one after the other.
type reader interface {
	// read returns the object named id. An object that is not there is a
	// *missingError; any other error says that it cannot be read.
	read(id oid) (object, error)
	close() error
}

// A missingError says that a store does not have an object.
type missingError struct{ id string }

func (e *missingError) Error() string { return "object " + e.id + " is missing" }

func isMissing(err error) bool {
	var m *missingError
	return errors.As(err, &m)
}

// whole returns the content of an object of the given kind, which must be
// small enough to parse. It stays valid and must not be changed.
func whole(rd reader, id oid, want kind, hashLen int) ([]byte, error) {
	o, err := rd.read(id)
	if err != nil {
		return nil, err
	}
	if o.kind != want {
		closeStream(o)
		return nil, fmt.Errorf("object %s is a %s, not a %s", id.hex(hashLen), o.kind, want)
	}
	if o.stream == nil && o.lasting {
		return o.data, nil
	}
	if o.stream == nil {
		return bytes.Clone(o.data), nil
	}
	defer closeStream(o)
	if o.size > maxParsed {
		return nil, fmt.Errorf("%s %s has %d bytes, too many to read", want, id.hex(hashLen), o.size)
	}
	data := make([]byte, o.size)
	if _, err := io.ReadFull(o.stream, data); err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", want, id.hex(hashLen), err)
	}
	return data, nil
}

func closeStream(o object) {
	if o.stream != nil {
		_ = o.stream.Close()
	}
}

// readTag and readCommit read and parse. What they return stays valid.
func (r *Repo) readCommit(rd reader, id oid) (commit, error) {
	data, err := whole(rd, id, commitKind, r.hashLen)
	if err != nil {
		return commit{}, err
	}
	c, err := parseCommit(data, r.hashLen)
	if err != nil {
		return c, fmt.Errorf("commit %s: %w", r.hex(id), err)
	}
	return c, nil
}

func (r *Repo) readTag(rd reader, id oid) (tag, error) {
	data, err := whole(rd, id, tagKind, r.hashLen)
	if err != nil {
		return tag{}, err
	}
	t, err := parseTag(data, r.hashLen)
	if err != nil {
		return t, fmt.Errorf("tag %s: %w", r.hex(id), err)
	}
	return t, nil
}

// peel follows tags from id to something else and returns it with its kind.
func (r *Repo) peel(rd reader, id oid) (oid, kind, error) {
	for range 64 {
		o, err := rd.read(id)
		if err != nil {
			return id, noKind, err
		}
		closeStream(o)
		if o.kind != tagKind {
			return id, o.kind, nil
		}
		t, err := r.readTag(rd, id)
		if err != nil {
			return id, noKind, err
		}
		id = t.target
	}
	return id, noKind, fmt.Errorf("tag %s: more than 64 tags in a row", r.hex(id))
}

// A secondReader reads what a store of this process cannot with the git
// program, where there is one, before it counts as unreadable: a format that
// is not known here, or a delta too large to hold. Absent objects stay absent.
type secondReader struct {
	reader
	repo *Repo
	ctx  context.Context
	git  reader
}

func (rd *secondReader) read(id oid) (object, error) {
	o, err := rd.reader.read(id)
	if err == nil || isMissing(err) || rd.ctx.Err() != nil {
		return o, err
	}
	if rd.git == nil {
		s, gerr := rd.repo.store(true)
		if gerr != nil {
			return object{}, err
		}
		if rd.git, gerr = s.open(rd.ctx); gerr != nil {
			return object{}, err
		}
	}
	if o, gerr := rd.git.read(id); gerr == nil {
		rd.repo.gitServed.Store(true)
		return o, nil
	}
	return object{}, err
}

func (rd *secondReader) close() error {
	err := rd.reader.close()
	if rd.git != nil {
		err = errors.Join(err, rd.git.close())
	}
	return err
}

// openStore returns the store that store does, and a reader of it, which the
// caller closes.
func (r *Repo) openStore(ctx context.Context, needGit bool) (store, reader, error) {
	st, err := r.store(needGit)
	if err != nil {
		return nil, nil, err
	}
	rd, err := r.open(ctx, st)
	return st, rd, err
}

// open returns a reader of s for one goroutine.
func (r *Repo) open(ctx context.Context, s store) (reader, error) {
	rd, err := s.open(ctx)
	if err != nil || s.name() == backendGit || r.options.Backend == backendGoGit {
		return rd, err
	}
	return &secondReader{reader: rd, repo: r, ctx: ctx}, nil
}
