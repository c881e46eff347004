package scanner

import (
	"context"
	"errors"
	"time"

	"github.com/spillgate/spillgate/rules"
)

// A Source yields what is to be scanned.
type Source interface {
	// Chunks calls emit for every chunk, from one or several goroutines, and
	// returns when all calls have returned. The coverage it returns is true
	// also when the error is not nil: it covers what was emitted until then.
	//
	// What cannot be read but does not hinder the rest is a Problem of the
	// coverage; an error is for what ends the scan. An error of emit or of
	// ctx ends it and is returned. A *UsageError says that the caller asked
	// for something that cannot be.
	Chunks(ctx context.Context, emit func(*Chunk) error) (Coverage, error)
}

// An Attributor is a Source that learns only after the scan which commit and
// path brought an object, because it reads objects in the order in which they
// are stored. Attribute is called once, with all findings of the source, and
// only if there are any; it completes their Objects and OtherCommits.
type Attributor interface {
	Attribute(ctx context.Context, findings []*Finding) error
}

// A Detector finds what is wrong with a chunk. It is safe for concurrent use
// and does not allocate for a chunk without a hit.
type Detector interface {
	// Detect calls hit for every hit whose anchor lies in c.Data[c.From:c.To].
	// The Hit is valid only during the call.
	Detect(c *Chunk, hit func(*Hit))
}

// A Stage judges a finding: it may set Suppression, Severity and Confidence.
// It never drops one.
type Stage interface {
	Judge(f *Finding)
}

// A UsageError is a mistake in how Spillgate was called or configured: exit
// code 3. Fix is the way out, usually a command to type.
type UsageError struct {
	What, Fix string
}

// Error returns the mistake and the way out.
func (e *UsageError) Error() string {
	if e.Fix == "" {
		return e.What
	}
	return e.What + "; " + e.Fix
}

// Options say how Scan works. The zero value scans nothing.
type Options struct {
	Sources   []Source
	Detectors []Detector
	Stages    []Stage
	// Fingerprinter makes the fingerprints. The zero value will do.
	Fingerprinter Fingerprinter
}

// A Result is all that a scan found out.
type Result struct {
	// Findings are those that count and Suppressed those that do not, each
	// secret once, sorted by place.
	Findings, Suppressed []*Finding
	// Coverage has an entry per source.
	Coverage []Coverage
	Started  time.Time
	Took     time.Duration
	// Interrupted says that the user stopped the scan.
	Interrupted bool
}

// Complete reports whether everything that should be scanned was.
func (r *Result) Complete() bool {
	for i := range r.Coverage {
		if !r.Coverage[i].Complete() {
			return false
		}
	}
	return !r.Interrupted
}

// The exit codes of every program of Spillgate. They never change meaning.
const (
	ExitClean       = 0   // everything was scanned, nothing counts
	ExitFindings    = 1   // findings at or above the gate's severity
	ExitIncomplete  = 2   // something could not be scanned
	ExitUsage       = 3   // wrong usage or configuration
	ExitInterrupted = 130 // stopped by the user
)

// ExitCode returns the exit code of a gate set to failOn. A finding outranks
// an incomplete scan: it has to be dealt with in any case, and the report
// still says what was not scanned.
func (r *Result) ExitCode(failOn rules.Severity) int {
	if r.Interrupted {
		return ExitInterrupted
	}
	for _, f := range r.Findings {
		if f.Blocks(failOn) {
			return ExitFindings
		}
	}
	if !r.Complete() {
		return ExitIncomplete
	}
	return ExitClean
}

// Scan runs the sources through the detectors and stages. The error is a
// *UsageError or nil: whatever else goes wrong is a Problem of the result's
// coverage, next to what was found until then.
func Scan(ctx context.Context, o Options) (*Result, error) {
	r := &Result{Started: time.Now()}
	var all []*Finding
	for _, s := range o.Sources {
		c := newCollector(o.Detectors)
		coverage, err := s.Chunks(ctx, c.emit)
		if err == nil && len(c.findings) > 0 {
			if a, ok := s.(Attributor); ok {
				err = a.Attribute(ctx, c.findings)
			}
		}
		var usage *UsageError
		switch {
		case errors.As(err, &usage):
			return nil, usage
		case errors.Is(err, context.Canceled):
			r.Interrupted = true
			coverage.Fail(coverage.What, "interrupted before the end", "")
		case err != nil:
			fail(&coverage, err)
		}
		all = append(all, c.findings...)
		r.Coverage = append(r.Coverage, coverage)
		if r.Interrupted {
			break
		}
	}
	for _, f := range all {
		for _, s := range o.Stages {
			if f.Suppression == nil {
				s.Judge(f)
			}
		}
	}
	o.Fingerprinter.fill(all)
	r.Findings, r.Suppressed = merge(all)
	r.Took = time.Since(r.Started)
	return r, nil
}

// fail records err as a problem; a Problem keeps its parts.
func fail(c *Coverage, err error) {
	var p Problem
	if errors.As(err, &p) {
		c.Fail(p.Where, p.What, p.Fix)
		return
	}
	c.Fail("", err.Error(), "")
}
