package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// Options say what a Store reads. The zero value of each field but ObjectDirs
// is the default.
type Options struct {
	// ObjectDirs are the folders that git calls "objects": a repository's
	// own, then those of GIT_ALTERNATE_OBJECT_DIRECTORIES. The alternates
	// that they name in turn are followed.
	ObjectDirs []string
	// HashSize is the length of an object id in bytes: 20 for SHA-1, which is
	// the default, or 32 for SHA-256.
	HashSize int
	// Verify compares every object that is read with its id, at the cost of
	// hashing it.
	Verify bool
	// CacheSize is how many bytes of objects Get keeps because others may be
	// deltas of them. The default is 64 MiB.
	CacheSize int64
	// MaxObject is the size in bytes from which on an object is not read into
	// memory. The default is 512 MiB, from which on git makes no deltas
	// either (core.bigFileThreshold); at most it is 2 GiB less 1 KiB.
	MaxObject int64
}

const (
	defaultCache  = 64 << 20
	defaultObject = 512 << 20
)

// A Store reads the objects of a repository. It is safe for concurrent use.
type Store struct {
	opts  Options
	cache *baseCache
	state atomic.Pointer[storeState]

	mu      sync.Mutex // of refresh
	checked time.Time  // when refresh last looked

	inflaters sync.Pool // of *inflate.Inflater
	readers   sync.Pool // of *reader
}

// storeState is what was found when folders were last listed. It does not
// change.
type storeState struct {
	dirs     []string
	packs    []*packFile // the largest first
	problems []error
	stamps   []time.Time // when the folders of packs were changed
	recent   atomic.Pointer[packFile]
	// gone are packs that were removed before they were mapped. Their indexes
	// may still be in use.
	gone []*packFile
}

// Open lists the packs of the object directories and maps their indexes. What
// cannot be opened is among the Problems and does not hinder the rest; an
// error is returned only when there is no object directory at all.
func Open(opts Options) (*Store, error) {
	if opts.HashSize == 0 {
		opts.HashSize = 20
	}
	if opts.HashSize != 20 && opts.HashSize != 32 {
		return nil, fmt.Errorf("opening object store: object ids of %d bytes are not known", opts.HashSize)
	}
	if opts.CacheSize <= 0 {
		opts.CacheSize = defaultCache
	}
	if opts.MaxObject <= 0 {
		opts.MaxObject = defaultObject
	}
	opts.MaxObject = min(opts.MaxObject, maxDelta)
	s := &Store{opts: opts, cache: newBaseCache(opts.CacheSize)}
	s.inflaters.New = func() any { return new(inflate.Inflater) }
	s.readers.New = func() any { return &reader{s: s, z: new(inflate.Inflater)} }
	st := s.list(nil)
	if len(st.dirs) == 0 {
		return nil, errors.Join(append([]error{errors.New("opening object store: there is no object directory")}, st.problems...)...)
	}
	s.state.Store(st)
	s.checked = time.Now()
	return s, nil
}

