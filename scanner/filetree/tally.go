package filetree

import (
	"cmp"
	"slices"

	"github.com/spillgate/spillgate/scanner"
)

// maxProblems bounds what a worker remembers of its problems; the coverage
// keeps far fewer and counts the rest.
const maxProblems = 10_000

// A tally is one worker's part of the coverage. Unlike scanner.Coverage it
// does not depend on the order of events, so that a parallel walk gives the
// same coverage every time.
type tally struct {
	files, binaries, names, bytes int64

	skips    map[string]scanner.Skip
	problems []scanner.Problem
	more     int64 // problems beyond maxProblems
}

// skip counts one thing at path left out because of reason; the example is
// the first path in byte order.
func (t *tally) skip(reason, path string) {
	t.addSkip(scanner.Skip{Reason: reason, Count: 1, Example: path})
}

func (t *tally) addSkip(s scanner.Skip) {
	if t.skips == nil {
		t.skips = make(map[string]scanner.Skip)
	}
	if old, ok := t.skips[s.Reason]; ok {
		s.Count += old.Count
		s.Example = min(s.Example, old.Example)
	}
	t.skips[s.Reason] = s
}

func (t *tally) fail(where, what, fix string) {
	if len(t.problems) < maxProblems {
		t.problems = append(t.problems, scanner.Problem{Where: where, What: what, Fix: fix})
		return
	}
	t.more++
}

func (t *tally) add(u *tally) {
	t.files += u.files
	t.binaries += u.binaries
	t.names += u.names
	t.bytes += u.bytes
	t.more += u.more
	for _, s := range u.skips {
		t.addSkip(s)
	}
	t.problems = append(t.problems, u.problems...)
}

// coverage returns the tally as the core wants it.
func (t *tally) coverage() scanner.Coverage {
	c := scanner.Coverage{Files: t.files, Binaries: t.binaries, Names: t.names, Bytes: t.bytes}
	for _, s := range t.skips {
		c.Skipped = append(c.Skipped, s)
	}
	slices.SortFunc(c.Skipped, func(a, b scanner.Skip) int { return cmp.Compare(a.Reason, b.Reason) })
	slices.SortFunc(t.problems, func(a, b scanner.Problem) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.What, b.What))
	})
	for _, p := range t.problems {
		c.Fail(p.Where, p.What, p.Fix)
	}
	for range t.more {
		c.Fail("", "", "") // only counted: the list was full long before
	}
	return c
}
