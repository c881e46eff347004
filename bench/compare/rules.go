package compare

import (
	"fmt"
	"time"

	"github.com/spillgate/spillgate/bench/engine"
)

// ruleText is how many bytes of source text the rules are measured on.
const ruleText = 32 << 20

// ruleCost measures what another hundred rules cost.
func (l *lab) ruleCost() error {
	costs, err := l.ruleCosts("The cost of another 100 rules", 0, 100)
	if err != nil {
		return err
	}
	more := 100 * (ratio(costs[1].Scan, costs[0].Scan) - 1)
	l.results.budget(Budget{Work: "cost of another 100 rules", Measured: more, Limit: 5, Unit: " %"})
	return nil
}

// linearRules measures rule sets of growing size.
func (l *lab) linearRules() error {
	costs, err := l.ruleCosts("Number of rules", 0, 100, 200, 400, 600, 800, 1000)
	if err != nil {
		return err
	}
	last := len(costs) - 1
	l.results.budget(Budget{Work: "another 1,000 rules, CPU to the built-in rules alone", Measured: ratio(costs[last].Scan, costs[0].Scan), Limit: linearLimit, Unit: " times"})
	return nil
}

func (l *lab) ruleCosts(title string, extra ...int) ([]engine.Cost, error) {
	text, err := engine.Corpus(l.goroot, ruleText)
	if err != nil {
		return nil, err
	}
	rounds := 4*l.Runs + 1
	costs, err := engine.RuleCosts(text, rounds, extra...)
	if err != nil {
		return nil, err
	}
	t := Table{
		Title: title,
		Notes: []string{fmt.Sprintf("The rule program over %s of source text in memory, one thread, in turn, medians of %d rounds. "+
			"The first row is the built-in program, the others are compiled at run time.", megabytes(int64(len(text))), rounds)},
		Header: []string{"rules", "compile", "scan", "MB/s", "matches", "scan to first row"},
	}
	for _, c := range costs {
		t.Rows = append(t.Rows, []string{
			fmt.Sprint(c.Rules), seconds(c.Compile), seconds(c.Scan),
			fmt.Sprintf("%.0f", float64(len(text))/1e6/c.Scan.Seconds()), fmt.Sprint(c.Matches),
			fmt.Sprintf("%.3f", float64(c.Scan)/float64(max(costs[0].Scan, time.Nanosecond))),
		})
	}
	l.results.table(t)
	return costs, nil
}
