package gitrepo

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// What the user or the repository configures changes nothing that is read.
func TestConfigurationHidesNothing(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "a.env", "x\n")
		s.write("r/.gitattributes", "* -diff binary filter=hide diff=hide -text working-tree-encoding=UTF-16\n")
		s.write("home/.gitconfig", `[init]
	defaultBranch = main
[color]
	ui = always
[diff]
	external = /bin/true
	noprefix = true
	ignoreSubmodules = all
[diff "hide"]
	textconv = /bin/true
[filter "hide"]
	clean = cat
	smudge = true
[core]
	quotePath = true
	pager = /bin/false
	fsmonitor = /bin/false
	abbrev = 4
	attributesFile = /nonexistent
[log]
	showSignature = true
	showRoot = false
[alias]
	cat-file = !false
[status]
	showUntrackedFiles = no
`)
		s.write("r/a.env", "x\nSECRET\n")
		s.git("r", "update-index", "--add", "--cacheinfo", "100644,"+s.git("r", "hash-object", "-w", "--no-filters", "a.env")+",a.env")
		r := s.open("r", backend)
		scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "a.env:2")
		s.git("r", "commit", "-q", "-m", "c")
		mustRange(t, r, base+"..HEAD").whole().want("SECRET", "a.env:2")
		scan(t, r.History(HistoryOptions{})).whole().want("SECRET", "a.env:2")
	})
}

func TestReplaceAndGraftsHideNothing(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "a.txt", "a\n")
		leak := s.commit("r", "leak.txt", "SECRET\n")
		s.commit("r", "leak.txt", "clean\n")
		blob, clean := s.git("r", "rev-parse", leak+":leak.txt"), s.git("r", "rev-parse", "HEAD:leak.txt")
		s.git("r", "replace", blob, clean)
		s.git("r", "replace", leak, base)
		s.write("r/.git/info/grafts", s.git("r", "rev-parse", "HEAD")+" "+base+"\n")
		r := s.open("r", backend, "GIT_REPLACE_REF_BASE=refs/replace/")
		mustRange(t, r, base+"..HEAD").whole().want("SECRET", "leak.txt:1")
		scan(t, r.History(HistoryOptions{})).whole().want("SECRET", "leak.txt:1")
	})
}

func TestSHA256(t *testing.T) {
	s := newSandbox(t)
	s.init("r", "--object-format=sha256")
	base := s.commit("r", "d/a.txt", "old\n")
	s.commit("r", "d/b.txt", "RANGE SECRET\n")
	s.git("r", "tag", "-a", "-m", "TAG SECRET", "v1")
	s.write("r/d/a.txt", "old\nSTAGED SECRET\n")
	s.git("r", "add", ".")
	r := s.open("r", "")
	h := scan(t, r.Staged(StagedOptions{})).whole()
	h.want("SECRET", "d/a.txt:2")
	if h.coverage.Backend != backendGit {
		t.Errorf("read by %s", h.coverage.Backend)
	}
	mustRange(t, r, base+"..HEAD").whole().want("SECRET", "d/b.txt:1", "tag-message :1")
	mustRange(t, r, "HEAD^..HEAD").whole().want("SECRET", "d/b.txt:1", "tag-message :1")
	h = scan(t, r.History(HistoryOptions{})).whole()
	h.want("SECRET", "d/b.txt:1", "tag-message :1")
	equalLists(t, h.blobs(), s.reachableBlobs("r", "--all"))
	var usage *scanner.UsageError
	if _, err := s.tryOpen(Options{Dir: s.path("r"), Backend: backendGoGit}); !errors.As(err, &usage) {
		t.Errorf("forcing go-git: %v", err)
	}
}

// git 2.39 cannot make a reftable, so this tests that one is not taken for
// an empty repository: git is asked, and its refusal is an error.
func TestReftableIsLeftToGit(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	s.commit("r", "a.txt", "SECRET\n")
	s.git("r", "config", "core.repositoryFormatVersion", "1")
	s.git("r", "config", "extensions.refStorage", "reftable")
	r := s.open("r", "")
	if r.needGit == "" {
		t.Fatal("reftable was not noticed")
	}
	if _, err := s.try("r", "status"); err == nil {
		t.Skip("this git reads reftable")
	}
	for name, h := range map[string]*haul{
		"staged": scan(t, r.Staged(StagedOptions{})), "history": scan(t, r.History(HistoryOptions{})),
	} {
		if h.err == nil || !strings.Contains(h.err.Error(), "refstorage") {
			t.Errorf("%s: error %v", name, h.err)
		}
	}
	if _, err := r.Range(context.Background(), "HEAD^..HEAD"); err == nil {
		t.Error("a range resolved")
	}
}

