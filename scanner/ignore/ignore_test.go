package ignore

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkIgnore returns those of paths that `git check-ignore` takes for ignored
// in a repository whose only ignore file holds text.
func checkIgnore(t testing.TB, dir, text string, paths []string) map[string]bool {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", "check-ignore", "--no-index", "-z", "--stdin")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	cmd.Stdin = strings.NewReader(strings.Join(paths, "\x00") + "\x00")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: nothing is ignored
		t.Fatalf("git check-ignore: %v\n%s", err, stderr.String())
	}
	ignored := map[string]bool{}
	for p := range strings.SplitSeq(out.String(), "\x00") {
		ignored[p] = true
	}
	return ignored
}

func repository(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("git", "init", "-q")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	return dir
}

var paths = []string{
	"a", "b", "ab", "a.o", "d/a", "d/b", "d/e/a", "d/e/f/b.o", "docs/x.md", "docs/deep/y.md", "keep.log", "x.log", "a b", "é", "d/keep.log", "-", "]", "d/-", "7",
}

var texts = []string{
	"a\n", "*.log\n!keep.log\n", "d/\n!d/a\n", "d/*\n!d/a\n", "/a\n", "docs/**/y.md\n", "**/e\n", "*\n!*/\n!a\n", "[ab]\n", "d/e/\n!d/e/a\n",
	"#rule: a\nb\n", "\\#a\n\n!a\r\n", "docs\n", "d/**\n", "*.[!o]\n", "\xef\xbb\xbfa\n",
	"[a-]\n", "[!a-]\n", "[-a]\n", "[a-c]\n", "[]a]\n", "[[:digit:]]\n", "[a\\-c]\n", "[a-\n",
}

// TestCoversLikeGit asks about whole paths what git answers, with the ignored
// folders above them.
func TestCoversLikeGit(t *testing.T) {
	dir := repository(t)
	both := map[bool]int{}
	for _, text := range texts {
		want := checkIgnore(t, dir, text, paths)
		f := Parse(text, false)
		for _, p := range paths {
			got := f.Covers(p, "any-rule") != nil
			both[got]++
			if got != want[p] {
				t.Errorf("%q with %q: git ignores it: %v, we do: %v", p, text, want[p], got)
			}
		}
	}
	if both[true] < 20 || both[false] < 20 {
		t.Errorf("the examples are one-sided: %v", both)
	}
}

// FuzzCoversLikeGit holds any ignore file and path against git.
func FuzzCoversLikeGit(f *testing.F) {
	for i, text := range texts {
		f.Add(text, paths[i%len(paths)])
	}
	dir := repository(f)
	f.Fuzz(func(t *testing.T, text, path string) {
		if len(path) > 200 || strings.ContainsAny(path, "\x00\"") || strings.HasPrefix(path, ":") {
			t.Skip()
		}
		for part := range strings.SplitSeq(path, "/") {
			if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") || part == ".gitignore" {
				t.Skip()
			}
		}
		want := checkIgnore(t, dir, text, []string{path})[path]
		if got := Parse(text, false).Covers(path, "r") != nil; got != want {
			t.Errorf("%q with %q: git ignores it: %v, we do: %v", path, text, want, got)
		}
		// Sections narrow, they never widen what a pattern without one covers.
		if ParseSections(text, false).Unscoped().Empty() && !Parse(text, false).Empty() && !strings.Contains(text, "#rule:") {
			t.Errorf("%q lost its patterns", text)
		}
	})
}

func TestSections(t *testing.T) {
	f := ParseSections(strings.Join([]string{
		"# made up",
		"# for tests",
		"testdata/",
		"#rule: kms-*, other-rule",
		"docs/",
		"!docs/open.md",
		"*.md",
		"!open.md",
		"#rule:",
		"nobody",
		"#rule: *",
		"vendor/",
	}, "\n"), false)
	for _, c := range []struct {
		path, rule string
		line       int // of the pattern that covers it, 0 for none
	}{
		{"testdata/x", "kms-key", 3},
		{"testdata/x", "aws-key", 3},
		{"docs/x", "kms-key", 5},
		{"docs/x", "aws-key", 0},
		{"docs/x", "other-rule", 5},
		{"docs/x", "other-rules", 0},
		{"docs/open.md", "kms-key", 5}, // nothing below an ignored folder comes back
		{"open.md", "kms-key", 0},
		{"shut.md", "kms-key", 7},
		{"nobody", "kms-key", 0},
		{"vendor/a/b", "aws-key", 12},
	} {
		p := f.Covers(c.path, c.rule)
		line := 0
		if p != nil {
			line = p.Line
		}
		if line != c.line {
			t.Errorf("%s of %s: covered by line %d, want %d", c.path, c.rule, line, c.line)
		}
	}
	if got := f.Patterns()[0].Comment; got != "made up for tests" {
		t.Errorf("reason %q", got)
	}
	if got := f.Patterns()[1].Comment; got != "" {
		t.Errorf("the comment of another line became the reason: %q", got)
	}
	u := f.Unscoped()
	if u.Covers("docs/x", "kms-key") != nil || u.Covers("vendor/x", "any") == nil {
		t.Error("Unscoped keeps a section or loses what has none")
	}
	if Parse("#rule: x\ndocs/\n", false).Covers("docs/a", "y") == nil {
		t.Error("a .gitignore file has no sections")
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"a*", "abc", true}, {"a*", "bc", false},
		{"*c", "abc", true}, {"*b", "abc", false}, {"a*c", "abbc", true}, {"a**c", "ac", true}, {"a*b*c", "aXbYbZc", true}, {"a.c", "abc", false}, {"a?c", "abc", false},
	} {
		if got := Glob(c.pattern, c.s); got != c.want {
			t.Errorf("Glob(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}
