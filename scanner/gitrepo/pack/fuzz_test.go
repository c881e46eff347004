package pack

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// seedRepo returns the files of a small repository with two packs, and its
// multi-pack index.
func seedRepo(f *testing.F) (packs, indexes [][]byte, midx []byte) {
	repo, objects := newRepo(f, 8, 2, 6, "sha1")
	first := packFiles(f, objects)[0]
	gitRun(f, repo, []byte(strings.Fields(gitRun(f, repo, nil, "rev-list", "--all"))[0]+"\n"),
		"pack-objects", "-q", filepath.Join(objects, "pack", "pack"))
	gitRun(f, repo, nil, "multi-pack-index", "write")
	v1 := filepath.Join(f.TempDir(), "v1.idx")
	gitRun(f, repo, nil, "index-pack", "--index-version=1", "-o", v1, first)
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	for _, p := range packFiles(f, objects) {
		packs = append(packs, read(p))
		indexes = append(indexes, read(strings.TrimSuffix(p, "pack")+"idx"))
	}
	return packs, append(indexes, read(v1)), read(filepath.Join(objects, "pack", "multi-pack-index"))
}

// useIndex asks an index everything: each id that it lists must be found, if
// they rise, and nothing may panic.
func useIndex(t *testing.T, x *index) {
	rising := true
	for i := range x.n {
		if i > 0 && bytes.Compare(x.id(i-1), x.id(i)) >= 0 {
			rising = false
		}
		_, _ = x.offset(i)
		if x.crcs != nil {
			_ = x.crc(i)
		}
	}
	for i := range x.n {
		k, ok := x.find(x.id(i))
		if ok && !bytes.Equal(x.id(k), x.id(i)) {
			t.Fatalf("object %d was found at %d, which is another", i, k)
		}
		// The fan-out table may contradict the ids.
		_ = rising
	}
	_ = x.verify()
}

// FuzzIndex reads pack indexes of both versions.
func FuzzIndex(f *testing.F) {
	_, indexes, _ := seedRepo(f)
	for _, x := range indexes {
		f.Add(x, uint32(0), byte(0), false)
		f.Add(x, uint32(9), byte(1), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte, long bool) {
		size := 20
		if long {
			size = 32
		}
		if data = bytes.Clone(data); len(data) > 0 {
			data[int(at)%len(data)] ^= flip
		}
		x, err := parseIndex(data, size)
		if err == nil {
			useIndex(t, x)
		}
	})
}

// FuzzMidx reads multi-pack indexes.
func FuzzMidx(f *testing.F) {
	_, _, midx := seedRepo(f)
	f.Add(midx, uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte) {
		if data = bytes.Clone(data); len(data) > 0 {
			data[int(at)%len(data)] ^= flip
		}
		m, err := parseMidx(data, 20)
		if err != nil {
			return
		}
		need := map[string]bool{}
		for _, p := range m.packs {
			need[p] = true
		}
		all, err := m.indexes("midx", 0, need)
		if err != nil {
			return
		}
		n := 0
		for _, x := range all {
			n += x.n
			useIndex(t, x)
		}
		if n != m.n && len(need) == len(m.packs) {
			t.Fatalf("%d objects in the indexes, %d in the multi-pack index", n, m.n)
		}
	})
}

// FuzzEntry reads heads of entries: what is read lies inside the pack, and
// bases lie before their deltas.
func FuzzEntry(f *testing.F) {
	f.Add([]byte("\xb5\x0axxxxxxxx"), int64(12))
	f.Add([]byte("\xe5\xff\xff\xff\xff\x0a\x80\x01xx"), int64(13))
	f.Add([]byte("\x7501234567890123456789xx"), int64(12))
	f.Fuzz(func(t *testing.T, tail []byte, offset int64) {
		body := append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01"), tail...)
		e, err := parseEntry(body, offset, 20)
		if err != nil {
			return
		}
		if e.data <= offset || e.data > int64(len(body)) || e.size < 0 {
			t.Fatalf("entry at %d: data at %d of %d, size %d", offset, e.data, len(body), e.size)
		}
		if e.kind == offsetDelta && (e.base < packHeader || e.base >= offset) {
			t.Fatalf("entry at %d: base at %d", offset, e.base)
		}
		if (e.kind == refDelta) != (len(e.baseID) == 20) {
			t.Fatalf("entry at %d: base %x", offset, e.baseID)
		}
	})
}

// FuzzPack sweeps damaged packs with their own index: no object is taken for
// another one, and every object is visited or an error is told.
func FuzzPack(f *testing.F) {
	packs, indexes, _ := seedRepo(f)
	f.Add(packs[0], uint32(0), byte(0), uint32(0), byte(0))
	f.Add(packs[0], uint32(100), byte(1), uint32(1200), byte(7))
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte, idxAt uint32, idxFlip byte) {
		for _, idx := range [][]byte{indexes[0], indexes[len(indexes)-1]} {
			pack, idx := bytes.Clone(data), bytes.Clone(idx)
			if len(pack) > 0 {
				pack[int(at)%len(pack)] ^= flip
			}
			idx[int(idxAt)%len(idx)] ^= idxFlip
			objects := t.TempDir()
			writeFile(t, filepath.Join(objects, "pack", "pack-x.pack"), pack)
			writeFile(t, filepath.Join(objects, "pack", "pack-x.idx"), idx)
			s, err := Open(Options{ObjectDirs: []string{objects}, Verify: true, MaxObject: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[ID]int{}
			errs := 0
			if err := s.Sweep(context.Background(), SweepOptions{Kinds: everything, Anchorer: literals, Jobs: 1}, func(_ int, o *Swept) error {
				if data, err := contentOf(o); err != nil {
					errs++
				} else if verifyID(o.ID, o.Kind, data) != nil {
					t.Fatalf("%s is another object", o.ID)
				}
				seen[o.ID]++
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if x, err := parseIndex(idx, 20); err == nil && errs == 0 {
				for i := range x.n {
					if id := MakeID(x.id(i)); seen[id] != 1 {
						t.Fatalf("%s: visited %d times, and no error", id, seen[id])
					}
				}
			}
			sweepOtherwise(t, s, seen)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// contentOf returns the object, or why it cannot be read. One that claims to be
// large comes as a stream, which tells at its end.
func contentOf(o *Swept) ([]byte, error) {
	if o.Err != nil || o.Stream == nil {
		return o.Data, o.Err
	}
	return io.ReadAll(o.Stream)
}

// sweepOtherwise sweeps the objects seen by way of a survey and one by one, and
// wants none of them to be taken for another.
func sweepOtherwise(t *testing.T, s *Store, seen map[ID]int) {
	t.Helper()
	visit := func(_ int, o *Swept) error {
		if data, err := contentOf(o); err == nil && verifyID(o.ID, o.Kind, data) != nil {
			t.Fatalf("%s is another object", o.ID)
		}
		return nil
	}
	if v, err := s.Survey(context.Background(), 1); err == nil {
		for _, entries := range []bool{false, true} {
			if err := v.Sweep(context.Background(), SweepOptions{Kinds: everything, Jobs: 1, Entries: entries}, visit); err != nil {
				t.Fatal(err)
			}
		}
	}
	ids := slices.Collect(maps.Keys(seen))
	if err := s.SweepSome(context.Background(), SweepOptions{Kinds: everything, Jobs: 1, Anchorer: literals}, ids, visit); err != nil {
		t.Fatal(err)
	}
}
