package gitrepo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// all lists everything that is known of what was emitted.
func (h *haul) all() (list []string) {
	for i, o := range h.objects {
		commit := ""
		if o.Commit != nil {
			commit = fmt.Sprint(*o.Commit)
		}
		others := 0
		if h.attributed != nil {
			others = h.attributed[i].OtherCommits
		}
		list = append(list, fmt.Sprintf("%v %q %s %s %s %o %v %s %x, %d others", o.Kind, o.Path, o.ID, commit, o.Ref, o.Mode, o.Binary, o.Encoding,
			sha256.Sum256([]byte(o.text)), others))
	}
	slices.Sort(list)
	return list
}

// sameAsWalk wants a census of repo to be possible and to yield what the walk
// over the commits one by one yields.
func (s *sandbox) sameAsWalk(repo string) *haul {
	s.t.Helper()
	slow := s.open(repo, "").History(HistoryOptions{}).(*history)
	slow.oneByOne = true
	want := scan(s.t, slow)
	for _, jobs := range []int{1, 3} {
		r, err := s.tryOpen(Options{Dir: s.path(repo), Jobs: jobs})
		if err != nil {
			s.t.Fatal(err)
		}
		src := r.History(HistoryOptions{}).(*history)
		got := scan(s.t, src)
		if got.err != nil || src.census == nil {
			s.t.Errorf("%d jobs: error %v, census %v", jobs, got.err, src.census != nil)
		}
		if got.coverage.String() != want.coverage.String() || got.coverage.Names != want.coverage.Names {
			s.t.Errorf("%d jobs: covered %s and %d names, want %s and %d", jobs, got.coverage.String(), got.coverage.Names, want.coverage.String(), want.coverage.Names)
		}
		a, b := got.all(), want.all()
		for i := 0; i < len(a) && i < len(b); i++ {
			if a[i] != b[i] {
				s.t.Errorf("%d jobs: the census yields\n%s\nthe walk\n%s", jobs, a[i], b[i])
				break
			}
		}
		if len(a) != len(b) {
			s.t.Errorf("%d jobs: the census yields %d objects, the walk %d", jobs, len(a), len(b))
		}
	}
	return want
}

func TestCensusEqualsWalk(t *testing.T) {
	s := newSandbox(t)
	s.grow("r", 80)
	s.sameAsWalk("r")
	s.git("r", "repack", "-q", "-a", "-d", "--depth=30", "--window=30")
	s.sameAsWalk("r")
	for i := range 10 {
		s.commit("r", fmt.Sprintf("d%d/late%d.txt", i%3, i), fmt.Sprintf("late %d\n", i))
	}
	s.sameAsWalk("r")
	s.git("r", "repack", "-q", "-d")
	s.sameAsWalk("r")
}

// imported makes a repository of a stream of git fast-import, packed in long
// chains.
func (s *sandbox) imported(repo string, stream []byte) {
	s.t.Helper()
	s.git(".", "init", "-q", "--bare", repo)
	c := exec.Command("git", "fast-import", "--quiet")
	c.Dir, c.Env, c.Stdin = s.path(repo), s.env, bytes.NewReader(stream)
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("git fast-import: %v: %s", err, out)
	}
	s.git(repo, "repack", "-q", "-a", "-d", "-f", "--depth=60", "--window=40")
}

// shuffled returns a stream of commits in which folders are copied, moved into
// one another and taken away, files change between folder, link, submodule and
// file, and the same content is at many paths. Branches leave and join.
func shuffled(commits int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 3))
	var out bytes.Buffer
	path := func() string {
		parts := make([]string, 1+r.IntN(4))
		for i := range parts {
			parts[i] = string(rune('a' + r.IntN(5)))
		}
		return strings.Join(parts, "/")
	}
	folders := make([][]string, commits+1) // by mark, some of those there are
	for c := range commits {
		fmt.Fprintf(&out, "commit refs/heads/b%d\nmark :%d\nauthor A%d <a@example.com> %d +0000\ncommitter B <b@example.com> %d +0000\ndata 5\ntext\n\n",
			r.IntN(4), c+1, r.IntN(3), 1_500_000_000+c/3, 1_500_000_000+r.IntN(50))
		var from []string
		if c > 0 {
			parent := max(1, c-r.IntN(4))
			fmt.Fprintf(&out, "from :%d\n", parent)
			from = folders[parent]
			for range r.IntN(4) / 2 {
				fmt.Fprintf(&out, "merge :%d\n", 1+r.IntN(c))
			}
		}
		if len(from) > 0 && r.IntN(2) == 0 {
			fmt.Fprintf(&out, "%c %s %s\n", "CR"[r.IntN(2)], from[0], path())
			from = nil
		}
		clear := r.IntN(5) == 0
		for range 1 + r.IntN(4) {
			p := path()
			switch r.IntN(8) {
			case 0, 1:
				clear = true
				fmt.Fprintf(&out, "D %s\n", p)
			case 2:
				fmt.Fprintf(&out, "M 160000 %040x %s\n", 1+r.IntN(9), p)
			case 3:
				fmt.Fprintf(&out, "M 120000 inline %s\ndata 2\n%c\n\n", p, 'a'+rune(r.IntN(6)))
			default:
				fmt.Fprintf(&out, "M 100644 inline %s\ndata 2\n%c\n\n", p, 'a'+rune(r.IntN(26)))
			}
			folders[c+1] = []string{p[:1]} // the latest path begins there, so it is there
		}
		if clear {
			folders[c+1] = nil
		}
	}
	return out.Bytes()
}

