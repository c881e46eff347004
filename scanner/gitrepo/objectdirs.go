package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// objectDirs knows the object directories of a repository and the packs in
// them. It is safe for concurrent use.
type objectDirs struct {
	dirs    []string
	hashLen int

	mu     sync.Mutex
	packs  []*packFile
	listed []time.Time // when each pack directory changed last, as listed
	opened bool
}

// A packFile is a pack and its index, opened when first needed and shared by
// all readers.
type packFile struct {
	base  string // path without its extension
	once  sync.Once
	index *packIndex
	file  *os.File
	size  int64
	err   error
}

// newObjectDirs follows the alternates of objectDir and adds those of the
// environment.
func newObjectDirs(p *place, hashLen int) (*objectDirs, error) {
	d := &objectDirs{hashLen: hashLen}
	seen := map[string]bool{}
	if err := d.add(p.objectDir, 0, seen); err != nil {
		return nil, err
	}
	for _, a := range p.alternates {
		if err := d.add(a, 0, seen); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// maxAlternates is how many alternates git follows in a row.
const maxAlternates = 5

// add appends dir and the alternates it names
// (https://git-scm.com/docs/gitrepository-layout, objects/info/alternates).
func (d *objectDirs) add(dir string, depth int, seen map[string]bool) error {
	key := dir
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		key = real
	}
	if seen[key] || depth > maxAlternates {
		return nil
	}
	seen[key] = true
	d.dirs = append(d.dirs, dir)
	list, err := os.ReadFile(filepath.Join(dir, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading alternates of %s: %w", dir, err)
	}
	for _, line := range strings.Split(string(list), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '"' {
			if text, _, ok := unquoteC(line); ok {
				line = text
			}
		}
		if err := d.add(absIn(dir, line), depth+1, seen); err != nil {
			return err
		}
	}
	return nil
}

// current returns the packs that are there, listing them the first time.
func (d *objectDirs) current() ([]*packFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened {
		return d.packs, nil
	}
	return d.packs, d.list()
}

// refresh lists the packs again if a pack directory has changed, as after a
// repack that ran at the same time, and reports whether it did.
func (d *objectDirs) refresh() (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, dir := range d.dirs {
		if i < len(d.listed) && !changedAt(dir).Equal(d.listed[i]) {
			return true, d.list()
		}
	}
	return false, nil
}

func changedAt(dir string) time.Time {
	info, err := os.Stat(filepath.Join(dir, "pack"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// list fills packs, keeping those that are known already.
func (d *objectDirs) list() error {
	known := map[string]*packFile{}
	for _, p := range d.packs {
		known[p.base] = p
	}
	var packs []*packFile
	d.listed = d.listed[:0]
	for _, dir := range d.dirs {
		d.listed = append(d.listed, changedAt(dir))
		names, err := os.ReadDir(filepath.Join(dir, "pack"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("listing packs: %w", err)
		}
		for _, n := range names {
			base, ok := strings.CutSuffix(n.Name(), ".idx")
			if !ok || !strings.HasPrefix(base, "pack-") {
				continue
			}
			base = filepath.Join(dir, "pack", base)
			p := known[base]
			if p == nil {
				p = &packFile{base: base}
			}
			packs = append(packs, p)
		}
	}
	d.packs, d.opened = packs, true
	return nil
}

// open opens the pack's index and the pack itself.
func (p *packFile) open(hashLen int) error {
	p.once.Do(func() {
		if p.index, p.err = openPackIndex(p.base+".idx", hashLen); p.err != nil {
			return
		}
		if p.file, p.err = os.Open(p.base + ".pack"); p.err != nil {
			return
		}
		var info os.FileInfo
		if info, p.err = p.file.Stat(); p.err == nil {
			p.size = info.Size()
		}
	})
	return p.err
}

// find returns the packs that hold id and its offset in each; the error tells
// of packs that could not be asked.
func (d *objectDirs) find(id oid) (found []packed, err error) {
	packs, err := d.current()
	for _, p := range packs {
		if oerr := p.open(d.hashLen); oerr != nil {
			err = errors.Join(err, oerr)
			continue
		}
		off, ferr := p.index.find(id)
		switch {
		case ferr == nil:
			found = append(found, packed{p, off})
		case !errors.Is(ferr, errNotInPack):
			err = errors.Join(err, ferr)
		}
	}
	return found, err
}

// packed is the place of an object in a pack.
type packed struct {
	pack   *packFile
	offset int64
}

// loose returns the open file of a loose object, or fs.ErrNotExist.
func (d *objectDirs) loose(id oid) (f *os.File, err error) {
	name := id.hex(d.hashLen)
	err = fs.ErrNotExist
	for _, dir := range d.dirs {
		f, oerr := os.Open(filepath.Join(dir, name[:2], name[2:]))
		if oerr == nil {
			return f, nil
		}
		if !errors.Is(oerr, fs.ErrNotExist) {
			err = oerr
		}
	}
	return nil, err
}

// has reports whether id is stored here.
func (d *objectDirs) has(id oid) bool {
	if f, err := d.loose(id); err == nil {
		_ = f.Close()
		return true
	}
	if found, _ := d.find(id); len(found) > 0 {
		return true
	}
	if again, _ := d.refresh(); again {
		found, _ := d.find(id)
		return len(found) > 0
	}
	return false
}

// eachLoose calls visit for the id of every loose object.
func (d *objectDirs) eachLoose(visit func(oid) error) error {
	for _, dir := range d.dirs {
		for i := range 256 {
			prefix := fmt.Sprintf("%02x", i)
			names, err := os.ReadDir(filepath.Join(dir, prefix))
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				return fmt.Errorf("listing loose objects: %w", err)
			}
			for _, n := range names {
				id, err := parseOID(prefix+n.Name(), d.hashLen)
				if err != nil {
					continue // a temporary file
				}
				if err := visit(id); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// close closes all packs.
func (d *objectDirs) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, p := range d.packs {
		if p.index != nil {
			errs = append(errs, p.index.close())
		}
		if p.file != nil {
			errs = append(errs, p.file.Close())
		}
	}
	d.packs, d.opened = nil, false
	return errors.Join(errs...)
}
