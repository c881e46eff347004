// Package pack reads git object stores: packs with their indexes, multi-pack
// indexes, loose objects and alternates, for SHA-1 and SHA-256 repositories.
//
// It exists because a secret scanner reads everything, and general purpose
// readers are made for reading something. To print all blobs of a repository
// one by one means to inflate the base of a delta chain again for each member
// of it, or to keep a cache and hope. Sweep instead turns the order round:
//
//	index --offsets--> entries in pack order --bases--> families --depth first--> blobs
//
// Entries of a pack are grouped into families under the one that is stored
// whole. A family is walked from there, each delta being applied while its base
// is at hand, so that every entry is inflated exactly once, and the heaviest
// child of a node comes last, so that at most a logarithm of the family's size
// is kept at a time. The literals that a rule program looks for (anchors) are
// carried from a base to its deltas through the copy instructions; only what a
// delta inserts, and the seams, are searched. This gives exactly the anchors
// that a search of the whole blob gives, and tests hold it to that.
//
// A Survey keeps what a sweep has found out of the packs for further ones, and
// numbers the objects. Trees can be asked for with no more than what they have
// beyond the base of their delta (TreeChange): the packs have compared the
// versions of each folder already. SweepSome does the same as Sweep for some
// objects at the price of these.
//
// What is read is hostile. No size that a file states is believed before it is
// plausible, no index that it states is used unchecked, chains and alternates
// are bounded, and every error names file and offset. Nothing is passed over in
// silence: what cannot be read from one place is looked for in all others, and
// reported if it is in none. Checked always are the checksum of each zlib
// stream and all sizes; by Sweep also that the entries fill their pack without
// a gap, the checksum of the index and the CRC of each entry; and on demand
// (Verify) that each object has the name it goes by.
//
// The formats are those of gitformat-pack(5) and gitrepository-layout(5).
package pack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// An ID names an object: 20 bytes for SHA-1, 32 for SHA-256. IDs can be
// compared and be keys of maps. The zero value names nothing.
type ID struct {
	sum  [32]byte
	size uint8
}

// MakeID returns the ID whose bytes are b. It returns the zero ID when b is
// neither 20 nor 32 bytes long.
func MakeID(b []byte) (id ID) {
	if len(b) == 20 || len(b) == 32 {
		id.size = uint8(copy(id.sum[:], b))
	}
	return id
}

// ParseID reads 40 or 64 hexadecimal digits.
func ParseID(s string) (ID, error) {
	b, err := hex.DecodeString(s)
	id := MakeID(b)
	if err != nil || id.IsZero() {
		return ID{}, fmt.Errorf("%q is no object id: 40 or 64 hexadecimal digits make one", s)
	}
	return id, nil
}

// Bytes returns the bytes of the ID, which are the caller's.
func (id ID) Bytes() []byte { return bytes.Clone(id.sum[:id.size]) }

// IsZero reports whether id is the zero value, which names nothing.
func (id ID) IsZero() bool { return id.size == 0 }

// String returns the ID in hexadecimal.
func (id ID) String() string {
	var text [2 * len(id.sum)]byte
	return string(text[:hex.Encode(text[:], id.sum[:id.size])])
}

// Kind is the type of an object, numbered as in a pack. The zero value is
// none.
type Kind uint8

// The kinds of object, and the two forms of a delta, which only occur inside
// this package.
const (
	Commit Kind = 1
	Tree   Kind = 2
	Blob   Kind = 3
	Tag    Kind = 4

	offsetDelta Kind = 6
	refDelta    Kind = 7
)

var kindNames = [...]string{Commit: "commit", Tree: "tree", Blob: "blob", Tag: "tag"}

// String returns the name that git uses, or "unknown".
func (k Kind) String() string {
	if k.whole() {
		return kindNames[k]
	}
	return "unknown"
}

// whole reports whether k is a kind of object and no delta.
func (k Kind) whole() bool { return k >= Commit && k <= Tag }

func parseKind(s string) Kind {
	for k := Commit; k <= Tag; k++ {
		if kindNames[k] == s {
			return k
		}
	}
	return 0
}

var (
	// ErrNotFound says that no pack and no loose object has the id.
	ErrNotFound = errors.New("object not found")
	// ErrTooLarge says that an object is larger than Options.MaxObject.
	ErrTooLarge = errors.New("object is too large to be held in memory")
	// errCycle says that a delta is, at length, its own base.
	errCycle = errors.New("delta chain has no end")
)

// An Error says where in an object store something is wrong.
type Error struct {
	// File is the path of the pack, index or loose object.
	File string
	// Offset is the byte in File at which the entry or table begins that
	// cannot be read, or -1.
	Offset int64
	Err    error
}

// Error names file, offset and trouble.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("reading %s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("reading %s at offset %d: %v", e.File, e.Offset, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// at wraps err with its place unless it has one already.
func at(file string, offset int64, err error) error {
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) && e.File == file {
		return err
	}
	return &Error{file, offset, err}
}