// git touches the time of the shared part of a split index whenever it reads
// it; nothing else may change.
func TestSplitIndex(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "in/a.txt", "OLD SECRET\n")
		s.git("r", "update-index", "--split-index")
		s.write("r/new.txt", "SECRET\n")
		s.git("r", "add", "new.txt")
		data, err := os.ReadFile(s.path("r/.git/index"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseIndex(data, sha1Len); !errors.Is(err, errIndexNeedsGit) {
			t.Fatalf("not a split index: %v", err)
		}
		state := func() string {
			var lines []string
			for _, l := range strings.Split(s.tree("r/.git"), "\n") {
				if !strings.Contains(l, "sharedindex") {
					lines = append(lines, l)
				}
			}
			return strings.Join(lines, "\n")
		}
		before := state()
		r := s.open("r", "")
		if backend == backendGoGit {
			r = s.open("r", backend)
			if h := scan(t, r.Staged(StagedOptions{})); !errors.Is(h.err, errIndexNeedsGit) {
				t.Errorf("forced to go-git: %v", h.err)
			}
			return
		}
		h := scan(t, r.Staged(StagedOptions{})).whole()
		h.want("SECRET", "new.txt:1")
		if h.coverage.Backend != backendGit {
			t.Errorf("read by %s", h.coverage.Backend)
		}
		if state() != before {
			t.Error("the repository was written to")
		}
	})
}

// A sparse index holds whole directories. They are compared, not skipped.
func TestSparseDirectory(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "in/a.txt", "a\n")
		s.commit("r", "out/deep/b.txt", "b\n")
		before := s.git("r", "rev-parse", "HEAD")
		s.commit("r", "out/deep/c.txt", "SPARSE SECRET\n")
		s.git("r", "sparse-checkout", "init", "--cone", "--sparse-index")
		s.git("r", "sparse-checkout", "set", "in")
		s.write("r/in/new.txt", "SECRET\n")
		s.git("r", "add", "in")
		data, err := os.ReadFile(s.path("r/.git/index"))
		if err != nil {
			t.Fatal(err)
		}
		if ix, err := parseIndex(data, sha1Len); err != nil || !ix.entries[len(ix.entries)-1].sparse() {
			t.Fatalf("not a sparse index: %v", err)
		}
		state := s.tree("r/.git")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "in/new.txt:1")
		if h.coverage.Blobs != 1 {
			t.Errorf("coverage: %+v", h.coverage)
		}
		if s.tree("r/.git") != state {
			t.Error("the repository was written to")
		}
		// against a HEAD whose directory differs
		s.git("r", "update-ref", "HEAD", before)
		scan(t, s.open("r", backend).Staged(StagedOptions{})).whole().want("SECRET", "in/new.txt:1", "out/deep/c.txt:1")
		// and one that has no such directory
		s.git("r", "update-ref", "HEAD", before+"^")
		scan(t, s.open("r", backend).Staged(StagedOptions{})).whole().want("SECRET", "in/new.txt:1", "out/deep/c.txt:1")
	})
}

func TestPartialClone(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("origin")
		s.git("origin", "config", "uploadpack.allowFilter", "true")
		s.git("origin", "config", "uploadpack.allowAnySHA1InWant", "true")
		s.commit("origin", "old.txt", "SECRET one\n")
		s.commit("origin", "old.txt", "SECRET two\n")
		s.commit("origin", "old.txt", "clean\n")
		s.git(".", "clone", "-q", "--filter=blob:none", "file://"+s.path("origin"), "r")
		s.write("r/new.txt", "SECRET\n")
		s.git("r", "add", ".")
		before := s.tree("r/.git/objects")
		r := s.open("r", backend)
		scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "new.txt:1")
		h := scan(t, r.History(HistoryOptions{}))
		h.hasProblem("2 objects are missing: the clone is partial")
		mustRange(t, r, "HEAD~1..HEAD").whole().want("clean", "old.txt:1")
		mustRange(t, r, "HEAD~2..HEAD").hasProblem("1 object is missing")
		if s.tree("r/.git/objects") != before {
			t.Error("objects were fetched")
		}
	})
}

