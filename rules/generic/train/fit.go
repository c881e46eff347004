package main

import (
	"fmt"
	"log"
	"math"
	"sort"
	"strings"
	"sync"

	"github.com/spillgate/spillgate/rules/generic"
)

// fit is logistic regression by full gradient steps (Adam) with a ridge.
func (s *set) fit(use func(sample) bool) []float64 {
	const ridge, steps, rate = 0.6, 400, 0.05
	w, m, v := make([]float64, len(s.names)), make([]float64, len(s.names)), make([]float64, len(s.names))
	grad := make([]float64, len(s.names))
	for t := 1; t <= steps; t++ {
		for i := range grad {
			grad[i] = ridge * w[i]
		}
		for _, x := range s.samples {
			if !use(x) {
				continue
			}
			e := 1/(1+math.Exp(-s.score(w, x))) - x.label
			for _, i := range x.features {
				grad[i] += e * x.weight
			}
		}
		for i, g := range grad {
			if s.counts[i] < 3 {
				continue // too rare to learn from
			}
			m[i] = 0.9*m[i] + 0.1*g
			v[i] = 0.999*v[i] + 0.001*g*g
			w[i] -= rate * (m[i] / (1 - math.Pow(0.9, float64(t)))) / (math.Sqrt(v[i]/(1-math.Pow(0.999, float64(t)))) + 1e-8)
		}
	}
	return w
}

func (s *set) score(w []float64, x sample) float64 {
	z := 0.0
	for _, i := range x.features {
		z += w[i]
	}
	return z
}

// crossValidate returns, for each line, the highest score of its candidates by a
// model that has not seen the line, and that candidate; and the models.
func (s *set) crossValidate(labelled int) (best []float64, text []string, models [folds][]float64) {
	best, text = make([]float64, len(s.records)), make([]string, len(s.records))
	for i := range best {
		best[i] = math.Inf(-1)
	}
	var group sync.WaitGroup
	for k := range folds {
		group.Go(func() { models[k] = s.fit(func(x sample) bool { return x.line < 0 || s.fold[x.line] != k }) })
	}
	group.Wait()
	for k, w := range models {
		for _, x := range s.samples[:labelled] {
			if s.fold[x.line] == k {
				if z := s.score(w, x); z > best[x.line] {
					best[x.line], text[x.line] = z, x.text
				}
			}
		}
	}
	return best, text, models
}

// weightsFile returns the Go source of the weights.
func (s *set) weightsFile(w []float64) []byte {
	type entry struct {
		hash   uint32
		weight int
		name   string
	}
	var all []entry
	for i, x := range w {
		if v := int(math.Round(x * 1000)); v != 0 {
			all = append(all, entry{generic.Hash(s.names[i]), v, s.names[i]})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].hash < all[j].hash })
	var b strings.Builder
	b.WriteString("// weightHashes are the hashes of the features, weights their log-odds in thousandths.\nvar weightHashes = [...]uint32{\n")
	for i, e := range all {
		if i > 0 && e.hash == all[i-1].hash {
			log.Fatalf("%q and %q have the same hash", e.name, all[i-1].name)
		}
		fmt.Fprintf(&b, "%#x,\n", e.hash)
	}
	b.WriteString("}\n\nvar weights = [...]int16{\n")
	for _, e := range all {
		fmt.Fprintf(&b, "%d, // %s\n", e.weight, e.name)
	}
	b.WriteString("}\n")
	return source(b.String())
}
