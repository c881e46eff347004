package gitrepo

import (
	"bytes"
	"sort"
	"testing"
)

// TestGroupWhateverTheCacheTreeSays: where the entries of a directory end is
// the same with a cache tree that tells the truth, one that lies and none.
func TestGroupWhateverTheCacheTreeSays(t *testing.T) {
	paths := []string{"a", "a-b", "a/b", "a/c/d", "a/c/e", "a0", "b/a", "b/b", "b/c", "c/x/y/z", "d"}
	ix := &index{}
	for _, p := range paths {
		ix.entries = append(ix.entries, indexEntry{path: []byte(p)})
	}
	stages := indexEntry{path: []byte("d"), stage: 2}
	ix.entries = append(ix.entries, stages)
	d := &indexDiff{index: ix}
	for lo := range ix.entries {
		for hi := lo + 1; hi <= len(ix.entries); hi++ {
			path := ix.entries[lo].path
			name, _, isDir := bytes.Cut(path, []byte("/"))
			// The plain way: all that have the name, one by one.
			end := lo
			for end < hi {
				p := ix.entries[end].path
				if isDir && !bytes.HasPrefix(p, append(bytes.Clone(name), '/')) || !isDir && !bytes.Equal(p, path) {
					break
				}
				end++
			}
			for count := -2; count <= len(paths)+1; count++ {
				cached := &cacheTree{subs: []cacheTree{{name: name, count: count}, {name: []byte("zz"), count: 1}}}
				if count == -2 {
					cached = nil
				}
				got, dir, at, below := d.group(lo, hi, 0, cached)
				if !bytes.Equal(got, name) || dir != isDir || at != end || (below != nil) != (isDir && cached != nil) {
					t.Errorf("entries %d to %d with a count of %d: %q, directory %v, ends at %d (cache %v); want %q, %v, %d", lo, hi, count, got, dir, at, below, name, isDir, end)
				}
			}
		}
	}
	if !sort.SliceIsSorted(ix.entries, func(i, j int) bool { return entryLess(&ix.entries[i], &ix.entries[j]) }) {
		t.Fatal("the entries are not as in an index")
	}
}