func TestAlternates(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("a")
		s.commit("a", "one.txt", "ONE SECRET\n")
		s.git(".", "clone", "-q", "--shared", s.path("a"), "b")
		s.commit("b", "two.txt", "TWO SECRET\n")
		s.git("b", "repack", "-q", "-d", "-l")
		s.git(".", "clone", "-q", "--shared", s.path("b"), "c")
		s.write("c/.git/objects/info/alternates", "# a comment\n../../../b/.git/objects\n")
		s.commit("c", "three.txt", "THREE SECRET\n")
		h := scan(t, s.open("c", backend).History(HistoryOptions{})).whole()
		h.want("SECRET", "one.txt:1", "two.txt:1", "three.txt:1")
		equalLists(t, h.blobs(), s.reachableBlobs("c", "--all"))
	})
}

// A pre-receive hook sees the push only through the quarantine that its
// environment names.
func TestQuarantine(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		old := s.commit("r", "a.txt", "OLD SECRET\n")
		s.git(".", "clone", "-q", "--bare", s.path("r"), "hub.git")
		s.commit("r", "b.txt", "PUSHED SECRET\n")
		s.write("hub.git/hooks/pre-receive", "#!/bin/sh\nenv | grep ^GIT_ >'"+s.path("env")+"'\npwd >'"+s.path("pwd")+"'\ncp -r \"$GIT_QUARANTINE_PATH\" '"+s.path("kept")+"'\nexit 1\n")
		if err := os.Chmod(s.path("hub.git/hooks/pre-receive"), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := s.try("r", "push", s.path("hub.git"), "main"); err == nil {
			t.Fatal("the push went through: " + out)
		}
		raw, err := os.ReadFile(s.path("env"))
		if err != nil {
			t.Fatal(err)
		}
		var env []string
		for _, e := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
			key, _, _ := strings.Cut(e, "=")
			if key == "GIT_OBJECT_DIRECTORY" || key == "GIT_QUARANTINE_PATH" {
				e = key + "=" + s.path("kept") // git removed its own by now
			}
			env = append(env, e)
		}
		r := s.open("hub.git", backend, env...)
		pushed := s.git("r", "rev-parse", "HEAD")
		mustRange(t, r, old+".."+pushed).whole().want("SECRET", "b.txt:1")
		mustRange(t, r, pushed+" --not --all").whole().want("SECRET", "b.txt:1")
		if _, err := s.open("hub.git", backend).Range(context.Background(), old+".."+pushed); err == nil {
			t.Error("the pushed commit was found without the quarantine: the test proves nothing")
		}
	})
}

func TestNotARepository(t *testing.T) {
	s := newSandbox(t)
	s.write("plain/a.txt", "SECRET\n")
	env := append(append([]string(nil), s.env...), "GIT_CEILING_DIRECTORIES="+s.dir)
	for name, o := range map[string]Options{
		"no repository": {Dir: s.path("plain"), Environ: env},
		"no directory":  {Dir: s.path("absent"), Environ: env},
		"a file":        {Dir: s.path("plain/a.txt"), Environ: env},
		"GIT_DIR":       {Dir: s.path("plain"), Environ: append(env, "GIT_DIR=nowhere")},
	} {
		if _, err := s.tryOpen(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	s.write("plain/.git", "gitdir: ../nowhere\n")
	if _, err := s.tryOpen(Options{Dir: s.path("plain"), Environ: env}); err == nil {
		t.Error("a .git file that points nowhere: opened")
	}
}

func TestDubiousOwnership(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	s.write("r/a.txt", "SECRET\n")
	s.git("r", "add", ".")
	other := append(append([]string(nil), s.env...), "GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
	r, err := s.tryOpen(Options{Dir: s.path("r"), Backend: backendGit, Environ: other})
	if err != nil {
		t.Fatal(err)
	}
	h := scan(t, r.Staged(StagedOptions{}))
	h.hasProblem("git config --global --add safe.directory '" + s.path("r") + "'")
	h.hasProblem("--trust-repo")
	r, err = s.tryOpen(Options{Dir: s.path("r"), Backend: backendGit, Environ: other, TrustRepo: true})
	if err != nil {
		t.Fatal(err)
	}
	scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "a.txt:1")
	// go-git runs nothing that the repository configures, so it may read
	r, err = s.tryOpen(Options{Dir: s.path("r"), Environ: other})
	if err != nil {
		t.Fatal(err)
	}
	scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "a.txt:1")
}

func TestDamagedIndex(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.write("r/a.txt", "SECRET\n")
		s.git("r", "add", ".")
		file := s.path("r/.git/index")
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		flipped := append([]byte(nil), good...)
		flipped[20] ^= 1
		for name, bad := range map[string][]byte{"flipped": flipped, "cut": good[:len(good)/2], "empty file": {}, "text": []byte("hello")} {
			if err := os.WriteFile(file, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			if h := scan(t, s.open("r", backend).Staged(StagedOptions{})); h.err == nil {
				t.Errorf("%s: no error, covered %+v", name, h.coverage)
			}
		}
		if h := scan(t, s.open("r", backend, "GIT_INDEX_FILE="+s.path("gone")).Staged(StagedOptions{})); h.err == nil {
			t.Error("an index that is not there: no error")
		}
	})
}

