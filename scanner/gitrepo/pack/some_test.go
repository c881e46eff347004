package pack

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestSweepSome asks for some objects of a history in several packs, and wants
// each that is in one of them, once, as it is, with the anchors that a search
// from end to end finds.
func TestSweepSome(t *testing.T) {
	repo, objects := severalPacks(t)
	all := listed(t, repo)
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	loose := map[ID]bool{}
	for i := range 20 {
		loose[idOf(Blob, fmt.Appendf(nil, "loose object %d\n", i))] = true
	}
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		var ids []ID
		want := map[ID]bool{}
		for id, o := range all {
			if r.IntN(1+int(seed*3)) > 0 {
				continue
			}
			ids = append(ids, id)
			if o.kind == Blob && !loose[id] {
				want[id] = true
			}
		}
		ids = append(ids, idOf(Blob, []byte("not there\n")))
		n := 0
		for jobs := 1; jobs < 3; jobs++ {
			seen := map[ID]bool{}
			var mu sync.Mutex
			if err := s.SweepSome(context.Background(), SweepOptions{Jobs: jobs, Anchorer: literals, Memory: 1 << 20}, ids, func(_ int, o *Swept) error {
				mu.Lock()
				defer mu.Unlock()
				n++
				if o.Err != nil || !want[o.ID] || seen[o.ID] || !slices.Equal(o.Anchors, literals.Anchors(nil, o.Data, 0, len(o.Data))) {
					t.Errorf("%s: error %v, wanted %v, seen %v, or other anchors", o.ID, o.Err, want[o.ID], seen[o.ID])
				}
				seen[o.ID] = true
				return verifyID(o.ID, o.Kind, o.Data)
			}); err != nil {
				t.Fatal(err)
			}
			if len(seen) != len(want) {
				t.Errorf("visited %d objects of %d", len(seen), len(want))
			}
		}
		if len(want) == 0 || n == 0 {
			t.Errorf("seed %d: nothing was asked for", seed)
		}
	}
}

// TestSweepSomeDamage breaks an entry that others are made of: all that can be
// read from elsewhere is, and the rest is told of.
func TestSweepSomeDamage(t *testing.T) {
	repo, objects := newRepo(t, 60, 3, 60, "sha1")
	var ids []ID
	for id, o := range listed(t, repo) {
		if o.kind == Blob {
			ids = append(ids, id)
		}
	}
	file := packFiles(t, objects)[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &packFile{path: file}
	for _, q := range openStore(t, Options{ObjectDirs: []string{objects}}).state.Load().packs {
		p = q
	}
	if err := p.load(); err != nil {
		t.Fatal(err)
	}
	i, ok := p.idx.find(ids[0].Bytes())
	offset, err := p.idx.offset(i)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	e, err := p.entry(offset)
	if err != nil {
		t.Fatal(err)
	}
	data[e.data+4] ^= 0xff
	writeFile(t, file, data)
	good, bad := 0, 0
	if err := openStore(t, Options{ObjectDirs: []string{objects}}).SweepSome(context.Background(), SweepOptions{Jobs: 1}, ids, func(_ int, o *Swept) error {
		if o.Err == nil {
			good++
			return verifyID(o.ID, o.Kind, o.Data)
		}
		if bad++; !strings.Contains(o.Err.Error(), file) {
			t.Errorf("the error names no file: %v", o.Err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if bad == 0 || good+bad != len(ids) {
		t.Errorf("%d objects read and %d refused of %d", good, bad, len(ids))
	}
}
