package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
)

// release is the version that the release build sets with -ldflags -X.
var release string

// buildInfo is what `version --json` prints.
type buildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Dirty   bool   `json:"dirty,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Rules   int    `json:"rules"`
}

// build tells the version from the release flag, else from what the go command
// stamps into a binary that `go install module@version` builds.
func build() buildInfo {
	b := buildInfo{Version: "devel", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Rules: len(rules.Builtin().Rules)}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			b.Version = v
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Date = s.Value
			case "vcs.modified":
				b.Dirty = s.Value == "true"
			}
		}
	}
	if release != "" {
		b.Version = release
	}
	return b
}

func (a *app) version() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print it as JSON"}},
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			b := build()
			if c.Bool("json") {
				return json.NewEncoder(a.Stdout).Encode(b)
			}
			_, err := fmt.Fprintf(a.Stdout, "spillgate %s (%d rules, %s, %s/%s)\n", b.Version, b.Rules, b.Go, b.OS, b.Arch)
			return err
		},
	}
}
