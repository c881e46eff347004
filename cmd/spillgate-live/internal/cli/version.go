package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v3"
)

// release is the version that the release build sets with -ldflags -X.
var release string

// version is this build's: the release's, or what the go command stamps into a
// binary that `go install module@version` builds.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usage("leave it out", "version takes no argument, and there is %q", c.Args().First())
			}
			_, err := fmt.Fprintf(a.Stdout, "spillgate-live %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
