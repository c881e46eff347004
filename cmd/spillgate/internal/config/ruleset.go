package config

import (
	"slices"
	"strings"
	"sync"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/iac"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// Detector returns what looks for the built-in rules and those of c, graded
// and switched off as c says. A nil Config costs nothing. The rules of c are a
// program of their own beside the built-in one, which is compiled ahead of
// time: to compile all of them together would cost every run a quarter of a
// second.
func (c *Config) Detector() scanner.Detector {
	builtin := scanner.RuleDetector{Program: rules.Builtin()}
	if c == nil || len(c.Changes) == 0 && c.program == nil {
		return builtin
	}
	return &ruleset{config: c, builtin: builtin}
}

// Graded returns d with the findings of its own rules graded and switched off as
// c says. A nil Config costs nothing.
func (c *Config) Graded(d scanner.Detector) scanner.Detector {
	if c == nil || len(c.Changes) == 0 {
		return d
	}
	return &graded{rules: ruleset{config: c}, inner: d}
}

// A graded is another detector under a configuration.
type graded struct {
	rules ruleset
	inner scanner.Detector
}

// Detect implements scanner.Detector.
func (g *graded) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	g.inner.Detect(c, func(h *scanner.Hit) { g.rules.pass(h, true, hit) })
}

// Rule returns the rule in force with the given id, graded as c says, or nil.
func (c *Config) Rule(id string) *rules.Rule {
	found := rules.Builtin().Rule(id)
	if found == nil {
		found = iac.Rule(id)
	}
	if c == nil {
		return found
	}
	for i := range c.Rules {
		if c.Rules[i].ID == id {
			found = &c.Rules[i]
		}
	}
	change := c.Change(id)
	if found == nil || change.Severity == nil && change.Confidence == nil {
		return found
	}
	graded := *found
	if change.Severity != nil {
		graded.Severity = *change.Severity
	}
	if change.Confidence != nil {
		graded.Confidence = *change.Confidence
	}
	return &graded
}

// replaces reports whether a built-in rule gives way to one of c.
func (c *Config) replaces(builtin *rules.Rule) bool {
	return slices.ContainsFunc(c.Rules, func(own rules.Rule) bool { return own.ID == builtin.ID })
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
		if change.Action != nil {
			sum.Action = change.Action
		}
	}
	return sum
}

// Stages returns the stages that c asks for beside those that excuse: what
// findings do to the gate, by rule.
func (c *Config) Stages() []scanner.Stage {
	if c == nil || !slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Action != nil }) {
		return nil
	}
	return []scanner.Stage{actions{c}}
}

// actions is the stage that overrules the gate.
type actions struct{ config *Config }

// Judge implements scanner.Stage.
func (a actions) Judge(f *scanner.Finding) {
	if action := a.config.Change(f.Rule.ID).Action; action != nil {
		f.Action = *action
	}
}

// rank orders patterns by how particular they are.
func rank(pattern string) int {
	if !strings.Contains(pattern, "*") {
		return 1 << 20
	}
	return len(pattern)
}

// A ruleset is the detector of a configuration. The hits of rules that are off
// are none, and others are graded anew; but a grade that a validator gave one
// match, because it knows more than the rule, stays.
type ruleset struct {
	config  *Config
	builtin scanner.RuleDetector
	cache   sync.Map // of *rules.Rule to Change
}

// Detect implements scanner.Detector.
func (s *ruleset) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	s.builtin.Detect(c, func(h *scanner.Hit) { s.pass(h, true, hit) })
	if p := s.config.program; p != nil {
		// Anchors that a source found are those of the built-in program.
		p.Scan(c.Data, c.From, c.To, c.Object.Binary, func(h *scanner.Hit) { s.pass(h, false, hit) })
	}
}

func (s *ruleset) pass(h *scanner.Hit, builtin bool, hit func(*scanner.Hit)) {
	change := s.of(h.Rule, builtin)
	if change.Off {
		return
	}
	if change.Severity != nil && h.Severity == h.Rule.Severity {
		h.Severity = *change.Severity
	}
	if change.Confidence != nil && h.Confidence == h.Rule.Confidence {
		h.Confidence, h.Settled = *change.Confidence, true
	}
	hit(h)
}

func (s *ruleset) of(r *rules.Rule, builtin bool) Change {
	if c, ok := s.cache.Load(r); ok {
		return c.(Change)
	}
	c := s.config.Change(r.ID)
	if builtin && s.config.replaces(r) {
		c.Off = true
	}
	s.cache.Store(r, c)
	return c
}
