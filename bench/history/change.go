package history

import (
	"bytes"
	"maps"
	"slices"
)

// The modes of files as fast-import spells them.
const (
	modeFile    = "100644"
	modeScript  = "100755"
	modeSymlink = "120000"
	modeGitlink = "160000"
)

// A file is one version of a file; nobody changes it. The data of a gitlink is
// the id of the commit it names.
type file struct {
	mode string
	data []byte
}

// text reports whether lines can be edited.
func (f *file) text() bool {
	return (f.mode == modeFile || f.mode == modeScript) && bytes.IndexByte(f.data, 0) < 0
}

// A branch is a line of commits that is being written: its tree, and what was
// done on it since it began.
type branch struct {
	ref   string
	tip   int // mark of its last commit, 0 when there is none
	files map[string]*file
	paths []string // the keys of files, the oldest first, but for fixed ones
	done  []change
	later []change // for the next commit
}

// fork begins a topic branch at the tip of b.
func (b *branch) fork(ref string) *branch {
	return &branch{ref: ref, tip: b.tip, files: maps.Clone(b.files), paths: slices.Clone(b.paths)}
}

// set gives path a content.
func (b *branch) set(path string, f *file) {
	if _, ok := b.files[path]; !ok {
		b.paths = append(b.paths, path)
	}
	b.files[path] = f
}

func (b *branch) unset(path string) {
	delete(b.files, path)
	if i := slices.Index(b.paths, path); i >= 0 {
		b.paths = slices.Delete(b.paths, i, i+1)
	}
}

// An op is what a change does.
type op uint8

const (
	opWrite  op = iota // path gets the content of file
	opEdit             // the text at path is edited, see corpus.edit
	opInsert           // text goes into the file at path, see insertText
	opDelete
	opRename // path is renamed to to
	opMode   // the mode of path changes between file and script
)

// A change is one thing done to a tree. Edits are kept as what was done, not as
// their outcome: a merge repeats them on the other branch, and where both
// branches edited a file, the outcome is a blob that only the merge has, as in
// real histories.
type change struct {
	op       op
	path, to string
	file     *file
	fixed    bool // of opWrite: no later commit touches the file by chance
	seed     uint64
	text     []byte
}

// apply makes a change to b and writes it to the current commit. A change whose
// file is gone, because the other branch deleted or renamed it, does nothing
// and is false.
func (m *maker) apply(b *branch, c change) bool {
	old, ok := b.files[c.path]
	if !ok && c.op != opWrite {
		return false
	}
	switch c.op {
	case opWrite:
		if clash(b, c.path) {
			return false
		}
		if c.fixed {
			b.files[c.path] = c.file
			m.out.modify(c.path, c.file)
			return true
		}
		m.put(b, c.path, c.file)
	case opEdit:
		if !old.text() {
			return false
		}
		m.put(b, c.path, &file{old.mode, m.corpus.edit(old.data, c.seed)})
	case opInsert:
		m.put(b, c.path, &file{old.mode, insertText(old.data, c.text, c.seed)})
	case opDelete:
		b.unset(c.path)
		m.out.remove(c.path)
	case opRename:
		if _, taken := b.files[c.to]; taken || clash(b, c.to) {
			return false
		}
		b.unset(c.path)
		b.set(c.to, old)
		m.out.rename(c.path, c.to)
	case opMode:
		mode := modeScript
		if old.mode == modeScript {
			mode = modeFile
		}
		m.put(b, c.path, &file{mode, old.data})
	}
	return true
}

// clash reports whether path is a directory of b, or a directory of path is a
// file: git has no tree with both.
func clash(b *branch, path string) bool {
	for i := range len(path) {
		if path[i] == '/' {
			if _, ok := b.files[path[:i]]; ok {
				return true
			}
		}
	}
	// Every path made here has an extension, and no directory has one.
	return false
}

func (m *maker) put(b *branch, path string, f *file) {
	b.set(path, f)
	m.out.modify(path, f)
}

// insertText puts text as lines of its own into data: as UTF-16 where data is
// that, between NUL bytes where it is binary.
func insertText(data, text []byte, seed uint64) []byte {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return append(bytes.Clone(data), utf16le(text)[2:]...)
	case bytes.IndexByte(data, 0) >= 0:
		at := len(data) / 2
		return slices.Concat(data[:at], []byte{0}, text, []byte{0}, data[at:])
	}
	lines := bytes.SplitAfter(data, []byte{'\n'})
	at := int(seed % uint64(len(lines)))
	return slices.Concat(bytes.Join(lines[:at], nil), text, bytes.Join(lines[at:], nil))
}
