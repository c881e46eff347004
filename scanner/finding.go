package scanner

import (
	"fmt"

	"github.com/spillgate/spillgate/rules"
)

// A Hit is what a Detector reports: a span of a chunk's data. Offsets are
// bytes in Chunk.Data.
type Hit = rules.Match

// A Location is one place where a secret stands.
type Location struct {
	// Object is what holds it: kind, path, commit.
	Object *Object
	// Lines and columns count from 1, columns in characters (code points).
	// EndColumn is one past the last character.
	StartLine, StartColumn int
	EndLine, EndColumn     int
	// Offset is the first byte in the decoded object.
	Offset int64
	// DecodedFrom says how the text is written at this place if not plainly:
	// the field "decoded-from" of what was found there. Scan fills it in.
	DecodedFrom string
}

// String returns path:line:column, or what stands for it where there is no
// path.
func (l Location) String() string {
	o := l.Object
	at := fmt.Sprintf("%d:%d", l.StartLine, l.StartColumn)
	switch o.Kind {
	case CommitMessage:
		if o.ID == "" {
			return "commit message:" + at // of a commit that is being made
		}
		return "commit " + short(o.ID) + " message:" + at
	case Identity:
		return "commit " + short(o.ID) + " author:" + at
	case TagMessage:
		return "tag " + o.Ref + " message:" + at
	case FileName:
		return "name of " + o.Path
	case RefName:
		return "name of ref " + o.Ref
	}
	if o.Path == "" {
		return "blob " + short(o.ID) + ":" + at
	}
	return o.Path + ":" + at
}

func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// A Finding is one secret in one place, and after Scan has merged equal ones,
// in several.
type Finding struct {
	Rule       *rules.Rule
	Severity   rules.Severity
	Confidence rules.Confidence
	Location
	// Secret is the matched secret.
	Secret Secret
	// Fields say more of it and never hold a secret: an ARN's Region, the
	// account of an access key id.
	Fields []rules.Field
	// Fingerprint returns what is stable over commits, lines, files and time:
	// it covers the rule and the secret (see Fingerprinter). It is made at the
	// first call, for to stretch it takes longer than to scan a megabyte and
	// not every report asks.
	Fingerprint func() string `json:"-"`
	// Context is the text of the finding's lines and the line before them,
	// for stages that read comments; at most 4 KiB.
	Context Secret
	// Suppression says why the finding does not count. Nil means it counts.
	Suppression *Suppression
	// More are further places of the same secret, at most MaxLocations, and
	// Occurrences is how many places there are in all.
	More        []Location
	Occurrences int
	// Noted is what a NearStage has to tell itself when it judges: numbers that
	// it alone understands.
	Noted []int `json:"-"`

	// Action overrules the gate. The zero value leaves it to the gate.
	Action Action

	settled bool // see rules.Match.Settled
}

// An Action is what whoever runs the scan wants of a rule's findings, however
// grave they are and however sure.
type Action uint8

// The actions.
const (
	ByGate       Action = iota // the gate decides
	AlwaysWarn                 // shown, and never blocks
	AlwaysBlocks               // fails every run
)

// MaxLocations bounds how many places of one secret a Finding keeps.
const MaxLocations = 1000

// A Suppression is the reason why a finding does not count.
type Suppression struct {
	// By names the mechanism: "placeholder", "comment", "allowlist", "ignore",
	// "baseline".
	By string
	// Reason is a sentence for people.
	Reason string
	// InSource says that the excuse stands in the scanned text itself.
	InSource bool
}

// Display returns what a report may print of the finding's text: identifiers
// in full, anything else masked.
func (f *Finding) Display() string {
	if f.Rule.Identifier {
		return f.Secret.Reveal()
	}
	return f.Secret.Masked()
}

// A Gate says which findings fail a run. Severity and confidence are separate
// questions, and a finding must answer both to block. The zero value blocks on
// every finding.
type Gate struct {
	// FailOn is the severity from which on findings block.
	FailOn rules.Severity
	// MinConfidence is how sure a finding must be to block.
	MinConfidence rules.Confidence
	// FailOnUnused lets the run fail if an excuse excused nothing.
	FailOnUnused bool
}

// Blocks reports whether the finding fails the gate g. Findings that count and
// do not block are warnings.
func (f *Finding) Blocks(g Gate) bool {
	if f.Suppression != nil || f.Action != ByGate {
		return f.Suppression == nil && f.Action == AlwaysBlocks
	}
	return f.Severity >= g.FailOn && f.Confidence >= g.MinConfidence
}
