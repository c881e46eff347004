package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// maxJournal is the largest journal that is read: a ledger of a hundred
// thousand actions is smaller.
const maxJournal = 1 << 30

// A journal is a file of JSON lines that only grows. A line that append has
// returned from survives whatever happens to the process and, as far as the
// disk keeps its word, to the machine.
type journal struct {
	file *os.File
	path string
}

// openJournal opens or makes the journal and returns its complete lines. A last
// line that a crash cut off is completed if only its end is missing, and else
// taken away: nobody went on before it was written, so nobody relied on it.
func openJournal(path string) (*journal, [][]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", path, err)
	}
	j := &journal{f, path}
	lines, err := j.load()
	if err == nil {
		err = syncFolder(filepath.Dir(path)) // a new name is to survive too
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return j, lines, nil
}

// load reads and mends the journal, and leaves the file at its end.
func (j *journal) load() ([][]byte, error) {
	text, err := io.ReadAll(io.LimitReader(j.file, maxJournal+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", j.path, err)
	}
	if len(text) > maxJournal {
		return nil, fmt.Errorf("%s holds over %d MiB; move it away, and keep it", j.path, maxJournal>>20)
	}
	lines, torn := splitLines(text)
	if len(torn) == 0 {
		return lines, nil
	}
	whole := len(text) - len(torn)
	if json.Valid(torn) {
		if _, err := j.file.WriteAt([]byte("\n"), int64(len(text))); err != nil {
			return nil, fmt.Errorf("completing the last line of %s: %w", j.path, err)
		}
		lines, whole = append(lines, torn), len(text)+1
	} else if err := j.file.Truncate(int64(whole)); err != nil {
		return nil, fmt.Errorf("taking the torn last line off %s: %w", j.path, err)
	}
	if _, err := j.file.Seek(int64(whole), io.SeekStart); err != nil {
		return nil, fmt.Errorf("going to the end of %s: %w", j.path, err)
	}
	return lines, j.sync()
}

// splitLines returns the lines that have an end, and what comes after them.
func splitLines(text []byte) (lines [][]byte, torn []byte) {
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return lines, text
		}
		lines, text = append(lines, text[:i]), text[i+1:]
	}
	return lines, nil
}

// append writes v as one line and returns when it is on the disk.
func (j *journal) append(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing to %s: %w", j.path, err)
	}
	if _, err := j.file.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing to %s: %w", j.path, err)
	}
	return j.sync()
}

func (j *journal) sync() error {
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("writing %s to the disk: %w", j.path, err)
	}
	return nil
}

// Close closes the file.
func (j *journal) Close() error { return j.file.Close() }

// syncFolder writes a folder's list of names to the disk. Windows has no such
// call and needs none: NTFS journals names.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the folder %s: %w", dir, err)
	}
	err = f.Sync()
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the folder %s to the disk: %w", dir, err)
	}
	return nil
}

// replaceFile puts text in the place of a file, so that whoever reads it sees
// the old text or the new one and never a part.
func replaceFile(path string, text []byte) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("opening %s: %w", next, err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", next, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}
