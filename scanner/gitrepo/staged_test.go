package gitrepo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner"
)

func TestStagedUnborn(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.write("r/a.txt", "one\nSECRET\n")
		s.write("r/d/e/b.txt", "SECRET\n")
		s.git("r", "add", ".")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "a.txt:2", "d/e/b.txt:1")
		h.want("e/b", "file-name d/e/b.txt:1")
		if h.coverage.Backend != backend || h.coverage.Blobs != 2 || h.coverage.Names != 2 {
			t.Errorf("coverage: %+v", h.coverage)
		}
	})
}

func TestStagedOnlyNewLines(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "OLD SECRET\nb\nc\n")
		s.commit("r", "same.txt", "SECRET\n")
		s.write("r/a.txt", "OLD SECRET\nb\nNEW SECRET\nc\n")
		s.git("r", "add", ".")
		s.write("r/a.txt", "WORKTREE SECRET\n") // not staged
		before := s.tree("r/.git")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "a.txt:3")
		if h.coverage.Blobs != 1 {
			t.Errorf("read %d blobs, want 1", h.coverage.Blobs)
		}
		if s.tree("r/.git") != before {
			t.Error("the repository was written to")
		}
	})
}

func TestStagedNothing(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "d/a.txt", "SECRET\n")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		if len(h.objects) != 0 {
			t.Errorf("emitted %d objects", len(h.objects))
		}
	})
}

// The rows of the hook table: what GIT_INDEX_FILE and GIT_DIR are while each
// command runs the pre-commit hook. The hook writes them down and copies the
// index, since git removes its temporary ones.
func TestStagedHookEnvironment(t *testing.T) {
	cases := []struct {
		name string
		args []string
		want []string
	}{
		{"commit", []string{"commit", "-m", "x"}, []string{"staged.txt:1"}},
		{"commit -a", []string{"commit", "-a", "-m", "x"}, []string{"staged.txt:1", "tracked.txt:1"}},
		{"commit -i", []string{"commit", "-m", "x", "-i", "tracked.txt"}, []string{"staged.txt:1", "tracked.txt:1"}},
		{"commit --only", []string{"commit", "-m", "x", "--", "tracked.txt"}, []string{"tracked.txt:1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, backend string) {
				s := newSandbox(t)
				s.init("r")
				s.commit("r", "tracked.txt", "old\n")
				s.write("r/staged.txt", "SECRET\n")
				s.git("r", "add", "staged.txt")
				s.write("r/tracked.txt", "SECRET\n")
				inHook(s, "r", "r", c.args, func(env []string) {
					h := scan(t, s.open("r", backend, env...).Staged(StagedOptions{})).whole()
					h.want("SECRET", c.want...)
				})
			})
		})
	}
}

// inHook runs git in dir and calls f while its pre-commit hook waits, with the
// GIT_* variables that the hook was given.
func inHook(s *sandbox, repo, dir string, args []string, f func(env []string)) {
	s.t.Helper()
	fifo, done := s.path("started"), s.path("done")
	hook := filepath.Join(s.git(dir, "rev-parse", "--absolute-git-dir"), "hooks", "pre-commit")
	if common := s.git(dir, "rev-parse", "--git-common-dir"); filepath.IsAbs(common) {
		hook = filepath.Join(common, "hooks", "pre-commit")
	}
	script := "#!/bin/sh\nenv | grep ^GIT_ | grep -v -e AUTHOR -e COMMITTER >'" + fifo + ".tmp'; pwd >'" + fifo + ".pwd'\nmv '" + fifo + ".tmp' '" + fifo +
		"'\nfor i in $(seq 500); do [ -e '" + done + "' ] && exit 1; sleep 0.02; done; exit 1\n"
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(hook, []byte(script), 0o755); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan string)
	go func() {
		out, _ := s.try(dir, args...)
		ended <- out
	}()
	for {
		select {
		case out := <-ended:
			s.t.Fatalf("the hook did not run: %s", out)
		default:
		}
		if env, err := os.ReadFile(fifo); err == nil {
			f(strings.Split(strings.TrimSpace(string(env)), "\n"))
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
	<-ended
}

func TestStagedLinkedWorktree(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "old\n")
		s.git("r", "worktree", "add", "-q", s.path("wt"))
		s.write("wt/a.txt", "old\nSECRET\n")
		inHook(s, "r", "wt", []string{"commit", "-a", "-m", "x"}, func(env []string) {
			h := scan(t, s.open("wt", backend, env...).Staged(StagedOptions{})).whole()
			h.want("SECRET", "a.txt:2")
		})
		s.git("wt", "add", "-A")
		h := scan(t, s.open("wt", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "a.txt:2")
	})
}

