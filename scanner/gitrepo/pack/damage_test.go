package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// outcome sweeps the store over objects and gets each object that it should
// have. It returns how many sound objects the sweep visited, how many errors
// it told of, and fails the test if anything is wrong and taken for sound.
// Without verification an object that goes by the wrong name passes, if there
// is an error at all.
func outcome(t *testing.T, where, objects string, want map[ID]object, verify bool) (sound, errs int) {
	t.Helper()
	s, err := Open(Options{ObjectDirs: []string{objects}, Verify: verify})
	if err != nil {
		return 0, 1
	}
	defer s.Close()
	var wrong []ID
	seen := map[ID]bool{}
	sweepAll(t, s, SweepOptions{Kinds: everything, Anchorer: literals, Jobs: 1}, func(o *Swept) {
		if o.Err != nil {
			errs++
			return
		}
		if seen[o.ID] {
			t.Fatalf("%s: %s is visited twice", where, o.ID)
		}
		seen[o.ID] = true
		if w, ok := want[o.ID]; !ok || w.kind != o.Kind || verifyID(o.ID, o.Kind, o.Data) != nil {
			wrong = append(wrong, o.ID)
			return
		}
		sound++
	})
	if len(wrong) > 0 && (verify || errs == 0) {
		t.Fatalf("%s: %d objects are wrong and were taken for sound, with %d errors", where, len(wrong), errs)
	}
	if sound < len(want) && errs == 0 {
		t.Fatalf("%s: %d of %d objects and no error", where, sound, len(want))
	}
	if verify {
		for id, w := range want {
			kind, data, err := s.Get(id)
			if err == nil && (kind != w.kind || verifyID(id, kind, data) != nil) {
				t.Fatalf("%s: got a wrong object for %s", where, id)
			}
			if err != nil && seen[id] {
				// The sweep reads whatever can be read.
				continue
			}
			_, _, _ = s.Header(id)
		}
	}
	return sound, errs
}

// TestFlippedBytes damages pack and index at many places. Whatever happens,
// an object is right or there is an error.
func TestFlippedBytes(t *testing.T) {
	repo, objects := newRepo(t, 12, 3, 20, "sha1")
	want := listed(t, repo)
	pack := packFiles(t, objects)[0]
	idx := strings.TrimSuffix(pack, "pack") + "idx"
	r := rand.New(rand.NewPCG(5, 6))
	for _, file := range []string{pack, idx} {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		noticed, tries := 0, 0
		for at := 0; at < len(good); at += 1 + r.IntN(len(good)/60) {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << r.IntN(8)
			writeFile(t, file, bad)
			for _, verify := range []bool{false, true} {
				tries++
				if _, errs := outcome(t, filepath.Base(file), objects, want, verify); errs > 0 {
					noticed++
				}
			}
		}
		writeFile(t, file, good)
		// Nothing reads the checksum at the end of the pack but the
		// comparison with the index, and nothing the spare bits of deflate:
		// yet both have checksums over them.
		if noticed != tries {
			t.Errorf("%s: %d of %d flipped bits were noticed", filepath.Base(file), noticed, tries)
		}
	}
	if sound, errs := outcome(t, "undamaged", objects, want, true); sound != len(want) || errs != 0 {
		t.Errorf("undamaged: %d of %d objects, %d errors", sound, len(want), errs)
	}
}

// TestTruncatedFiles cuts pack and index at many places.
func TestTruncatedFiles(t *testing.T) {
	repo, objects := newRepo(t, 12, 3, 20, "sha1")
	want := listed(t, repo)
	pack := packFiles(t, objects)[0]
	for _, file := range []string{pack, strings.TrimSuffix(pack, "pack") + "idx"} {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(good); n += 1 + len(good)/60 {
			writeFile(t, file, good[:n])
			if _, errs := outcome(t, filepath.Base(file), objects, want, true); errs == 0 {
				t.Errorf("%s: %d of %d bytes, and no error", filepath.Base(file), n, len(good))
			}
		}
		writeFile(t, file, good)
	}
}

