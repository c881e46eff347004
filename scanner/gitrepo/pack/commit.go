package pack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strconv"
)

// A CommitInfo is a commit, parsed. Its byte slices are parts of the data that
// it was parsed from.
type CommitInfo struct {
	Tree    ID
	Parents []ID
	// Author and Committer are what follows those words: name, address in
	// angle brackets, seconds, zone. They may be anything.
	Author, Committer []byte
	// Time is the committer's, in seconds since 1970, or 0 when there is none.
	Time int64
	// Message is all that follows the headers.
	Message []byte
}

var errCommit = errors.New("the commit is damaged")

// ParseCommit parses the content of a commit. Of the headers only the tree is
// needed; what cannot be read of the others is left empty, as git does.
func ParseCommit(data []byte) (c CommitInfo, err error) {
	rest := data
	for first := true; len(rest) > 0; first = false {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		rest = after
		if len(line) == 0 {
			c.Message = rest
			break
		}
		name, value, _ := bytes.Cut(line, []byte{' '})
		switch string(name) {
		case "tree":
			if first {
				c.Tree, err = hexID(value)
			}
		case "parent":
			var p ID
			if p, err = hexID(value); err == nil {
				c.Parents = append(c.Parents, p)
			}
		case "author":
			c.Author = value
		case "committer":
			c.Committer, c.Time = value, identTime(value)
		}
		if err != nil {
			return c, fmt.Errorf("%w: its %s is no object id", errCommit, name)
		}
	}
	if c.Tree.IsZero() {
		return c, fmt.Errorf("%w: it names no tree", errCommit)
	}
	return c, nil
}

// hexID is ParseID without a copy.
func hexID(b []byte) (id ID, err error) {
	if len(b) != 40 && len(b) != 64 {
		return ID{}, errCommit
	}
	n, err := hex.Decode(id.sum[:], b)
	id.size = uint8(n)
	return id, err
}

// identTime returns the seconds in a line such as "A <a@example.com> 12 +0000".
func identTime(line []byte) int64 {
	rest := bytes.TrimLeft(line[bytes.LastIndexByte(line, '>')+1:], " ")
	digits, _, _ := bytes.Cut(rest, []byte{' '})
	t, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return t
}

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
