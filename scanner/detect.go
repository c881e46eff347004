package scanner

import "github.com/spillgate/spillgate/rules"

// RuleDetector is the Detector that runs a compiled rule program.
type RuleDetector struct{ Program *rules.Program }

// Detect implements Detector.
func (d RuleDetector) Detect(c *Chunk, hit func(*Hit)) {
	switch {
	case !c.Anchored || c.Program != d.Program:
		d.Program.Scan(c.Data, c.From, c.To, c.Object.Binary, hit)
	case c.Marks != nil:
		d.Program.MatchMarked(c.Data, c.Anchors, c.Marks, c.Object.Binary, hit)
	default:
		d.Program.Match(c.Data, c.Anchors, c.Object.Binary, hit)
	}
}
