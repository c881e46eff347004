package gitrepo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spillgate/spillgate/scanner"
)

// Git LFS commits a pointer in place of a file, and keeps the file below
// lfs/objects of the repository, under its SHA-256, once it was checked out or
// fetched. With Options.LFS that is scanned in the pointer's place, as it lies
// there: nothing is fetched, and no filter is run, which would be a command that
// the repository chooses.

// An lfsFile is a file that a pointer stands for.
type lfsFile struct {
	scanner.LFSPointer
	object *scanner.Object // the pointer's
}

// pointer counts a pointer, or keeps it until the blobs are done. The caller
// holds x.mu.
func (x *run) pointer(p scanner.LFSPointer, o *scanner.Object) {
	if !x.repo.options.LFS {
		x.coverage.Skip(scanner.SkippedLFS, o.Path)
		return
	}
	x.pointers = append(x.pointers, lfsFile{p, o})
}

// smudge emits the files that the pointers stand for, each once.
func (x *run) smudge() error {
	done := map[string]bool{}
	var absent []string
	for _, f := range x.pointers {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if f.OID == "" {
			x.problem(f.object.Path, "the LFS pointer names no SHA-256", "`git lfs fsck --pointers` lists what is wrong with it")
			continue
		}
		if done[f.OID] {
			continue
		}
		done[f.OID] = true
		file, err := x.repo.openLFS(f.OID)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			absent = append(absent, f.object.Path)
			continue
		case err != nil:
			x.problem(f.object.Path, "its LFS object cannot be read: "+err.Error(), "")
			continue
		}
		err = x.lfsFile(f, file)
		_ = file.Close() // only read
		if err != nil {
			return err
		}
	}
	if len(absent) > 0 {
		x.problem(first(absent[0], "LFS"), count(len(absent), "LFS object is", "LFS objects are")+" not here", "`git lfs fetch --all` gets them")
	}
	return nil
}

// openLFS opens the file of that SHA-256 in the stores of the repository and of
// those that it borrows objects from.
func (r *Repo) openLFS(sum string) (*os.File, error) {
	store := filepath.Join(r.commonDir, "lfs")
	if dir, ok := r.config.get("lfs.storage"); ok && dir != "" {
		store = absIn(r.commonDir, dir)
	}
	stores := []string{store}
	if dirs, err := newObjectDirs(&r.place, r.hashLen); err == nil {
		for _, d := range dirs.dirs {
			stores = append(stores, filepath.Join(filepath.Dir(d), "lfs"))
		}
		_ = dirs.close()
	}
	var last error
	for _, dir := range stores {
		f, err := os.Open(filepath.Join(dir, "objects", sum[:2], sum[2:4], sum))
		if err == nil {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				return f, nil
			}
			_ = f.Close()
			err = fs.ErrNotExist // a folder or a device is no object
		}
		if last == nil || errors.Is(last, fs.ErrNotExist) {
			last = err
		}
	}
	return nil, last
}

// lfsFile emits one file. What does not hash to the name that it was found
// under is not what the commit means, and is reported.
func (x *run) lfsFile(f lfsFile, r io.Reader) error {
	o := &scanner.Object{Path: f.object.Path, ID: f.object.ID, Commit: f.object.Commit, Mode: f.object.Mode}
	sum := sha256.New()
	n, err := x.feeder.Reader(o, io.TeeReader(r, sum), x.guardedEmit())
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped.error
	}
	want, _ := hex.DecodeString(f.OID) // parsed as such
	switch {
	case x.ctx.Err() != nil:
		return x.ctx.Err()
	case err != nil:
		x.problem(o.Path, "its LFS object cannot be read: "+err.Error(), "")
	case !bytes.Equal(sum.Sum(nil), want) || f.Size >= 0 && n != f.Size:
		x.problem(o.Path, fmt.Sprintf("its LFS object is another than the pointer says: %d bytes of another SHA-256 or size", n), "`git lfs fsck` moves it away, then `git lfs fetch --all`")
	}
	x.note(func(c *scanner.Coverage) {
		c.Files++
		c.Bytes += n
	})
	return nil
}
