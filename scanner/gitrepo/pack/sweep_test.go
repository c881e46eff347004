package pack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// everything are all kinds of object.
var everything = []Kind{Commit, Tree, Blob, Tag}

// checkSweep sweeps s and compares what it visits with what git lists: each
// object once, of the right kind and size, with the content that its id says,
// and with the anchors of a search of the whole.
func checkSweep(t *testing.T, s *Store, want map[ID]object, opts SweepOptions) {
	t.Helper()
	wanted := map[Kind]bool{}
	for _, k := range opts.Kinds {
		wanted[k] = true
	}
	if len(opts.Kinds) == 0 {
		wanted[Blob] = true
	}
	seen := map[ID]bool{}
	sweepAll(t, s, opts, func(o *Swept) {
		if o.Err != nil {
			t.Fatalf("%s: %v", o.ID, o.Err)
		}
		if seen[o.ID] {
			t.Fatalf("%s is visited twice", o.ID)
		}
		seen[o.ID] = true
		data := o.Data
		if o.Stream != nil {
			var err error
			if data, err = io.ReadAll(o.Stream); err != nil {
				t.Fatalf("%s: %v", o.ID, err)
			}
		}
		w, ok := want[o.ID]
		if !ok || w.kind != o.Kind || w.size != o.Size || w.size != int64(len(data)) {
			t.Fatalf("%s: got a %s of %d bytes, want %v", o.ID, o.Kind, o.Size, w)
		}
		if err := verifyID(o.ID, o.Kind, data); err != nil {
			t.Fatalf("%s: %v", o.ID, err)
		}
		if opts.Anchorer != nil && o.Stream == nil {
			full := opts.Anchorer.Anchors(nil, data, 0, len(data))
			if !o.Anchored || !slices.Equal(o.Anchors, full) || len(o.Marks) != len(full) {
				t.Fatalf("%s: anchors differ from a full scan's: %d of %d", o.ID, len(o.Anchors), len(full))
			}
			if o.NoNUL != (bytes.IndexByte(data, 0) < 0) {
				t.Fatalf("%s: no NUL: %v", o.ID, o.NoNUL)
			}
		}
	})
	n := 0
	for _, w := range want {
		if wanted[w.kind] {
			n++
		}
	}
	if len(seen) != n || n == 0 {
		t.Fatalf("%d objects visited, want %d", len(seen), n)
	}
}

// TestSweep visits a history of long chains in every way there is.
func TestSweep(t *testing.T) {
	repo, objects := newRepo(t, 200, 5, 80, "sha1")
	want := listed(t, repo)
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	for name, opts := range map[string]SweepOptions{
		"carried":        {Anchorer: literals},
		"one worker":     {Anchorer: literals, Jobs: 1},
		"many workers":   {Anchorer: literals, Jobs: 7},
		"full scan":      {Anchorer: literals, FullScan: true},
		"no memory":      {Anchorer: literals, Memory: 1, Jobs: 1},
		"little memory":  {Anchorer: literals, Memory: 40_000, Jobs: 2},
		"all kinds":      {Kinds: everything, Anchorer: literals},
		"trees and tags": {Kinds: []Kind{Tree, Tag}},
		"built-in rules": {Anchorer: rules.Builtin()},
		"no anchors":     {},
		"all is large":   {StreamOver: 10, Anchorer: literals, Jobs: 3},
		"some is large":  {StreamOver: 5000, Anchorer: literals, Jobs: 3, Kinds: everything},
	} {
		t.Run(name, func(t *testing.T) { checkSweep(t, s, want, opts) })
	}
}

// TestSweepCuts makes many small tasks of one large family.
func TestSweepCuts(t *testing.T) {
	repo, objects := newRepo(t, 400, 2, 60, "sha1")
	want := listed(t, repo)
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	sw := &sweep{s: s, st: s.state.Load(), opts: SweepOptions{Jobs: 1, Memory: 1 << 20, StreamOver: 1 << 20, Anchorer: literals},
		carrier: newCarrier(literals, nil)}
	sw.kinds[Blob] = true
	seen := map[ID]bool{}
	sw.visit = func(_ int, o *Swept) error {
		if full := literals.Anchors(nil, o.Data, 0, len(o.Data)); o.Err != nil || seen[o.ID] || !slices.Equal(full, o.Anchors) {
			t.Fatalf("%s: error %v, seen %v, or other anchors", o.ID, o.Err, seen[o.ID])
		}
		seen[o.ID] = true
		return verifyID(o.ID, o.Kind, o.Data)
	}
	if err := sw.st.packs[0].load(); err != nil {
		t.Fatal(err)
	}
	w := newWalker(sw, nil, 0)
	pl, err := newPlan(sw, sw.st.packs[0], 0, w.r.z)
	if err != nil {
		t.Fatal(err)
	}
	pl.choose(sw)
	w.pl = pl
	tasks := pl.tasks(200_000)
	cut := 0
	for _, task := range tasks {
		if pl.flags[task.node]&flagCut != 0 {
			cut++
		}
	}
	w.do(tasks)
	blobs := 0
	for _, o := range want {
		if o.kind == Blob {
			blobs++
		}
	}
	if cut == 0 || sw.err != nil || len(seen) != blobs {
		t.Errorf("%d tasks, %d of them cut; error %v; visited %d of %d blobs", len(tasks), cut, sw.err, len(seen), blobs)
	}
}