// TestOtherCopy damages one copy of every object: the other one is to be
// found, also for the base of a delta that is sound itself.
func TestOtherCopy(t *testing.T) {
	repo, objects := newRepo(t, 30, 3, 40, "sha1")
	want := listed(t, repo)
	pack := packFiles(t, objects)[0]
	good, err := os.ReadFile(pack)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	gitRun(t, other, nil, "init", "-q", "--bare", ".")
	gitRun(t, other, good, "unpack-objects", "-q")
	writeFile(t, filepath.Join(objects, "info", "alternates"), []byte(filepath.Join(other, "objects")))
	bad := bytes.Clone(good)
	for at := 100; at < len(bad)-100; at += 900 {
		bad[at] ^= 0x10
	}
	writeFile(t, pack, bad)
	if sound, errs := outcome(t, "with a sound copy", objects, want, true); sound != len(want) || errs != 0 {
		t.Errorf("%d of %d objects, %d errors", sound, len(want), errs)
	}
	s := openStore(t, Options{ObjectDirs: []string{objects}, Verify: true})
	for id := range want {
		if _, _, err := s.Get(id); err != nil {
			t.Errorf("a sound copy was not found: %v", err)
		}
	}
}

// TestHostilePacks reads packs that were made to do harm.
func TestHostilePacks(t *testing.T) {
	base := bytes.Repeat([]byte("0123456789"), 100)
	d := deltaBuilder{base: base}
	d.copy(0, 500, false)
	self, a, b := idOf(Blob, []byte("self")), idOf(Blob, []byte("a")), idOf(Blob, []byte("b"))
	huge := binary.AppendUvarint(binary.AppendUvarint(nil, 1000), 400<<20)
	huge = append(huge, 0x90, 10)
	for name, c := range map[string]struct {
		build func(b *packBuilder)
		want  string
	}{
		"its own base":         {func(p *packBuilder) { p.refDelta([]byte("self"), d.delta(), self) }, "no end"},
		"each other's base":    {func(p *packBuilder) { p.refDelta([]byte("a"), d.delta(), b); p.refDelta([]byte("b"), d.delta(), a) }, "no end"},
		"base before the pack": {func(p *packBuilder) { p.add(a, offsetDelta, 3, []byte{12}, []byte("abc")) }, "outside the pack"},
		"base 0 bytes away":    {func(p *packBuilder) { p.add(a, offsetDelta, 3, []byte{0}, []byte("abc")) }, "outside the pack"},
		"base in an entry":     {func(p *packBuilder) { p.blob(base); p.add(a, offsetDelta, 3, []byte{5}, []byte("abc")) }, "offset"},
		"no such type":         {func(p *packBuilder) { p.add(a, 5, 3, nil, []byte("abc")) }, "type 5"},
		"a huge object":        {func(p *packBuilder) { p.add(a, Blob, 20<<20, nil, []byte("abc")) }, "cannot come from"},
		"a huger object":       {func(p *packBuilder) { p.add(a, Blob, 1<<50, nil, []byte("abc")) }, "less than"},
		"a huge delta":         {func(p *packBuilder) { p.offsetDelta(a.sum[:], huge, p.blob(base)) }, "yields 10 bytes"},
		"smaller than stated":  {func(p *packBuilder) { p.add(a, Blob, 4, nil, []byte("abc")) }, "less than"},
		"larger than stated":   {func(p *packBuilder) { p.add(a, Blob, 2, nil, []byte("abc")) }, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := t.TempDir()
			p := newPackBuilder(t)
			c.build(p)
			p.write(objects, "hostile")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s := openStore(t, Options{ObjectDirs: []string{objects}})
			found := false
			sweepAll(t, s, SweepOptions{Jobs: 1, Kinds: everything}, func(o *Swept) {
				err := o.Err
				if o.Stream != nil {
					_, err = new(bytes.Buffer).ReadFrom(o.Stream)
				}
				if err != nil && strings.Contains(err.Error(), c.want) && strings.Contains(err.Error(), "pack-hostile.pack at offset ") {
					found = true
				}
			})
			if !found {
				t.Errorf("no error with %q, file and offset", c.want)
			}
			for _, e := range p.entries {
				if _, _, err := s.Get(e.id); err == nil && e.id != idOf(Blob, base) {
					t.Errorf("an object came out of it")
				}
				_, _, _ = s.Header(e.id)
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
				t.Errorf("%d bytes were allocated", n)
			}
		})
	}
}

