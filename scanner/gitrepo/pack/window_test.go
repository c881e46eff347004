package pack

import (
	"bytes"
	"os"
	"runtime"
	"testing"
)

// TestWindows holds what is read of a pack's file to what is read of its
// mapping, for few objects, which map nothing, and for all.
func TestWindows(t *testing.T) {
	repo, objects := newRepo(t, 60, 5, 3000, "sha1")
	want := listed(t, repo)
	mapped := openStore(t, Options{ObjectDirs: []string{objects}})
	if err := mapped.state.Load().packs[0].load(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, Options{ObjectDirs: []string{objects}, Verify: true})
	p := s.state.Load().packs[0]
	same := func(id ID) {
		k, data, err := s.Get(id)
		kind, wanted, werr := mapped.Get(id)
		if err != nil || werr != nil || k != kind || !bytes.Equal(data, wanted) {
			t.Fatalf("%s: a %s of %d bytes (%v) and, mapped, a %s of %d (%v)", id, k, len(data), err, kind, len(wanted), werr)
		}
	}
	for id := range want {
		same(id)
		break // after one
	}
	if p.mapped.Load() || p.file == nil {
		t.Fatal("one object mapped its pack, or did not open it")
	}
	if runtime.GOOS != "windows" { // where an open file stays
		if err := os.Remove(p.path); err != nil {
			t.Fatal(err)
		}
	}
	for id := range want {
		same(id)
	}
	s.cache = newBaseCache(1) // what was read must be read again
	p.windows.Store(maxWindows)
	for id := range want {
		same(id)
	}
	if !p.mapped.Load() {
		t.Error("the pack was not mapped after as many windows as there are to be")
	}
	if mapped.state.Load().packs[0].file != nil {
		t.Error("a mapped pack was read by windows")
	}
}

// TestWindowSizes reads objects whose deflated form is longer than the windows,
// or than they are themselves.
func TestWindowSizes(t *testing.T) {
	b := newPackBuilder(t)
	var contents [][]byte
	for _, n := range []int{0, 1, smallWindow - 20, smallWindow, 5000, 40_000, largeWindow - 200, largeWindow, 3 * largeWindow} {
		data := make([]byte, n)
		for i, x := 0, uint32(n); i < n; i++ {
			x = x*1664525 + 1013904223
			data[i] = byte(x >> 24) // which does not shrink
		}
		b.blob(data)
		contents = append(contents, data)
	}
	dir := t.TempDir()
	b.write(dir, "pack-windows")
	s := openStore(t, Options{ObjectDirs: []string{dir}, Verify: true})
	for _, data := range contents {
		large := len(data) >= largeWindow
		if _, got, err := s.Get(idOf(Blob, data)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: got %d, error %v", len(data), len(got), err)
		}
		if p := s.state.Load().packs[0]; large != p.mapped.Load() {
			t.Errorf("%d bytes: mapped: %v", len(data), !large)
		}
	}
}
