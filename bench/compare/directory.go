package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

// literals are ten of the words that secrets begin with: what one would grep
// for.
var literals = []string{
	"AK" + "IA", "AS" + "IA", "gh" + "p_", "github" + "_pat_", "glp" + "at-",
	"xo" + "xb-", "sk_" + "live_", "AI" + "za", "np" + "m_", "PRIVATE " + "KEY",
}

// directory measures the scan of a source tree on disk.
func (l *lab) directory() error {
	if l.ripgrep == "" {
		return errors.New("ripgrep is not installed")
	}
	part := "src"
	if l.Scale < 8 { // gitleaks takes minutes for all of it
		part = filepath.Join("src", "net")
	}
	tree := filepath.Join(l.goroot, part)
	files, bytes, err := treeSize(tree)
	if err != nil {
		return err
	}
	planted, plants, err := l.plantedTree()
	if err != nil {
		return err
	}
	note, err := l.sameJob(plants, l.runSpillgate("spillgate", planted, "dir", "--no-ignore", "."), l.runGitleaks("gitleaks", planted, "dir", "."))
	if err != nil {
		return err
	}
	grep := []string{l.ripgrep, "--count", "--fixed-strings", "-uuu", "-j", fmt.Sprint(runtime.NumCPU())}
	for _, s := range literals {
		grep = append(grep, "-e", s)
	}
	theirs := l.runGitleaks("gitleaks dir", tree, "dir", ".")
	theirs.MaxRuns = 1
	samples, err := measure.Compare(l.ctx, 2*l.Runs+1,
		measure.Command{Name: "ripgrep with ten literals", Args: append(grep, "."), Dir: tree, Exit: []int{0, 1}},
		l.runSpillgate("spillgate dir --no-ignore --no-archives", tree, "dir", "--no-ignore", "--no-archives", "."),
		l.runSpillgate("spillgate dir --no-ignore", tree, "dir", "--no-ignore", "."),
		theirs,
	)
	if err != nil {
		return err
	}
	ours := samples[1].CPU()
	l.results.budget(Budget{Work: "a directory, CPU to ripgrep with ten literals", Measured: ratio(ours, samples[0].CPU()), Limit: 8, Unit: " times"})
	l.results.budget(Budget{Work: "a directory, CPU of gitleaks to Spillgate", Measured: ratio(samples[3].CPU(), ours), Limit: 20, Unit: " times", AtLeast: true})
	l.results.addSamples(fmt.Sprintf("A directory: GOROOT/%s, %d files, %s", filepath.ToSlash(part), files, megabytes(bytes)), samples, note,
		"The others do not look into archives and compressed files, of which this tree has some; so the budgets are about the second row.")
	return nil
}

func treeSize(dir string) (files int, bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files++
		bytes += info.Size()
		return nil
	})
	return files, bytes, err
}

// plantedTree makes a small tree with a secret in each file.
func (l *lab) plantedTree() (string, []history.Plant, error) {
	dir := filepath.Join(l.Dir, "planted-tree")
	var plants []history.Plant
	for n := range 40 {
		p := history.NewPlant(5, n)
		p.Path = fmt.Sprintf("src/%d/settings-%d.txt", n%4, n)
		plants = append(plants, p)
		name := filepath.Join(dir, filepath.FromSlash(p.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return "", nil, err
		}
		text := append([]byte("# settings of a service\nname = example\n"), p.Text()...)
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return "", nil, err
		}
	}
	return dir, plants, nil
}
