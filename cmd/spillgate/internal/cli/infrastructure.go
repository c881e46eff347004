package cli

import (
	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/iac"
)

// infrastructure returns detectors with the one that judges how KMS keys are
// declared, unless the flags of c leave it out. judged adds to a result what it
// could not read. It stands beside the others and not behind what they decode:
// infrastructure is not deployed from base64.
func (a *app) infrastructure(c *cli.Command, detectors []scanner.Detector) (_ []scanner.Detector, judged func(*scanner.Result)) {
	if c.Bool("no-iac") {
		return detectors, func(*scanner.Result) {}
	}
	d := &iac.Detector{}
	return append(detectors, a.settings.Config.Graded(d)), func(r *scanner.Result) {
		if len(r.Coverage) > 0 {
			r.Coverage[0].Add(d.Coverage())
		}
	}
}

// allRules returns the rules of all detectors.
func allRules() []rules.Rule {
	builtin := rules.Builtin().Rules
	return append(builtin[:len(builtin):len(builtin)], iac.Rules()...)
}
