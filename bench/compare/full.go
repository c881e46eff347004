package compare

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/bench/engine"
	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

// fullHistory measures the scan of everything, on each shape of history.
func (l *lab) fullHistory() error {
	for _, h := range []struct {
		shape string
		scale int
	}{{"library", l.Scale}, {"monorepo", max(1, l.Scale/4)}, {"docs", max(1, l.Scale/2)}, {"tools", max(1, l.Scale/2)}} {
		if err := l.oneHistory(history.Options{Shape: h.shape, Scale: h.scale}); err != nil {
			return fmt.Errorf("%s: %w", h.shape, err)
		}
	}
	return nil
}

func (l *lab) oneHistory(o history.Options) error {
	dir, m, err := l.history(o)
	if err != nil {
		return err
	}
	o.Plant = true
	planted, pm, err := l.history(o)
	if err != nil {
		return err
	}
	note, err := l.sameJob(pm.Plants, l.runSpillgate("spillgate", planted, "history"), l.runGitleaks("gitleaks", planted, "git"))
	if err != nil {
		return err
	}
	b, err := l.blobLists(dir)
	if err != nil {
		return err
	}
	_, findings, err := l.spillgateFound(l.runSpillgate("spillgate", dir, "history"), nil)
	if err != nil {
		return err
	}
	theirs := l.runGitleaks("gitleaks git", dir, "git")
	theirs.MaxRuns = max(1, l.Runs/3)
	samples, err := measure.Compare(l.ctx, l.Runs,
		l.catFile("git cat-file --batch, blobs in pack order", dir, b.packOrder),
		l.catFile("git cat-file --batch, blobs as rev-list lists them", dir, b.listOrder),
		l.runSpillgate("spillgate history", dir, "history"),
		l.runSpillgate("spillgate history --jobs 1", dir, "history", "--jobs", "1"),
		theirs,
	)
	if err != nil {
		return err
	}
	git := min(samples[0].CPU(), samples[1].CPU())
	ours := samples[2]
	l.results.budget(Budget{Work: o.Shape + ", full history, CPU to the faster `git cat-file --batch`", Measured: ratio(ours.CPU(), git), Limit: 1, Unit: " times"})
	l.results.budget(Budget{Work: o.Shape + ", full history, CPU of gitleaks to Spillgate", Measured: ratio(samples[4].CPU(), ours.CPU()), Limit: 30, Unit: " times", AtLeast: true})
	l.results.budget(Budget{
		Work: o.Shape + ", full history, peak memory to git's", Measured: float64(ours.Peak()) / float64(min(samples[0].Peak(), samples[1].Peak())), Limit: 2, Unit: " times",
	})
	l.results.addSamples(fmt.Sprintf("Full history: %s, scale %d", o.Shape, o.Scale), samples,
		fmt.Sprintf("%s: %d commits (%d merges, %d of them octopus, %d roots), %d blobs of %s in packs of %s. Findings of Spillgate in it: %d.",
			m.About, m.Commits, m.Merges, m.Octopus, m.Roots, b.count, megabytes(b.bytes), megabytes(b.packed), findings), note)
	return nil
}

// blobs says which blobs a repository has.
type blobs struct {
	packOrder, listOrder string // files with an id a line
	count                int
	bytes, packed        int64
}

// blobLists writes the ids of all reachable blobs to files, once in the order
// in which git lists them and once in the order of the pack, which suits
// cat-file best.
func (l *lab) blobLists(dir string) (blobs, error) {
	b := blobs{packOrder: filepath.Join(dir, ".git", "bench-pack-order"), listOrder: filepath.Join(dir, ".git", "bench-list-order")}
	objects, err := history.Git(l.ctx, dir, "rev-list", "--objects", "--all").Output()
	if err != nil {
		return b, fmt.Errorf("listing the objects of %s: %w", dir, err)
	}
	var ids bytes.Buffer
	for line := range bytes.Lines(objects) {
		id, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		ids.Write(id)
		ids.WriteByte('\n')
	}
	format := "--batch-check=%(objecttype) %(objectname) %(objectsize)"
	c := history.Git(l.ctx, dir, "cat-file", format, "--buffer")
	c.Stdin = &ids
	listed, err := c.Output()
	if err != nil {
		return b, fmt.Errorf("sizing the objects of %s: %w", dir, err)
	}
	packed, err := history.Git(l.ctx, dir, "cat-file", format, "--batch-all-objects", "--unordered").Output()
	if err != nil {
		return b, fmt.Errorf("listing the pack of %s: %w", dir, err)
	}
	if b.count, b.bytes, err = writeBlobs(b.listOrder, listed); err != nil {
		return b, err
	}
	n, _, err := writeBlobs(b.packOrder, packed)
	if err != nil {
		return b, err
	}
	if n != b.count {
		return b, fmt.Errorf("%s has %d blobs, of which %d can be reached: pack it again", dir, n, b.count)
	}
	packs, _ := filepath.Glob(filepath.Join(dir, ".git", "objects", "pack", "*.pack"))
	for _, p := range packs {
		if s, err := os.Stat(p); err == nil {
			b.packed += s.Size()
		}
	}
	return b, nil
}

// writeBlobs writes the ids of the blobs among the lines "type id size".
func writeBlobs(file string, lines []byte) (count int, size int64, err error) {
	var out bytes.Buffer
	for line := range strings.Lines(string(lines)) {
		var kind, id string
		var n int64
		if _, err := fmt.Sscan(line, &kind, &id, &n); err != nil {
			return 0, 0, fmt.Errorf("git cat-file printed %.80q: %w", line, err)
		}
		if kind == "blob" {
			fmt.Fprintln(&out, id)
			count++
			size += n
		}
	}
	return count, size, os.WriteFile(file, out.Bytes(), 0o644)
}

func (l *lab) catFile(name, dir, list string) measure.Command {
	c := l.runGit(name, dir, "cat-file", "--batch", "--buffer")
	c.Stdin = list
	return c
}

// attribution measures what it costs to say which commit and path brought each
// finding. It runs in this process: no command line does one half without the
// other.
func (l *lab) attribution() error {
	planted, _, err := l.history(history.Options{Shape: "library", Scale: l.Scale, Plant: true})
	if err != nil {
		return err
	}
	t := Table{
		Title:  fmt.Sprintf("Attribution: library, scale %d, with made-up secrets", l.Scale),
		Header: []string{"run", "scan, CPU", "attribution, CPU", "ratio", "places attributed"},
	}
	var ratios []float64
	for n := range l.Runs + 1 {
		a, err := engine.Attribute(l.ctx, planted)
		if err != nil {
			return err
		}
		if n == 0 {
			continue // finds the files in the cache of the system for the others
		}
		r := ratio(a.Attribute, a.Scan)
		ratios = append(ratios, r)
		t.Rows = append(t.Rows, []string{fmt.Sprint(n), seconds(a.Scan), seconds(a.Attribute), fmt.Sprintf("%.3f", r), fmt.Sprint(a.Places)})
	}
	slices.Sort(ratios)
	l.results.budget(Budget{Work: "attribution, CPU to the scan", Measured: ratios[len(ratios)/2], Limit: 1, Unit: " times"})
	l.results.table(t)
	return nil
}
