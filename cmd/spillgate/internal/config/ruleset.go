package config

import (
	"slices"
	"strings"
	"sync"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// Program returns the compiled rules: the built-in ones and those of c. A nil
// Config, or one without rules, costs nothing.
func (c *Config) Program() (*rules.Program, error) {
	if c == nil || len(c.Rules) == 0 {
		return rules.Builtin(), nil
	}
	var all []rules.Rule
	for _, r := range rules.Builtin().Rules {
		if !slices.ContainsFunc(c.Rules, func(own rules.Rule) bool { return own.ID == r.ID }) {
			all = append(all, r)
		}
	}
	return rules.Compile(append(all, c.Rules...))
}

// Detectors returns all such that they obey the changes of rules in c.
func (c *Config) Detectors(all ...scanner.Detector) []scanner.Detector {
	if c == nil || len(c.Changes) == 0 {
		return all
	}
	s := &switches{config: c}
	out := make([]scanner.Detector, len(all))
	for i := range all {
		out[i] = &switched{all[i], s}
	}
	return out
}

// Change returns what becomes of the rule.
func (c *Config) Change(rule string) Change {
	var sum Change
	if c == nil {
		return sum
	}
	// The most particular pattern comes last and wins, key by key.
	var applied []Change
	for _, change := range c.Changes {
		if ignore.Glob(change.Pattern, rule) {
			applied = append(applied, change)
		}
	}
	slices.SortStableFunc(applied, func(a, b Change) int {
		return rank(a.Pattern) - rank(b.Pattern)
	})
	for _, change := range applied {
		if change.On || change.Off {
			sum.On, sum.Off = change.On, change.Off
		}
		if change.Severity != nil {
			sum.Severity = change.Severity
		}
		if change.Confidence != nil {
			sum.Confidence = change.Confidence
		}
	}
	return sum
}

// rank orders patterns by how particular they are.
func rank(pattern string) int {
	if !strings.Contains(pattern, "*") {
		return 1 << 20
	}
	return len(pattern)
}

// switches remembers the change of each rule.
type switches struct {
	config *Config
	cache  sync.Map // of *rules.Rule to Change
}

func (s *switches) of(r *rules.Rule) Change {
	if c, ok := s.cache.Load(r); ok {
		return c.(Change)
	}
	c := s.config.Change(r.ID)
	s.cache.Store(r, c)
	return c
}

// switched is a detector whose hits obey the configuration: those of rules
// that are off are not hits, and others are graded anew. A grade that a
// validator gave one match, because it knows more than the rule, stays.
type switched struct {
	scanner.Detector
	*switches
}

// Detect implements scanner.Detector.
func (d *switched) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	d.Detector.Detect(c, func(h *scanner.Hit) {
		change := d.of(h.Rule)
		if change.Off {
			return
		}
		if change.Severity != nil && h.Severity == h.Rule.Severity {
			h.Severity = *change.Severity
		}
		if change.Confidence != nil && h.Confidence == h.Rule.Confidence {
			h.Confidence = *change.Confidence
		}
		hit(h)
	})
}
