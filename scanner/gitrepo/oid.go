package gitrepo

import (
	"encoding/hex"
	"fmt"
)

// An oid is the id of a git object. SHA-1 ids fill the first 20 bytes, SHA-256
// ids all of them; how many count is known to the repository (Repo.hashLen).
type oid [32]byte

// The lengths in bytes of the two hash functions git knows.
const (
	sha1Len   = 20
	sha256Len = 32
)

// rawOID returns the id whose n bytes b begins with.
func rawOID(b []byte, n int) (id oid) {
	copy(id[:n], b)
	return id
}

// parseOID reads an id in hexadecimal, which must be exactly 2*n digits long.
func parseOID(s string, n int) (oid, error) {
	var id oid
	if len(s) != 2*n {
		return id, fmt.Errorf("object id %.80q has %d digits instead of %d", s, len(s), 2*n)
	}
	if _, err := hex.Decode(id[:n], []byte(s)); err != nil {
		return oid{}, fmt.Errorf("object id %.80q: %w", s, err)
	}
	return id, nil
}

// parseRawOID is parseOID of bytes, which it does not copy unless something is
// wrong with them.
func parseRawOID(b []byte, n int) (id oid, err error) {
	if len(b) == 2*n {
		if _, err := hex.Decode(id[:n], b); err == nil {
			return id, nil
		}
	}
	return parseOID(string(b), n)
}

func (id oid) hex(n int) string { return hex.EncodeToString(id[:n]) }

func (id oid) isZero() bool { return id == oid{} }

// A kind is the type of a git object.
type kind uint8

const (
	noKind kind = iota
	commitKind
	treeKind
	blobKind
	tagKind
)

var kindNames = [...]string{"object", "commit", "tree", "blob", "tag"}

func (k kind) String() string { return kindNames[k] }

func kindOf(name string) kind {
	for i, n := range kindNames {
		if i > 0 && n == name {
			return kind(i)
		}
	}
	return noKind
}

// The file modes of tree and index entries
// (https://git-scm.com/docs/git-fast-import, "filemodify").
const (
	modeType    = 0o170000
	modeTree    = 0o040000
	modeFile    = 0o100000
	modeSymlink = 0o120000
	modeGitlink = 0o160000
)
