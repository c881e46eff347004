//go:build ignore

// This program compiles the rules beside it into program_gen.go. It is no
// package of its own, because the pre-commit framework installs every program
// of the module on its users' machines.
package main

import (
	"fmt"
	"go/format"
	"os"

	"github.com/spillgate/spillgate/rules"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "generating program_gen.go:", err)
		os.Exit(1)
	}
}

func generate() error {
	all, err := rules.ParseAll(os.DirFS("."))
	if err != nil {
		return err
	}
	p, err := rules.CompileForRelease(all)
	if err != nil {
		return err
	}
	source, err := format.Source(p.AppendGo(nil))
	if err != nil {
		return err
	}
	return os.WriteFile("program_gen.go", source, 0o644)
}
