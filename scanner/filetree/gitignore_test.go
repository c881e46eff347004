package filetree

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// The tests in this file hold our reading of ignore files against the only
// authority there is, `git check-ignore`.

// git runs git in dir, away from the configuration of whoever runs the test.
func git(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: nothing is ignored
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out.String()
}

// plant writes files, given by path and content, below dir.
func plant(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// names returns the paths that a source scans, sorted.
func names(t testing.TB, s scanner.Source) []string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	c, err := s.Chunks(context.Background(), func(c *scanner.Chunk) error {
		if c.Object.Kind == scanner.FileName {
			mu.Lock()
			all = append(all, c.Object.Path)
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Complete() {
		t.Fatal(c.Problems)
	}
	slices.Sort(all)
	return all
}

// kept returns those of paths that git does not ignore. They need not exist:
// git takes what does not for a file.
func kept(t testing.TB, dir string, paths []string) map[string]bool {
	t.Helper()
	out := git(t, dir, strings.Join(paths, "\x00")+"\x00", "check-ignore", "--no-index", "-z", "--stdin")
	keep := map[string]bool{}
	for _, p := range paths {
		keep[p] = true
	}
	for _, p := range strings.Split(out, "\x00") {
		delete(keep, p)
	}
	return keep
}

// keptByUs says the same as a walk would find it, without a file on disk but
// the ignore files: it enters folder after folder and asks the same questions.
func keptByUs(t testing.TB, dir string, paths []string) map[string]bool {
	t.Helper()
	fail := func(where, what, _ string) { t.Errorf("%q: %s", where, what) }
	top := filepath.ToSlash(dir) + "/"
	first := above(top, fail).add(top, func(n string) bool { return exists(top + n) }, fail)
	entered := map[string]*ignores{top: &first}
	var enter func(folder string) *ignores // nil if it is ignored
	enter = func(folder string) *ignores {
		if g, ok := entered[folder]; ok {
			return g
		}
		up := parentFolder(folder)
		g := enter(up)
		if g != nil {
			if g.reason(strings.TrimSuffix(folder, "/"), len(up), true) != "" {
				g = nil
			} else {
				own := g.add(folder, func(n string) bool { return exists(folder + n) }, fail)
				g = &own
			}
		}
		entered[folder] = g
		return g
	}
	keep := map[string]bool{}
	for _, p := range paths {
		abs := top + p
		folder := abs[:strings.LastIndexByte(abs, '/')+1]
		if g := enter(folder); g != nil && g.reason(abs, len(folder), false) == "" {
			keep[p] = true
		}
	}
	return keep
}

// compare fails the test where got and git disagree on a path in the
// repository at dir.
func compare(t *testing.T, dir string, paths []string, got map[string]bool) {
	t.Helper()
	want := kept(t, dir, paths)
	wrong := 0
	for _, p := range paths {
		if want[p] == got[p] {
			continue
		}
		if wrong++; wrong > 20 {
			t.Fatal("and more")
		}
		top, _, _ := strings.Cut(p, "/")
		rules, _ := os.ReadFile(filepath.Join(dir, top, ".gitignore"))
		t.Errorf("%q: git ignores it: %v, we do: %v; %s/.gitignore is %q", p, !want[p], !got[p], top, rules)
	}
	t.Logf("%d paths compared, %d of them not ignored", len(paths), len(want))
}

// tree are the files that every pattern is tried on.
var tree = []string{
	"a", "b", "A", "ab", "abc", "a.b", ".a", "a b", "a ", " a", "#a", "!a", "a*", "[a]", `a\b`, "a\nb", "-", "]", "^", "?", "a]",
	"é", "\xff", "z{1}", "a+", "(a)", "a$", "1", "foo.o", "foo.c", "\ta", "a\r", "bar/foo.o", "foo/bar/baz", "foo/bar/a", "foo/x/y/bar",
	"foobar/a", "d/a", "d/b", "d/A", "d/e/a", "d/e/b", "d/e/f/a", "D/a", "d /a", "a.d/b", "d/a b",
}

// pieces are what random patterns are made of.
var pieces = []string{
	"a", "b", "A", "ab", "foo", "bar", "d", "e", "D", ".", ".o", "o", "c", "/", "/", "/", "*", "*", "**", "**/", "/**", "/**/", "***", "?", "??",
	" ", "  ", `\ `, `\`, `\\`, `\a`, `\*`, `\?`, `\[`, `\#`, `\!`, "#", "!", "[a]", "[!a]", "[^a]", "[a-c]", "[c-a]", "[]a]", "[!]a]", "[a-]", "[-a]",
	"[", "]", "[a", `[\]a]`, `[\a-c]`, `[a-\c]`, "[[:alpha:]]", "[[:upper:]]", "[[:lower:]]", "[![:digit:]]", "[[:alnum:]_]", "[[:bogus:]]", "[[:alpha:]", "[[:punct:]]", "[[:space:]]",
	"[[:cntrl:]]", "[[:graph:]]", "[[:print:]]", "[[:xdigit:]]", "[[:blank:]]", "[A-B]", "[/]", "[.-0]", "+", "(a)", "$", "^", "{1}", "|", "é", "\xff", "-", "\r", "\t", "z", "~#$~", "#$~",
}

func randomPattern(r *rand.Rand) string {
	var b strings.Builder
	if r.IntN(8) == 0 {
		b.WriteByte('!')
	}
	for range 1 + r.IntN(5) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	if r.IntN(6) == 0 {
		b.WriteByte('/')
	}
	return b.String()
}

// wellKnown are patterns that go-gitignore alone reads differently from git,
// or that we read by a path of their own.
var wellKnown = []string{
	"a?", "?", "[!a]b", `\#a`, `\!a`, `a\ `, "a ", "a   ", " a", "!a", "*.o", "*.[oc]", "foo**/bar", "**/a", "**/foo/bar", "foo/**", "foo/**/bar", "/a", "d/", "/d/", "d/*",
	"*", "!d", "/*", "**", "a**", "**a", "*/a", "d/*/a", "d**", "a\r", "\xef\xbb\xbfa", "# a", "/", "//", "!", "!/", "a//", "//a", "d//a", "foo/bar/", "*b", "*/", "d/**/", "**/", "/**", "/**/a",
	"(a)", "a+", "a$", "z{1}", "^", "a.b", "a\\", "\\", "[", "[]", "[]]", "d/e/..", "./a", "../a", ".", "..", "a*b*c", "a\x00b", "foo/bar/*", "d/[!/]", "d?a", "d[/]a", `\d/a`, `d\/a`, `d/**\/a`, `**\/a`, "d/\\**", "é", "??",
}

func TestIgnoreLikeGit(t *testing.T) {
	for _, fold := range []bool{false, true} {
		t.Run(fmt.Sprintf("ignoreCase=%v", fold), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			git(t, dir, "", "init", "-q")
			git(t, dir, "", "config", "core.ignoreCase", fmt.Sprint(fold))
			var paths []string
			r := rand.New(rand.NewPCG(7, 11))
			files := map[string]string{".git/info/exclude": "*.c\n!0-*/foo.c\n/5-*/d/\n"}
			for round := range 6 {
				for i := range 150 {
					folder := fmt.Sprintf("%d-%d/", round, i)
					rules := ""
					switch {
					case round == 0 && i < len(wellKnown):
						rules = wellKnown[i] + "\n"
					case round < 4: // one pattern, after one that it may negate
						rules = randomPattern(r)
						if rules[0] == '!' {
							rules = "*\n" + rules
						}
						rules += []string{"\n", "", "\r\n", "\r", "\r\r\n"}[r.IntN(5)]
					default:
						for range 1 + r.IntN(6) {
							rules += randomPattern(r) + "\n"
						}
						files[folder+"d/.gitignore"] = randomPattern(r) + "\n" + randomPattern(r)
						files[folder+"foo/bar/.gitignore"] = randomPattern(r)
					}
					for _, f := range tree {
						paths = append(paths, folder+f)
					}
					files[folder+".gitignore"] = rules
				}
			}
			plant(t, dir, files)
			compare(t, dir, paths, keptByUs(t, dir, paths))
		})
	}
}

// TestWalkLikeGit holds a whole walk over real files against git.
func TestWalkLikeGit(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "", "init", "-q")
	files := map[string]string{}
	r := rand.New(rand.NewPCG(3, 5))
	for i := range 12 {
		folder := fmt.Sprintf("%d/", i)
		for _, f := range tree {
			files[folder+f] = ""
		}
		for _, sub := range []string{"", "d/", "foo/", "foo/bar/"} {
			files[folder+sub+".gitignore"] = randomPattern(r) + "\n" + randomPattern(r) + "\n" + randomPattern(r)
		}
	}
	plant(t, dir, files)
	plant(t, dir, map[string]string{".git/info/exclude": "*.o\n", ".gitignore": "a*\n!/3/a*\n/4\n"})
	paths := slices.Collect(maps.Keys(files))
	got := map[string]bool{}
	for _, p := range names(t, New([]string{dir}, Options{Base: dir})) {
		if p != ".gitignore" {
			got[p] = true
		}
	}
	compare(t, dir, paths, got)
}

// FuzzIgnoreLikeGit tries any ignore file on any path and core.ignoreCase.
func FuzzIgnoreLikeGit(f *testing.F) {
	for i, p := range wellKnown {
		f.Add(p+"\n", tree[i%len(tree)], i%2 == 0)
	}
	f.Add("*\n!a\r\n!b/ \n", "b/a", false)
	dir := f.TempDir()
	git(f, dir, "", "init", "-q")
	f.Fuzz(func(t *testing.T, rules, path string, fold bool) {
		if !validPath(path) {
			t.Skip()
		}
		plant(t, dir, map[string]string{
			".gitignore":  rules,
			".git/config": fmt.Sprintf("[core]\n\trepositoryFormatVersion = 0\n\tignoreCase = %v\n", fold),
		})
		want, got := kept(t, dir, []string{path})[path], keptByUs(t, dir, []string{path})[path]
		if want != got {
			t.Errorf("%q with .gitignore %q, ignoreCase %v: git keeps it: %v, we do: %v", path, rules, fold, want, got)
		}
	})
}

// validPath reports whether a path is one that can be in a work tree and that
// git takes on standard input as it is.
func validPath(path string) bool {
	if len(path) > 200 || strings.ContainsAny(path, "\x00") || strings.HasPrefix(path, ":") || path[:min(1, len(path))] == "\"" {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") || part == gitIgnore || part == spillIgnore {
			return false
		}
	}
	return true
}
