package pack

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
)

// A TreeEntry is one line of a tree. Name and ID are parts of the data that it
// was parsed from.
type TreeEntry struct {
	// Mode is git's: 0o40000 for a tree, 0o120000 for a symbolic link,
	// 0o160000 for the commit of a submodule, otherwise a file.
	Mode uint32
	Name []byte
	ID   []byte
}

// The modes of entries that are no files.
const (
	ModeTree    = 0o40000
	ModeSymlink = 0o120000
	ModeGitlink = 0o160000
)

// IsTree reports whether e is a folder.
func (e TreeEntry) IsTree() bool { return e.Mode&0o170000 == ModeTree }

// IsGitlink reports whether e is the commit of a submodule, which is in
// another repository.
func (e TreeEntry) IsGitlink() bool { return e.Mode&0o170000 == ModeGitlink }

var errTree = errors.New("the tree is damaged")

// TreeEntries yields the entries of the tree whose content is data, and ends
// with an error if it is damaged. hashSize is that of the ids in it.
func TreeEntries(data []byte, hashSize int) iter.Seq2[TreeEntry, error] {
	return func(yield func(TreeEntry, error) bool) {
		for rest := data; len(rest) > 0; {
			e, n := treeEntry(rest, hashSize)
			if n == 0 {
				yield(e, fmt.Errorf("%w at byte %d", errTree, len(data)-len(rest)))
				return
			}
			if rest = rest[n:]; !yield(e, nil) {
				return
			}
		}
	}
}

// treeEntry reads the entry at the start of b and returns its length, or 0.
func treeEntry(b []byte, hashSize int) (e TreeEntry, n int) {
	for n < len(b) && b[n] != ' ' {
		if b[n] < '0' || b[n] > '7' || n == 7 {
			return e, 0
		}
		e.Mode = e.Mode<<3 | uint32(b[n]-'0')
		n++
	}
	if n == 0 || n == len(b) {
		return e, 0
	}
	b, start := b[n+1:], n+1
	end := bytes.IndexByte(b, 0)
	if end <= 0 || len(b)-end-1 < hashSize {
		return e, 0
	}
	e.Name, e.ID = b[:end:end], b[end+1:end+1+hashSize:end+1+hashSize]
	return e, start + end + 1 + hashSize
}
