package report

import (
	"io"

	"github.com/spillgate/spillgate/scanner"
)

// The lines of the JSONL report. Every line has a type; the last one is the
// coverage, so a report without it is a cut off one.
type (
	findingLine struct {
		Type string `json:"type"` // "finding" or "suppressed"
		findingView
		AccessKeyID string `json:"access_key_id,omitempty"` // see Options.NameAccessKeys
	}
	coverageLine struct {
		Type          string         `json:"type"` // "coverage"
		SchemaVersion int            `json:"schema_version"`
		Tool          toolView       `json:"tool"`
		Summary       summaryView    `json:"summary"`
		Coverage      []coverageView `json:"coverage"`
		Notices       []noticeView   `json:"notices,omitempty"`
	}
)

type jsonLines struct{ options Options }

func newJSONLines(o Options) scanner.Sink { return &jsonLines{o} }

// Write writes a line per finding and a last one with the coverage.
func (s *jsonLines) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	for _, f := range r.Findings {
		if err := writeJSON(w, findingLine{"finding", d.view(f, s.options.gate()), s.accessKeyID(f)}, ""); err != nil {
			return err
		}
	}
	for _, f := range r.Suppressed {
		if err := writeJSON(w, findingLine{"suppressed", d.view(f, s.options.gate()), ""}, ""); err != nil {
			return err
		}
	}
	last := coverageLine{
		Type: "coverage", SchemaVersion: schemaVersion,
		Tool: s.options.tool(), Summary: s.options.summary(r),
		Coverage: make([]coverageView, 0, len(r.Coverage)),
	}
	for i := range r.Coverage {
		last.Coverage = append(last.Coverage, d.coverage(&r.Coverage[i]))
	}
	last.Notices = d.notices(r)
	return writeJSON(w, last, "")
}

// AccessKeyRule is the id of the rule that finds AWS access key ids.
const AccessKeyRule = "aws-access-key-id"

// accessKeyID returns the id that f has found, if it is one and may be named.
func (s *jsonLines) accessKeyID(f *scanner.Finding) string {
	if !s.options.NameAccessKeys || f.Rule.ID != AccessKeyRule {
		return ""
	}
	return f.Secret.Reveal()
}
