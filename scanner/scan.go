package scanner

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"
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
// are stored. Attribute is called once, with the objects in which something was
// found, each once, and only if there are any; it completes them.
type Attributor interface {
	Attribute(ctx context.Context, objects []*Object) error
}

// A Detector finds what is wrong with a chunk. It is safe for concurrent use
// and does not allocate for a chunk without a hit.
type Detector interface {
	// Detect calls hit for every hit whose anchor lies in c.Data[c.From:c.To].
	// The Hit is valid only during the call.
	Detect(c *Chunk, hit func(*Hit))
}

// A Stage judges a finding: it may set Suppression, Severity, Confidence and
// Action. It never drops one, and keeps none: a finding is valid only during the
// call.
type Stage interface {
	Judge(f *Finding)
}

// A NearStage is a Stage that reads the text around a finding. JudgeNear is
// called while the chunk is at hand, from several goroutines: for every hit,
// also for those of suppressed findings and for those that are dropped after
// the call because they touch nothing new, so that the stage learns which of
// its excuses still serve. The path of the finding may not be known yet (see
// Attributor), its texts are not, and neither chunk nor hit is valid after the
// call. What it learns there for Judge it leaves in the finding (Noted).
type NearStage interface {
	Stage
	JudgeNear(f *Finding, c *Chunk, h *Hit)
}

// A Watcher is a Stage that sees every chunk, whether anything was found in it
// or not. Watch is called from several goroutines; the chunk is not valid after
// the call.
type Watcher interface {
	Stage
	Watch(c *Chunk)
}

// A Preparer is a Stage whose verdict on one finding hangs on others. Prepare
// is called once, before any finding is judged, and may go through all of them.
type Preparer interface {
	Stage
	Prepare(all iter.Seq[*Finding])
}

// A Reporter is a Stage that has something to tell the user beside the
// findings. Notices is called once, when all findings are judged.
type Reporter interface {
	Stage
	Notices() []Notice
}

// The kinds of Notice.
const (
	NoticeUnused   = "unused"   // an excuse that excused nothing
	NoticeExpired  = "expired"  // an excuse whose date has passed, and that would have excused something
	NoticeRefused  = "refused"  // an excuse that cannot be read or may not excuse, and so does not
	NoticeOwn      = "own"      // an excuse that the scanned change itself brings, and that was honoured
	NoticeImported = "imported" // what foreign configuration means here
)

// A Notice is something the user should know about an excuse. It holds no
// secret but what a path may hold.
type Notice struct {
	// Kind is one of the Notice constants.
	Kind string
	// Where is a place: a path, and a line where there is one.
	Where string
	// What happened, and Fix is the way out or "".
	What, Fix string
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
	// Notices are what the stages have to say, sorted by kind and place.
	Notices []Notice
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
	ExitFindings    = 1   // findings that fail the gate
	ExitIncomplete  = 2   // something could not be scanned
	ExitUsage       = 3   // wrong usage or configuration
	ExitInterrupted = 130 // stopped by the user
)

// ExitCode returns the exit code of the gate g. A finding outranks an
// incomplete scan: it has to be dealt with in any case, and the report still
// says what was not scanned.
func (r *Result) ExitCode(g Gate) int {
	if r.Interrupted {
		return ExitInterrupted
	}
	for _, f := range r.Findings {
		if f.Blocks(g) {
			return ExitFindings
		}
	}
	if g.FailOnUnused && slices.ContainsFunc(r.Notices, func(n Notice) bool { return n.Kind == NoticeUnused }) {
		return ExitFindings
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
	l := &ledger{table: newTable()}
	for _, s := range o.Sources {
		c := newCollector(l.table, o.Detectors, o.Stages)
		coverage, err := s.Chunks(ctx, c.emit)
		if err == nil && len(c.batches) > 0 {
			if a, ok := s.(Attributor); ok {
				err = a.Attribute(ctx, objectsOf(c.batches))
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
		l.add(c.batches)
		r.Coverage = append(r.Coverage, coverage)
		r.Notices = append(r.Notices, coverage.Notices...)
		if r.Interrupted {
			break
		}
	}
	l.sortByObject()
	l.giveWay()
	l.dropContainers()
	l.judge(o.Stages)
	for _, s := range o.Stages {
		if n, ok := s.(Reporter); ok {
			r.Notices = append(r.Notices, n.Notices()...)
		}
	}
	slices.SortStableFunc(r.Notices, func(a, b Notice) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Where, b.Where))
	})
	r.Findings, r.Suppressed = l.merge()
	o.Fingerprinter.fill(r.Findings)
	o.Fingerprinter.fill(r.Suppressed)
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
