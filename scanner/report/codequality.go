package report

import (
	"io"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// A qualityIssue is an entry of GitLab's code quality report
// (https://docs.gitlab.com/ci/testing/code_quality/, "Code Quality report format").
type qualityIssue struct {
	Type        string          `json:"type"`
	CheckName   string          `json:"check_name"`
	Description string          `json:"description"`
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"`
	Categories  []string        `json:"categories"`
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string       `json:"path"`
	Lines qualityLines `json:"lines"`
}

type qualityLines struct {
	Begin int `json:"begin"`
}

var qualitySeverities = [...]string{rules.Info: "info", rules.Low: "minor", rules.Medium: "major", rules.High: "critical", rules.Critical: "blocker"}

// codeQuality writes the code quality report, which GitLab shows in every tier.
type codeQuality struct{ options Options }

func newCodeQuality(o Options) scanner.Sink { return &codeQuality{o} }

// Write writes one JSON document: an issue per finding, and one per thing that
// could not be scanned.
func (s *codeQuality) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	issues := make([]qualityIssue, 0, len(r.Findings))
	for _, f := range r.Findings {
		v := d.view(f, s.options.gate())
		issues = append(issues, qualityIssue{
			"issue", v.Rule, v.Title + ": " + v.Match + ". " + v.Fix, v.Fingerprint, qualitySeverities[v.Severity],
			[]string{"Security"}, qualityLocation{file(&v.Location), qualityLines{v.Location.StartLine}},
		})
	}
	for _, p := range d.problems(r) {
		where := p.Where
		if where == "" {
			where = "."
		}
		issues = append(issues, qualityIssue{
			"issue", "not-scanned", "Not scanned: " + p.Error(), "not scanned: " + p.Where, "critical",
			[]string{"Security"}, qualityLocation{where, qualityLines{1}},
		})
	}
	return writeJSON(w, issues, "  ")
}
