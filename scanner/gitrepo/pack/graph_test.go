package pack

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// octopus is a fast-import stream that ends in a merge of five parents.
const octopus = `commit refs/heads/a
mark :1
committer A <a@example.com> 1600000000 +0100
data 4
root
commit refs/heads/b
mark :2
author B <b> 7 +0000
committer B <b@example.com> 1600000001 +0000
data 0
from :1
M 120000 inline link
data 1
x
commit refs/heads/c
mark :3
committer A <a@example.com> 1600000002 +0000
data 0
from :1
M 160000 1234567890123456789012345678901234567890 sub/module
commit refs/heads/d
mark :4
committer A <a@example.com> 1600000003 +0000
data 0
from :1
M 100755 inline sub/run
data 1
y
commit refs/heads/e
mark :5
committer A <a@example.com> 1600000004 +0000
data 0
from :1
commit refs/heads/f
committer A <a@example.com> 1600000005 +0000
data 10
five heads
from :1
merge :2
merge :3
merge :4
merge :5
`

// TestCommitsAndTrees parses all commits and trees of a history as git prints
// them.
func TestCommitsAndTrees(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		repo, objects := newRepo(t, 60, 5, 30, format)
		size := 20
		if format == "sha1" {
			gitRun(t, repo, []byte(octopus), "fast-import", "--quiet")
		} else {
			size = 32
		}
		s := openStore(t, Options{ObjectDirs: []string{objects}, HashSize: size})
		for id, o := range listed(t, repo) {
			_, data, err := s.Get(id)
			if err != nil {
				t.Fatal(err)
			}
			switch o.kind {
			case Commit:
				c, err := ParseCommit(data)
				if err != nil {
					t.Fatal(err)
				}
				var parents []string
				for _, p := range c.Parents {
					parents = append(parents, p.String())
				}
				got := fmt.Sprintf("%s|%s|%d|%s\n", c.Tree, strings.Join(parents, " "), c.Time, c.Message)
				if want := gitRun(t, repo, nil, "log", "-1", "--format=tformat:%T|%P|%ct|%B", id.String()); strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("commit %s: got %q, want %q", id, got, want)
				}
				if want := gitRun(t, repo, nil, "log", "-1", "--format=tformat:%cn <%ce> %cd", "--date=raw", id.String()); string(c.Committer)+"\n" != want {
					t.Errorf("commit %s: got %q, want %q", id, c.Committer, want)
				}
			case Tree:
				var got strings.Builder
				for e, err := range TreeEntries(data, size) {
					if err != nil {
						t.Fatal(err)
					}
					kind := "blob"
					if e.IsTree() {
						kind = "tree"
					} else if e.IsGitlink() {
						kind = "commit"
					}
					fmt.Fprintf(&got, "%06o %s %x\t%s\x00", e.Mode, kind, e.ID, e.Name)
				}
				if want := gitRun(t, repo, nil, "ls-tree", "-z", id.String()); got.String() != want {
					t.Errorf("tree %s: got %q, want %q", id, got.String(), want)
				}
			}
		}
	}
}

// TestDamagedCommitsAndTrees wants errors, not nonsense.
func TestDamagedCommitsAndTrees(t *testing.T) {
	id := strings.Repeat("1", 40)
	for _, c := range []string{"", "\n", "parent " + id, "tree 12\n\nx", "tree " + id[:39] + "g\n", "author A\ntree " + id, "tree " + id + "\nparent 1\n"} {
		if _, err := ParseCommit([]byte(c)); err == nil {
			t.Errorf("commit %q was taken", c)
		}
	}
	if c, err := ParseCommit([]byte("tree " + id + "\ncommitter no time at all")); err != nil || c.Time != 0 {
		t.Errorf("a commit without a time: %v, error %v", c, err)
	}
	for _, c := range []string{"1", "100644", "100644 ", "100644 a", "100644 \x00" + id[:20], "100644 a\x00" + id[:19], "1006448 a\x00" + id[:20], " a\x00" + id[:20], "12345670 a\x00" + id[:20]} {
		n := 0
		for _, err := range TreeEntries([]byte(c), 20) {
			if n++; err == nil {
				t.Errorf("tree %q was taken", c)
			}
		}
		if n != 1 {
			t.Errorf("tree %q: %d steps", c, n)
		}
	}
}