func TestStagedSubmodule(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("lib")
		s.commit("lib", "l.txt", "lib\n")
		s.init("r")
		s.commit("r", "a.txt", "old\n")
		s.git("r", "submodule", "--quiet", "add", s.path("lib"), "sm")
		outer := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		if outer.skipped("submodule") != 1 {
			t.Errorf("the submodule was not skipped with a notice: %+v", outer.coverage)
		}
		s.write("r/sm/l.txt", "lib\nSECRET\n")
		inHook(s, "r/sm", "r/sm", []string{"commit", "-a", "-m", "x"}, func(env []string) {
			h := scan(t, s.open("r/sm", backend, env...).Staged(StagedOptions{})).whole()
			h.want("SECRET", "l.txt:2")
		})
	})
}

func TestStagedFromSubdirectory(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "deep/er/x.txt", "x\n")
		s.write("r/top.txt", "SECRET\n")
		s.git("r", "add", ".")
		r := s.open("r/deep/er", backend)
		scan(t, r.Staged(StagedOptions{})).whole().want("SECRET", "top.txt:1")
		if want, _ := filepath.EvalSymlinks(s.path("r")); r.Root() != s.path("r") && r.Root() != want {
			t.Errorf("root is %s", r.Root())
		}
		// relative to the top of the work tree, as git reads it
		rel := s.open("r/deep/er", backend, "GIT_INDEX_FILE=.git/index")
		scan(t, rel.Staged(StagedOptions{})).whole().want("SECRET", "top.txt:1")
	})
}

func TestStagedIndexVersions(t *testing.T) {
	for _, version := range []string{"2", "3", "4"} {
		t.Run(version, func(t *testing.T) {
			both(t, func(t *testing.T, backend string) {
				s := newSandbox(t)
				s.init("r")
				for _, f := range []string{"a/b/one.txt", "a/b/two.txt", "a/c.txt", "z.txt"} {
					s.commit("r", f, "old\n")
				}
				s.git("r", "update-index", "--index-version", version)
				s.write("r/a/b/two.txt", "old\nSECRET\n")
				s.write("r/a/new.txt", "SECRET\n")
				s.write("r/ita.txt", "SECRET\n")
				s.git("r", "add", "a")
				s.git("r", "add", "-N", "ita.txt")
				s.git("r", "update-index", "--skip-worktree", "a/new.txt")
				h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
				h.want("SECRET", "a/b/two.txt:2", "a/new.txt:1")
				if h.skipped("intent to add") != 1 || h.coverage.Blobs != 2 {
					t.Errorf("intent to add was not counted: %+v", h.coverage.Skipped)
				}
			})
		})
	}
}

func TestStagedConflict(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "f.txt", "SECRET base\n")
		s.git("r", "checkout", "-q", "-b", "theirs")
		s.commit("r", "f.txt", "SECRET theirs\n")
		s.git("r", "checkout", "-q", "main")
		s.commit("r", "f.txt", "SECRET ours\n")
		if out, err := s.try("r", "merge", "theirs"); err == nil {
			t.Fatal("no conflict: " + out)
		}
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET theirs", "f.txt:1")
		h.want("SECRET ours")
		h.want("SECRET base")
	})
}

