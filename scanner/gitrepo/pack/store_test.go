package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestIDs reads and prints ids.
func TestIDs(t *testing.T) {
	for _, s := range []string{strings.Repeat("0123456789", 4), strings.Repeat("89abcdef", 8)} {
		id, err := ParseID(s)
		if err != nil || id.String() != s || MakeID(id.Bytes()) != id || id.IsZero() {
			t.Errorf("%s: got %s, error %v", s, id, err)
		}
	}
	for _, s := range []string{"", "12", strings.Repeat("g", 40), strings.Repeat("1", 41), strings.Repeat("1", 42)} {
		if id, err := ParseID(s); err == nil || !id.IsZero() {
			t.Errorf("%q was taken for the id %s", s, id)
		}
	}
}

// checkStore reads every object that git lists in every way a Store has, and
// sweeps them all.
func checkStore(t *testing.T, want map[ID]object, opts Options) {
	t.Helper()
	opts.Verify = true
	s := openStore(t, opts)
	if p := s.Problems(); p != nil {
		t.Fatalf("problems: %v", p)
	}
	ids := map[ID]bool{}
	if err := s.ForEachID(func(id ID) error {
		if ids[id] {
			return fmt.Errorf("%s comes twice", id)
		}
		ids[id] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var lent []byte
	for id, w := range want {
		if !ids[id] || !s.Has(id) {
			t.Fatalf("%s: listed %v, there %v", id, ids[id], s.Has(id))
		}
		kind, size, err := s.Header(id)
		if err != nil || kind != w.kind || size != w.size {
			t.Fatalf("%s: header says a %s of %d bytes, error %v; want %v", id, kind, size, err, w)
		}
		kind, data, err := s.Get(id)
		if err != nil || kind != w.kind || int64(len(data)) != w.size || verifyID(id, kind, data) != nil {
			t.Fatalf("%s: got a %s of %d bytes, error %v; want %v", id, kind, len(data), err, w)
		}
		kind, again, own, err := s.GetInto(id, lent)
		if err != nil || kind != w.kind || !bytes.Equal(again, data) {
			t.Fatalf("%s: with memory lent, got a %s of %d bytes, error %v; want %v", id, kind, len(again), err, w)
		}
		if own { // what is made of others must not lie in it: write all over it
			for i := range again {
				again[i] = 0xA5
			}
			lent = again
		}
		kind, size, r, err := s.Stream(id)
		if err != nil || kind != w.kind || size != w.size {
			t.Fatalf("%s: stream of a %s of %d bytes, error %v; want %v", id, kind, size, err, w)
		}
		streamed, err := io.ReadAll(r)
		if e := r.Close(); err != nil || e != nil || !bytes.Equal(streamed, data) {
			t.Fatalf("%s: the stream differs: %d bytes, errors %v, %v", id, len(streamed), err, e)
		}
	}
	if len(ids) != len(want) {
		t.Fatalf("%d objects listed, want %d", len(ids), len(want))
	}
	no := MakeID(bytes.Repeat([]byte{0xfe}, max(opts.HashSize, 20)))
	if _, _, err := s.Get(no); !errors.Is(err, ErrNotFound) || s.Has(no) {
		t.Errorf("an object that is not there: error %v, has %v", err, s.Has(no))
	}
	if _, _, err := s.Header(no); !errors.Is(err, ErrNotFound) {
		t.Errorf("the header of an object that is not there: error %v", err)
	}
	if _, _, _, err := s.Stream(no); !errors.Is(err, ErrNotFound) {
		t.Errorf("the stream of an object that is not there: error %v", err)
	}
	checkSweep(t, s, want, SweepOptions{Kinds: everything, Anchorer: literals, Jobs: 2})
	checkSweep(t, s, want, SweepOptions{StreamOver: 2000, Jobs: 2})
}

// TestLayouts reads repositories that are laid out in every way git knows.
func TestLayouts(t *testing.T) {
	t.Run("one pack", func(t *testing.T) {
		repo, objects := newRepo(t, 60, 5, 60, "sha1")
		writeFile(t, strings.TrimSuffix(packFiles(t, objects)[0], "pack")+"keep", nil)
		writeFile(t, strings.TrimSuffix(packFiles(t, objects)[0], "pack")+"promisor", nil)
		writeFile(t, filepath.Join(objects, "pack", "tmp_pack_abc"), []byte("PACK"))
		checkStore(t, listed(t, repo), Options{ObjectDirs: []string{objects}})
	})
	t.Run("SHA-256", func(t *testing.T) {
		repo, objects := newRepo(t, 60, 5, 60, "sha256")
		gitRun(t, repo, []byte("loose"), "hash-object", "-w", "--stdin")
		checkStore(t, listed(t, repo), Options{ObjectDirs: []string{objects}, HashSize: 32})
	})
	t.Run("index version 1, bases by name", func(t *testing.T) {
		repo, objects := newRepo(t, 60, 5, 60, "sha1")
		gitRun(t, repo, nil, "-c", "pack.indexVersion=1", "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
		checkStore(t, listed(t, repo), Options{ObjectDirs: []string{objects}})
	})
	t.Run("long offsets", func(t *testing.T) {
		repo, objects := newRepo(t, 60, 5, 60, "sha1")
		p := packFiles(t, objects)[0]
		gitRun(t, repo, nil, "index-pack", "--index-version=2,0x40", p)
		checkStore(t, listed(t, repo), Options{ObjectDirs: []string{objects}})
	})
	t.Run("loose", func(t *testing.T) {
		repo, objects := newRepo(t, 20, 5, 60, "sha1")
		unpack(t, repo, objects)
		checkStore(t, listed(t, repo), Options{ObjectDirs: []string{objects}})
	})
	t.Run("several packs and loose objects, with duplicates", func(t *testing.T) {
		repo, objects := severalPacks(t)
		checkStore(t, listed(t, repo), Options{ObjectDirs: []string{objects}})
	})
	t.Run("multi-pack index only", func(t *testing.T) {
		repo, objects := severalPacks(t)
		want := listed(t, repo)
		gitRun(t, repo, nil, "multi-pack-index", "write")
		for _, p := range packFiles(t, objects) {
			if err := os.Remove(strings.TrimSuffix(p, "pack") + "idx"); err != nil {
				t.Fatal(err)
			}
		}
		checkStore(t, want, Options{ObjectDirs: []string{objects}})
	})
}

// unpack turns the packs of repo into loose objects.
func unpack(t *testing.T, repo, objects string) {
	t.Helper()
	for _, p := range packFiles(t, objects) {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Dir(p)); err != nil {
			t.Fatal(err)
		}
		gitRun(t, repo, data, "unpack-objects", "-q")
	}
}

// severalPacks returns a repository with three packs, which have objects in
// common, and loose objects.
func severalPacks(t *testing.T) (repo, objects string) {
	t.Helper()
	repo, objects = newRepo(t, 60, 5, 60, "sha1")
	names := strings.Fields(gitRun(t, repo, nil, "rev-list", "--objects", "--all", "--no-object-names"))
	for part := range 2 {
		var list bytes.Buffer
		for i, n := range names {
			if i%3 != part {
				fmt.Fprintln(&list, n)
			}
		}
		gitRun(t, repo, list.Bytes(), "pack-objects", "-q", "--window=50", filepath.Join(objects, "pack", "pack"))
	}
	for i := range 20 {
		gitRun(t, repo, fmt.Appendf(nil, "loose object %d\n", i), "hash-object", "-w", "--stdin")
	}
	if n := len(packFiles(t, objects)); n != 3 {
		t.Fatalf("%d packs, want 3", n)
	}
	return repo, objects
}

// TestAlternates follows alternates: of alternates, relative, quoted, and in a
// circle; and reports those that are gone.
func TestAlternates(t *testing.T) {
	repo, objects := newRepo(t, 30, 3, 40, "sha1")
	want := listed(t, repo)
	root := t.TempDir()
	near, far := filepath.Join(root, "a \"b", "objects"), filepath.Join(root, "c", "objects")
	writeFile(t, filepath.Join(near, "info", "alternates"), []byte("# comment\n\n../../c/objects\n"))
	writeFile(t, filepath.Join(far, "info", "alternates"), []byte(objects+"\n\"../../a \\\"b/objects\"\n"))
	checkStore(t, want, Options{ObjectDirs: []string{near}})
	checkStore(t, want, Options{ObjectDirs: []string{far, near, objects}})

	writeFile(t, filepath.Join(far, "info", "alternates"), []byte(objects+"\n/nowhere/objects\n"))
	s := openStore(t, Options{ObjectDirs: []string{near}})
	if p := s.Problems(); len(p) != 1 || !strings.Contains(p[0].Error(), "/nowhere/objects") {
		t.Errorf("problems %v, want one that names the folder that is not there", p)
	}
	lost := 0
	sweepAll(t, s, SweepOptions{}, func(o *Swept) {
		if o.Err != nil {
			lost++
		}
	})
	if lost != 1 {
		t.Errorf("the sweep told of %d problems, want 1", lost)
	}

	dir := filepath.Join(root, "deep0")
	for i := range 9 {
		next := filepath.Join(root, fmt.Sprint("deep", i+1))
		writeFile(t, filepath.Join(root, fmt.Sprint("deep", i), "info", "alternates"), []byte(next))
		if err := os.MkdirAll(next, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if s := openStore(t, Options{ObjectDirs: []string{dir}}); len(s.Problems()) != 1 || len(s.Dirs()) != maxAlternates+1 {
		t.Errorf("alternates without end: %d folders, problems %v", len(s.Dirs()), s.Problems())
	}
	if _, err := Open(Options{ObjectDirs: []string{"/nowhere"}}); err == nil {
		t.Error("a store without any folder was opened")
	}
	if _, err := Open(Options{ObjectDirs: []string{objects}, HashSize: 16}); err == nil {
		t.Error("ids of 16 bytes were taken")
	}
}

// TestThinPack reads deltas whose bases are in another pack, loose, or
// nowhere.
func TestThinPack(t *testing.T) {
	objects := t.TempDir()
	base := bytes.Repeat([]byte("the base arn:aws: of all\n"), 50)
	other := append([]byte("other "), base...)
	first, second, third := deltaBuilder{base: base}, deltaBuilder{base: other}, deltaBuilder{base: []byte("gone")}
	for _, d := range []*deltaBuilder{&first, &second, &third} {
		d.insert([]byte("alpha"))
		d.copy(0, len(d.base), false)
	}
	b := newPackBuilder(t)
	at := b.refDelta(first.result, first.delta(), idOf(Blob, base))
	chained := deltaBuilder{base: first.result}
	chained.copy(3, 500, false)
	b.offsetDelta(chained.result, chained.delta(), at)
	b.refDelta(second.result, second.delta(), idOf(Blob, other))
	b.write(objects, "thin")
	whole := newPackBuilder(t)
	whole.blob(base)
	whole.write(objects, "whole")
	writeFile(t, loosePath(objects, idOf(Blob, other)), looseOf(t, other))
	want := map[ID]object{}
	for _, data := range [][]byte{base, other, first.result, second.result, chained.result} {
		want[idOf(Blob, data)] = object{Blob, int64(len(data))}
	}
	checkStore(t, want, Options{ObjectDirs: []string{objects}})

	lost := newPackBuilder(t)
	lost.refDelta(third.result, third.delta(), idOf(Blob, third.base))
	lost.write(objects, "lost")
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	id := idOf(Blob, third.result)
	if _, _, err := s.Get(id); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "pack-lost.pack at offset 12") {
		t.Errorf("a delta of nothing: error %v", err)
	}
	n := 0
	sweepAll(t, s, SweepOptions{}, func(o *Swept) {
		if n++; (o.ID == id) != (o.Err != nil) {
			t.Errorf("%s: error %v", o.ID, o.Err)
		}
	})
	if n != len(want)+1 {
		t.Errorf("%d objects visited, want %d", n, len(want)+1)
	}
}

// looseOf returns the file of a loose blob.
func looseOf(t testing.TB, data []byte) []byte {
	t.Helper()
	b := newPackBuilder(t)
	b.buf.Reset()
	b.add(ID{}, Blob, 0, nil, append(objectHead(Blob, int64(len(data))), data...))
	return b.buf.Bytes()[1:]
}

// TestRefresh wants objects to be found that were packed or written after the
// store was opened.
func TestRefresh(t *testing.T) {
	repo, objects := newRepo(t, 30, 3, 40, "sha1")
	s := openStore(t, Options{ObjectDirs: []string{objects}, Verify: true})
	id, err := ParseID(strings.TrimSpace(gitRun(t, repo, []byte("new"), "hash-object", "-w", "--stdin")))
	if err != nil {
		t.Fatal(err)
	}
	if _, data, err := s.Get(id); err != nil || string(data) != "new" {
		t.Fatalf("a new loose object: %q, error %v", data, err)
	}
	gitRun(t, repo, []byte(id.String()+"\n"), "pack-objects", "-q", filepath.Join(objects, "pack", "pack"))
	gitRun(t, repo, nil, "prune-packed")
	if _, data, err := s.Get(id); err != nil || string(data) != "new" {
		t.Errorf("an object in a new pack: %q, error %v", data, err)
	}
	gitRun(t, repo, nil, "repack", "-adfq")
	for id := range listed(t, repo) {
		if _, _, err := s.Get(id); err != nil {
			t.Errorf("after everything was packed anew: %v", err)
		}
	}
}

// TestConcurrentGet reads with a small cache from many goroutines.
func TestConcurrentGet(t *testing.T) {
	repo, objects := newRepo(t, 60, 5, 60, "sha1")
	want := listed(t, repo)
	s := openStore(t, Options{ObjectDirs: []string{objects}, CacheSize: 60_000, Verify: true})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for id, w := range want {
				if kind, data, err := s.Get(id); err != nil || kind != w.kind || int64(len(data)) != w.size {
					t.Errorf("%s: a %s of %d bytes, error %v", id, kind, len(data), err)
				}
			}
		})
	}
	wg.Wait()
	if s.cache.size > s.cache.limit || len(s.cache.items) != s.cache.order.Len() {
		t.Errorf("the cache holds %d bytes in %d objects", s.cache.size, s.cache.order.Len())
	}
}

