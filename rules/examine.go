package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

// sources are the rule files, for Sources. Embedding costs nothing at start.
//
//go:embed *.toml
var sources embed.FS

// Sources returns the rule files that Builtin was compiled from, one per
// provider. The built-in rules leave their examples out; the files have them.
func Sources() fs.FS { return sources }

// ParseAll parses all rule files in the root of f, in the order of their names.
func ParseAll(f fs.FS) ([]Rule, error) {
	names, err := fs.Glob(f, "*.toml")
	if err != nil {
		return nil, err
	}
	var all []Rule
	for _, name := range names {
		text, err := fs.ReadFile(f, name)
		if err != nil {
			return nil, err
		}
		list, err := Parse(name, text)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// A Fault is an example that does not do what its rule says of it. It names
// the example by its number, from 1: the texts are made up, but a habit of
// printing secrets begins somewhere.
type Fault struct {
	Rule string
	What string
}

// String returns the rule and the fault.
func (f Fault) String() string { return f.Rule + ": " + f.What }

// Examine runs the examples of the rules: each rule must have two of each kind
// at least, find every text in Match and none in Clean, and no other rule may
// find its Match examples but those that Overlaps names, and Fallback rules.
func (p *Program) Examine() []Fault {
	var faults []Fault
	for i := range p.Rules {
		r := &p.Rules[i]
		fault := func(format string, args ...any) {
			faults = append(faults, Fault{r.ID, fmt.Sprintf(format, args...)})
		}
		if len(r.Match) < 2 || len(r.Clean) < 2 {
			fault("it has %d match and %d clean examples, and needs two of each at least", len(r.Match), len(r.Clean))
		}
		for n, text := range r.Match {
			ids := p.findings(text)
			if !slices.Contains(ids, r.ID) {
				fault("it does not find its match example %d", n+1)
			}
			for _, id := range ids {
				if id != r.ID && !slices.Contains(r.Overlaps, id) && !p.Rule(id).Fallback {
					fault("its match example %d is found by %s too; if that is meant, say overlaps = [%q]", n+1, id, id)
				}
			}
		}
		for n, text := range r.Clean {
			if slices.Contains(p.findings(text), r.ID) {
				fault("it finds its clean example %d", n+1)
			}
		}
	}
	return faults
}

// findings returns the ids of the rules that report something in text, each
// once, without those whose match is a placeholder.
func (p *Program) findings(text string) []string {
	var ids []string
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		if m.Placeholder == "" && !slices.Contains(ids, m.Rule.ID) {
			ids = append(ids, m.Rule.ID)
		}
	})
	return ids
}