// Close releases the mappings. Nothing may use the Store meanwhile or
// afterwards; data that it returned stays valid.
func (s *Store) Close() error {
	var errs []error
	st := s.state.Load()
	for _, p := range slices.Concat(st.packs, st.gone) {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// Problems returns what could not be opened: object directories, alternates,
// indexes, and packs without an index. Each may hold objects that no one will
// see.
func (s *Store) Problems() []error { return s.state.Load().problems }

// Dirs returns the object directories with all alternates.
func (s *Store) Dirs() []string { return slices.Clone(s.state.Load().dirs) }

// list lists all folders. Packs that old has open are kept.
func (s *Store) list(old *storeState) *storeState {
	st := &storeState{}
	st.dirs, st.problems = objectDirs(s.opts.ObjectDirs)
	open := map[string]*packFile{}
	if old != nil {
		for _, p := range old.packs {
			open[p.path] = p
		}
	}
	for _, dir := range st.dirs {
		folder := filepath.Join(dir, "pack")
		st.stamps = append(st.stamps, modified(folder))
		s.listPacks(st, folder, open)
	}
	if old != nil {
		st.gone = old.gone
		for _, p := range old.packs {
			switch {
			case open[p.path] == nil:
			case p.load() == nil:
				// Its file has gone, but its mapping is as good as ever.
				st.packs = append(st.packs, p)
			default:
				st.gone = append(st.gone, p)
			}
		}
	}
	slices.SortStableFunc(st.packs, func(a, b *packFile) int { return b.idx.n - a.idx.n })
	return st
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// listPacks adds the packs of folder to st and removes them from open.
func (s *Store) listPacks(st *storeState, folder string, open map[string]*packFile) {
	names, err := os.ReadDir(folder)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			st.problems = append(st.problems, fmt.Errorf("listing packs: %w", err))
		}
		return
	}
	has := map[string]bool{}
	for _, n := range names {
		has[n.Name()] = true
	}
	need := map[string]bool{}
	for _, n := range names {
		name, isPack := strings.CutSuffix(n.Name(), ".pack")
		path := filepath.Join(folder, n.Name())
		if !isPack || !strings.HasPrefix(name, "pack-") {
			continue // such as tmp_pack_123456, which is being written
		}
		if p := open[path]; p != nil {
			st.packs = append(st.packs, p)
			delete(open, path)
			continue
		}
		if !has[name+".idx"] {
			need[name] = true
			continue
		}
		x, err := openIndex(filepath.Join(folder, name+".idx"), s.opts.HashSize)
		if err != nil {
			st.problems = append(st.problems, fmt.Errorf("opening index of %s: %w", path, err))
			continue
		}
		st.packs = append(st.packs, &packFile{path: path, idx: x})
	}
	if len(need) > 0 {
		s.listMidx(st, folder, need)
	}
}

// listMidx adds the packs that need names, which have no index of their own.
func (s *Store) listMidx(st *storeState, folder string, need map[string]bool) {
	found, err := midxPacks(folder, s.opts.HashSize, need)
	if err != nil {
		st.problems = append(st.problems, fmt.Errorf("opening multi-pack index: %w", err))
	}
	for _, x := range found {
		name := x.path[strings.LastIndex(x.path, "(pack ")+len("(pack ") : len(x.path)-1]
		delete(need, name)
		st.packs = append(st.packs, &packFile{path: filepath.Join(folder, name+".pack"), idx: x})
	}
	for name := range need {
		st.problems = append(st.problems, fmt.Errorf("%s has no index; `git index-pack` makes one", filepath.Join(folder, name+".pack")))
	}
	sort.Slice(st.problems, func(i, j int) bool { return st.problems[i].Error() < st.problems[j].Error() })
}

// refresh lists the folders again if they changed, and reports whether they
// did: git may have packed loose objects, or packed packs anew, since.
func (s *Store) refresh() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	changed := false
	for i, dir := range old.dirs {
		m := modified(filepath.Join(dir, "pack"))
		// A folder that changed just before it was read may have changed again
		// within the resolution of its time.
		if !m.Equal(old.stamps[i]) || s.checked.Sub(m) < 2*time.Second && time.Since(m) < 10*time.Second {
			changed = true
		}
	}
	if !changed {
		return false
	}
	s.checked = time.Now()
	st := s.list(old)
	s.state.Store(st)
	return !slices.Equal(old.packs, st.packs)
}

// A place is where an object is: an entry of a pack.
type place struct {
	p *packFile
	i int // in the index
}

// places calls try for each pack that has id until try returns true.
func (st *storeState) places(id []byte, try func(place) bool) bool {
	recent := st.recent.Load()
	if recent != nil {
		if i, ok := recent.idx.find(id); ok && try(place{recent, i}) {
			return true
		}
	}
	for _, p := range st.packs {
		if p == recent {
			continue
		}
		if i, ok := p.idx.find(id); ok && try(place{p, i}) {
			st.recent.Store(p)
			return true
		}
	}
	return false
}

// Has reports whether a pack or a loose object goes by id. It does not read
// the object.
func (s *Store) Has(id ID) bool {
	found := false
	_ = guarded(func() error {
		b := id.sum[:id.size]
		look := func() bool {
			st := s.state.Load()
			return st.places(b, func(place) bool { return true }) || st.looseBefore(id, len(st.dirs))
		}
		found = look() || s.refresh() && look()
		return nil
	})
	return found
}

// ForEachID calls f with the id of every object, each once, until f returns an
// error, which it returns.
func (s *Store) ForEachID(f func(ID) error) error {
	return guarded(func() error {
		st := s.state.Load()
		for r, p := range st.packs {
			for i := range p.idx.n {
				if st.packedBefore(p.idx, i, r) {
					continue
				}
				if err := f(MakeID(p.idx.id(i))); err != nil {
					return err
				}
			}
		}
		return st.eachLoose(s.opts.HashSize, func(_ string, id ID) error { return f(id) })
	})
}

// packedBefore reports whether the i-th object of x, the index of the pack of
// rank r, is already in a pack of lower rank or at a lower place of x.
func (st *storeState) packedBefore(x *index, i, r int) bool {
	id := x.id(i)
	if i > 0 && bytes.Equal(id, x.id(i-1)) {
		return true
	}
	for _, p := range st.packs[:r] {
		if _, ok := p.idx.find(id); ok {
			return true
		}
	}
	return false
}
