package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// odd makes a repository of blobs that are fed in different ways: empty, with
// byte order marks, binary, a link, and one that is cut into many chunks.
func odd(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		if out, err := history.Git(t.Context(), dir, args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
	git("init", "--quiet", "--initial-branch=main")
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("a line\n"), "bom": []byte("\xEF\xBB\xBFmarked\n"),
		"utf16": {0xFF, 0xFE, 'h', 0, 'i', 0, '\n', 0}, "binary": {0, 1, 2, 3},
		"large": bytes.Repeat([]byte("a line of a large file\n"), 2<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("text", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	git("add", "-A")
	git("commit", "--quiet", "-m", "first")
	return dir
}

func TestVerifyAgrees(t *testing.T) {
	dir := odd(t)
	for _, backend := range []string{"go-git", "git"} {
		r, err := verify(t.Context(), dir, backend)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Same() || r.Blobs != 7 || r.Hashed != 7 || r.Commits != 1 {
			t.Errorf("%s: %s\n%s", backend, r, strings.Join(r.Differences, "\n"))
		}
	}
}

// TestVerifyNotices changes what the scan emitted: each change must be told.
func TestVerifyNotices(t *testing.T) {
	dir := odd(t)
	var r result
	sizes, err := listed(t.Context(), dir, &r)
	if err != nil {
		t.Fatal(err)
	}
	repo, err := gitrepo.Open(t.Context(), gitrepo.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	victim := "" // the blob of the file "text"
	for id, n := range sizes {
		if n == 7 {
			victim = id
		}
	}
	for name, tamper := range map[string]func(c *scanner.Chunk, take func(*scanner.Chunk) error) error{
		"left out": func(c *scanner.Chunk, take func(*scanner.Chunk) error) error { return nil },
		"cut short": func(c *scanner.Chunk, take func(*scanner.Chunk) error) error {
			short := *c
			short.To--
			return take(&short)
		},
		"changed": func(c *scanner.Chunk, take func(*scanner.Chunk) error) error {
			other := *c
			other.Data = bytes.ToUpper(c.Data)
			return take(&other)
		},
		"scanned twice": func(c *scanner.Chunk, take func(*scanner.Chunk) error) error {
			again, o := *c, *c.Object
			again.Object = &o
			if err := take(c); err != nil {
				return err
			}
			return take(&again)
		},
		"another blob": func(c *scanner.Chunk, take func(*scanner.Chunk) error) error {
			other, o := *c, *c.Object
			o.ID = strings.Repeat("0", 40)
			other.Object = &o
			return take(&other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r result
			col := &collector{sizes: sizes, blobs: map[string]*blob{}}
			if _, err := repo.History(gitrepo.HistoryOptions{}).Chunks(t.Context(), func(c *scanner.Chunk) error {
				if c.Object.ID == victim && c.Object.Kind == scanner.Content {
					return tamper(c, col.take)
				}
				return col.take(c)
			}); err != nil {
				t.Fatal(err)
			}
			if r.compare(sizes, col.blobs); r.Same() {
				t.Error("nothing was noticed")
			}
		})
	}
}
