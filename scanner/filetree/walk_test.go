package filetree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// A gathered is what a source emitted: the text of every object, whole.
type gathered struct {
	mu    sync.Mutex
	texts map[scanner.Kind]map[string]string
	scanner.Coverage
}

// gather runs s and checks what holds for every run.
func gather(t testing.TB, s scanner.Source) *gathered {
	t.Helper()
	g := &gathered{texts: map[scanner.Kind]map[string]string{}}
	ends := map[*scanner.Object]int64{}
	var err error
	g.Coverage, err = s.Chunks(context.Background(), func(c *scanner.Chunk) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		o := c.Object
		if g.texts[o.Kind] == nil {
			g.texts[o.Kind] = map[string]string{}
		}
		if at := c.Offset + int64(c.From); at != ends[o] {
			t.Errorf("%q: chunk begins at %d, the one before ended at %d", o.Path, at, ends[o])
		}
		ends[o] = c.Offset + int64(c.To)
		if _, again := g.texts[o.Kind][o.Path]; again && c.First {
			t.Errorf("%q was emitted twice", o.Path)
		}
		g.texts[o.Kind][o.Path] += string(c.Data[c.From:c.To])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// want fails the test unless exactly these contents were emitted.
func (g *gathered) want(t testing.TB, kind scanner.Kind, want map[string]string) {
	t.Helper()
	for path, text := range want {
		if got, ok := g.texts[kind][path]; !ok || got != text {
			t.Errorf("%v of %q: got %.60q (there: %v), want %.60q", kind, path, got, ok, text)
		}
	}
	for path := range g.texts[kind] {
		if _, ok := want[path]; !ok {
			t.Errorf("%v of %q was emitted", kind, path)
		}
	}
}

func (g *gathered) skipped(reason string) scanner.Skip {
	for _, s := range g.Skipped {
		if s.Reason == reason {
			return s
		}
	}
	return scanner.Skip{}
}

func (g *gathered) complete(t testing.TB) {
	t.Helper()
	if !g.Complete() {
		t.Errorf("problems: %v", g.Problems)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	big := strings.Repeat("0123456789abcde\n", 12<<20/16) // streamed
	middle := strings.Repeat("x", bufLen+1)
	files := map[string]string{
		"a.txt": "one\n", "empty": "", "b/c/d.txt": "two", "b/middle": middle, "big": big, "exact": strings.Repeat("y", bufLen), "whole": big[:wholeLen],
		"new\nline": "3", "sp ace": "4", "bad\xffutf8": "5", "\x1b[31m": "6", "-rf": "7", "b/.hidden": "8", "bin": "\x7fELF\x00\x00\x00\x01 and so on",
	}
	plant(t, dir, files)
	for i := range 300 { // more than a batch, in one folder
		name := fmt.Sprintf("many/%03d", i)
		files[name] = name
		plant(t, dir, map[string]string{name: name})
	}
	for _, jobs := range []int{0, 1, 7} {
		g := gather(t, New([]string{dir}, Options{Base: dir, Jobs: jobs}))
		g.complete(t)
		g.want(t, scanner.Content, files)
		var size int64
		paths := map[string]string{}
		for path, text := range files {
			size += int64(len(text))
			paths[path] = path
		}
		g.want(t, scanner.FileName, paths)
		if n := int64(len(files)); g.Files != n || g.Names != n || g.Bytes != size || g.Binaries != 1 {
			t.Errorf("coverage %+v, want %d files, 1 binary, %d bytes", g.Coverage, n, size)
		}
		if g.Backend != "files" || g.What != "files in "+dir {
			t.Errorf("coverage says %q of %q", g.Backend, g.What)
		}
	}
}

func TestLinks(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "root")
	plant(t, top, map[string]string{"outside/secret": "not ours", "root/in/file": "ours"})
	links := map[string]string{
		"loop": "loop", "up": "..", "self": ".", "in/again": "../in", "inside": "in/file", "dangling": "no/such", "out": "../outside/secret",
		"outdir": "../outside", "abs": filepath.Join(top, "outside", "secret"), "absin": filepath.Join(dir, "in"),
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	g := gather(t, New([]string{dir}, Options{Base: dir}))
	g.complete(t)
	g.want(t, scanner.Content, map[string]string{"in/file": "ours"})
	g.want(t, scanner.SymlinkTarget, links)
	if s := g.skipped("symbolic link out of the folder"); s.Count != 4 || s.Example != "abs" {
		t.Errorf("links out: %+v, want 4, the first abs (%v)", s, g.Skipped)
	}

	// What is named is followed, file or folder, and reported as named.
	named := filepath.Join(top, "named")
	if err := os.Symlink(filepath.Join(dir, "in"), named); err != nil {
		t.Fatal(err)
	}
	g = gather(t, New([]string{named, filepath.Join(dir, "out")}, Options{Base: top}))
	g.complete(t)
	g.want(t, scanner.Content, map[string]string{"named/file": "ours", "root/out": "not ours"})
	g.want(t, scanner.SymlinkTarget, map[string]string{"named/again": "../in"})
}

func TestNamed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	plant(t, dir, map[string]string{
		".git/HEAD": "ref: refs/heads/main\n", ".gitignore": "*.log\n/out/\n", ".spillgateignore": "c*\n",
		"a.log": "log", "out/b": "built", "out/x.log": "l", "c/d": "dee", "e": "eee", "c/c2": "see",
	})
	for _, test := range []struct {
		name  string
		paths []string
		want  map[string]string
	}{
		{"the folder", []string{"."}, map[string]string{"e": "eee", ".gitignore": "*.log\n/out/\n", ".spillgateignore": "c*\n"}},
		{"an ignored file", []string{"a.log"}, map[string]string{"a.log": "log"}},
		{"an ignored folder, whose files are judged", []string{"out"}, map[string]string{"out/b": "built"}},
		{"below a folder ignored by ours", []string{"c"}, map[string]string{"c/d": "dee"}},
		{"overlapping", []string{".", "./e", "e", "a.log", dir, "c"}, map[string]string{
			"e": "eee", "a.log": "log", "c/d": "dee", ".gitignore": "*.log\n/out/\n", ".spillgateignore": "c*\n",
		}},
		{"by absolute path", []string{filepath.Join(dir, "e")}, map[string]string{"e": "eee"}},
		{"by way of another", []string{"c/../e"}, map[string]string{"e": "eee"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := gather(t, New(test.paths, Options{}))
			g.complete(t)
			g.want(t, scanner.Content, test.want)
		})
	}

	g := gather(t, New([]string{"."}, Options{}))
	if s := g.skipped("ignored by .gitignore"); s.Count != 2 || s.Example != "a.log" {
		t.Errorf("ignored by .gitignore: %+v", s)
	}
	if s := g.skipped("ignored by .spillgateignore"); s.Count != 1 {
		t.Errorf("ignored by .spillgateignore: %+v", s)
	}
	if s := g.skipped("git's own folder"); s.Count != 1 {
		t.Errorf("git's folder: %+v", s)
	}
	g = gather(t, New([]string{"."}, Options{NoIgnore: true}))
	if g.Files != 8 {
		t.Errorf("NoIgnore scans %d files, want 8: %v", g.Files, g.texts[scanner.FileName])
	}

	// A file outside the base is reported as it was named.
	t.Chdir(filepath.Join(dir, "c"))
	g = gather(t, New([]string{"../e"}, Options{}))
	g.want(t, scanner.Content, map[string]string{"../e": "eee"})
	g = gather(t, New([]string{"../out", "d"}, Options{}))
	g.want(t, scanner.Content, map[string]string{"../out/b": "built", "d": "dee"})
	g = gather(t, New([]string{"."}, Options{Base: dir}))
	g.want(t, scanner.Content, map[string]string{"c/d": "dee"})
}

func TestSpillgateIgnoreOutranks(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{
		".git/HEAD": "", ".gitignore": ".env\nbuild/\n*.tmp\n", ".spillgateignore": "!.env\n!build/\nbuild/b\n",
		".env": "1", "build/a": "2", "build/b": "3", "x.tmp": "4", "sub/.spillgateignore": "!x.tmp", "sub/x.tmp": "5",
	})
	got := names(t, New([]string{dir}, Options{Base: dir}))
	want := []string{".env", ".gitignore", ".spillgateignore", "build/a", "sub/.spillgateignore", "sub/x.tmp"}
	if !slices.Equal(got, want) {
		t.Errorf("scanned %q, want %q", got, want)
	}
}

// TestRepositories checks whose ignore files count where.
func TestRepositories(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "repo")
	plant(t, top, map[string]string{".gitignore": "*", "plain/.gitignore": "x", "plain/x": "", "plain/y": ""})
	git(t, top, "", "init", "-q", dir)
	plant(t, dir, map[string]string{
		".gitignore": "*.a\n", ".git/info/exclude": "*.b\n", "1.a": "", "1.b": "", "1.c": "", "sub/2.a": "", "sub/2.b": "", "sub/2.c": "",
		"inner/3.a": "", "inner/3.b": "", "inner/3.c": "",
	})
	git(t, dir, "", "init", "-q", filepath.Join(dir, "inner"))
	plant(t, dir, map[string]string{"inner/.git/info/exclude": "*.c\n"})
	git(t, dir, "", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "x")
	git(t, dir, "", "worktree", "add", "-q", filepath.Join(top, "linked"))
	plant(t, top, map[string]string{"linked/1.a": "", "linked/1.b": "", "linked/1.c": ""})

	for _, test := range []struct{ path, want string }{
		{"repo", ".gitignore 1.c inner/3.a inner/3.b sub/2.c"}, // a nested repository is one of its own
		{"repo/sub", "2.c"},           // the files above count
		{"linked", ".git 1.a 1.c"},    // a linked worktree shares info/exclude
		{"plain", ".gitignore y"},     // outside a repository those at and below the named folder count
		{"repo/inner", "3.a 3.b"},     // not the outer ones
		{"repo/.git/info", "exclude"}, // what is named is scanned
		{"repo/sub/../sub/./", "2.c"}, // however it is named
		{"repo/inner/3.c", "3.c"},     // a file too
		{"repo/inner/../inner", "3.a 3.b"},
	} {
		path := filepath.Join(top, filepath.FromSlash(test.path))
		base := path
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			base = filepath.Dir(path)
		}
		if got := strings.Join(names(t, New([]string{top + "/" + test.path}, Options{Base: base})), " "); got != test.want {
			t.Errorf("%s: scanned %q, want %q", test.path, got, test.want)
		}
	}
}

