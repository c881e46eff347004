package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// A timed source measures the two halves of a history scan: reading and
// scanning, and saying which commit brought what was found.
type timed struct {
	scanner.Source
	chunks, attribute time.Duration // CPU time of all threads
}

func (t *timed) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	start := processTime()
	c, err := t.Source.Chunks(ctx, emit)
	t.chunks = processTime() - start
	return c, err
}

func (t *timed) Attribute(ctx context.Context, objects []*scanner.Object) error {
	a, ok := t.Source.(scanner.Attributor)
	if !ok {
		return errors.New("the history source attributes nothing")
	}
	start := processTime()
	err := a.Attribute(ctx, objects)
	t.attribute = processTime() - start
	return err
}

// An Attribution is what the two halves of a history scan cost in CPU time of
// all threads.
type Attribution struct {
	Scan, Attribute time.Duration
	Places          int // that findings are at
}

// Attribute scans the history of dir in this process and measures both halves.
// A history in which nothing is found is an error: nothing would be attributed.
func Attribute(ctx context.Context, dir string) (Attribution, error) {
	repo, err := gitrepo.Open(ctx, gitrepo.Options{Dir: dir})
	if err != nil {
		return Attribution{}, err
	}
	defer repo.Close()
	t := &timed{Source: repo.History(gitrepo.HistoryOptions{})}
	r, err := scanner.Scan(ctx, scanner.Options{
		Sources:   []scanner.Source{t},
		Detectors: []scanner.Detector{scanner.RuleDetector{Program: rules.Builtin()}},
	})
	if err != nil {
		return Attribution{}, err
	}
	for _, c := range r.Coverage {
		for _, p := range c.Problems {
			return Attribution{}, p
		}
	}
	a := Attribution{Scan: t.chunks, Attribute: t.attribute}
	for _, f := range slices.Concat(r.Findings, r.Suppressed) {
		a.Places += f.Occurrences
	}
	if a.Places == 0 {
		return a, errors.New("nothing was found, so that nothing was attributed")
	}
	return a, nil
}
