package gitrepo

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

func TestRangeForms(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "base.txt", "BASE SECRET\n")
		s.git("r", "checkout", "-q", "-b", "topic")
		topic := s.commit("r", "topic.txt", "TOPIC SECRET\n")
		s.git("r", "checkout", "-q", "main")
		s.commit("r", "main.txt", "MAIN SECRET\n")
		s.git("r", "tag", "light", topic)
		r := s.open("r", backend)
		cases := []struct {
			spec string
			want []string
		}{
			{"main..topic", []string{"topic.txt:1"}},
			{"topic..main", []string{"main.txt:1"}},
			{"topic..", []string{"main.txt:1"}},
			{"..topic", []string{"topic.txt:1"}},
			{"main...topic", []string{"main.txt:1", "topic.txt:1"}},
			{"topic", []string{"topic.txt:1"}},
			{"light", []string{"topic.txt:1"}},
			{topic, []string{"topic.txt:1"}},
			{topic[:10], []string{"topic.txt:1"}},
			{"refs/heads/topic", []string{"topic.txt:1"}},
			{base + "..HEAD", []string{"main.txt:1"}},
			{"HEAD~1..HEAD", []string{"main.txt:1"}},
			{"HEAD^..@", []string{"main.txt:1"}},
			{"HEAD^1..HEAD^0", []string{"main.txt:1"}},
			{"topic ^main", []string{"topic.txt:1"}},
			{"topic --not main", []string{"topic.txt:1"}},
			{"--branches --not main", []string{"topic.txt:1"}},
			{strings.Repeat("0", 40) + "..topic", []string{"topic.txt:1"}},
			{topic + ".." + strings.Repeat("0", 40), nil},
			{"main..main", nil},
		}
		for _, c := range cases {
			t.Run(c.spec, func(t *testing.T) {
				mustRange(t, r, c.spec).whole().want("SECRET", c.want...)
			})
		}
	})
}

func TestRangeEmptyIsProven(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "SECRET\n")
		h := mustRange(t, s.open("r", backend), "HEAD..HEAD").whole()
		if h.coverage.What != "0 new commits in HEAD..HEAD" || h.coverage.Commits != 0 {
			t.Errorf("coverage: %+v", h.coverage)
		}
	})
}

func TestRangeDefault(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("origin")
		s.commit("origin", "base.txt", "BASE SECRET\n")
		s.git(".", "clone", "-q", s.path("origin"), "r")
		s.commit("r", "main.txt", "MAIN SECRET\n")
		r := s.open("r", backend)
		h := mustRange(t, r, "").whole()
		h.want("SECRET", "main.txt:1")
		if h.coverage.What != "1 new commit in origin/main..HEAD" {
			t.Errorf("coverage says %q", h.coverage.What)
		}
		// no upstream: the default branch of origin
		s.git("r", "checkout", "-q", "-b", "topic")
		s.commit("r", "topic.txt", "TOPIC SECRET\n")
		mustRange(t, s.open("r", backend), "").whole().want("SECRET", "main.txt:1", "topic.txt:1")
		// an upstream of its own
		s.git("r", "push", "-q", "-u", "origin", "topic")
		s.commit("r", "more.txt", "MORE SECRET\n")
		mustRange(t, s.open("r", backend), "").whole().want("SECRET", "more.txt:1")
		// a local upstream
		s.git("r", "branch", "-q", "--set-upstream-to=main")
		mustRange(t, s.open("r", backend), "").whole().want("SECRET", "more.txt:1", "topic.txt:1")
		// detached, as in CI
		s.git("r", "checkout", "-q", "--detach")
		mustRange(t, s.open("r", backend), "").whole().want("SECRET", "main.txt:1", "more.txt:1", "topic.txt:1")
	})
}

