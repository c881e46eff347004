package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		first := s.commit("r", "a/b.txt", "one\n")
		s.git("r", "tag", "-a", "-m", "x", "v1")
		s.commit("r", "a/b.txt", "two\n")
		if err := os.Symlink("b.txt", s.path("r/a/link")); err != nil {
			t.Skip(err)
		}
		s.git("r", "add", ".")
		s.git("r", "commit", "-qm", "link")
		s.write("r/a/b.txt", "in the work tree\n")
		r := s.open("r", backend)
		for _, c := range []struct{ rev, path, want string }{
			{first, "a/b.txt", "one\n"}, {"v1", "a/b.txt", "one\n"}, {"HEAD", "a/b.txt", "two\n"}, {"HEAD~2", "a/b.txt", "one\n"},
		} {
			got, err := r.ReadFile(context.Background(), c.rev, c.path)
			if err != nil || string(got) != c.want {
				t.Errorf("%s:%s: %q, %v", c.rev, c.path, got, err)
			}
		}
		for _, path := range []string{"b.txt", "a/c.txt", "a/b.txt/c", "A/b.txt", ""} {
			if _, err := r.ReadFile(context.Background(), "HEAD", path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: error %v", path, err)
			}
		}
		for _, path := range []string{"a/link", "a"} {
			if _, err := r.ReadFile(context.Background(), "HEAD", path); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no plain file") {
				t.Errorf("%q: error %v", path, err)
			}
		}
		if _, err := r.ReadFile(context.Background(), "nosuch", "a/b.txt"); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a revision that is not there: error %v", err)
		}
	})
}

func TestBaseOf(t *testing.T) {
	both(t, func(t *testing.T, backend string) {
		s := newSandbox(t)
		s.init("r")
		base := s.commit("r", "a", "one\n")
		s.git("r", "branch", "other")
		main := s.commit("r", "a", "two\n")
		s.git("r", "checkout", "-q", "-b", "topic")
		s.commit("r", "a", "three\n")
		r := s.open("r", backend)
		for spec, want := range map[string]string{
			"main..topic": main, base + "..topic": base, "topic ^other": base, "topic ^other ^main": main, "topic": main,
			"main...topic": main, "--branches": "",
		} {
			source, err := r.Range(context.Background(), spec)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.BaseOf(source); got != want {
				t.Errorf("%s: base %s, want %s", spec, got, want)
			}
		}
		if got := r.BaseOf(r.History(HistoryOptions{})); got != "" {
			t.Errorf("history has the base %s", got)
		}
	})
}
