package cli

import (
	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/archive"
	"github.com/spillgate/spillgate/scanner/decode"
)

// unpacked returns source with what its archives hold, and detector with what
// texts encode, as far as the flags of c ask for it. limited adds to a result
// what the latter did not read to its end.
func unpacked(c *cli.Command, source scanner.Source, detector scanner.Detector) (_ scanner.Source, _ scanner.Detector, limited func(*scanner.Result)) {
	if !c.Bool("no-archives") {
		source = archive.New(source, archive.Options{})
	}
	depth := c.Int("decode-depth")
	if depth == 0 {
		return source, detector, func(*scanner.Result) {}
	}
	d := decode.New(detector, decode.Options{Depth: depth})
	return source, d, func(r *scanner.Result) {
		if n := d.Limited(); n > 0 && len(r.Coverage) > 0 {
			r.Coverage[0].Add(scanner.Coverage{Skipped: []scanner.Skip{{Reason: "rest of compressed text", Count: n}}})
		}
	}
}
