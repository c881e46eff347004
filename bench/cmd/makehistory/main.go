// Makehistory makes a git history by script; see package history.
//
//	go run ./cmd/makehistory -shape library -scale 8 -out /tmp/library-8
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spillgate/spillgate/bench/history"
)

func main() {
	var o history.Options
	flag.StringVar(&o.Shape, "shape", "", "one of "+strings.Join(history.ShapeNames(), ", "))
	flag.IntVar(&o.Scale, "scale", 1, "multiplies the number of commits")
	flag.Uint64Var(&o.Seed, "seed", 1, "another number makes another history")
	flag.BoolVar(&o.Plant, "plant", false, "put made-up secrets in")
	out := flag.String("out", "", "the repository to make, in a `folder` that does not exist")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	m, err := history.Make(ctx, *out, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "makehistory:", err)
		os.Exit(1)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "\t")
	if err := e.Encode(m); err != nil {
		fmt.Fprintln(os.Stderr, "makehistory:", err)
		os.Exit(1)
	}
}