func TestStagedRenames(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		body := strings.Repeat("line\n", 3) + "OLD SECRET\n" + "a\nb\nc\nd\n"
		s.commit("r", "moved.txt", body)
		s.commit("r", "edited.txt", "x\n"+body)
		s.git("r", "mv", "moved.txt", "dir.txt")
		s.git("r", "mv", "edited.txt", "edited2.txt")
		s.write("r/edited2.txt", "x\n"+body+"NEW SECRET\n")
		s.write("r/copy.txt", body)
		s.git("r", "add", "-A")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "edited2.txt:10")
		h.want("dir.txt", "file-name dir.txt:1")
	})
}

func TestStagedSoleFileRenamed(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "SECRET\n")
		s.git("r", "mv", "a.txt", "b.txt")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET")
		if h.coverage.Blobs != 0 {
			t.Error("a blob that HEAD has was read")
		}
	})
}

func TestStagedAmend(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a.txt", "ROOT SECRET\n")
		amend := StagedOptions{Amend: true}
		scan(t, s.open("r", backend).Staged(amend)).whole().want("SECRET", "a.txt:1")
		s.commit("r", "a.txt", "ROOT SECRET\nSECOND SECRET\n")
		scan(t, s.open("r", backend).Staged(StagedOptions{})).whole().want("SECRET")
		scan(t, s.open("r", backend).Staged(amend)).whole().want("SECRET", "a.txt:2")
		// amending a merge compares with both parents
		s.git("r", "checkout", "-q", "-b", "side", "HEAD^")
		s.commit("r", "b.txt", "SIDE SECRET\n")
		s.git("r", "merge", "-q", "--no-edit", "main")
		scan(t, s.open("r", backend).Staged(amend)).whole().want("SECRET")
		s.write("r/b.txt", "SIDE SECRET\nEVIL SECRET\n")
		s.git("r", "commit", "-q", "-a", "--amend", "--no-edit")
		scan(t, s.open("r", backend).Staged(amend)).whole().want("SECRET", "b.txt:2")
	})
}

func TestStagedSymlinkAndLFS(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		if err := os.Symlink("/run/SECRET/key", s.path("r/link")); err != nil {
			t.Skip(err)
		}
		s.write("r/big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("ab", 32)+"\nsize 12345\n")
		s.git("r", "add", ".")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "symlink link:1")
		h.want("12345", "big.bin:3")
		if h.skipped("LFS pointer") != 1 {
			t.Errorf("the LFS pointer was not noted: %+v", h.coverage.Skipped)
		}
	})
}

func TestStagedFileBecomesDirectory(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "a", "old\n")
		s.commit("r", "a.b", "old\n")
		s.commit("r", "dir/x", "old\n")
		s.git("r", "rm", "-q", "a", "dir/x")
		s.write("r/a/in", "SECRET\n")
		s.write("r/dir", "SECRET\n")
		s.git("r", "add", "-A")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "a/in:1", "dir:1")
	})
}

func TestStagedOddNames(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		s.commit("r", "x", "old\n")
		odd := []string{"new\nline.txt", "quo\"te.txt", "tab\t.txt", "\xff\xfe.txt", " lead", "ünï.txt", "-dash"}
		var want []string
		for _, n := range odd {
			s.write("r/"+n, "SECRET\n")
			want = append(want, n+":1")
		}
		s.git("r", "add", "-A")
		scan(t, s.open("r", backend).Staged(StagedOptions{})).whole().want("SECRET", want...)
	})
}

func TestStagedNULAndUTF16(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		var wide strings.Builder
		for _, c := range "old\nkey SECRET\n" {
			wide.WriteByte(byte(c))
			wide.WriteByte(0)
		}
		s.commit("r", "old16.txt", "\xff\xfeo\x00l\x00d\x00\n\x00")
		s.write("r/old16.txt", "\xff\xfe"+wide.String())
		s.write("r/nul.txt", "a\x00b\nSECRET\n")
		s.write("r/.gitattributes", "* -diff binary\n")
		s.git("r", "add", "-A")
		h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
		h.want("SECRET", "nul.txt:2", "old16.txt:2")
		if o := h.object(scanner.Content, "old16.txt"); o.New.Touches(1, 1) {
			t.Error("the first line of the UTF-16 file is not new")
		}
		if h.coverage.Binaries == 0 {
			t.Error("binary files are not counted")
		}
	})
}
