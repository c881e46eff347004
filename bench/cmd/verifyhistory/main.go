// Verifyhistory checks, blob for blob, that the history scan covers what git
// says a repository holds. It takes repositories as arguments, or makes one of
// each shape that the measurements use.
//
//	go run ./cmd/verifyhistory [-scale N] [REPOSITORY...]
//
// It exits with 1 if anything is missing, additional or different.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spillgate/spillgate/bench/history"
)

func main() {
	scale := flag.Int("scale", 1, "size of the histories that are made")
	backend := flag.String("backend", "", "what reads the repository: go-git, git, or nothing to let it choose")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, os.Stdout, *backend, *scale, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "verifyhistory:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run verifies the repositories in dirs, or generated ones if there are none,
// and reports whether all agree.
func run(ctx context.Context, out io.Writer, backend string, scale int, dirs []string) (bool, error) {
	if len(dirs) == 0 {
		tmp, err := os.MkdirTemp("", "verifyhistory-")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(tmp)
		for _, shape := range history.ShapeNames() {
			dir := filepath.Join(tmp, shape)
			if _, err := history.Make(ctx, dir, history.Options{Shape: shape, Scale: scale, Seed: 1, Plant: true}); err != nil {
				return false, err
			}
			dirs = append(dirs, dir)
		}
	}
	all := true
	for _, dir := range dirs {
		r, err := verify(ctx, dir, backend)
		if err != nil {
			return false, fmt.Errorf("verifying %s: %w", dir, err)
		}
		fmt.Fprintf(out, "%s: %s\n", dir, r)
		for _, d := range r.Differences {
			fmt.Fprintf(out, "\t%s\n", d)
		}
		all = all && r.Same()
	}
	return all, nil
}
