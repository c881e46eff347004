package gitrepo

import (
	"context"
	"fmt"
	"math/rand"
	"sort"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// reachableBlobs lists what git itself finds.
func (s *sandbox) reachableBlobs(repo string, args ...string) []string {
	s.t.Helper()
	kinds := map[string]string{}
	for _, line := range strings.Split(s.git(repo, "cat-file", "--batch-all-objects", "--batch-check"), "\n") {
		w := strings.Fields(line)
		kinds[w[0]] = w[1]
	}
	ids := map[string]bool{}
	for _, id := range strings.Fields(s.git(repo, append([]string{"rev-list", "--objects", "--no-object-names"}, args...)...)) {
		if kinds[id] == "blob" {
			ids[id] = true
		}
	}
	var list []string
	for id := range ids {
		list = append(list, id)
	}
	sort.Strings(list)
	return list
}

func equalLists(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %d, want %d:\n%q\n%q", len(got), len(want), got, want)
	}
}

// grow makes a history with merges, octopus merges, roots, renames, tags,
// notes and a stash.
func (s *sandbox) grow(repo string, commits int) {
	s.t.Helper()
	rnd := rand.New(rand.NewSource(7))
	s.init(repo)
	s.commit(repo, "start.txt", "start\n")
	branches := []string{"main"}
	for i := range commits {
		switch b := branches[rnd.Intn(len(branches))]; rnd.Intn(8) {
		case 0:
			name := fmt.Sprintf("b%d", i)
			s.git(repo, "checkout", "-q", "-b", name, b)
			branches = append(branches, name)
		case 1:
			s.git(repo, "checkout", "-q", b)
			others := []string{branches[rnd.Intn(len(branches))], branches[rnd.Intn(len(branches))]}
			if _, err := s.try(repo, append([]string{"merge", "-q", "--no-edit", "-X", "ours"}, others...)...); err != nil {
				s.git(repo, "reset", "-q", "--hard")
			}
		case 2:
			s.git(repo, "mv", "-k", "start.txt", fmt.Sprintf("moved%d.txt", i))
			s.git(repo, "commit", "-q", "--allow-empty", "-m", "move")
		default:
			s.commit(repo, fmt.Sprintf("d%d/f%d.txt", rnd.Intn(3), rnd.Intn(9)), fmt.Sprintf("content %d\n", rnd.Intn(40)))
		}
	}
	s.git(repo, "checkout", "-q", "--orphan", "island")
	s.commit(repo, "island.txt", "island\n")
	s.git(repo, "tag", "-a", "-m", "tagged blob", "blobtag", s.git(repo, "rev-parse", "HEAD:island.txt"))
	s.git(repo, "tag", "-a", "-m", "tagged tree", "treetag", s.git(repo, "rev-parse", "main^{tree}"))
	s.git(repo, "notes", "add", "-m", "a note", "main")
	s.write(repo+"/island.txt", "stashed\n")
	s.git(repo, "stash", "-q")
	s.git(repo, "checkout", "-q", "--detach")
	s.commit(repo, "detached.txt", "detached\n")
}

func TestHistoryEqualsRevList(t *testing.T) {
	s := newSandbox(t)
	s.grow("r", 60)
	want := s.reachableBlobs("r", "--all", "HEAD")
	both(t, func(t *testing.T, backend string) {
		h := scan(t, s.open("r", backend).History(HistoryOptions{})).whole()
		equalLists(t, h.blobs(), want)
		if got := fmt.Sprint(h.coverage.Commits); got != s.git("r", "rev-list", "--count", "--all", "HEAD") {
			t.Errorf("%s commits", got)
		}
	})
	s.git("r", "repack", "-q", "-a", "-d", "--depth=30", "--window=30")
	s.git("r", "pack-refs", "--all")
	both(t, func(t *testing.T, backend string) {
		h := scan(t, s.open("r", backend).History(HistoryOptions{})).whole()
		equalLists(t, h.blobs(), want)
		for _, o := range h.objects {
			if o.Kind != scanner.Content || o.Path == "" || o.Commit == nil {
				continue
			}
			if id := s.git("r", "rev-parse", o.Commit.ID+":"+o.Path); id != o.ID {
				t.Errorf("%s:%s is %s, not %s", o.Commit.ID, o.Path, id, o.ID)
			}
		}
	})
}

// The commit that brought a blob has no ancestor that holds it.
func TestHistoryFirstCommit(t *testing.T) {
	s := newSandbox(t)
	s.grow("r", 40)
	h := scan(t, s.open("r", "").History(HistoryOptions{})).whole()
	checked := 0
	for _, o := range h.objects {
		if o.Kind != scanner.Content || o.Commit == nil {
			continue
		}
		for _, p := range strings.Fields(s.git("r", "show", "-s", "--format=%P", o.Commit.ID)) {
			if strings.Contains(s.git("r", "rev-list", "--objects", p), o.ID) {
				t.Errorf("blob %s was in an ancestor of %s already", o.ID, o.Commit.ID)
			}
			checked++
		}
	}
	if checked < 10 {
		t.Fatalf("only %d parents were checked", checked)
	}
}

