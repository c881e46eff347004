package cli

import (
	"bufio"
	"fmt"
	"io"

	"github.com/spillgate/spillgate/rules/generic"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

// weigh prints, for every name and value in the lines of r, what the generic
// rules see in them and how much each feature weighs. Values are masked.
func weigh(w io.Writer, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	found := false
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		for _, c := range generic.All(line) {
			found = true
			score := float64(generic.Judge(line, c)) / 1000
			value := scanner.NewSecret(line[c.Start:c.End])
			fmt.Fprintf(w, "line %d: %s (%s) = %s: log-odds %+.1f\n", n, report.Escape(string(line[c.KeyStart:c.KeyEnd])), c.Syntax, value.Masked(), score)
			for _, x := range generic.Explain(line, c) {
				fmt.Fprintf(w, "  %+6.2f  %s\n", x.Weight, x.Feature)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	if !found {
		fmt.Fprintln(w, "no name with a value stands there")
	}
	return nil
}
