package measure

import (
	"context"
	"slices"
	"time"
)

// A Sample is all runs of one command.
type Sample struct {
	Command Command
	Runs    []Usage
}

// Compare runs the commands in turn, each runs times unless its MaxRuns is
// less. Before that each runs once uncounted, so that all find the files in the
// cache of the system.
func Compare(ctx context.Context, runs int, commands ...Command) ([]Sample, error) {
	samples := make([]Sample, len(commands))
	for i, c := range commands {
		samples[i].Command = c
		if c.MaxRuns == 1 {
			continue
		}
		if _, err := Run(ctx, c); err != nil {
			return nil, err
		}
	}
	for n := range runs {
		for i, c := range commands {
			if c.MaxRuns > 0 && n >= c.MaxRuns {
				continue
			}
			u, err := Run(ctx, c)
			if err != nil {
				return nil, err
			}
			samples[i].Runs = append(samples[i].Runs, u)
		}
	}
	return samples, nil
}

// CPU is the median CPU time.
func (s Sample) CPU() time.Duration { return s.median(Usage.CPU) }

// Wall is the median time on the clock.
func (s Sample) Wall() time.Duration {
	return s.median(func(u Usage) time.Duration { return u.Wall })
}

// Spread returns the least and the most CPU time of any run.
func (s Sample) Spread() (least, most time.Duration) {
	all := s.all(Usage.CPU)
	return slices.Min(all), slices.Max(all)
}

// Peak is the median peak memory in bytes.
func (s Sample) Peak() int64 {
	return int64(s.median(func(u Usage) time.Duration { return time.Duration(u.Peak) }))
}

func (s Sample) all(of func(Usage) time.Duration) []time.Duration {
	var all []time.Duration
	for _, u := range s.Runs {
		all = append(all, of(u))
	}
	return all
}

func (s Sample) median(of func(Usage) time.Duration) time.Duration {
	all := s.all(of)
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	mid := len(all) / 2
	if len(all)%2 == 0 {
		return (all[mid-1] + all[mid]) / 2
	}
	return all[mid]
}
