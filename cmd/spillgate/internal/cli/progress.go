package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
)

// Progress is shown to people only, and only to those who have to wait: on a
// terminal, from the third second on, on one line that is gone at the end.
const (
	progressAfter = 2 * time.Second
	progressEvery = 250 * time.Millisecond
)

// A watched is a source whose progress is shown.
type watched struct {
	scanner.Source
	w        io.Writer
	progress *scanner.Progress
}

// watch returns source, with its progress shown if a person is looking. Sources
// that do not report their own are measured by what they emit.
func (a *app) watch(c *cli.Command, source scanner.Source, own bool) scanner.Source {
	if c.Bool("quiet") || !isTerminal(a.Stderr) {
		return source
	}
	w := &watched{Source: source, w: a.Stderr, progress: &a.progress}
	if !own {
		w.progress = nil
	}
	if _, ok := source.(scanner.Attributor); ok {
		return &watchedAttributor{w}
	}
	return w
}

// Chunks implements scanner.Source.
func (s *watched) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	if s.progress == nil {
		s.progress = new(scanner.Progress)
		inner := emit
		emit = func(c *scanner.Chunk) error {
			n := int64(0)
			if c.Last {
				n = 1
			}
			s.progress.Add(n, int64(c.To-c.From))
			return inner(c)
		}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		showProgress(s.w, s.progress, stop)
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	return s.Source.Chunks(ctx, emit)
}

// A watchedAttributor is a watched whose source attributes.
type watchedAttributor struct{ *watched }

// Attribute implements scanner.Attributor.
func (s *watchedAttributor) Attribute(ctx context.Context, objects []*scanner.Object) error {
	return s.Source.(scanner.Attributor).Attribute(ctx, objects)
}

// showProgress writes how far p is to the terminal w until stop is closed, and
// then erases it.
func showProgress(w io.Writer, p *scanner.Progress, stop <-chan struct{}) {
	began := time.Now()
	wait := time.NewTimer(progressAfter)
	defer wait.Stop()
	shown := false
	for {
		select {
		case <-stop:
			if shown {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		case <-wait.C:
			shown = true
			if done, _, _ := p.State(); done == 0 {
				began = time.Now() // commits and folders are still being listed
			}
			fmt.Fprint(w, "\r"+progressLine(p, time.Since(began))+"\x1b[K")
			wait.Reset(progressEvery)
		}
	}
}

// progressLine says how far p is after a time, in fewer than 80 columns.
func progressLine(p *scanner.Progress, after time.Duration) string {
	done, total, size := p.State()
	if done == 0 {
		return "scanning: finding out what there is"
	}
	seconds := max(after.Seconds(), 0.001)
	rate := fmt.Sprintf("%.1f MB, %.1f MB/s", float64(size)/1e6, float64(size)/1e6/seconds)
	if total == 0 {
		return fmt.Sprintf("scanning: %d objects, %s", done, rate)
	}
	line := fmt.Sprintf("scanning: %d of %d objects (%d %%), %s", done, total, 100*done/total, rate)
	if done > 0 && done < total {
		left := time.Duration(float64(after) / float64(done) * float64(total-done))
		line += ", " + roughly(left) + " left"
	}
	return line
}

// roughly writes a duration as people say it.
func roughly(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds())+1)
	}
	return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
}
