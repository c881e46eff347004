package gitrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// A packStore reads through package pack, several times faster than go-git:
// it maps packs and their indexes, inflates in one go, and shares the bases of
// deltas among all readers. It is what reads unless something else is asked
// for or needed.
type packStore struct {
	repo  *Repo
	store *pack.Store
}

func newPackStore(r *Repo) (*packStore, error) {
	s, err := pack.Open(pack.Options{
		ObjectDirs: append([]string{r.objectDir}, r.alternates...),
		HashSize:   r.hashLen,
		MaxObject:  maxHeld,
		CacheSize:  r.options.Memory / 4,
	})
	if err != nil {
		return nil, fmt.Errorf("opening objects of %s: %w", r.Root(), err)
	}
	return &packStore{r, s}, nil
}

func (s *packStore) name() string { return backendPacks }
func (s *packStore) close() error { return s.store.Close() }

func (s *packStore) open(ctx context.Context) (reader, error) {
	return &packReader{ctx: ctx, store: s}, nil
}

func (s *packStore) each(ctx context.Context, visit func(oid, kind) error) error {
	err := s.store.ForEachID(func(id pack.ID) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, _, err := s.store.Header(id)
		if err != nil {
			k = 0 // reading it will say what is wrong
		}
		return visit(rawOID(id.Bytes(), s.repo.hashLen), packKind(k))
	})
	return errors.Join(err, errors.Join(s.store.Problems()...))
}

func packKind(k pack.Kind) kind {
	switch k {
	case pack.Commit:
		return commitKind
	case pack.Tree:
		return treeKind
	case pack.Blob:
		return blobKind
	case pack.Tag:
		return tagKind
	}
	return noKind
}

// A packReader reads for one goroutine. All state is in the store, but for the
// memory that blobs which a commit brings are read into one after the other.
type packReader struct {
	ctx   context.Context
	store *packStore
	buf   []byte
}

// maxReused is the size in bytes up to which a packReader keeps a blob's memory.
const maxReused = 1 << 20

func (rd *packReader) close() error { return nil }

// keep makes the memory of o, which is rd's own, that of the next object if o
// is a blob. Trees and commits are kept by those who ask for them.
func (rd *packReader) keep(o *object) {
	if rd.buf = nil; o.kind == blobKind && cap(o.data) <= maxReused {
		rd.buf, o.lasting = o.data, false
	}
}

func (rd *packReader) read(id oid) (object, error) {
	if err := rd.ctx.Err(); err != nil {
		return object{}, err
	}
	s := rd.store.store
	name := pack.MakeID(id[:rd.store.repo.hashLen])
	k, data, own, err := s.GetInto(name, rd.buf)
	switch {
	case err == nil:
		o := object{kind: packKind(k), size: int64(len(data)), data: data, lasting: true}
		if own {
			rd.keep(&o)
		}
		return o, nil
	case errors.Is(err, pack.ErrNotFound):
		if problems := s.Problems(); len(problems) > 0 {
			return object{}, fmt.Errorf("%w; it may be in what cannot be read: %w", err, errors.Join(problems...))
		}
		return object{}, &missingError{rd.store.repo.hex(id)}
	case !errors.Is(err, pack.ErrTooLarge):
		return object{}, err
	}
	k, size, stream, err := s.Stream(name)
	if err != nil {
		return object{}, err
	}
	return object{kind: packKind(k), size: size, stream: stream}, nil
}
