// Compare measures Spillgate against git, ripgrep and gitleaks, and prints the
// results as Markdown; see package compare. It runs in the folder bench.
//
//	go run ./cmd/compare -scale 8 -dir /tmp/spillgate-bench -out RESULTS.md
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spillgate/spillgate/bench/compare"
	"github.com/spillgate/spillgate/bench/measure"
)

func main() {
	measure.Serve()
	var o compare.Options
	flag.StringVar(&o.Dir, "dir", "", "keep programs and histories in this `folder` for the next run")
	flag.IntVar(&o.Runs, "runs", 5, "how often each program runs")
	flag.IntVar(&o.Scale, "scale", 1, "size of the histories: 1 for a trial, 8 for the record")
	flag.StringVar(&o.Gitleaks, "gitleaks", "", "take this `binary` instead of building gitleaks "+compare.GitleaksVersion)
	only := flag.String("only", "", "run these sections only, with commas between: "+strings.Join(compare.SectionNames(), ", "))
	out := flag.String("out", "", "write the results to this `file` instead of standard output")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	o.Log = func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
	}
	if err := run(o, *out); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(o compare.Options, out string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if out != "" {
		o.Save = func(r *compare.Results) error { return write(r, out) }
	}
	results, err := compare.Run(ctx, o)
	if out == "" && results != nil {
		err = errors.Join(err, results.Write(os.Stdout))
	}
	return err
}

// write replaces the results in file.
func write(r *compare.Results, file string) error {
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}