func TestCensusOfShuffledFolders(t *testing.T) {
	for seed := range uint64(4) {
		s := newSandbox(t)
		stream := shuffled(150, seed)
		s.imported("r", stream)
		s.git("r", "update-ref", "refs/tags/tree", s.git("r", "rev-parse", "b0~3^{tree}"))
		s.git("r", "update-ref", "-d", "refs/heads/b3") // leaves objects that nothing reaches
		want := s.sameAsWalk("r")
		if len(want.objects) < 100 {
			t.Fatalf("only %d objects", len(want.objects))
		}
	}
}

// TestCensusRefuses wants what is unusual left to the walk over the commits,
// and nothing emitted twice.
func TestCensusRefuses(t *testing.T) {
	damage := map[string]func(s *sandbox){
		"missing blob": func(s *sandbox) { s.remove("r", s.git("r", "rev-parse", "main~1:d0/f2.txt")) },
		"missing tree": func(s *sandbox) { s.remove("r", s.git("r", "rev-parse", "main~1:d0")) },
		"broken tree":  func(s *sandbox) { s.corrupt("r", s.git("r", "rev-parse", "main:d0")) },
		"lost commit":  func(s *sandbox) { s.remove("r", s.git("r", "rev-parse", "main~3")) },
		"out of order": func(s *sandbox) {
			blob := s.git("r", "rev-parse", "main:d0/f2.txt")
			raw := treeOf(s, blob, "b", "a")
			tree := s.gitIn("r", raw, "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
			s.git("r", "update-ref", "refs/heads/odd", s.git("r", "commit-tree", "-m", "odd", tree))
		},
		"tree as blob": func(s *sandbox) {
			raw := treeOf(s, s.git("r", "rev-parse", "main:d0"), "a")
			tree := s.gitIn("r", raw, "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
			s.git("r", "update-ref", "refs/heads/odd", s.git("r", "commit-tree", "-m", "odd", tree))
		},
	}
	for name, spoil := range damage {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.init("r")
			for i := range 9 {
				s.commit("r", fmt.Sprintf("d%d/f%d.txt", i%2, i%4), fmt.Sprintf("content %d\n", i))
			}
			spoil(s)
			slow := s.open("r", "").History(HistoryOptions{}).(*history)
			slow.oneByOne = true
			want := scan(t, slow)
			src := s.open("r", "").History(HistoryOptions{}).(*history)
			got := scan(t, src)
			if src.census != nil || !slices.Equal(got.all(), want.all()) || fmt.Sprint(got.coverage.Problems) != fmt.Sprint(want.coverage.Problems) {
				t.Errorf("census %v; %d objects, want %d; problems %v, want %v", src.census != nil, len(got.objects), len(want.objects),
					got.coverage.Problems, want.coverage.Problems)
			}
		})
	}
}

// TestCensusOfBomb wants an end to trees that are a few objects and more paths
// than anyone can count.
func TestCensusOfBomb(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	id := s.gitIn("r", []byte("content\n"), "hash-object", "-w", "--stdin")
	entry := "100644 blob"
	for range 12 {
		var lines strings.Builder
		for n := range 10 {
			fmt.Fprintf(&lines, "%s %s\tname%d\n", entry, id, n)
		}
		id, entry = s.gitIn("r", []byte(lines.String()), "mktree"), "040000 tree"
	}
	s.git("r", "update-ref", "refs/heads/bomb", s.git("r", "commit-tree", "-m", "bomb", id))
	r := s.open("r", "")
	st, err := r.store(false)
	if err != nil {
		t.Fatal(err)
	}
	rd, err := r.open(context.Background(), st)
	if err != nil {
		t.Fatal(err)
	}
	scan, err := newCommitScan(r.begin(context.Background(), st, "", nil), rd)
	if err != nil {
		t.Fatal(err)
	}
	tip, err := parseOID(s.git("r", "rev-parse", "bomb"), sha1Len)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takeCensus(scan, st.(*packStore), []oid{tip}, &strays{}); !errors.Is(err, errUnusual) || !strings.Contains(err.Error(), "paths") {
		t.Errorf("the census ends with %v", err)
	}
}

// treeOf returns a tree in which each of names is the object id.
func treeOf(s *sandbox, id string, names ...string) (raw []byte) {
	o, err := parseOID(id, sha1Len)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range names {
		raw = append(append(raw, "100644 "+n+"\x00"...), o[:sha1Len]...)
	}
	return raw
}

// gitIn is git with something on its standard input.
func (s *sandbox) gitIn(repo string, stdin []byte, args ...string) string {
	s.t.Helper()
	c := exec.Command("git", args...)
	c.Dir, c.Env, c.Stdin = s.path(repo), s.env, bytes.NewReader(stdin)
	out, err := c.Output()
	if err != nil {
		s.t.Fatalf("git %s: %v", args[0], err)
	}
	return strings.TrimSpace(string(out))
}

func TestNameTable(t *testing.T) {
	var names nameTable
	if _, ok := names.find([]byte("a")); ok {
		t.Error("an empty table has a name")
	}
	for i := range 5000 {
		name := []byte(fmt.Sprint(i % 2500))
		if n := names.add(name); int(n) != i%2500 {
			t.Fatalf("%s has the number %d", name, n)
		}
		if n, ok := names.find(name); !ok || string(names.name(n)) != string(name) {
			t.Fatalf("%s is not found", name)
		}
	}
	var paths pathTable
	paths.start()
	for i := range int32(5000) {
		if p := paths.add(i/7, uint32(i%7)); p != i+1 || paths.find(i/7, uint32(i%7)) != p {
			t.Fatalf("path %d has the number %d", i, p)
		}
	}
	if paths.find(1, 9) != 0 {
		t.Error("a path that was not added is found")
	}
}
