package compare

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

// denseHistory scans histories in which every version of a file has the same
// things to judge again.
func (l *lab) denseHistory() error {
	t := Table{
		Title:  fmt.Sprintf("Histories with the same things to judge in each of %d versions of a file", history.DenseVersions),
		Notes:  []string{"Three lines, or three other resources, change from each version to the next. There is no budget: a finding is judged and counted in each version that has it."},
		Header: []string{"in each version", "git cat-file --batch, CPU", "spillgate history, CPU", "ratio", "peak memory"},
	}
	for k, kind := range history.DenseKinds() {
		dir := filepath.Join(l.Dir, fmt.Sprintf("dense-%d", k))
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		l.Log("making history dense-%d", k)
		if err := kind.Make(l.ctx, dir); err != nil {
			return err
		}
		b, err := l.blobLists(dir)
		if err != nil {
			return err
		}
		samples, err := measure.Compare(l.ctx, min(l.Runs, 3), l.catFile("git cat-file --batch", dir, b.packOrder), l.runSpillgate("spillgate history", dir, "history"))
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, []string{
			kind.Name, seconds(samples[0].CPU()), seconds(samples[1].CPU()), fmt.Sprintf("%.2f", ratio(samples[1].CPU(), samples[0].CPU())), megabytes(samples[1].Peak()),
		})
	}
	l.results.table(t)
	return nil
}
