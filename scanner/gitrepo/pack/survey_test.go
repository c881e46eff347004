package pack

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// folders returns a fast-import stream of commits in which entries of folders
// come, change, turn from files into folders, and go.
func folders(commits int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	var out bytes.Buffer
	for c := range commits {
		fmt.Fprintf(&out, "commit refs/heads/main\nmark :%d\ncommitter A <a@example.com> %d +0000\ndata 7\nmessage\n", c+1, 1_500_000_000+c)
		for range 1 + r.IntN(3) {
			path := fmt.Sprintf("d%d/n%d", r.IntN(3), r.IntN(40))
			switch r.IntN(6) {
			case 0:
				fmt.Fprintf(&out, "D %s\n", path)
			case 1:
				fmt.Fprintf(&out, "D %s\nM 100644 inline %s/below\ndata 2\nx\n\n", path, path)
			case 2:
				fmt.Fprintf(&out, "M 160000 %040x %s.sub\n", r.Uint32()|1, path)
			default:
				fmt.Fprintf(&out, "M 100755 inline %s\ndata 2\n%c\n\n", path, 'a'+rune(r.IntN(26)))
			}
		}
	}
	return out.Bytes()
}

// entriesOf lists the entries of a tree.
func entriesOf(t testing.TB, data []byte, hashSize int) (all []string) {
	t.Helper()
	for e, err := range TreeEntries(data, hashSize) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, nameEntry(&e))
	}
	return all
}

func nameEntry(e *TreeEntry) string { return fmt.Sprintf("%s\x00%o %x", e.Name, e.Mode, e.ID) }

// replay applies c to the entries of its base: what it adds goes where it
// belongs in the order.
func replay(base []string, c *TreeChange) (all []string) {
	all = slices.Clone(base)
	for i := range c.Gone {
		k := slices.Index(all, nameEntry(&c.Gone[i]))
		all = slices.Delete(all, k, k+1)
	}
	for i := range c.Added {
		e := &c.Added[i]
		all = slices.DeleteFunc(all, func(old string) bool {
			return strings.HasPrefix(old, string(e.Name)+"\x00") && strings.HasPrefix(old[len(e.Name)+1:], "40000 ") == e.IsTree()
		})
		all = append(all, nameEntry(e))
	}
	slices.Sort(all)
	return all
}

// TestSurvey compares the numbers of a survey and the changes of trees with
// the objects themselves, for packs, for what is in two of them, and for loose
// objects.
func TestSurvey(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		repo := t.TempDir()
		gitRun(t, repo, nil, "init", "-q", "--bare", "--object-format="+format, ".")
		stream := folders(300, 5)
		if format == "sha256" {
			stream = bytes.ReplaceAll(stream, []byte("M 160000 "), []byte("M 160000 "+"000000000000000000000000"))
		}
		gitRun(t, repo, stream, "fast-import", "--quiet")
		gitRun(t, repo, nil, "repack", "-adfq", "--depth=50", "--window=20")
		objects := filepath.Join(repo, "objects")
		gitRun(t, repo, nil, "tag", "half", "main~150")
		gitRun(t, repo, []byte("half\n"), "pack-objects", "--revs", "-q", filepath.Join(objects, "pack", "pack"))
		gitRun(t, repo, []byte("loose\n"), "hash-object", "-w", "--stdin")
		checkSurvey(t, openStore(t, Options{ObjectDirs: []string{objects}, HashSize: map[string]int{"sha1": 20, "sha256": 32}[format]}), listed(t, repo))
	}
}