// TestTooLarge wants what is too large for memory to be streamed.
func TestTooLarge(t *testing.T) {
	objects := t.TempDir()
	big := bytes.Repeat([]byte("large"), 1000)
	d := deltaBuilder{base: big}
	d.copy(0, 5000, false)
	d.insert([]byte("delta"))
	b := newPackBuilder(t)
	b.offsetDelta(d.result, d.delta(), b.blob(big))
	b.write(objects, "big")
	loose := append(bytes.Clone(big), "loose"...)
	writeFile(t, loosePath(objects, idOf(Blob, loose)), looseOf(t, loose))
	s := openStore(t, Options{ObjectDirs: []string{objects}, MaxObject: 4000, Verify: true})
	for _, data := range [][]byte{big, loose, d.result} {
		id := idOf(Blob, data)
		if _, _, err := s.Get(id); !errors.Is(err, ErrTooLarge) {
			t.Errorf("getting %d bytes: error %v", len(data), err)
		}
		if kind, size, err := s.Header(id); err != nil || kind != Blob || size != int64(len(data)) {
			t.Errorf("header: a %s of %d bytes, error %v", kind, size, err)
		}
	}
	got := map[ID]error{}
	sweepAll(t, s, SweepOptions{}, func(o *Swept) {
		got[o.ID] = o.Err
		if o.Stream != nil {
			if n, err := io.Copy(io.Discard, o.Stream); err != nil || n != o.Size {
				t.Errorf("%s: %d bytes, error %v", o.ID, n, err)
			}
		}
	})
	if len(got) != 3 || got[idOf(Blob, big)] != nil || got[idOf(Blob, loose)] != nil || !errors.Is(got[idOf(Blob, d.result)], ErrTooLarge) {
		t.Errorf("swept: %v", got)
	}
}