func TestDamagedHEADAndTree(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "d/a.txt", "a\n")
		s.write("r/d/a.txt", "SECRET\n")
		s.git("r", "add", ".")
		s.corrupt("r", s.git("r", "rev-parse", "HEAD^{tree}"))
		if h := scan(t, s.open("r", backend).Staged(StagedOptions{})); h.err == nil {
			t.Errorf("a corrupt tree: covered %+v", h.coverage)
		}
		s.write("r/.git/refs/heads/main", strings.Repeat("0", 39)+"1\n")
		if h := scan(t, s.open("r", backend).Staged(StagedOptions{})); h.err == nil {
			t.Errorf("a HEAD that is not there: covered %+v", h.coverage)
		}
	})
}

func TestDamagedPack(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		for i := range 20 {
			s.commit("r", "f.txt", strings.Repeat("some line\n", 50+i)+strings.Repeat("x", i*7)+"\n")
		}
		s.git("r", "repack", "-q", "-a", "-d")
		packs, _ := filepath.Glob(s.path("r/.git/objects/pack/*.pack"))
		good, err := os.ReadFile(packs[0])
		if err != nil {
			t.Fatal(err)
		}
		flipped := append([]byte(nil), good...)
		for i := len(good) / 2; i < len(good)/2+64; i++ {
			flipped[i] ^= 0xff
		}
		for name, bad := range map[string][]byte{"flipped": flipped, "truncated": good[:len(good)/2], "empty": {}} {
			if err := os.Chmod(packs[0], 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(packs[0], bad, 0o644); err != nil {
				t.Fatal(err)
			}
			h := scan(t, s.open("r", backend).History(HistoryOptions{}))
			if h.err == nil && h.coverage.Complete() {
				t.Errorf("%s pack: covered %+v", name, h.coverage)
			}
		}
	})
}

// Another directory is looked at without the variables of this one.
func TestOtherDirectoryIgnoresHookEnvironment(t *testing.T) {
	s := newSandbox(t)
	s.init("here")
	s.init("there")
	s.write("there/a.txt", "SECRET\n")
	s.git("there", "add", ".")
	t.Setenv("GIT_DIR", s.path("here/.git"))
	t.Setenv("GIT_INDEX_FILE", s.path("here/.git/index"))
	r, err := Open(context.Background(), Options{Dir: s.path("there")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "a.txt:1")
}

// In a hook, another directory of the same repository is looked at with the
// index that the hook was given.
func TestSubdirectoryKeepsHookEnvironment(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	s.commit("r", "sub/a.txt", "x\n")
	s.write("r/b.txt", "SECRET\n")
	t.Chdir(s.path("r"))
	t.Setenv("GIT_INDEX_FILE", ".git/other-index")
	s.env = append(s.env, "GIT_INDEX_FILE=.git/other-index")
	s.git("r", "add", ".")
	r, err := Open(context.Background(), Options{Dir: "sub"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "b.txt:1")
}

func TestGitProgramMissing(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	s.write("r/a.txt", "SECRET\n")
	s.git("r", "add", ".")
	r, err := s.tryOpen(Options{Dir: s.path("r"), Git: "no-such-git"})
	if err != nil {
		t.Fatal(err)
	}
	scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "a.txt:1")
	r, err = s.tryOpen(Options{Dir: s.path("r"), Git: "no-such-git", Backend: backendGit})
	if err != nil {
		t.Fatal(err)
	}
	if h := scan(t, r.Staged(StagedOptions{})); !errors.Is(h.err, exec.ErrNotFound) {
		t.Errorf("error %v", h.err)
	}
}

func TestInterrupt(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.grow("r", 10)
		r := s.open("r", backend)
		ctx, cancel := context.WithCancel(context.Background())
		_, err := r.History(HistoryOptions{}).Chunks(ctx, func(*scanner.Chunk) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		stop := errors.New("enough")
		_, err = r.History(HistoryOptions{}).Chunks(context.Background(), func(*scanner.Chunk) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("stopped by emit: %v", err)
		}
	})
}