func checkSurvey(t *testing.T, s *Store, want map[ID]object) {
	t.Helper()
	v, err := s.Survey(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	trees := map[int][]string{}
	changes := map[int]TreeChange{}
	seen := map[ID]bool{}
	var mu sync.Mutex
	for _, kind := range []Kind{Commit, Tree, Blob, Tag} {
		if err := v.Sweep(context.Background(), SweepOptions{Kinds: []Kind{kind}, Jobs: 2, Entries: kind == Tree}, func(_ int, o *Swept) error {
			mu.Lock()
			defer mu.Unlock()
			if o.Err != nil || o.Kind != kind || v.Kind(o.Number) != kind || seen[o.ID] || v.Find(o.ID.Bytes()) != o.Number || v.ID(o.Number) != o.ID {
				t.Errorf("%s %s: error %v, number %d, seen %v", o.Kind, o.ID, o.Err, o.Number, seen[o.ID])
			}
			seen[o.ID] = true
			if kind == Tree {
				trees[o.Number] = entriesOf(t, o.Data, s.opts.HashSize)
				c := o.TreeChange
				c.Added, c.Gone = cloneEntries(c.Added), cloneEntries(c.Gone)
				changes[o.Number] = c
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("visited %d of %d objects", len(seen), len(want))
	}
	carried := 0
	for n, c := range changes {
		var base []string
		if c.Base >= 0 {
			base = trees[c.Base]
			carried++
		}
		all := trees[n]
		slices.Sort(all)
		if got := replay(base, &c); !c.Parsed || !slices.Equal(got, all) {
			t.Errorf("tree %s: %d entries of base %d and the change (parsed %v) give %d entries, not %d", v.ID(n), len(base), c.Base, c.Parsed, len(got), len(all))
		}
	}
	if carried < len(changes)/4 {
		t.Errorf("only %d of %d trees were made of another", carried, len(changes))
	}
	foundAtOnce(t, v, want)
	chosen := 0
	if err := v.Sweep(context.Background(), SweepOptions{Jobs: 1, Wanted: func(n int) bool { return n%3 == 0 }}, func(_ int, o *Swept) error {
		chosen++
		if o.Err != nil || o.Kind != Blob || o.Number%3 != 0 {
			t.Errorf("%s %s: error %v, number %d", o.Kind, o.ID, o.Err, o.Number)
		}
		return nil
	}); err != nil || chosen == 0 {
		t.Errorf("%d blobs chosen by number, error %v", chosen, err)
	}
}

// foundAtOnce wants FindAll to say what Find says, of objects, of ids that are like
// those of objects, and of what is no id.
func foundAtOnce(t *testing.T, v *Survey, want map[ID]object) {
	t.Helper()
	ids := [][]byte{nil, {1, 2, 3}, make([]byte, 20), bytes.Repeat([]byte{0xFF}, 20), bytes.Repeat([]byte{0xFF}, 32)}
	for id := range want {
		near := bytes.Clone(id.Bytes())
		near[len(near)-1] ^= 1
		ids = append(ids, id.Bytes(), near)
	}
	found := 0
	for len(ids) > 0 {
		n := min(len(ids), FindAtOnce)
		var numbers [FindAtOnce]int32
		v.FindAll(ids[:n], numbers[:])
		for i, id := range ids[:n] {
			if int(numbers[i]) != v.Find(id) {
				t.Fatalf("%x has number %d, and among others %d", id, v.Find(id), numbers[i])
			}
			if numbers[i] >= 0 {
				found++
			}
		}
		ids = ids[n:]
	}
	if found != len(want) {
		t.Errorf("%d of %d objects found", found, len(want))
	}
}

func cloneEntries(all []TreeEntry) (copied []TreeEntry) {
	for _, e := range all {
		copied = append(copied, TreeEntry{e.Mode, bytes.Clone(e.Name), bytes.Clone(e.ID)})
	}
	return copied
}

// TestSurveyDamage wants what a sweep of the store would report to be an
// error, and what is missing to have no number.
func TestSurveyDamage(t *testing.T) {
	repo, objects := newRepo(t, 30, 3, 20, "sha1")
	v, err := openStore(t, Options{ObjectDirs: []string{objects}}).Survey(context.Background(), 1)
	if err != nil || v.Find(make([]byte, 20)) != -1 || v.Find(nil) != -1 {
		t.Fatalf("error %v, or an object that is not there was found", err)
	}
	file := packFiles(t, objects)[0]
	writeFile(t, file, []byte("PACK"))
	if _, err := openStore(t, Options{ObjectDirs: []string{objects}}).Survey(context.Background(), 1); err == nil {
		t.Errorf("a pack cut short in %s was passed over", repo)
	}
}

// tree returns a tree with the entries named in names, by the byte.
func treeOf(names []byte) (data []byte) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for i, n := range names {
		mode := "100644 "
		if n%5 == 0 {
			mode = "40000 "
		}
		data = append(append(data, mode...), 'n', 'a', n|1, n>>1|1, 0)
		data = append(data, bytes.Repeat([]byte{n, byte(i) | 1}, 10)...)
	}
	return data
}

// FuzzTreeChange wants the entries of a tree that any delta makes of another to
// be those that reading all of it gives, or none.
func FuzzTreeChange(f *testing.F) {
	base := treeOf([]byte("abcdefghijklmnop"))
	for _, cut := range []int{0, 29, 60, 100} {
		d := deltaBuilder{base: base}
		d.copy(0, cut, false)
		d.insert(base[cut : cut+20])
		d.copy(cut+20, len(base)-cut-20, false)
		f.Add(base, d.ops)
		d = deltaBuilder{base: base}
		d.copy(cut, len(base)-cut, false)
		d.copy(0, len(base), false)
		f.Add(base, d.ops)
	}
	f.Fuzz(func(t *testing.T, base, ops []byte) {
		n, err := deltaLength(ops)
		if err != nil || n > 1<<16 || len(base) > 1<<16 {
			return
		}
		data := make([]byte, n)
		runs, err := applyDelta(data, base, ops, nil, minTreeRun)
		if err != nil {
			return
		}
		var c, whole TreeChange
		from, to, plain := frame{data: base}, frame{data: data}, frame{}
		if c.whole(&from.known, base, 20); !from.known.ok {
			return
		}
		before := entriesOf(t, base, 20)
		whole.whole(&plain.known, data, 20)
		carried := c.carry(&to, &from, runs, 20)
		if carried && !c.Parsed || c.Parsed && !whole.Parsed {
			t.Fatalf("carried %v, parsed %v, reading all of it %v", carried, c.Parsed, whole.Parsed)
		}
		if !carried {
			return
		}
		all := entriesOf(t, data, 20)
		slices.Sort(all)
		if got := replay(before, &c); !slices.Equal(got, all) || !slices.Equal(to.known.cuts, plain.known.cuts) {
			t.Fatalf("the change gives %q, not %q", got, all)
		}
	})
}