// TestIgnoreFileOddities: what cannot be honoured ignores nothing, and says so.
func TestIgnoreFileOddities(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{"rules": "*\n", "a/f": "", "b/.gitignore/x": "", "b/f": "", "c/.gitignore": "", "c/f": ""})
	if err := os.Symlink("../rules", filepath.Join(dir, "a", ".gitignore")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	g := gather(t, New([]string{dir}, Options{Base: dir}))
	g.want(t, scanner.FileName, map[string]string{
		"rules": "rules", "a/f": "a/f", "a/.gitignore": "a/.gitignore", "b/.gitignore/x": "b/.gitignore/x", "b/f": "b/f", "c/.gitignore": "c/.gitignore", "c/f": "c/f",
	})
	if len(g.Problems) != 2 || !strings.Contains(g.Problems[0].What, "symbolic link, not a plain file") || !strings.Contains(g.Problems[1].What, "folder, not a plain file") {
		t.Errorf("problems %v, want one for the link and one for the folder", g.Problems)
	}
}

func TestUnusablePaths(t *testing.T) {
	_, err := New(nil, Options{}).Chunks(context.Background(), func(*scanner.Chunk) error { return nil })
	var usage *scanner.UsageError
	if !errors.As(err, &usage) {
		t.Errorf("no path: error %v, want a usage error", err)
	}
	dir := t.TempDir()
	plant(t, dir, map[string]string{"here": "x"})
	g := gather(t, New([]string{filepath.Join(dir, "not-here"), filepath.Join(dir, "here"), ""}, Options{Base: dir}))
	g.want(t, scanner.Content, map[string]string{"here": "x"})
	if len(g.Problems) != 2 || g.Problems[1].Where != filepath.Join(dir, "not-here") || g.Problems[1].Fix == "" {
		t.Errorf("problems %+v, want one for \"\" and one for not-here", g.Problems)
	}
}

