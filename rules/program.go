package rules

import (
	"slices"
	"sync"
	"sync/atomic"
)

//go:generate go run -tags spillgate_bootstrap gen.go

// MaxMatch bounds the length of a match in bytes, and ContextBefore and
// ContextAfter say how many bytes around an anchor a Program may look at: a
// caller that cuts a text into pieces gives each piece that much of its
// neighbours, or all there is, and gets the matches of the whole text.
const (
	MaxMatch      = 32 << 10
	ContextBefore = 2 * MaxMatch
	ContextAfter  = 2 * MaxMatch
)

// An Anchor is a place where one of a Program's literals stands. Whether a
// rule matches there is not decided yet.
type Anchor struct {
	Pos     int    // of the literal's first byte
	Literal uint16 // index of the literal in the Program
}

// ForeignLiteral is the first of the literals that no Program has. Others may
// use it and what follows for anchors of their own, which go with those of a
// Program from version to version of a text, and which it passes over.
const ForeignLiteral = 1<<16 - 16

// A Validator looks at a match that the pattern found and returns false to
// refuse it. It may grade the match anew through Severity and Confidence,
// append to Fields and set Placeholder. data is the text that the offsets of m
// point into; a Validator looks no further than MaxMatch bytes beyond the
// match, so that its verdict does not depend on how the text was cut.
type Validator func(data []byte, m *Match) bool

// A Program is a compiled rule set. It is immutable, safe for concurrent use
// and allocates nothing for a text in which nothing matches.
//
// Its matches are defined without it. For each pattern of each rule they are
// those that regexp.FindAll gives for the expression and the whole text,
// leftmost-first and not overlapping, less those that a validator refuses,
// with these provisions:
//
//   - Under (?i) only ASCII letters fold: the long s and the Kelvin sign are
//     not taken for s and k.
//   - Where a rule gives keywords, the expression matches nowhere without one
//     of them in the match, in any case.
//   - Of several patterns of a rule that find the same secret, the first one
//     reports it.
//   - ARN patterns match as ParseARNPattern says, and otherwise likewise.
//
// A text may be given in pieces: a match is found in that piece which holds
// the first anchor that leads to it, whatever the pieces are, as long as each
// comes with ContextBefore and ContextAfter bytes of what surrounds it. The one
// exception is a text in which candidates overlap each other without a gap for
// the length of ContextBefore; there, matches of two pieces may overlap, and
// none is lost.
type Program struct {
	// Rules are the rules in the order in which they were compiled. Nobody
	// changes them.
	Rules []Rule

	patterns []pattern // sorted by rule
	literals []literal // sorted by text
	users    []uint16  // patterns of the literals, see literal.users
	filter   filter
	lazy     atomic.Pointer[[]lazyRegexp] // one for each pattern, made for the first that is used
	context  int                          // ContextBefore, but in tests

	remember sync.Once // guards what memories computes
	memory   []memory  // of each literal
	keyed    []uint8   // of each pattern, see memories

	forgetful bool // ARNs are not remembered, see arnMemory
}

// Builtin returns the program compiled from the rules in this folder.
func Builtin() *Program { return &builtin }

// Compile compiles rules. An error names the rule and what is wrong with it.
// Rules that are in Builtin too are not compiled again, so that a user's few
// rules beside ours cost little.
func Compile(rules []Rule) (*Program, error) { return compile(rules, 1) }

// CompileForRelease does the same and takes its time over the arrangement of
// the prefilter. It is for the generator of Builtin.
func CompileForRelease(rules []Rule) (*Program, error) { return compile(rules, 6) }

// Check reports why Compile would refuse a rule because of p, in a fraction of
// the time.
func (p Pattern) Check() error {
	_, _, err := compilePattern(p)
	return err
}

// Rule returns the rule with the given id, or nil.
func (p *Program) Rule(id string) *Rule {
	i := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Rules[i]
}

// LongestLiteral returns the length in bytes of the longest literal: an edit
// of a text changes no anchor farther before it than that.
func (p *Program) LongestLiteral() int { return p.filter.longest }
