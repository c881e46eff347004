package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A comparison is a row of README's table: programs that did the same job, by
// the section and the rows of bench/RESULTS.md, each by how it begins.
type comparison struct{ job, section, ours, gitleaks, bare string }

var comparisons = []comparison{
	{"a commit of 10 files with 200 new lines each", "Staged:", "spillgate staged", "gitleaks git --staged", "git diff --cached -U0"},
	{"a range of 500 commits", "A range of 500", "spillgate range", "gitleaks git", "git log -p -U0"},
	{"a history of many small edits", "Full history: library", "spillgate history", "gitleaks git", "git cat-file --batch"},
	{"a monorepo's history", "Full history: monorepo", "spillgate history", "gitleaks git", "git cat-file --batch"},
	{"a history of texts and images", "Full history: docs", "spillgate history", "gitleaks git", "git cat-file --batch"},
	{"a history of large files in few folders, as git's own", "Full history: tools", "spillgate history", "gitleaks git", "git cat-file --batch"},
	{"a folder of source code", "A directory:", "spillgate dir --no-ignore --no-archives", "gitleaks dir", "ripgrep with ten literals"},
}

// cpu returns the column CPU of the first row of a section that begins with a
// program's name, as it stands there and in seconds.
func cpu(t *testing.T, results, section, program string) (text string, seconds float64) {
	t.Helper()
	_, rest, ok := strings.Cut(results, "\n## "+section)
	if !ok {
		t.Fatalf("bench/RESULTS.md has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for line := range strings.Lines(rest) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || !strings.HasPrefix(strings.TrimSpace(cells[1]), program) {
			continue
		}
		text = strings.TrimSpace(cells[2])
		number, unit, _ := strings.Cut(text, " ")
		seconds, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatalf("%s of %s: %v", text, program, err)
		}
		return text, seconds * map[string]float64{"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]
	}
	t.Fatalf("bench/RESULTS.md, %s has no row of %s", section, program)
	return "", 0
}

// figures returns README's table.
func figures(t *testing.T, results string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("  | CPU time | Spillgate | gitleaks | | for comparison |\n  |---|---|---|---|---|\n")
	for _, c := range comparisons {
		ours, mine := cpu(t, results, c.section, c.ours)
		gitleaks, theirs := cpu(t, results, c.section, c.gitleaks)
		bare, _ := cpu(t, results, c.section, c.bare)
		if mine <= 0 || theirs <= 0 {
			t.Fatalf("%s: %s and %s", c.section, ours, gitleaks)
		}
		fmt.Fprintf(&b, "  | %s | **%s** | %s | %.0f times | %s: %s |\n", c.job, ours, gitleaks, theirs/mine, strings.Replace("`"+c.bare+"`", "ripgrep with ten literals`", "ripgrep` with ten literals", 1), bare)
	}
	return b.String()
}

var percentage = regexp.MustCompile(`\d+(?:\.\d)? %`)

// TestFigures: what README says of speed is in bench/RESULTS.md, which
// bench/compare.sh writes, and its percentages are those of docs/detection.md.
func TestFigures(t *testing.T) {
	const begin, end = "<!-- figures:begin -->\n", "<!-- figures:end -->\n"
	readme := read(t, "README.md")
	before, rest, ok := strings.Cut(readme, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("README.md lost its figures")
	}
	text := before + begin + "\n" + figures(t, read(t, "bench/RESULTS.md")) + "\n" + end + after
	if text != readme {
		if !*updateDocs {
			t.Error("the figures are not those of bench/RESULTS.md; go test ./cmd/spillgate -run TestFigures -update-docs writes them")
		} else if err := os.WriteFile(filepath.Join(moduleRoot, "README.md"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known := percentage.FindAllString(read(t, "docs/detection.md"), -1)
	for _, p := range percentage.FindAllString(before+after, -1) {
		if !slices.Contains(known, p) {
			t.Errorf("docs/detection.md says nothing of %s, which README.md claims", p)
		}
	}
}