func TestStopsWithEmit(t *testing.T) {
	dir := t.TempDir()
	for i := range 500 {
		plant(t, dir, map[string]string{fmt.Sprintf("%d/%d", i%7, i): "x"})
	}
	full := errors.New("no space left")
	var calls int
	var mu sync.Mutex
	_, err := New([]string{dir}, Options{Jobs: 4}).Chunks(context.Background(), func(*scanner.Chunk) error {
		mu.Lock()
		defer mu.Unlock()
		calls++
		return full
	})
	if err != full || calls > 4 {
		t.Errorf("error %v after %d calls, want emit's after at most one per worker", err, calls)
	}

	ctx, cancel := context.WithCancel(context.Background())
	c, err := New([]string{dir}, Options{Jobs: 2}).Chunks(ctx, func(c *scanner.Chunk) error {
		cancel()
		<-ctx.Done()
		return nil
	})
	if !errors.Is(err, context.Canceled) || c.Files > 400 {
		t.Errorf("error %v after %d of 500 files, want canceled, soon", err, c.Files)
	}

	// In the middle of a file that never ends.
	ctx, cancel = context.WithCancel(context.Background())
	s := &source{paths: []string{dir}, system: &endless{}}
	var n atomic.Int32
	_, err = s.Chunks(ctx, func(c *scanner.Chunk) error {
		if n.Add(1) > 20 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("endless file: error %v, want canceled", err)
	}
}

// endless is a system whose files never end.
type endless struct{ hostSystem }
type endlessFolder struct{ folder }

func (s *endless) openFolder(path string) (folder, error) {
	d, err := s.hostSystem.openFolder(path)
	return &endlessFolder{d}, err
}
func (d *endlessFolder) open(string) (io.ReadCloser, error) { return io.NopCloser(zeros{}), nil }

// TestLargeFile streams a sparse file and looks at the memory that took.
func TestLargeFile(t *testing.T) {
	const size = 512 << 20
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Skip("no sparse files here:", err)
	}
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var seen int64
	c, err := New([]string{dir}, Options{Jobs: 1}).Chunks(context.Background(), func(c *scanner.Chunk) error {
		if c.Object.Kind == scanner.Content {
			seen += int64(c.To - c.From)
		}
		return nil
	})
	runtime.ReadMemStats(&now)
	if err != nil || seen != size || c.Bytes != size || c.Binaries != 1 {
		t.Errorf("saw %d of %d bytes, coverage %+v, error %v", seen, size, c, err)
	}
	if used := now.TotalAlloc - before.TotalAlloc; used > 24<<20 {
		t.Errorf("allocated %d MiB in all for a file of %d MiB, want 24 at most", used>>20, size>>20)
	}
}