// TestHiddenObjects wants an error when a blob was turned into a tree, which
// nobody asked for, and when something lies between two entries.
func TestHiddenObjects(t *testing.T) {
	first, second := []byte("first blob"), []byte("second blob")
	for _, c := range []struct {
		name, want string
		hide       func(p *packBuilder)
	}{
		{"turned into a tree", "does not match the checksum", func(p *packBuilder) {
			p.blob(second)
			p.buf.Bytes()[packHeader] ^= 0x10
		}},
		{"between two entries", "the next begins at", func(p *packBuilder) {
			p.blob([]byte("hidden blob"))
			p.entries = p.entries[:1]
			p.entries[0].end = p.buf.Len()
			p.blob(second)
		}},
		{"before the first entry", "does not list the first entry", func(p *packBuilder) {
			p.blob(second)
			p.entries = p.entries[1:]
		}},
	} {
		objects := t.TempDir()
		p := newPackBuilder(t)
		p.blob(first)
		c.hide(p)
		p.write(objects, "hiding")
		if c.name == "turned into a tree" {
			// The index has the checksum of what was there before.
			idx := filepath.Join(objects, "pack", "pack-hiding.idx")
			data, err := os.ReadFile(idx)
			if err != nil {
				t.Fatal(err)
			}
			x, err := parseIndex(data, 20)
			if err != nil {
				t.Fatal(err)
			}
			i, _ := x.find(idOf(Blob, first).Bytes())
			x.crcs[4*i] ^= 1
			h := newHash(20)
			h.Write(data[:len(data)-20])
			writeFile(t, idx, h.Sum(data[:len(data)-20]))
		}
		s := openStore(t, Options{ObjectDirs: []string{objects}})
		var errs []string
		sweepAll(t, s, SweepOptions{}, func(o *Swept) {
			if o.Err != nil {
				errs = append(errs, o.Err.Error())
			}
		})
		if len(errs) != 1 || !strings.Contains(errs[0], c.want) || !strings.Contains(errs[0], "pack-hiding.pack at offset 12") {
			t.Errorf("%s: errors %q, want one with %q", c.name, errs, c.want)
		}
	}
}

// TestShrinkingPack shortens a pack while it is mapped.
func TestShrinkingPack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file cannot be shortened there")
	}
	repo, objects := newRepo(t, 200, 5, 80, "sha1")
	want := listed(t, repo)
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	if err := s.state.Load().packs[0].load(); err != nil {
		t.Fatal(err)
	}
	pack := packFiles(t, objects)[0]
	if err := os.Chmod(pack, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(pack, 4096); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for id := range want {
		if _, _, err := s.Get(id); err != nil {
			failed++
		}
	}
	told := 0
	if err := s.Sweep(context.Background(), SweepOptions{Jobs: 2, Kinds: everything}, func(_ int, o *Swept) error {
		if errors.Is(o.Err, errShrunk) && strings.Contains(o.Err.Error(), pack) {
			told++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if failed == 0 || told == 0 {
		t.Errorf("%d objects could not be got, the sweep told %d times; want some", failed, told)
	}
}

// TestDamagedLoose flips every byte of a loose object, and cuts it.
func TestDamagedLoose(t *testing.T) {
	objects := t.TempDir()
	data := []byte(strings.Repeat("loose arn:aws: ", 9))
	path := loosePath(objects, idOf(Blob, data))
	good := looseOf(t, data)
	want := map[ID]object{idOf(Blob, data): {Blob, int64(len(data))}}
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		writeFile(t, path, bad)
		outcome(t, "flipped", objects, want, true)
		writeFile(t, path, good[:at])
		if _, errs := outcome(t, "cut", objects, want, true); errs == 0 {
			t.Errorf("%d of %d bytes, and no error", at, len(good))
		}
	}
	writeFile(t, path, append(bytes.Clone(good), "more"...))
	if _, errs := outcome(t, "with more behind it", objects, want, true); errs == 0 {
		t.Error("bytes behind a loose object, and no error")
	}
	for _, head := range []string{"blob", "blob 3", "blob x\x00abc", "blob -1\x00", "blob +3\x00abc", "bulb 3\x00abc", "blob 4\x00abc", "blob 2\x00abc", "\x00"} {
		b := newPackBuilder(t)
		b.buf.Reset()
		b.add(ID{}, Blob, 0, nil, []byte(head))
		writeFile(t, path, b.buf.Bytes()[1:])
		if sound, errs := outcome(t, head, objects, want, false); errs == 0 || sound > 0 {
			t.Errorf("%q: %d objects, %d errors", head, sound, errs)
		}
	}
}
