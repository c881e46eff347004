// Spillgate-live asks AWS what found ARNs and access keys mean, and responds
// where the operator allows it. It is the only program of Spillgate that uses
// the network. See internal/cli for the commands.
package main

import (
	"os"

	"github.com/spillgate/spillgate/cmd/spillgate-live/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Process{Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
}
