package gitrepo

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// maxReadFile bounds what ReadFile returns, in bytes: configuration is small.
const maxReadFile = 16 << 20

// ReadFile returns the content of the file at path, with '/' between its
// parts, in the commit, tag or tree that rev names. The error wraps
// fs.ErrNotExist if rev has no such file. Anything but a plain file, a
// symbolic link above all, is another error, and so are files over 16 MiB.
func (r *Repo) ReadFile(ctx context.Context, rev, path string) ([]byte, error) {
	failed := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("reading %s of revision %s: %w", path, rev, err)
	}
	_, rd, err := r.openStore(ctx, false)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = rd.close() }()
	id, err := r.resolve(ctx, rd, rev)
	if err != nil {
		return failed(err)
	}
	entry, err := r.find(rd, id, path)
	if err != nil {
		return failed(err)
	}
	if entry.mode&modeType != modeFile {
		return failed(fmt.Errorf("it is no plain file (mode %o)", entry.mode))
	}
	o, err := rd.read(entry.id)
	if err != nil {
		return failed(err)
	}
	closeStream(o)
	if o.size > maxReadFile {
		return failed(fmt.Errorf("it has %d bytes, at most %d are read", o.size, maxReadFile))
	}
	data, err := whole(rd, entry.id, blobKind, r.hashLen)
	if err != nil {
		return failed(err)
	}
	return append([]byte(nil), data...), nil
}

// find returns the entry at path below what id names.
func (r *Repo) find(rd reader, id oid, path string) (treeEntry, error) {
	id, k, err := r.peel(rd, id)
	if err != nil {
		return treeEntry{}, err
	}
	if k == commitKind {
		c, err := r.readCommit(rd, id)
		if err != nil {
			return treeEntry{}, err
		}
		id = c.tree
	}
	entry := treeEntry{mode: modeTree, id: id}
	for name := range strings.SplitSeq(path, "/") {
		if !entry.isTree() {
			return treeEntry{}, fs.ErrNotExist
		}
		raw, err := whole(rd, entry.id, treeKind, r.hashLen)
		if err != nil {
			return treeEntry{}, err
		}
		t := treeReader{rest: raw, hashLen: r.hashLen}
		found := false
		for !found && t.next() {
			if found = string(t.entry.name) == name; found {
				entry = t.entry
			}
		}
		if t.err != nil {
			return treeEntry{}, t.err
		}
		if !found {
			return treeEntry{}, fs.ErrNotExist
		}
	}
	return entry, nil
}

// BaseOf returns the id of the commit that a source of Range starts from: the
// one that the range leaves out with all that it reaches. Of several it is the
// default branch, if that is one of them, or else the first. It is "" where
// the range leaves out nothing, and for other sources.
func (r *Repo) BaseOf(source scanner.Source) string {
	c, ok := source.(*commitRange)
	if !ok || len(c.exclude) == 0 {
		return ""
	}
	base := c.exclude[0]
	if len(c.exclude) > 1 && r.needGit == "" {
		if name, err := r.defaultBase("HEAD"); err == nil {
			if id, ok, err := r.lookup(name, 0); ok && err == nil {
				for _, x := range c.exclude {
					if x == id {
						base = id
					}
				}
			}
		}
	}
	return r.hex(base)
}
