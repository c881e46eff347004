package telemetry

import "runtime/debug"

// release is the version that a release build sets with -ldflags -X.
var release string

// Version is this build's: the release's, or what the go command stamps into a
// binary that `go install module@version` builds; devel where nobody says.
func Version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