func TestStdin(t *testing.T) {
	big := strings.Repeat("0123456789abcde\n", 3<<20/16)
	for _, text := range []string{"", "x", big} {
		g := gather(t, Stdin(strings.NewReader(text), ""))
		g.complete(t)
		g.want(t, scanner.Content, map[string]string{"stdin": text})
		if g.Files != 1 || g.Bytes != int64(len(text)) || g.What != "standard input" {
			t.Errorf("coverage %+v for %d bytes", g.Coverage, len(text))
		}
	}
	g := gather(t, Stdin(io.MultiReader(strings.NewReader("ab"), &failingFile{strings.NewReader("cd"), errors.New("hung up")}), "the/pipe"))
	g.want(t, scanner.Content, map[string]string{"the/pipe": "abcd"})
	if len(g.Problems) != 1 || g.Problems[0].What != "reading stopped early: hung up" {
		t.Errorf("problems %v, want that reading stopped early", g.Problems)
	}
	full := errors.New("no space left")
	if _, err := Stdin(strings.NewReader("x"), "").Chunks(context.Background(), func(*scanner.Chunk) error { return full }); err != full {
		t.Errorf("error %v, want emit's", err)
	}
}

// TestStdinInterrupted: a reader that never returns does not hold up the scan.
func TestStdinInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 4<<20))
		cancel() // everything written was read; now nothing comes
	}()
	if _, err := Stdin(r, "").Chunks(ctx, func(*scanner.Chunk) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
}

// BenchmarkGoroot walks the sources of the Go distribution with a detector
// that does nothing: the cost of finding and reading files.
func BenchmarkGoroot(b *testing.B) {
	dir := filepath.Join(runtime.GOROOT(), "src")
	var c scanner.Coverage
	b.ReportAllocs()
	for b.Loop() {
		var err error
		c, err = New([]string{dir}, Options{}).Chunks(context.Background(), func(*scanner.Chunk) error { return nil })
		if err != nil || !c.Complete() {
			b.Fatal(err, c.Problems)
		}
	}
	b.SetBytes(c.Bytes)
	b.ReportMetric(float64(c.Files), "files")
}