// A branch measured against itself would be clean for ever.
func TestRangeDefaultCannotBeTold(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "SECRET\n")
		for _, spec := range []string{"", "HEAD", "main"} {
			_, err := s.open("r", backend).Range(context.Background(), spec)
			var usage *scanner.UsageError
			if !errors.As(err, &usage) || !strings.Contains(usage.Fix, "spillgate range") {
				t.Errorf("range %q: %v", spec, err)
			}
		}
		// init.defaultBranch names the default branch
		s.git("r", "checkout", "-q", "-b", "trunk")
		s.commit("r", "b.txt", "SECRET\n")
		s.git("r", "branch", "-q", "-m", "main", "elsewhere")
		s.git("r", "checkout", "-q", "-b", "topic")
		s.commit("r", "c.txt", "SECRET\n")
		s.write("home/.gitconfig", "[init]\n\tdefaultBranch = \"trunk\" # ours\n")
		mustRange(t, s.open("r", backend), "").whole().want("SECRET", "c.txt:1")
	})
}

func TestRangeUnresolvable(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "SECRET\n")
		blob := s.git("r", "rev-parse", "HEAD:a.txt")
		for _, spec := range []string{
			"nope..HEAD", "HEAD..nope", "HEAD~7..HEAD", "HEAD^2..HEAD", "--exec=x HEAD", "-x..HEAD", "../../etc..HEAD",
			strings.Repeat("1", 40) + "..HEAD", blob + "..HEAD", "HEAD:a.txt..HEAD",
		} {
			if src, err := s.open("r", backend).Range(context.Background(), spec); err == nil {
				h := scan(t, src)
				t.Errorf("range %q gave %q, error %v", spec, h.coverage.What, h.err)
			}
		}
	})
}

func TestRangeUnborn(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		h := mustRange(t, s.open("r", backend), "").whole()
		if h.coverage.What != "0 new commits in the unborn branch main" {
			t.Errorf("coverage says %q", h.coverage.What)
		}
	})
}

func TestRangeMerge(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "f.txt", "1\n2\n3\n4\n5\n")
		s.git("r", "checkout", "-q", "-b", "side")
		s.commit("r", "f.txt", "SIDE SECRET\n1\n2\n3\n4\n5\n")
		s.commit("r", "side.txt", "OTHER SECRET\n")
		s.git("r", "checkout", "-q", "main")
		s.commit("r", "f.txt", "1\n2\n3\n4\n5\nMAIN SECRET\n")
		s.git("r", "merge", "-q", "--no-commit", "side")
		s.write("r/f.txt", "SIDE SECRET\n1\n2\nEVIL SECRET\n3\n4\n5\nMAIN SECRET\n")
		s.write("r/evil.txt", "EVIL SECRET\n")
		s.git("r", "add", ".")
		s.git("r", "commit", "-q", "-m", "merge")
		h := mustRange(t, s.open("r", backend), base+"..HEAD").whole()
		h.want("EVIL SECRET", "evil.txt:1", "f.txt:4")
		h.want("SIDE SECRET", "f.txt:1")
		h.want("MAIN SECRET", "f.txt:6")
		h.want("OTHER SECRET", "side.txt:1")
		if h.coverage.Commits != 4 {
			t.Errorf("%d commits", h.coverage.Commits)
		}
		// main has all but the side branch and the merge's own
		mustRange(t, s.open("r", backend), "HEAD^1..HEAD").whole().want("SECRET", "side.txt:1", "evil.txt:1", "f.txt:1", "f.txt:4")
		// the merge alone
		h = mustRange(t, s.open("r", backend), "HEAD ^HEAD^1 ^HEAD^2").whole()
		h.want("SECRET", "evil.txt:1", "f.txt:4")
		if h.coverage.Blobs != 2 {
			t.Errorf("the merge brought %d blobs, want 2", h.coverage.Blobs)
		}
	})
}

