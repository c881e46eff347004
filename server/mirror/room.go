package mirror

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/flock"
)

// sizeOf returns the bytes of a folder's files.
func sizeOf(dir string) (int64, error) {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // git has put another in its place
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measuring the mirror: %w", err)
	}
	return size, nil
}

// measure remembers the mirror's size, and is an error where it is over the
// limit. Then the mirror is emptied: it is of no use and takes room.
func (r *Mirror) measure() error {
	size, err := sizeOf(r.Dir)
	if err != nil {
		return err
	}
	r.mirrors.mu.Lock()
	if r.mirrors.sizes != nil {
		r.mirrors.sizes[r.Dir] = size
	}
	r.mirrors.mu.Unlock()
	if limit := r.options.MaxBytes; limit > 0 && size > limit {
		return errors.Join(&TooLarge{size, limit}, r.mirrors.empty(r.Dir))
	}
	return nil
}

// watchEvery is how often a mirror is measured while it is fetched.
const watchEvery = 500 * time.Millisecond

// watch returns a context that ends when the mirror grows over the limit, while
// there is something of the disk left.
func (r *Mirror) watch(ctx context.Context) (context.Context, func()) {
	limit := r.options.MaxBytes
	if limit == 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if size, err := sizeOf(r.Dir); err == nil && size > limit {
				cancel(&TooLarge{size, limit})
			}
		}
	})
	return ctx, func() { cancel(nil); wg.Wait() }
}

// makeRoom empties mirrors until all of them take less than the limit, the one
// first that was not used for the longest time. That in keep is left alone, as
// are those in use.
func (m *Mirrors) makeRoom(keep string) error {
	limit := m.options.TotalBytes
	if limit == 0 {
		return nil
	}
	total, err := m.total()
	if err != nil || total <= limit {
		return err
	}
	old, err := filepath.Glob(filepath.Join(m.options.Dir, "*.git.lock"))
	if err != nil {
		return err
	}
	used := map[string]time.Time{}
	for _, name := range old {
		if info, err := os.Stat(name); err == nil {
			used[name] = info.ModTime()
		}
	}
	slices.SortFunc(old, func(a, b string) int { return cmp.Or(used[a].Compare(used[b]), strings.Compare(a, b)) })
	for _, name := range old {
		dir := strings.TrimSuffix(name, ".lock")
		if total <= limit || dir == keep {
			continue
		}
		freed, err := m.emptyIdle(dir)
		if err != nil {
			return fmt.Errorf("making room for mirrors: %w", err)
		}
		total -= freed
	}
	return nil // what is in use may be over the limit; the next fetch looks again
}

// total returns what all mirrors take. Each is measured once, and after each
// fetch.
func (m *Mirrors) total() (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sizes == nil {
		m.sizes = map[string]int64{}
		all, err := filepath.Glob(filepath.Join(m.options.Dir, "*.git"))
		if err != nil {
			return 0, err
		}
		for _, dir := range all {
			if m.sizes[dir], err = sizeOf(dir); err != nil {
				return 0, err
			}
		}
	}
	var total int64
	for _, size := range m.sizes {
		total += size
	}
	return total, nil
}

// emptyIdle empties a mirror that nobody uses, and returns what that freed.
func (m *Mirrors) emptyIdle(dir string) (int64, error) {
	mine := m.mutex(dir)
	if !mine.TryLock() {
		return 0, nil
	}
	defer mine.Unlock()
	file, err := os.OpenFile(dir+".lock", os.O_RDWR, 0)
	if err != nil {
		return 0, nil // gone
	}
	defer file.Close()
	if ok, err := flock.Try(file); err != nil || !ok {
		return 0, err
	}
	m.mu.Lock()
	freed := m.sizes[dir]
	m.mu.Unlock()
	return freed, m.empty(dir)
}

// scannedFile is beside a mirror that was emptied, and holds what was scanned
// of it as lines for git update-ref.
func scannedFile(dir string) string { return dir + ".scanned" }

// empty removes the mirror's objects. What was scanned is written down first,
// so that the next fetch brings the objects back and not the work.
func (m *Mirrors) empty(dir string) error {
	r := &Mirror{Dir: dir, mirrors: m, options: &m.options}
	if _, err := os.Stat(filepath.Join(dir, "description")); err == nil {
		// An earlier list is replaced only by one that has it all: where the
		// mirror was emptied and not fetched yet, there are no refs.
		out, err := r.git(context.Background(), nil, "for-each-ref", "--format=%(refname) %(objectname)", scanned)
		if err != nil {
			return err
		}
		if len(out) > 0 {
			next := scannedFile(dir) + ".new"
			if err := errors.Join(os.WriteFile(next, out, 0o600), os.Rename(next, scannedFile(dir))); err != nil {
				return fmt.Errorf("remembering what was scanned: %w", err)
			}
		}
	}
	// Renamed first: a crash must not leave half a mirror that looks whole.
	gone := strings.TrimSuffix(dir, ".git") + ".gone"
	_ = os.RemoveAll(gone)
	if err := os.Rename(dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("emptying a mirror: %w", err)
	}
	m.mu.Lock()
	delete(m.sizes, dir)
	m.mu.Unlock()
	return os.RemoveAll(gone)
}

// recall puts what was scanned before the mirror was emptied back into its
// refs, as far as the host still has those objects.
func (r *Mirror) recall(ctx context.Context) error {
	text, err := os.ReadFile(scannedFile(r.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading what was scanned: %w", err)
	}
	var ask bytes.Buffer
	for line := range strings.Lines(string(text)) {
		_, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintln(&ask, id)
	}
	out, err := r.git(ctx, &ask, "cat-file", "--batch-check=%(objectname) %(objecttype)")
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		id, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
		here[id] = kind != "missing"
	}
	var in bytes.Buffer
	for line := range strings.Lines(string(text)) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		if here[id] && strings.HasPrefix(name, scanned) {
			fmt.Fprintf(&in, "update %s\x00%s\x00\x00", name, id)
		}
	}
	if _, err := r.git(ctx, &in, "update-ref", "-z", "--stdin"); err != nil {
		return err
	}
	return os.Remove(scannedFile(r.Dir))
}
