// Spillgate-server receives the push webhooks of code hosts, scans what was
// pushed and answers what was found. See internal/cli for the commands.
package main

import (
	"os"

	"github.com/spillgate/spillgate/server/cmd/spillgate-server/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Process{Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
}
