package compare

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		budget Budget
		met    bool
	}{
		{Budget{Measured: 1, Limit: 1}, true},
		{Budget{Measured: 1.01, Limit: 1}, false},
		{Budget{Measured: 30, Limit: 30, AtLeast: true}, true},
		{Budget{Measured: 29, Limit: 30, AtLeast: true}, false},
	} {
		if c.budget.Met() != c.met {
			t.Errorf("%+v: met is %v", c.budget, c.budget.Met())
		}
	}
}

func sample(name string, cpu time.Duration) measure.Sample {
	return measure.Sample{
		Command: measure.Command{Name: name},
		Runs:    []measure.Usage{{User: cpu, Wall: cpu / 2, Peak: 5e6}},
	}
}

func TestResultsSayWhatWasMissed(t *testing.T) {
	l := testLab(t)
	r := l.results
	r.Facts = []Fact{{"git", "version 2 | 3"}}
	r.budget(Budget{Work: "kept", Measured: 1, Limit: 2, Unit: " times"})
	r.budget(Budget{Work: "not kept", Measured: 3, Limit: 2, Unit: " times"})
	r.addSamples("A table", []measure.Sample{sample("first", 2*time.Second), sample("second", 500*time.Millisecond)}, "A note.")
	r.now.Failed = "interrupted"
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`| git | version 2 \| 3 |`,
		"| kept | 1.00 times | at most 2 times | met |",
		"| not kept | 3.00 times | at most 2 times | **missed** |",
		"**Section range was not measured to its end: interrupted**",
		"load of the machine before", "\n\nA note.\n\n| program |",
		"| first | 2.00 s | 2.00 s to 2.00 s | 1.00 s | 5.0 MB | 1 | 1.00 |",
		"| second | 500.0 ms | 500.0 ms to 500.0 ms | 250.0 ms | 5.0 MB | 1 | 0.25 |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the results lack %q:\n%s", want, &b)
		}
	}
}

func TestLinearComparesUnits(t *testing.T) {
	l := testLab(t)
	steps := []step{
		{"small", 1, []measure.Sample{sample("git", time.Second), sample("ours", 10*time.Millisecond)}},
		{"large", 8, []measure.Sample{sample("git", time.Second), sample("ours", 160*time.Millisecond)}},
	}
	l.addLinear("Linear", "MB", steps, 1)
	if b := l.results.now.Budgets[0]; b.Measured < 1.99 || b.Measured > 2.01 || b.Met() {
		t.Errorf("eight times the input for sixteen times the cost: %+v", b)
	}
}

// testLab is a lab with git and nothing else.
func testLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Options: Options{Dir: t.TempDir(), Root: "."}, ctx: t.Context(), git: "git", results: &Results{}}
	l.section("range")
	return l
}

// TestResultsAreKept measures sections in two runs: the second keeps what the
// first found out, but for what it measures again.
func TestResultsAreKept(t *testing.T) {
	l := testLab(t)
	l.results.budget(Budget{Work: "old range"})
	l.section("startup")
	l.results.budget(Budget{Work: "old startup"})
	if err := l.keep(); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.results, err = l.begin(); err != nil {
		t.Fatal(err)
	}
	l.section("range")
	l.results.budget(Budget{Work: "new range"})
	var b bytes.Buffer
	if err := l.results.Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Contains(text, "old range") || !strings.Contains(text, "new range") || !strings.Contains(text, "old startup") {
		t.Errorf("the results of two runs:\n%s", text)
	}
	if strings.Index(text, "old startup") > strings.Index(text, "new range") {
		t.Error("sections are not in their order")
	}
}

// TestRangeAndBlobs runs what chooses the input of the tables on a history of
// three commits, with a secret in the second.
func TestRangeAndBlobs(t *testing.T) {
	l, dir := testLab(t), t.TempDir()
	git := func(args ...string) {
		t.Helper()
		if out, err := history.Git(t.Context(), dir, args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
	plants := []history.Plant{history.NewPlant(1, 0), history.NewPlant(1, 6)}
	git("init", "--quiet", "--initial-branch=main")
	for i, text := range []string{"one\n", string(plants[0].Text()), string(plants[0].Text()) + string(plants[1].Text())} {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		git("add", "file")
		git("commit", "--quiet", "-m", string(rune('a'+i)))
	}
	git("repack", "-adq")
	inside, err := l.plantsInside(dir, "main~1..main", plants)
	if err != nil {
		t.Fatal(err)
	}
	if len(inside) != 1 || inside[0].Number != 6 {
		t.Errorf("plants that main~1..main was the first to hold: %d, want the second alone", len(inside))
	}
	spec, n, err := l.rangeOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	// There are fewer commits than a range is to have: the oldest begins it.
	if n != 2 || !strings.HasSuffix(spec, "..main") {
		t.Errorf("range %s has %d commits, want 2", spec, n)
	}
	b, err := l.blobLists(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b.count != 3 || b.packed == 0 || b.bytes == 0 {
		t.Errorf("blobs: %+v, want 3", b)
	}
	for _, f := range []string{b.listOrder, b.packOrder} {
		if data, err := os.ReadFile(f); err != nil || bytes.Count(data, []byte{'\n'}) != 3 {
			t.Errorf("%s: %v, want 3 ids", filepath.Base(f), err)
		}
	}
	git("commit", "--quiet", "--amend", "-m", "d", "--allow-empty")
	git("reset", "--quiet", "--hard", "main~1")
	if _, err := l.blobLists(dir); err == nil {
		t.Error("a pack with a blob that no ref reaches was taken as input")
	}
}

func TestMissedNamesKinds(t *testing.T) {
	var plants []history.Plant
	for n := range 16 {
		plants = append(plants, history.NewPlant(1, n))
	}
	got := found{}
	for n := range 16 {
		got[n] = n != 3 && n != 11 // both of one kind
	}
	if s := missed(plants, got); s != "2 "+plants[3].Kind {
		t.Errorf("missed: %s", s)
	}
	if s := missed(plants, found{7: true, 15: true}); strings.Contains(s, "kms") {
		t.Errorf("a kind that one scanner alone knows counts as missed: %s", s)
	}
}

func TestRunRefusesUnknownSections(t *testing.T) {
	if _, err := Run(t.Context(), Options{Only: []string{"nonsense"}}); err == nil {
		t.Error("no error")
	}
}
