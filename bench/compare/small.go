package compare

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

// milliseconds returns a - b.
func milliseconds(a, b time.Duration) float64 { return float64(a-b) / float64(time.Millisecond) }

// startup measures what it costs to start and to scan nothing.
func (l *lab) startup() error {
	nothing := filepath.Join(l.Dir, "nothing")
	if err := os.MkdirAll(nothing, 0o755); err != nil {
		return err
	}
	commands := []measure.Command{
		{Name: "empty Go program", Args: []string{l.empty}, Dir: nothing},
		l.runSpillgate("spillgate version", nothing, "version"),
		l.runSpillgate("spillgate stdin, no input", nothing, "stdin"),
		l.runSpillgate("spillgate dir, empty folder", nothing, "dir", "."),
		l.runGitleaks("gitleaks dir, empty folder", nothing, "dir", "."),
	}
	// Single milliseconds need many runs, and cost little.
	samples, err := measure.Compare(l.ctx, 10*l.Runs+1, commands...)
	if err != nil {
		return err
	}
	var cpu, wall float64
	for _, s := range samples[1:4] {
		cpu = max(cpu, milliseconds(s.CPU(), samples[0].CPU()))
		wall = max(wall, milliseconds(s.Wall(), samples[0].Wall()))
	}
	l.results.budget(Budget{Work: "start-up and an empty scan over an empty Go program, CPU", Measured: cpu, Limit: 5, Unit: " ms"})
	l.results.budget(Budget{Work: "the same on the clock", Measured: wall, Limit: 5, Unit: " ms"})
	l.results.addSamples("Start-up and an empty scan", samples)
	return nil
}

// staged measures the scan before a commit.
func (l *lab) staged() error {
	var plants []history.Plant
	for n := range 20 {
		plants = append(plants, history.NewPlant(1, n))
	}
	clean, err := l.stagedRepo("staged", nil)
	if err != nil {
		return err
	}
	planted, err := l.stagedRepo("staged-planted", plants)
	if err != nil {
		return err
	}
	note, err := l.sameJob(plants, l.runSpillgate("spillgate", planted, "staged"), l.runGitleaks("gitleaks", planted, "git", "--staged", "--pre-commit"))
	if err != nil {
		return err
	}
	samples, err := measure.Compare(l.ctx, 4*l.Runs+1,
		l.runGit("git diff --cached -U0", clean, "diff", "--cached", "-U0"),
		l.runSpillgate("spillgate staged", clean, "staged"),
		l.runGitleaks("gitleaks git --staged", clean, "git", "--staged", "--pre-commit"),
	)
	if err != nil {
		return err
	}
	git, ours, theirs := samples[0].CPU(), samples[1].CPU(), samples[2].CPU()
	l.results.budget(Budget{Work: "staged, CPU to `git diff --cached -U0`", Measured: ratio(ours, git), Limit: 1.3, Unit: " times"})
	l.results.budget(Budget{Work: "staged, CPU of gitleaks to Spillgate", Measured: ratio(theirs, ours), Limit: 8, Unit: " times", AtLeast: true})
	l.results.addSamples("Staged: 10 files with 200 new lines each, index of 5,000 files", samples, note)
	return nil
}

// stagedRepo returns a repository with staged changes, making it if need be.
func (l *lab) stagedRepo(name string, plants []history.Plant) (string, error) {
	dir := filepath.Join(l.Dir, name)
	done := filepath.Join(dir, ".git", "spillgate-bench-done")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	l.Log("making repository %s", name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := history.MakeStaged(l.ctx, dir, history.Change{Plants: plants, GOROOT: l.goroot}); err != nil {
		return "", err
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

// rangeCommits is how many commits a range of the budget has.
const rangeCommits = 500

// commitRange measures a push or a pull request of 500 commits.
func (l *lab) commitRange() error {
	dir, _, err := l.history(history.Options{Shape: "library", Scale: l.Scale})
	if err != nil {
		return err
	}
	spec, n, err := l.rangeOf(dir)
	if err != nil {
		return err
	}
	// Secrets lie far apart in a long history: a short one has more in a range.
	planted, m, err := l.history(history.Options{Shape: "library", Scale: 1, Plant: true})
	if err != nil {
		return err
	}
	plantedSpec, _, err := l.rangeOf(planted)
	if err != nil {
		return err
	}
	inside, err := l.plantsInside(planted, plantedSpec, m.Plants)
	if err != nil {
		return err
	}
	note, err := l.sameJob(inside, l.runSpillgate("spillgate", planted, "range", plantedSpec),
		l.runGitleaks("gitleaks", planted, "git", "--log-opts="+plantedSpec))
	if err != nil {
		return err
	}
	theirs := l.runGitleaks("gitleaks git --log-opts=A..B", dir, "git", "--log-opts="+spec)
	theirs.MaxRuns = max(1, l.Runs/2)
	samples, err := measure.Compare(l.ctx, l.Runs,
		l.runGit("git log -p -U0 A..B", dir, "log", "-p", "-U0", spec),
		l.runSpillgate("spillgate range A..B", dir, "range", spec),
		theirs,
	)
	if err != nil {
		return err
	}
	l.results.budget(Budget{
		Work: fmt.Sprintf("a range of %d commits, CPU to `git log -p -U0`", n), Measured: ratio(samples[1].CPU(), samples[0].CPU()), Limit: 1, Unit: " times",
	})
	l.results.addSamples(fmt.Sprintf("A range of %d commits of the library", n), samples, note)
	return nil
}

// rangeOf returns a range A..main of about rangeCommits commits, with A on the
// first-parent line of main, and how many commits it has.
func (l *lab) rangeOf(dir string) (string, int, error) {
	line, err := l.gitLines(dir, "rev-list", "--first-parent", "main")
	if err != nil {
		return "", 0, err
	}
	lo, hi := 0, len(line)-1 // the least i whose range has enough commits
	for lo < hi {
		mid := (lo + hi) / 2
		n, err := l.countCommits(dir, line[mid]+"..main")
		if err != nil {
			return "", 0, err
		}
		if n >= rangeCommits {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	spec := line[lo] + "..main"
	n, err := l.countCommits(dir, spec)
	return spec, n, err
}

func (l *lab) countCommits(dir, spec string) (int, error) {
	out, err := l.gitLines(dir, "rev-list", "--count", spec)
	if err != nil {
		return 0, err
	}
	var n int
	_, err = fmt.Sscan(out[0], &n)
	return n, err
}

// plantsInside returns the plants in text files that a commit of a range was
// the first to hold: the ones that both scanners should find there.
func (l *lab) plantsInside(dir, spec string, plants []history.Plant) ([]history.Plant, error) {
	commits, err := l.gitLines(dir, "rev-list", spec)
	if err != nil {
		return nil, err
	}
	var inside []history.Plant
	for _, p := range plants {
		if p.Place != "file" {
			continue
		}
		value := strings.TrimSpace(p.Value())
		if i := strings.IndexByte(value, '\n'); i >= 0 { // of a key block, the line in the middle
			value, _, _ = strings.Cut(value[i+1:], "\n")
		}
		changed, err := l.gitLines(dir, "log", "--reverse", "--topo-order", "--format=%H", "-S"+value, "main")
		if err != nil {
			return nil, err
		}
		if len(changed) > 0 && slices.Contains(commits, changed[0]) {
			inside = append(inside, p)
		}
	}
	return inside, nil
}

// gitLines runs git and returns the lines it prints.
func (l *lab) gitLines(dir string, args ...string) ([]string, error) {
	out, err := history.Git(l.ctx, dir, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("running git %s in %s: %w", args[0], dir, err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), nil
}