// TestGraph compares a commit-graph, in one file and as a chain, with the
// commits themselves.
func TestGraph(t *testing.T) {
	for _, args := range [][]string{nil, {"--split=no-merge"}} {
		repo, objects := newRepo(t, 40, 3, 30, "sha1")
		s := openStore(t, Options{ObjectDirs: []string{objects}})
		if g, err := s.OpenGraph(); g != nil || err != nil {
			t.Fatalf("a graph where there is none: %v, error %v", g, err)
		}
		write := append([]string{"commit-graph", "write", "--reachable"}, args...)
		gitRun(t, repo, nil, write...)
		gitRun(t, repo, []byte(octopus), "fast-import", "--quiet")
		gitRun(t, repo, nil, write...)
		g, err := s.OpenGraph()
		if err != nil {
			t.Fatal(err)
		}
		commits := 0
		for id, o := range listed(t, repo) {
			n, ok := g.Find(id)
			if ok != (o.kind == Commit) {
				t.Errorf("%s, a %s: found %v", id, o.kind, ok)
			}
			if !ok {
				continue
			}
			commits++
			got, err := g.Commit(n, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, data, err := s.Get(id)
			if err != nil {
				t.Fatal(err)
			}
			want, err := ParseCommit(data)
			if err != nil {
				t.Fatal(err)
			}
			var parents []ID
			for _, p := range got.Parents {
				c, err := g.Commit(p, nil)
				if err != nil || c.Generation >= got.Generation {
					t.Errorf("%s: generation %d, a parent's %d, error %v", id, got.Generation, c.Generation, err)
				}
				parents = append(parents, c.ID)
			}
			if got.ID != id || got.Tree != want.Tree || got.Time != want.Time || !slices.Equal(parents, want.Parents) {
				t.Errorf("%s: got %+v with parents %v, want %+v", id, got, parents, want)
			}
		}
		if g.Len() != commits || len(args) > 0 != (len(g.layers) > 1) {
			t.Errorf("%d commits in %d layers, want %d", g.Len(), len(g.layers), commits)
		}
		if _, err := g.Commit(uint32(g.Len()), nil); err == nil {
			t.Error("a commit past the end was taken")
		}
	}
}

// FuzzGraph reads damaged commit-graphs, and damaged commits and trees.
func FuzzGraph(f *testing.F) {
	repo, objects := newRepo(f, 8, 2, 6, "sha1")
	gitRun(f, repo, []byte(octopus), "fast-import", "--quiet")
	gitRun(f, repo, nil, "commit-graph", "write", "--reachable")
	data, err := os.ReadFile(filepath.Join(objects, "info", "commit-graph"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, uint32(0), byte(0))
	f.Add([]byte("tree 1234567890123456789012345678901234567890\nparent \n\n"), uint32(3), byte(1))
	f.Add([]byte("100644 a\x0012345678901234567890"), uint32(3), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte) {
		if data = bytes.Clone(data); len(data) > 0 {
			data[int(at)%len(data)] ^= flip
		}
		if c, err := ParseCommit(data); err == nil && c.Tree.IsZero() {
			t.Fatalf("commit with tree %q, error %v", c.Tree, err)
		}
		n := 0
		for e, err := range TreeEntries(data, 20) {
			if n += len(e.Name) + len(e.ID) + 3; err == nil && (len(e.ID) != 20 || len(e.Name) == 0 || n > len(data)+20) {
				t.Fatalf("tree entry %q %x", e.Name, e.ID)
			}
		}
		g := &Graph{hash: 20}
		if g.add("graph", data, 1) != nil {
			return
		}
		for i := range g.n {
			c, err := g.Commit(i, nil)
			if err != nil {
				continue
			}
			for _, p := range c.Parents {
				if p >= g.n {
					t.Fatalf("commit %d has the parent %d of %d", i, p, g.n)
				}
			}
		}
	})
}