func TestRangeOctopusAndRoots(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "base.txt", "x\n")
		for _, b := range []string{"one", "two"} {
			s.git("r", "checkout", "-q", "-b", b, "main")
			s.commit("r", b+".txt", b+" SECRET\n")
		}
		s.git("r", "checkout", "-q", "--orphan", "three")
		s.git("r", "rm", "-rfq", ".")
		s.commit("r", "three.txt", "three SECRET\n")
		s.git("r", "checkout", "-q", "main")
		s.git("r", "merge", "-q", "--no-edit", "one", "two")
		s.git("r", "merge", "-q", "--no-edit", "--allow-unrelated-histories", "three")
		h := mustRange(t, s.open("r", backend), base+"..HEAD").whole()
		h.want("SECRET", "one.txt:1", "three.txt:1", "two.txt:1")
	})
}

func TestRangeRenames(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		body := "OLD SECRET\na\nb\nc\nd\ne\n"
		s.commit("r", "a.txt", body)
		base := s.commit("r", "dir/b.txt", "z\n"+body)
		s.git("r", "mv", "a.txt", "a2.txt")
		s.git("r", "mv", "dir", "other")
		s.write("r/other/b.txt", "z\n"+body+"NEW SECRET\n")
		s.git("r", "commit", "-q", "-a", "-m", "rename")
		h := mustRange(t, s.open("r", backend), base+"..HEAD").whole()
		h.want("SECRET", "other/b.txt:8")
		h.want("other", "file-name other/b.txt:1")
	})
}

// A blob that comes back is the same change only against the same parents.
func TestRangeEachChangeOnce(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "f.txt", "a\n")
		s.commit("r", "f.txt", "a\nSECRET\n")
		s.commit("r", "f.txt", "a\n")
		s.commit("r", "f.txt", "a\nSECRET\n")
		h := mustRange(t, s.open("r", backend), base+"..HEAD").whole()
		h.want("SECRET", "f.txt:2")
		// "a" replaced with SECRET taken out, and put back: one blob each
		if h.coverage.Blobs != 2 {
			t.Errorf("read %d blobs, want 2", h.coverage.Blobs)
		}
	})
}

func TestRangeMessagesPeopleTagsNames(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "a.txt", "x\n")
		s.git("r", "tag", "-a", "-m", "OLDTAG SECRET", "v0")
		s.write("r/d/name-SECRET.txt", "x\n")
		s.git("r", "add", ".")
		s.git("r", "commit", "-q", "--author", "An SECRET <author-SECRET@example.com>", "-m", "subject", "-m", "MESSAGE SECRET")
		s.git("r", "tag", "-a", "-m", "TAG SECRET", "v1")
		s.git("r", "tag", "-a", "-m", "TAGTAG SECRET", "v2", "v1")
		want := []string{
			"commit-message :3", "file-name d/name-SECRET.txt:1", "identity :1", "tag-message :1", "tag-message :1",
		}
		mustRange(t, s.open("r", backend), base+"..HEAD").whole().want("SECRET", want...)
		s.git("r", "pack-refs", "--all")
		h := mustRange(t, s.open("r", backend), base+"..HEAD").whole()
		h.want("SECRET", want...)
		for _, o := range h.objects {
			if o.Kind == scanner.TagMessage && o.Ref != "v1" && o.Ref != "v2" {
				t.Errorf("tag message of %q", o.Ref)
			}
			if o.Kind == scanner.CommitMessage && (o.Commit.Author != "An SECRET" || o.Commit.Subject != "subject" || o.Commit.Date == "") {
				t.Errorf("commit: %+v", o.Commit)
			}
		}
		if h.coverage.Tags != 2 || h.coverage.Commits != 1 {
			t.Errorf("coverage: %+v", h.coverage)
		}
		// a new tag on an old commit, as a push of a tag names it
		tag := s.git("r", "rev-parse", "v0")
		mustRange(t, s.open("r", backend), tag+" ^"+base).whole().want("SECRET", "tag-message :1")
	})
}