func TestHistoryAttribute(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "a\n")
		brought := s.commit("r", "d/s.txt", "SECRET\n")
		s.commit("r", "b.txt", "b\n")
		s.git("r", "mv", "d/s.txt", "t.txt")
		s.git("r", "commit", "-q", "-m", "move")
		s.git("r", "rm", "-q", "t.txt")
		s.git("r", "commit", "-q", "-m", "remove")
		src := s.open("r", backend).History(HistoryOptions{})
		h := scan(t, src).whole()
		h.want("SECRET", "d/s.txt:1")
		o := h.object(scanner.Content, "d/s.txt")
		if err := src.(scanner.Attributor).Attribute(context.Background(), []*scanner.Object{o.Object}); err != nil {
			t.Fatal(err)
		}
		if o.Commit.ID != brought || o.OtherCommits != 2 {
			t.Errorf("brought by %s, %d other commits; want %s, 2", o.Commit.ID, o.OtherCommits, brought)
		}
	})
}

func TestHistoryKeepsStashWorktreesAndAllObjects(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "a\n")
		for _, w := range []string{"ONE", "TWO"} {
			s.write("r/a.txt", w+" STASH SECRET\n")
			s.git("r", "stash", "-q")
		}
		s.git("r", "worktree", "add", "-q", "--detach", s.path("wt"))
		s.commit("wt", "w.txt", "WORKTREE SECRET\n")
		s.commit("r", "dropped.txt", "DROPPED SECRET\n")
		s.git("r", "reset", "-q", "--hard", "HEAD~1")
		s.write("r/loose.txt", "LOOSE SECRET\n")
		s.git("r", "hash-object", "-w", "loose.txt")
		s.git("r", "branch", "name-SECRET")
		reachable := []string{"a.txt:1", "a.txt:1", "w.txt:1", "ref-name :1"}
		h := scan(t, s.open("r", backend).History(HistoryOptions{})).whole()
		h.want("SECRET", reachable...)
		scan(t, s.open("wt", backend).History(HistoryOptions{})).whole().want("SECRET", reachable...)
		h = scan(t, s.open("r", backend).History(HistoryOptions{AllObjects: true})).whole()
		h.want("SECRET", append(reachable, "dropped.txt:1", ":1")...)
		if h.object(scanner.Content, "dropped.txt").Commit == nil {
			t.Error("a dropped commit does not attribute its blobs")
		}
		s.git("r", "repack", "-q", "-a", "-d")
		h = scan(t, s.open("r", backend).History(HistoryOptions{AllObjects: true})).whole()
		var ids []string
		for _, line := range strings.Split(s.git("r", "cat-file", "--batch-all-objects", "--batch-check"), "\n") {
			if w := strings.Fields(line); w[1] == "blob" {
				ids = append(ids, w[0])
			}
		}
		equalLists(t, h.blobs(), ids)
	})
}

func TestHistoryOnlyMerge(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "a\n")
		s.git("r", "checkout", "-q", "-b", "side")
		s.commit("r", "b.txt", "b\n")
		s.git("r", "checkout", "-q", "main")
		s.commit("r", "c.txt", "c\n")
		s.git("r", "merge", "-q", "--no-commit", "side")
		s.write("r/evil.txt", "SECRET\n")
		s.git("r", "add", ".")
		s.git("r", "commit", "-q", "-m", "merge")
		merge := s.git("r", "rev-parse", "HEAD")
		h := scan(t, s.open("r", backend).History(HistoryOptions{})).whole()
		h.want("SECRET", "evil.txt:1")
		if o := h.object(scanner.Content, "evil.txt"); o.Commit.ID != merge {
			t.Errorf("attributed to %s", o.Commit.ID)
		}
	})
}

func TestHistoryEmptyRepository(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		h := scan(t, s.open("r", backend).History(HistoryOptions{})).whole()
		if len(h.objects) != 0 {
			t.Errorf("emitted %d objects", len(h.objects))
		}
	})
}

func TestHistoryBare(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "SECRET\n")
		s.git(".", "clone", "-q", "--bare", s.path("r"), "bare.git")
		r := s.open("bare.git", backend)
		scan(t, r.History(HistoryOptions{})).whole().want("SECRET", "a.txt:1")
		if r.Root() != r.GitDir() {
			t.Errorf("root %s, git dir %s", r.Root(), r.GitDir())
		}
	})
}

func TestHistoryBrokenRef(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	s.commit("r", "a.txt", "SECRET\n")
	s.write("r/.git/refs/heads/bad", "not an id\n")
	h := scan(t, s.open("r", backendGoGit).History(HistoryOptions{}))
	h.hasProblem("refs/heads/bad")
	h.want("SECRET", "a.txt:1")
	s.write("r/.git/refs/heads/bad", strings.Repeat("1", 40)+"\n")
	scan(t, s.open("r", backendGoGit).History(HistoryOptions{})).hasProblem(strings.Repeat("1", 40))
}
