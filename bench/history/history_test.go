package history

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// testCorpus loads the corpus once for all tests and keeps a part of it.
var testCorpus = sync.OnceValues(func() (*corpus, error) {
	goroot, err := findGOROOT(context.Background())
	if err != nil {
		return nil, err
	}
	c, err := loadCorpus(goroot)
	if err == nil {
		c.seeds = c.seeds[:120]
	}
	return c, err
})

// small makes a short history of a shape.
func small(t *testing.T, name string, plant bool) (string, *Manifest) {
	t.Helper()
	s, err := shapeNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	short := *s
	short.commits, short.files = 150, 60
	c, err := testCorpus()
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(&short, c, Options{Seed: 7, Plant: plant})
	dir := filepath.Join(t.TempDir(), "repo")
	if err := fastImport(t.Context(), dir, m.write); err != nil {
		t.Fatal(err)
	}
	return dir, &m.manifest
}

func lines(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	out, err := gitOutput(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(out, "\n"), func(s string) bool { return s == "" })
}

func TestHistoryHasWhatItSays(t *testing.T) {
	for _, name := range ShapeNames() {
		t.Run(name, func(t *testing.T) {
			dir, m := small(t, name, true)
			if err := run(Git(t.Context(), dir, "fsck", "--strict", "--no-dangling")); err != nil {
				t.Error(err)
			}
			for what, want := range map[string]int{
				"--all":                 m.Commits,
				"--all --min-parents=2": m.Merges,
				"--all --min-parents=3": m.Octopus,
				"--all --max-parents=0": m.Roots,
			} {
				got := len(lines(t, dir, append([]string{"rev-list"}, strings.Fields(what)...)...))
				if got != want {
					t.Errorf("rev-list %s: %d commits, manifest says %d", what, got, want)
				}
			}
			if m.Merges == 0 || m.Roots < 2 {
				t.Errorf("%d merges, %d roots: the history is too plain", m.Merges, m.Roots)
			}
			own := lines(t, dir, "log", "--all", "--min-parents=2", "--cc", "--format=", "--raw", "--no-abbrev")
			if len(own) == 0 {
				t.Error("no merge has content of its own")
			}
		})
	}
}

func TestHistoryIsDeterministic(t *testing.T) {
	a, _ := small(t, "docs", false)
	b, _ := small(t, "docs", false)
	if !slices.Equal(lines(t, a, "show-ref"), lines(t, b, "show-ref")) {
		t.Error("the same options made two different histories")
	}
}

// TestPlantsAreThere looks for every plant in the objects themselves.
func TestPlantsAreThere(t *testing.T) {
	dir, m := small(t, "library", true)
	places := map[string]int{}
	all, err := Git(t.Context(), dir, "cat-file", "--batch", "--batch-all-objects", "--buffer").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Plants {
		places[p.Place]++
		want := []byte(p.Value())
		if p.Place == "utf-16" {
			want = utf16le(want)[2:]
		}
		if !bytes.Contains(all, want) {
			t.Errorf("plant %d, %s in %s %s, is in no object", p.Number, p.Kind, p.Place, p.Path)
		}
	}
	for _, place := range []string{"file", "merge", "binary", "utf-16", "commit message", "tag message"} {
		if places[place] == 0 {
			t.Errorf("no plant in any %s", place)
		}
	}
}

// TestPlantsChangeNothingElse compares the commits of a history with and
// without plants: the measurement of attribution takes their difference.
func TestPlantsChangeNothingElse(t *testing.T) {
	with, _ := small(t, "library", true)
	without, _ := small(t, "library", false)
	format := "--format=%at %ct %an %cn %s"
	if !slices.Equal(lines(t, with, "log", "--topo-order", format, "main"), lines(t, without, "log", "--topo-order", format, "main")) {
		t.Error("a history with plants has other commits than the same without")
	}
}

func TestPlantKinds(t *testing.T) {
	seen := map[string]bool{}
	for n := range 200 {
		p := NewPlant(3, n)
		v := p.Value()
		if v != NewPlant(3, n).Value() {
			t.Fatalf("plant %d of kind %s has two values", n, p.Kind)
		}
		if seen[v] {
			t.Fatalf("plant %d of kind %s has the value of another", n, p.Kind)
		}
		seen[v] = true
		if !bytes.Contains(p.Text(), []byte(v)) {
			t.Fatalf("the text of plant %d of kind %s lacks its value", n, p.Kind)
		}
	}
}

func TestMakeRefusesAnExistingFolder(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	_, err := Make(t.Context(), t.TempDir(), Options{GOROOT: runtime.GOROOT()})
	if err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("Make into an existing folder: %v", err)
	}
	if _, err := Make(t.Context(), filepath.Join(t.TempDir(), "x"), Options{Shape: "castle"}); err == nil {
		t.Error("Make of an unknown shape: no error")
	}
}
