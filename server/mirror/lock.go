package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/flock"
)

// lock takes the mirror in dir for the caller: among the goroutines of this
// process, and among processes, of which a server that was killed may have left
// some behind.
func (m *Mirrors) lock(ctx context.Context, dir string) (unlock func(), file *os.File, err error) {
	mine := m.mutex(dir)
	mine.Lock()
	file, err = m.lockFile(ctx, dir)
	if err != nil {
		mine.Unlock()
		return nil, nil, err
	}
	return func() {
		_ = file.Close() // what was inherited still holds it
		mine.Unlock()
	}, file, nil
}

func (m *Mirrors) mutex(dir string) *sync.Mutex {
	m.mu.Lock()
	defer m.mu.Unlock()
	lock := m.locks[dir]
	if lock == nil {
		lock = new(sync.Mutex)
		m.locks[dir] = lock
	}
	return lock
}

// lockFile waits until no process is at work in the mirror, and says by the
// date of its file when the mirror was used.
func (m *Mirrors) lockFile(ctx context.Context, dir string) (*os.File, error) {
	if err := os.MkdirAll(m.options.Dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	limit := time.Now().Add(m.options.Timeout)
	for {
		ok, err := flock.Try(file)
		switch {
		case err == nil && ok:
			now := time.Now()
			return file, os.Chtimes(file.Name(), now, now)
		case err == nil && time.Now().After(limit):
			err = errors.New("another process is at work in it")
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(50 * time.Millisecond):
				continue
			}
		}
		return nil, errors.Join(err, file.Close())
	}
}

// tidy removes what git leaves when it is killed: half of a pack, and lock
// files that would stop every later command. The mirror is locked, so that
// nobody is using them.
func (r *Mirror) tidy() error {
	objects := filepath.Join(r.Dir, "objects")
	err := filepath.WalkDir(r.Dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && filepath.Dir(path) == objects && len(d.Name()) == 2:
			return fs.SkipDir // loose objects, of which there may be many
		case d.IsDir():
			return nil
		case strings.HasSuffix(d.Name(), ".lock"), // no ref ends so
			strings.HasPrefix(path, objects) && strings.HasPrefix(d.Name(), "tmp_"):
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tidying the mirror: %w", err)
	}
	return nil
}
