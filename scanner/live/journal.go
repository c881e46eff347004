package live

import (
	"bufio"
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
	file   *os.File
	path   string
	size   int64 // where the next line begins, in bytes
	broken error // why nothing is written any more
}

// openJournal opens or makes the journal and has its owner take in each complete
// line, one after the other: a journal may be larger than what is to be kept of
// it. A last line that a crash cut off is completed if only its end is missing, and
// else taken away: nobody went on before it was written, so nobody relied on it.
func openJournal(path string, to owner) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	j := &journal{file: f, path: path}
	err = j.load(to)
	if err == nil {
		err = syncFolder(filepath.Dir(path)) // a new name is to survive too
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// load reads and mends the journal, and leaves the file at its end.
func (j *journal) load(to owner) error {
	lines, marked, sum, err := j.begin(to)
	if err != nil {
		return fmt.Errorf("reading %s: %w", j.path, err)
	}
	whole := marked // the length of the complete lines
	in := bufio.NewReaderSize(io.LimitReader(j.file, maxJournal-whole+1), 64<<10)
	var long []byte // room for lines that are longer than what is read at once
	for n := lines + 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			long = append(long[:0], line...)
			line, err = in.ReadBytes('\n')
			long = append(long, line...)
			line = long
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading %s: %w", j.path, err)
		}
		if whole+int64(len(line)) > maxJournal {
			return fmt.Errorf("%s holds over %d MiB; move it away, and keep it", j.path, maxJournal>>20)
		}
		torn := err == io.EOF
		if torn && whole-marked >= markAfter {
			j.leave(to, n-1, whole, sum)
		}
		if torn && !json.Valid(line) {
			return j.mend(whole, len(line) > 0)
		}
		if err := to.take(n, whole, bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
		whole += int64(len(line))
		sum.Write(line)
		runtime.Gosched() // a server has people waiting for other things meanwhile
		if torn {
			if _, err := j.file.WriteAt([]byte("\n"), whole); err != nil {
				return fmt.Errorf("completing the last line of %s: %w", j.path, err)
			}
			return j.mend(whole+1, true)
		}
	}
}

// mend cuts the file off after its complete lines and goes there.
func (j *journal) mend(whole int64, changed bool) error {
	if changed {
		if err := j.file.Truncate(whole); err != nil {
			return fmt.Errorf("taking the torn last line off %s: %w", j.path, err)
		}
	}
	if _, err := j.file.Seek(whole, io.SeekStart); err != nil {
		return fmt.Errorf("going to the end of %s: %w", j.path, err)
	}
	j.size = whole
	if !changed {
		return nil
	}
	return j.sync()
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

// append writes v as one line, returns the byte at which it begins, and does so
// when it is on the disk. After a write that failed there may be half a line at
// the end, so that nothing more is written until the journal is opened again.
func (j *journal) append(v any) (at int64, err error) {
	if j.broken != nil {
		return 0, fmt.Errorf("an earlier write failed: %w", j.broken)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("writing to %s: %w", j.path, err)
	}
	if _, err = j.file.Write(append(text, '\n')); err != nil {
		err = fmt.Errorf("writing to %s: %w", j.path, err)
	} else {
		err = j.sync()
	}
	if j.broken = err; err != nil {
		return 0, err
	}
	at = j.size
	j.size += int64(len(text)) + 1
	return at, nil
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
