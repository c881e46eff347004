// Package scanner holds the core types of Spillgate and the pipeline that
// joins them:
//
//	Source --Chunk--> Detector --Hit--> Finding --> Stage, Stage --> Result --> Sink
//
// A Source knows where bytes come from (git objects, files, standard input), a
// Detector what is wrong with them, a Stage which findings the user has
// excused, a Sink how a report is written. Each lives in a package of its own
// below or beside this one; none of them knows another. This package opens no
// file and no socket.
//
// Two promises shape the types. A Source ends with its Coverage: what it read,
// what it skipped and why, so that a clean result is evidence and not silence.
// And a Secret cannot be printed by accident.
package scanner

import (
	"bytes"

	"github.com/spillgate/spillgate/rules"
)

// Kind tells what the bytes of an Object are.
type Kind uint8

// The kinds of object.
const (
	Content       Kind = iota // a blob, a file or standard input
	SymlinkTarget             // the path that a symbolic link points to
	CommitMessage             // the message of a commit
	Identity                  // the author and committer lines of a commit
	TagMessage                // the tagger line and message of an annotated tag
	FileName                  // the path of a file
	RefName                   // the name of a branch or tag
)

var kindNames = [...]string{"content", "symlink", "commit-message", "identity", "tag-message", "file-name", "ref-name"}

// String returns the lower-case name of k as reports print it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// MarshalText writes the name of k.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// An Object is one thing that is scanned as a whole: a file, a blob, a commit
// message. All chunks cut from it share one Object, and so do the findings in
// it; nobody changes it once its first chunk was emitted, but for the source
// that attributes it afterwards (see Attributor).
type Object struct {
	Kind Kind
	// Path is relative to the root of the source, with '/' between its parts,
	// whatever the platform; bytes that are not UTF-8 are kept. It is empty
	// for a blob whose path is not known yet, and for messages.
	Path string
	// ID is the id of the git object in hexadecimal, or "".
	ID string
	// Commit is the commit that brought the object, or nil.
	Commit *Commit
	// Ref is the tag or branch that a TagMessage or RefName belongs to.
	Ref string
	// Mode is git's file mode, 0 when unknown.
	Mode uint32
	// Binary says that the content holds NUL bytes near its start and is no
	// UTF-16 text. Feed sets it.
	Binary bool
	// Encoding is "" for UTF-8 or unknown 8-bit text, else the encoding that
	// Feed decoded, such as "utf-16le". Positions count decoded characters.
	Encoding string
	// New tells which lines count. Nil means all of them.
	New NewLines
	// OtherCommits is how many commits beside Commit hold the object, where the
	// source counted them.
	OtherCommits int
	// Container is the object that this one was unpacked from, or nil.
	Container *Object
	// decodedToo says that these are the raw bytes of an object that Feeder
	// decodes as well.
	decodedToo bool
}

// NewLines tells which lines of an object are new. It is asked only about
// lines that hold a finding, so that an implementation may compute the
// difference lazily. It is safe for concurrent use.
type NewLines interface {
	// Touches reports whether any of the lines first to last, counted from 1,
	// is new.
	Touches(first, last int) bool
}

// A Commit is what reports say of a commit.
type Commit struct {
	ID      string `json:"id"`
	Author  string `json:"author,omitempty"`
	Email   string `json:"email,omitempty"`
	Date    string `json:"date,omitempty"` // of the committer, RFC 3339 in UTC
	Subject string `json:"-"`              // may hold a secret: never printed unscanned
}

// A Chunk is a piece of an Object. It is valid only during the call that
// receives it: its bytes may lie in a buffer that is used again.
type Chunk struct {
	Object *Object
	// Data holds the bytes to judge with context around them. Anchors in
	// Data[From:To] belong to this chunk; bytes outside belong to its
	// neighbours and are there to be looked at.
	Data     []byte
	From, To int
	// First and Last say whether Data begins where the object begins and ends
	// where it ends.
	First, Last bool
	// Offset is the position of Data[0] in the decoded object, in bytes.
	Offset int64
	// Line is the line of Data[0], counted from 1, and Column the number of
	// characters before Data[0] in that line.
	Line, Column int
	// Anchors are the literal hits of the rule program in Data, in rising
	// order, when the source has them already (Anchored), as it does for
	// deltas of git packs.
	Anchors  []rules.Anchor
	Anchored bool
	// Program is the one that the anchors belong to: they mean nothing to
	// another.
	Program *rules.Program
	// Encoded says that there are also the anchors of encoded text among them
	// (package decode).
	Encoded bool
	// Marks belong to those whose anchors they are: a byte for each, in which
	// they remember from one version of a text to the next what needs no
	// second look (rules.Program.MatchMarked). Nil where the source keeps
	// none; else Data is the whole object.
	Marks []byte
	// NoNUL says that the source knows of no NUL byte in Data, all of which it
	// has looked at. False says nothing.
	NoNUL bool

	// sought is the word that Index was last asked for, and first where it is.
	sought string
	first  int
}

// Index returns where word first stands in Data, or -1. It remembers the
// latest answer: a stage that asks for each of a thousand findings in a text
// has the text read once.
func (c *Chunk) Index(word string) int {
	if c.sought != word || word == "" {
		c.sought, c.first = word, indexWord(c.Data, word)
	}
	return c.first
}

// indexWord is bytes.Index, in a tenth of the time for a word with signs in it
// of which a text has few: the rarest is what it looks for.
func indexWord(data []byte, word string) int {
	rarest, n := -1, len(data)/64
	for k := range len(word) {
		if c := word[k]; c != ':' && c != '-' {
			continue
		}
		many := bytes.Count(data, []byte{word[k]})
		if many == 0 {
			return -1
		}
		if many < n {
			rarest, n = k, many
		}
	}
	if rarest < 0 {
		return bytes.Index(data, []byte(word))
	}
	for at := rarest; at < len(data); at++ {
		i := bytes.IndexByte(data[at:], word[rarest])
		if i < 0 {
			return -1
		}
		if at += i; string(data[at-rarest:min(len(data), at-rarest+len(word))]) == word {
			return at - rarest
		}
	}
	return -1
}
