// Spillgate finds secrets and AWS identifiers in git changes before they
// leave the machine. See internal/cli for the commands.
package main

import (
	"os"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Process{Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
}
