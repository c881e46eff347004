package report

import (
	"io"
	"time"

	"github.com/spillgate/spillgate/scanner"
)

// schemaVersion is the version of the JSON formats. Fields may be added
// without changing it; readers skip those they do not know. The schemas lie in
// schema/.
const schemaVersion = 1

// A document is the JSON report.
type document struct {
	SchemaVersion int            `json:"schema_version"`
	Tool          toolView       `json:"tool"`
	Summary       summaryView    `json:"summary"`
	Findings      []findingView  `json:"findings"`
	Suppressed    []findingView  `json:"suppressed"`
	Coverage      []coverageView `json:"coverage"`
	Notices       []noticeView   `json:"notices,omitempty"`
}

type toolView struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type summaryView struct {
	ExitCode    int    `json:"exit_code"`
	FailOn      string `json:"fail_on"`
	Confidence  string `json:"min_confidence"`
	Complete    bool   `json:"complete"`
	Interrupted bool   `json:"interrupted"`
	Findings    int    `json:"findings"`
	Blocking    int    `json:"blocking"`
	Suppressed  int    `json:"suppressed"`
	Problems    int    `json:"problems"`
	Started     string `json:"started"` // RFC 3339, UTC
	Took        int64  `json:"took_ms"`
}

type jsonSink struct{ options Options }

func newJSON(o Options) scanner.Sink { return &jsonSink{o} }

// Write writes one JSON document.
func (s *jsonSink) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	list := func(key string, all []*scanner.Finding) jsonList {
		return jsonList{key, 1, len(all), func(i int) any { return d.view(all[i], s.options.gate()) }}
	}
	return writeJSONLists(w, s.options.frame(d, r), "  ", list("findings", r.Findings), list("suppressed", r.Suppressed))
}

// document returns all that a report may say of r.
func (o *Options) document(r *scanner.Result) document {
	d := newRedactor(r)
	doc := o.frame(d, r)
	for _, f := range r.Findings {
		doc.Findings = append(doc.Findings, d.view(f, o.gate()))
	}
	for _, f := range r.Suppressed {
		doc.Suppressed = append(doc.Suppressed, d.view(f, o.gate()))
	}
	return doc
}

// frame returns the document of r without its findings.
func (o *Options) frame(d *redactor, r *scanner.Result) document {
	doc := document{
		SchemaVersion: schemaVersion,
		Tool:          o.tool(),
		Summary:       o.summary(r),
		Findings:      []findingView{},
		Suppressed:    []findingView{},
		Coverage:      make([]coverageView, 0, len(r.Coverage)),
	}
	for i := range r.Coverage {
		doc.Coverage = append(doc.Coverage, d.coverage(&r.Coverage[i]))
	}
	doc.Notices = d.notices(r)
	return doc
}

func (o *Options) tool() toolView { return toolView{"spillgate", o.Version} }

func (o *Options) summary(r *scanner.Result) summaryView {
	v := summaryView{
		ExitCode: r.ExitCode(o.gate()), FailOn: o.FailOn.String(), Confidence: o.MinConfidence.String(),
		Complete: r.Complete(), Interrupted: r.Interrupted,
		Findings: len(r.Findings), Suppressed: len(r.Suppressed),
		Started: r.Started.UTC().Format(time.RFC3339), Took: r.Took.Milliseconds(),
	}
	for _, f := range r.Findings {
		if f.Blocks(o.gate()) {
			v.Blocking++
		}
	}
	for i := range r.Coverage {
		v.Problems += len(r.Coverage[i].Problems)
	}
	return v
}
