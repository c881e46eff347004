package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Spool keeps the pushes that a server let in before they were scanned to the
// end, until they are. Dir is its folder; it is made when it is needed.
//
// An entry is a file of its own: written beside its name, synced and renamed, so
// that a server which loses power has it whole or has refused the push; and
// removed by name, so that two who empty the spool at once do no harm.
type Spool struct{ Dir string }

// A Pending is one push in a Spool.
type Pending struct {
	Version int       `json:"version"`
	Time    time.Time `json:"time"` // of the push, UTC
	// Base is the commit by whose configuration the push is judged, "" if there
	// was none.
	Base    string   `json:"base,omitempty"`
	Updates []Update `json:"updates"`

	path string
}

const (
	spoolVersion = 1
	spoolSuffix  = ".json"
	// maxPending bounds an entry in bytes: a push of ten thousand refs fits.
	maxPending = 8 << 20
)

// Add keeps p.
func (s Spool) Add(p Pending) error {
	p.Version = spoolVersion
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	// Names sort by time; what is being written has no suffix and is not read.
	f, err := os.CreateTemp(s.Dir, p.Time.UTC().Format("20060102T150405.000000000Z-*"))
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), f.Name()+spoolSuffix)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // err is what went wrong first
	}
	return err
}

// List returns the entries, the oldest first. An entry that cannot be read is an
// error: a push would go unscanned.
func (s Spool) List() ([]Pending, error) {
	files, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Pending
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), spoolSuffix) {
			continue
		}
		p, err := readPending(filepath.Join(s.Dir, f.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // somebody else was quicker
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(s.Dir, f.Name()), err)
		}
		all = append(all, p)
	}
	return all, nil
}

func readPending(path string) (p Pending, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return p, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPending {
		return p, errors.New("it is no entry of the spool")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("it is no entry of the spool: %w", err)
	}
	p.path = path
	if p.Version != spoolVersion {
		return p, fmt.Errorf("it is of version %d, and this program reads %d", p.Version, spoolVersion)
	}
	if p.Base != "" && !objectID(p.Base) {
		return p, errors.New("its base is no object id")
	}
	for _, u := range p.Updates {
		if _, err := NewUpdate(u.Ref, u.Old, u.New); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Remove takes entries out that were scanned.
func (s Spool) Remove(all []Pending) error {
	var errs []error
	for _, p := range all {
		if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
