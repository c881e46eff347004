package compare

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

// linearLimit is how much dearer a unit of the largest input may be than one of
// the smallest for the cost to be called linear. Small inputs carry the cost of
// starting, so that a linear cost gives less than 1.
const linearLimit = 1.5

// A step is one size of a linear table.
type step struct {
	label string
	units float64 // in the unit of the table, usually MB
	runs  []measure.Sample
}

// addLinear adds a table of steps: each program's CPU, CPU per unit and peak
// memory, and a budget for the program with index ours.
func (l *lab) addLinear(title, unit string, steps []step, ours int, notes ...string) {
	t := Table{Title: title, Notes: notes, Header: []string{"input", unit, "program", "CPU", "CPU per " + unit, "wall", "peak memory"}}
	per := func(s step, i int) float64 { return float64(s.runs[i].CPU()) / s.units }
	for _, s := range steps {
		for i, r := range s.runs {
			t.Rows = append(t.Rows, []string{
				s.label, fmt.Sprintf("%.1f", s.units), r.Command.Name, seconds(r.CPU()),
				fmt.Sprintf("%.3f ms", per(s, i)/float64(time.Millisecond)), seconds(r.Wall()), megabytes(r.Peak()),
			})
		}
	}
	l.results.table(t)
	first, last := steps[0], steps[len(steps)-1]
	l.results.budget(Budget{
		Work: title + ", CPU per " + unit + " of the largest to that of the smallest", Measured: per(last, ours) / per(first, ours), Limit: linearLimit, Unit: " times",
	})
}

// linearHistory scans histories of growing length.
func (l *lab) linearHistory() error {
	var steps []step
	for n := 1; n <= 8; n *= 2 {
		if n > l.Scale && n > 2 {
			break
		}
		dir, m, err := l.history(history.Options{Shape: "library", Scale: n})
		if err != nil {
			return err
		}
		b, err := l.blobLists(dir)
		if err != nil {
			return err
		}
		samples, err := measure.Compare(l.ctx, l.Runs,
			l.catFile("git cat-file --batch", dir, b.packOrder),
			l.runSpillgate("spillgate history", dir, "history"),
		)
		if err != nil {
			return err
		}
		label := fmt.Sprintf("%d commits, %d blobs of %s", m.Commits, b.count, megabytes(b.bytes))
		steps = append(steps, step{label, float64(m.Commits) / 1000, samples})
	}
	l.addLinear("Linear in the length of the history", "1,000 commits", steps, 1, "The library at growing scales.")
	return nil
}

// mebibytes are the sizes of files scanned. A run on small histories stops
// early.
func (l *lab) mebibytes(all ...int) []int {
	if l.Scale < 8 {
		return all[:len(all)-2]
	}
	return all
}

// linearSize scans text files of growing size, as files and from a pipe.
func (l *lab) linearSize() error {
	var files, pipes []step
	for _, n := range l.mebibytes(16, 64, 256, 1024, 2048) {
		dir := filepath.Join(l.Dir, fmt.Sprintf("text-%d", n))
		file := filepath.Join(dir, "text.txt")
		if err := l.makeText(file, n); err != nil {
			return err
		}
		pipe := l.runSpillgate("spillgate stdin", dir, "stdin")
		pipe.Stdin = file
		whole := l.runSpillgate("spillgate dir", dir, "dir", "text.txt")
		if n > 64 { // long enough for a single run to tell
			whole.MaxRuns, pipe.MaxRuns = 1, 1
		}
		samples, err := measure.Compare(l.ctx, min(l.Runs, 3), whole, pipe)
		if err != nil {
			return err
		}
		label, units := fmt.Sprintf("%d MiB", n), float64(n)*(1<<20)/1e6
		files = append(files, step{label, units, samples[:1]})
		pipes = append(pipes, step{label, units, samples[1:]})
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	l.addLinear("Linear in the size of a file", "MB", files, 0, "Lines of source text, in one file.")
	l.addLinear("Linear in the length of standard input", "MB", pipes, 0, "The same text.")
	return nil
}

// linearLine scans a single line of growing length, as bundlers and exporters
// write them.
func (l *lab) linearLine() error {
	var steps []step
	for _, n := range l.mebibytes(1, 4, 20, 64, 256) {
		dir := filepath.Join(l.Dir, fmt.Sprintf("line-%d", n))
		file := filepath.Join(dir, "line.txt")
		if err := l.makeText(file, n); err != nil {
			return err
		}
		if err := oneLine(file); err != nil {
			return err
		}
		commands := []measure.Command{l.runSpillgate("spillgate dir", dir, "dir", "line.txt")}
		if n <= 4 { // it takes minutes for more
			theirs := l.runGitleaks("gitleaks dir", dir, "dir", ".")
			theirs.MaxRuns = 1
			commands = append(commands, theirs)
		}
		samples, err := measure.Compare(l.ctx, min(l.Runs, 3), commands...)
		if err != nil {
			return err
		}
		steps = append(steps, step{fmt.Sprintf("a line of %d MiB", n), float64(n) * (1 << 20) / 1e6, samples})
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	l.addLinear("Linear in the length of a line", "MB", steps, 0, "Source text whose newlines are replaced by semicolons.")
	return nil
}

// linearFindings scans a file of tests for AWS with a growing number of ARNs,
// every tenth of which stands there for the first time, and secrets of other
// kinds between them.
func (l *lab) linearFindings() error {
	var steps []step
	for _, n := range []int{1000, 2000, 4000, 8000} {
		dir := filepath.Join(l.Dir, fmt.Sprintf("findings-%d", n))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		var text []byte
		for i := range n {
			text = fmt.Appendf(text, "    assert role(%d) == \"arn:aws:iam::471938265017:role/service-%x\"\n    # and nothing else\n", i, i/10*7919)
			if i%20 == 0 {
				text = append(text, history.NewPlant(1, i/20).Text()...)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "test_roles.py"), text, 0o644); err != nil {
			return err
		}
		samples, err := measure.Compare(l.ctx, min(l.Runs, 3), l.runSpillgate("spillgate dir", dir, "dir", "test_roles.py"))
		if err != nil {
			return err
		}
		steps = append(steps, step{fmt.Sprintf("%d ARNs", n), float64(n) / 1000, samples})
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	l.addLinear("Linear in the number of findings", "1,000 ARNs", steps, 0, "A file of tests with ARNs, a tenth of them distinct, and a secret of another kind for every twenty.")
	return nil
}

// makeText writes n MiB of source text to file.
func (l *lab) makeText(file string, n int) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = history.Text(w, l.goroot, int64(n)<<20)
	if err == nil {
		err = w.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// oneLine replaces every newline of a file.
func oneLine(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, bytes.ReplaceAll(b, []byte{'\n'}, []byte{';'}), 0o644)
}