// TestWant visits chosen objects only.
func TestWant(t *testing.T) {
	repo, objects := newRepo(t, 50, 3, 50, "sha1")
	want := listed(t, repo)
	for id := range want {
		if id.sum[0]&1 != 0 {
			delete(want, id)
		}
	}
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	checkSweep(t, s, want, SweepOptions{Kinds: everything, Want: func(id ID) bool { return id.sum[0]&1 == 0 }})
}

// TestMarks sets the mark of every anchor to a sum over its surroundings, which
// for odd marks are wider, and wants each mark that is carried along to be that
// sum still.
func TestMarks(t *testing.T) {
	_, objects := newRepo(t, 300, 4, 120, "sha1")
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	reach := func(mark byte) (before, after int) { return 20 + 30*int(mark&1), 70 + 50*int(mark&1) }
	sum := func(data []byte, pos int) byte {
		wide := data[pos]>>1&1 ^ data[max(pos-1, 0)]&1
		before, after := reach(wide)
		h := byte(0)
		for _, c := range data[max(pos-before, 0):min(pos+after, len(data))] {
			h = h*31 + c
		}
		return h&^1 | 2 | wide
	}
	kept, all := 0, 0
	sweepAll(t, s, SweepOptions{Anchorer: literals, Reach: reach, Jobs: 2}, func(o *Swept) {
		for i, a := range o.Anchors {
			want := sum(o.Data, a.Pos)
			if all++; o.Marks[i] != 0 {
				if kept++; o.Marks[i] != want {
					t.Fatalf("%s: the mark at %d of %d is of other surroundings", o.ID, a.Pos, len(o.Data))
				}
			}
			o.Marks[i] = want
		}
	})
	if kept < all/3 {
		t.Errorf("only %d of %d marks were carried along", kept, all)
	}
}

// TestTooManyAnchors wants an object that consists of anchors to be handed
// over without any, and what is made of it too.
func TestTooManyAnchors(t *testing.T) {
	c := newCarrier(naive{"a"}, nil)
	c.max = 1000
	var base, child anchored
	data := bytes.Repeat([]byte("a"), 2000)
	c.full(&base, data)
	if base.ok || base.anchors != nil {
		t.Errorf("2000 anchors were kept")
	}
	few := bytes.Repeat([]byte("ab"), 400)
	c.full(&base, few)
	if !base.ok || len(base.anchors) != 400 {
		t.Fatalf("400 anchors were not kept")
	}
	many := bytes.Repeat(few, 3)
	runs := []run{{0, 0, 800}, {800, 0, 800}, {1600, 0, 800}}
	if c.carry(&child, many, few, &base, runs); child.ok || child.anchors != nil {
		t.Errorf("1200 carried anchors were kept")
	}
	if c.carry(&child, many[:1600], few, &base, runs[:2]); !child.ok || len(child.anchors) != 800 {
		t.Errorf("800 carried anchors were not kept")
	}
}

// TestSweepEnds wants the error of the visitor and of the context.
func TestSweepEnds(t *testing.T) {
	_, objects := newRepo(t, 50, 3, 50, "sha1")
	s := openStore(t, Options{ObjectDirs: []string{objects}})
	mine := errors.New("enough")
	for _, jobs := range []int{1, 3} {
		if err := s.Sweep(context.Background(), SweepOptions{Jobs: jobs}, func(int, *Swept) error { return mine }); err != mine {
			t.Errorf("%d workers: error %v, want the visitor's", jobs, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		err := s.Sweep(ctx, SweepOptions{Jobs: 1}, func(int, *Swept) error {
			if n++; n == 5 {
				cancel()
				for ctx.Err() == nil {
				}
			}
			return nil
		})
		if cancel(); err != nil && err != context.Canceled {
			t.Errorf("%d workers: error %v, want the context's", jobs, err)
		}
		if err := s.Sweep(ctx, SweepOptions{Jobs: jobs}, func(int, *Swept) error { return nil }); err != context.Canceled {
			t.Errorf("%d workers: error %v, want the context's", jobs, err)
		}
	}
}

// TestFirstFrom compares the search with one from the start, from every place.
func TestFirstFrom(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for range 300 {
		anchors := make([]rules.Anchor, r.IntN(40))
		for i := range anchors {
			anchors[i].Pos = r.IntN(60)
		}
		slices.SortFunc(anchors, func(a, b rules.Anchor) int { return a.Pos - b.Pos })
		for pos := range 62 {
			want := len(anchors)
			for i := len(anchors) - 1; i >= 0 && anchors[i].Pos >= pos; i-- {
				want = i
			}
			for k := range len(anchors) + 1 {
				if got := firstFrom(anchors, k, pos); got != want {
					t.Fatalf("the first from %d of %v is at %d, not at %d as from %d", pos, anchors, want, got, k)
				}
			}
		}
	}
}
