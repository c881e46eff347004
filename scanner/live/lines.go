package live

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Lines is a file of JSON lines that only grows and that one process at a time
// has open: a ledger's storage, for packages that keep a ledger of their own.
type Lines struct{ journal *journal }

// OpenLines opens or makes the file and returns its complete lines, which the
// caller checks. A last line that a crash cut off is completed if only its end
// is missing, and else taken away. It fails if another process has the file
// open.
func OpenLines(path string) (*Lines, [][]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if err := tryLock(f); err != nil { // before reading: a torn line may be one that is being written
		return nil, nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	j := &journal{file: f, path: path}
	var lines kept
	err = j.load(&lines)
	if err == nil {
		err = syncFolder(filepath.Dir(path)) // a new name is to survive too
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return &Lines{j}, lines, nil
}

// Append writes v as one line and returns when it is on the disk.
func (l *Lines) Append(v any) error {
	_, err := l.journal.append(v)
	return err
}

// Close lets other processes use the file.
func (l *Lines) Close() error { return l.journal.Close() }

// kept is every line of a journal.
type kept [][]byte

func (k *kept) take(_ int, _ int64, line []byte) error {
	*k = append(*k, bytes.Clone(line))
	return nil
}

func (k *kept) state() []byte { return nil }

func (k *kept) restore([]byte, io.ReaderAt) bool { return false }
