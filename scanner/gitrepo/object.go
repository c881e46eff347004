package gitrepo

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/spillgate/spillgate/scanner"
)

// A treeEntry is one line of a tree. name lies in the tree's own bytes.
type treeEntry struct {
	mode uint32
	name []byte
	id   oid
}

func (e *treeEntry) isTree() bool { return e.mode&modeType == modeTree }

// A treeReader walks the entries of a raw tree object without copying names
// (format: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
type treeReader struct {
	rest    []byte
	hashLen int
	entry   treeEntry
	err     error
}

// next moves to the next entry and reports whether there is one. After false,
// err tells a malformed tree from the end.
func (t *treeReader) next() bool {
	if len(t.rest) == 0 || t.err != nil {
		return false
	}
	b, mode := t.rest, uint32(0)
	i := 0
	for ; i < len(b) && b[i] != ' '; i++ {
		if b[i] < '0' || b[i] > '7' || i >= 7 {
			return t.fail("bad mode")
		}
		mode = mode<<3 | uint32(b[i]-'0')
	}
	if i == 0 || i >= len(b) {
		return t.fail("entry without a mode")
	}
	b = b[i+1:]
	nul := bytes.IndexByte(b, 0)
	if nul <= 0 {
		return t.fail("entry without a name")
	}
	name := b[:nul]
	b = b[nul+1:]
	if len(b) < t.hashLen {
		return t.fail("truncated object id")
	}
	t.entry = treeEntry{mode: mode, name: name, id: rawOID(b[:t.hashLen], t.hashLen)}
	t.rest = b[t.hashLen:]
	return true
}

func (t *treeReader) fail(what string) bool {
	t.err = fmt.Errorf("malformed tree: %s, %d bytes before its end", what, len(t.rest))
	return false
}

// compareNames orders entry names as git does in trees: a directory sorts as
// if its name ended in '/' (base_name_compare in git's read-cache.c).
func compareNames(a []byte, aDir bool, b []byte, bDir bool) int {
	n := min(len(a), len(b))
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	end := func(s []byte, dir bool) int {
		if len(s) > n {
			return int(s[n])
		}
		if dir {
			return '/'
		}
		return 0
	}
	if c := end(a, aDir) - end(b, bDir); c != 0 {
		return c
	}
	return len(a) - len(b)
}

// A commit is what the scan needs of a commit object. Its byte slices lie in
// the object's own bytes.
type commit struct {
	tree      oid
	parents   []oid
	author    []byte // "Name <mail> seconds zone"
	committer []byte
	// extra are headers other than signatures: an embedded tag of a merge and
	// whatever a tool wrote there. They are scanned, since anyone reads them.
	extra   []byte
	message []byte
}

// parseCommit reads a raw commit object. Only the tree is demanded: real
// histories hold commits without an author or a message.
func parseCommit(data []byte, hashLen int) (commit, error) {
	var c commit
	head, message := splitHeader(data)
	c.message = message
	first, skip := true, false
	for len(head) > 0 {
		var line []byte
		line, head = cutLine(head)
		if len(line) > 0 && line[0] == ' ' { // continuation of the header above
			if !skip {
				c.extra = append(append(c.extra, line[1:]...), '\n')
			}
			continue
		}
		key, value, _ := bytes.Cut(line, []byte(" "))
		skip = true
		switch string(key) {
		case "tree":
			id, err := parseRawOID(value, hashLen)
			if err != nil {
				return c, fmt.Errorf("malformed commit: tree: %w", err)
			}
			if first {
				c.tree = id
			}
			first = false
		case "parent":
			id, err := parseRawOID(value, hashLen)
			if err != nil {
				return c, fmt.Errorf("malformed commit: parent: %w", err)
			}
			c.parents = append(c.parents, id)
		case "author":
			c.author = value
		case "committer":
			c.committer = value
		case "gpgsig", "gpgsig-sha256", "encoding":
		default:
			skip = false
			c.extra = append(append(c.extra, line...), '\n')
		}
	}
	if first {
		return c, fmt.Errorf("malformed commit: no tree")
	}
	return c, nil
}

// splitHeader cuts a commit or tag into its header lines and its message.
func splitHeader(data []byte) (head, message []byte) {
	if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
		return data[:i+1], data[i+2:]
	}
	return data, nil
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return line, rest
}

// A tag is what the scan needs of an annotated tag object.
type tag struct {
	target  oid
	kind    kind
	tagger  []byte
	message []byte
}

// parseTag reads a raw tag object.
func parseTag(data []byte, hashLen int) (tag, error) {
	var t tag
	head, message := splitHeader(data)
	t.message = message
	seen := false
	for len(head) > 0 {
		var line []byte
		line, head = cutLine(head)
		key, value, _ := bytes.Cut(line, []byte(" "))
		switch string(key) {
		case "object":
			id, err := parseOID(string(value), hashLen)
			if err != nil {
				return t, fmt.Errorf("malformed tag: object: %w", err)
			}
			t.target, seen = id, true
		case "type":
			t.kind = kindOf(string(value))
		case "tagger":
			t.tagger = value
		}
	}
	if !seen || t.kind == noKind {
		return t, fmt.Errorf("malformed tag: it does not say what it points to")
	}
	return t, nil
}

// person cuts "Name <mail> seconds zone" into its parts. Whatever is malformed
// comes out empty.
func person(line []byte) (name, mail string, when time.Time) {
	open, shut := bytes.IndexByte(line, '<'), bytes.LastIndexByte(line, '>')
	if open < 0 || shut < open {
		return string(bytes.TrimSpace(line)), "", time.Time{}
	}
	name = string(bytes.TrimSpace(line[:open]))
	mail = string(line[open+1 : shut])
	fields := bytes.Fields(line[shut+1:])
	if len(fields) == 0 {
		return name, mail, time.Time{}
	}
	seconds, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil || seconds > 1<<37 || seconds < -1<<37 {
		return name, mail, time.Time{}
	}
	when = time.Unix(seconds, 0).UTC()
	if len(fields) > 1 {
		if z, err := strconv.Atoi(string(fields[1])); err == nil && z > -2400 && z < 2400 {
			when = when.In(time.FixedZone("", (z/100*60+z%100)*60))
		}
	}
	return name, mail, when
}

// identityText returns what stands before the date in an author, committer or
// tagger line: the part that people write themselves.
func identityText(line []byte) []byte {
	if i := bytes.LastIndexByte(line, '>'); i >= 0 {
		return line[:i+1]
	}
	return line
}

// describe returns what reports say of c.
func (c *commit) describe(id string) *scanner.Commit {
	name, mail, when := person(c.author)
	subject, _ := cutLine(bytes.TrimLeft(c.message, "\n"))
	d := &scanner.Commit{ID: id, Author: name, Email: mail, Subject: string(subject)}
	if !when.IsZero() {
		d.Date = when.Format(time.RFC3339)
	}
	return d
}

// seconds returns the committer date, by which walks are ordered.
func (c *commit) seconds() int64 {
	shut := bytes.LastIndexByte(c.committer, '>')
	if open := bytes.IndexByte(c.committer, '<'); open < 0 || shut < open {
		return 0
	}
	seconds, _ := secondsOf(c.committer[shut+1:])
	return seconds
}

// secondsOf returns the first number of b, which is to be a time that makes
// sense.
func secondsOf(b []byte) (int64, bool) {
	b = bytes.TrimSpace(b)
	if i := bytes.IndexAny(b, " \t\n\v\f\r"); i >= 0 {
		b = b[:i]
	}
	seconds, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || seconds > 1<<37 || seconds < -1<<37 {
		return 0, false
	}
	return seconds, true
}
