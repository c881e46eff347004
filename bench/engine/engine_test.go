package engine

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/filetree"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

var goroot = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
})

// text is 32 MiB of source text, loaded once.
var text = sync.OnceValues(func() ([]byte, error) { return Corpus(goroot(), 32<<20) })

func mustText(tb testing.TB) []byte {
	tb.Helper()
	b, err := text()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestExtraRulesFindTheirExamples(t *testing.T) {
	p, err := WithExtra(200)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(p.Rules), len(rules.Builtin().Rules)+200; got != want {
		t.Fatalf("%d rules, want %d", got, want)
	}
	ids := map[string]bool{}
	for _, r := range p.Rules[len(rules.Builtin().Rules):] {
		if ids[r.ID] {
			t.Errorf("two rules %s", r.ID)
		}
		ids[r.ID] = true
		example := []byte(r.Match[len(r.Match)-1])
		seen := false
		p.Scan(example, 0, len(example), false, func(m *rules.Match) { seen = seen || m.Rule.ID == r.ID })
		if !seen {
			t.Errorf("rule %s does not find its example", r.ID)
		}
	}
}

// TestExtraRulesChangeNoMatch holds what RuleCosts compares equal: the rules
// that are added find nothing in source text.
func TestExtraRulesChangeNoMatch(t *testing.T) {
	costs, err := RuleCosts(mustText(t)[:2<<20], 1, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if costs[0].Matches != costs[1].Matches {
		t.Errorf("%d matches with %d rules and %d with %d", costs[0].Matches, costs[0].Rules, costs[1].Matches, costs[1].Rules)
	}
	if costs[0].Scan <= 0 || costs[1].Compile <= 0 {
		t.Errorf("no time was measured: %+v", costs)
	}
}

// against runs work and reference in turn and reports their ratio.
func against(b *testing.B, size int, reference, work func()) {
	b.Helper()
	b.SetBytes(int64(size))
	var ref, own time.Duration
	for b.Loop() {
		t0 := time.Now()
		reference()
		t1 := time.Now()
		work()
		ref += t1.Sub(t0)
		own += time.Since(t1)
	}
	b.ReportMetric(float64(own)/float64(ref), "times-reference")
	b.ReportMetric(float64(size)*float64(b.N)/1e6/own.Seconds(), "MB/s-work")
}

// BenchmarkPrefilter compares the prefilter with reading every byte.
func BenchmarkPrefilter(b *testing.B) {
	t := mustText(b)
	p := rules.Builtin()
	against(b, len(t), func() { Lines(t) }, func() { Anchors(p, t) })
}

// BenchmarkScan compares the whole program with its prefilter.
func BenchmarkScan(b *testing.B) {
	t := mustText(b)
	p := rules.Builtin()
	Scan(p, t)
	against(b, len(t), func() { Anchors(p, t) }, func() { Scan(p, t) })
}

// BenchmarkHundredRules compares the program with one of a hundred rules more.
func BenchmarkHundredRules(b *testing.B) {
	t := mustText(b)
	more, err := WithExtra(100)
	if err != nil {
		b.Fatal(err)
	}
	p := rules.Builtin()
	against(b, len(t), func() { Scan(p, t) }, func() { Scan(more, t) })
}

// BenchmarkFeed compares cutting a stream into chunks with reading it.
func BenchmarkFeed(b *testing.B) {
	t := mustText(b)
	var f scanner.Feeder
	block := make([]byte, 1<<20)
	emit := func(*scanner.Chunk) error { return nil }
	against(b, len(t), func() {
		r := bytes.NewReader(t)
		for {
			if n, _ := r.Read(block); n == 0 {
				break
			}
		}
	}, func() {
		if _, err := f.Reader(&scanner.Object{}, onlyReader{bytes.NewReader(t)}, emit); err != nil {
			b.Fatal(err)
		}
	})
}

// repository is a history to measure on: the one that SPILLGATE_BENCH_REPO
// names, or a small library.
func repository(b *testing.B) string {
	b.Helper()
	if dir := os.Getenv("SPILLGATE_BENCH_REPO"); dir != "" {
		return dir
	}
	dir := filepath.Join(b.TempDir(), "library")
	if _, err := history.Make(b.Context(), dir, history.Options{Seed: 1, GOROOT: goroot()}); err != nil {
		b.Fatal(err)
	}
	return dir
}

// drain reads a source and returns the bytes it emitted. With a program it
// scans them too.
func drain(b *testing.B, s scanner.Source, p *rules.Program) int64 {
	var n atomic.Int64
	d := scanner.RuleDetector{Program: p}
	hit := func(*scanner.Hit) {}
	cov, err := s.Chunks(context.Background(), func(c *scanner.Chunk) error {
		n.Add(int64(c.To - c.From))
		if p != nil {
			d.Detect(c, hit)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, problem := range cov.Problems {
		b.Fatal(problem)
	}
	return n.Load()
}

// BenchmarkSweep compares reading and scanning a history with what git needs
// to print its blobs. A profile of it (-cpuprofile) is one of the history scan.
func BenchmarkSweep(b *testing.B) {
	dir := repository(b)
	repo, err := gitrepo.Open(b.Context(), gitrepo.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	size := drain(b, repo.History(gitrepo.HistoryOptions{}), nil)
	against(b, int(size), func() {
		c := history.Git(b.Context(), dir, "cat-file", "--batch", "--batch-all-objects", "--unordered", "--buffer")
		if err := c.Run(); err != nil {
			b.Fatal(err)
		}
	}, func() { drain(b, repo.History(gitrepo.HistoryOptions{}), rules.Builtin()) })
}

// BenchmarkRange compares a range of commits with git log.
func BenchmarkRange(b *testing.B) {
	dir := repository(b)
	spec := "main~200..main"
	repo, err := gitrepo.Open(b.Context(), gitrepo.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	source := func() scanner.Source {
		s, err := repo.Range(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	size := drain(b, source(), nil)
	against(b, int(size), func() {
		if err := history.Git(b.Context(), dir, "log", "-p", "-U0", spec).Run(); err != nil {
			b.Fatal(err)
		}
	}, func() { drain(b, source(), rules.Builtin()) })
}

// BenchmarkDirectory compares scanning a tree of files with reading it.
func BenchmarkDirectory(b *testing.B) {
	dir := filepath.Join(goroot(), "src", "net")
	source := func() scanner.Source { return filetree.New([]string{dir}, filetree.Options{NoIgnore: true}) }
	size := drain(b, source(), nil)
	against(b, int(size), func() { drain(b, source(), nil) }, func() { drain(b, source(), rules.Builtin()) })
}

// TestAttributeMeasuresBothHalves runs it on a small history with secrets.
func TestAttributeMeasuresBothHalves(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo")
	if err := history.MakeStaged(t.Context(), dir, history.Change{
		Index: 50, Files: 2, Lines: 20, Plants: []history.Plant{history.NewPlant(1, 7)}, GOROOT: goroot(),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := Attribute(t.Context(), dir); err == nil {
		t.Error("a history without a finding was attributed")
	}
	if out, err := history.Git(t.Context(), dir, "commit", "--quiet", "-m", "with a secret").CombinedOutput(); err != nil {
		t.Fatalf("git commit: %v: %s", err, out)
	}
	a, err := Attribute(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if a.Scan <= 0 || a.Places == 0 {
		t.Errorf("measured %+v", a)
	}
}
