package main

import (
	"fmt"
	"math"
	"sort"
)

// report prints precision and recall, over all and by kind.
func (s *set) report(best []float64, threshold float64) {
	fmt.Println("log-odds  precision  recall   F1")
	for _, t := range []float64{-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3} {
		p, r, f := s.rate(best, t, "")
		fmt.Printf("%8.1f  %8.1f %% %6.1f %% %5.1f\n", t, 100*p, 100*r, 100*f)
	}
	for _, least := range []float64{0.97, 0.95, 0.93, 0.90} {
		t, r := s.recallAt(best, least)
		fmt.Printf("recall %.1f %% at precision %.0f %% (log-odds %.2f)\n", 100*r, 100*least, t)
	}
	kinds := map[string]bool{}
	for _, r := range s.records {
		kinds[r.Kind] = true
	}
	var sorted []string
	for k := range kinds {
		sorted = append(sorted, k)
	}
	sort.Strings(sorted)
	fmt.Printf("\nby kind at log-odds %.1f\n", threshold)
	for _, k := range sorted {
		p, r, _ := s.rate(best, threshold, k)
		fmt.Printf("%-30s precision %5.1f %%  recall %5.1f %%\n", k, 100*p, 100*r)
	}
}

// recallAt returns the lowest threshold with at least that precision, and the
// recall there.
func (s *set) recallAt(best []float64, least float64) (t, recall float64) {
	for t := -3.0; t < 5; t += 0.05 {
		if p, r, _ := s.rate(best, t, ""); p >= least {
			return t, r
		}
	}
	return 5, 0
}

// rate returns precision, recall and F1 over lines of a kind.
func (s *set) rate(best []float64, t float64, kind string) (p, r, f float64) {
	var hit, wrong, all float64
	for i, rec := range s.records {
		if kind != "" && rec.Kind != kind {
			continue
		}
		if rec.Label == "T" {
			all++
		}
		if best[i] >= t {
			if rec.Label == "T" {
				hit++
			} else {
				wrong++
			}
		}
	}
	p, r = hit/math.Max(1, hit+wrong), hit/math.Max(1, all)
	return p, r, 2 * p * r / math.Max(1e-9, p+r)
}