func TestRangeSubmodule(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("lib")
		s.commit("lib", "l.txt", "lib\n")
		s.init("r")
		base := s.commit("r", "a.txt", "old\n")
		s.git("r", "submodule", "--quiet", "add", s.path("lib"), "sm")
		s.git("r", "commit", "-q", "-m", "add")
		h := mustRange(t, s.open("r", backend), base+"..HEAD").whole()
		if h.skipped("submodule") != 1 {
			t.Errorf("skipped: %+v", h.coverage.Skipped)
		}
		h.want("gitmodules", "file-name .gitmodules:1")
	})
}

func TestRangeClockSkew(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "A SECRET\n")
		s.tick = -1 << 20 // far in the past
		base := s.commit("r", "b.txt", "B SECRET\n")
		s.tick = 1 << 20
		s.commit("r", "c.txt", "C SECRET\n")
		s.tick = -1 << 19
		s.commit("r", "d.txt", "D SECRET\n")
		mustRange(t, s.open("r", backend), base+"..HEAD").whole().want("SECRET", "c.txt:1", "d.txt:1")
	})
}

func TestRangeShallow(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("origin")
		first := s.commit("origin", "a.txt", "A SECRET\n")
		s.commit("origin", "b.txt", "B SECRET\n")
		s.commit("origin", "c.txt", "C SECRET\n")
		s.git(".", "clone", "-q", "--depth=2", "file://"+s.path("origin"), "r")
		r := s.open("r", backend)
		// its base is there
		mustRange(t, r, "HEAD~1..HEAD").whole().want("SECRET", "c.txt:1")
		// its base is not
		if _, err := r.Range(context.Background(), first+"..HEAD"); err == nil || !strings.Contains(err.Error(), "fetch-depth: 0") {
			t.Errorf("a base that the clone lacks: %v", err)
		}
		// the walk runs into the boundary
		h := mustRange(t, r, "--branches --not --tags")
		h.hasProblem("git fetch --unshallow")
		h.want("SECRET", "c.txt:1") // and nothing of the commit at the boundary
		scan(t, r.History(HistoryOptions{})).hasProblem("git fetch --unshallow")
	})
}

func TestRangeMissingAndCorrupt(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "a.txt", "a\n")
		s.commit("r", "gone.txt", "gone\n")
		s.commit("r", "bad.txt", strings.Repeat("bad content of some length\n", 20))
		s.commit("r", "good.txt", "SECRET\n")
		gone, bad := s.git("r", "rev-parse", "HEAD:gone.txt"), s.git("r", "rev-parse", "HEAD:bad.txt")
		s.remove("r", gone)
		s.corrupt("r", bad)
		h := mustRange(t, s.open("r", backend), base+"..HEAD")
		h.hasProblem("gone.txt")
		h.hasProblem(gone)
		h.hasProblem("bad.txt")
		h.want("SECRET", "good.txt:1")
		if len(h.coverage.Problems) != 2 {
			t.Errorf("problems: %v", h.coverage.Problems)
		}
	})
}

func TestRangeMissingTreeAndCommit(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "a.txt", "a\n")
		broken := s.commit("r", "b.txt", "b\n")
		s.commit("r", "d/c.txt", "c\n")
		tree := s.git("r", "rev-parse", "HEAD:d")
		s.remove("r", tree)
		mustRange(t, s.open("r", backend), base+"..HEAD").hasProblem(tree)
		s.remove("r", broken)
		mustRange(t, s.open("r", backend), base+"..HEAD").hasProblem(broken)
		scan(t, s.open("r", backend).History(HistoryOptions{})).hasProblem(broken)
	})
}

// remove deletes a loose object.
func (s *sandbox) remove(repo, id string) {
	s.t.Helper()
	if err := os.Remove(s.path(repo + "/.git/objects/" + id[:2] + "/" + id[2:])); err != nil {
		s.t.Fatal(err)
	}
}
