package report

import (
	"io"
	"strings"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// gitlabVersion is the version of GitLab's security report schemas that the
// report keeps to (https://gitlab.com/gitlab-org/security-products/security-report-schemas).
const gitlabVersion = "15.1.4"

// gitlabTime is the layout of times in GitLab's reports, which are in UTC.
const gitlabTime = "2006-01-02T15:04:05"

type (
	gitlabReport struct {
		Version         string                `json:"version"`
		Scan            gitlabScan            `json:"scan"`
		Vulnerabilities []gitlabVulnerability `json:"vulnerabilities"`
	}
	gitlabScan struct {
		Type     string          `json:"type"`
		Status   string          `json:"status"`
		Start    string          `json:"start_time"`
		End      string          `json:"end_time"`
		Analyzer gitlabTool      `json:"analyzer"`
		Scanner  gitlabTool      `json:"scanner"`
		Messages []gitlabMessage `json:"messages,omitempty"`
	}
	gitlabTool struct {
		ID      string       `json:"id"`
		Name    string       `json:"name"`
		URL     string       `json:"url"`
		Version string       `json:"version"`
		Vendor  gitlabVendor `json:"vendor"`
	}
	gitlabVendor struct {
		Name string `json:"name"`
	}
	gitlabMessage struct {
		Level string `json:"level"`
		Value string `json:"value"`
	}
	gitlabVulnerability struct {
		ID          string             `json:"id"`
		Category    string             `json:"category"`
		Name        string             `json:"name"`
		Description string             `json:"description"`
		Severity    string             `json:"severity"`
		Solution    string             `json:"solution,omitempty"`
		Extract     string             `json:"raw_source_code_extract"`
		Identifiers []gitlabIdentifier `json:"identifiers"`
		Links       []gitlabLink       `json:"links,omitempty"`
		Location    gitlabLocation     `json:"location"`
	}
	gitlabIdentifier struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	gitlabLink struct {
		URL string `json:"url"`
	}
	gitlabLocation struct {
		File      string       `json:"file"`
		StartLine int          `json:"start_line"`
		EndLine   int          `json:"end_line"`
		Commit    gitlabCommit `json:"commit"`
	}
	gitlabCommit struct {
		SHA    string `json:"sha"`
		Author string `json:"author,omitempty"`
		Date   string `json:"date,omitempty"`
	}
)

// What GitLab's schema takes at most, in characters. A report that holds more is
// refused as a whole, and a rule of the user's may say more.
const (
	gitlabName        = 255
	gitlabDescription = 1 << 20
	gitlabSolution    = 7000
)

var gitlabSeverities = [...]string{rules.Info: "Info", rules.Low: "Low", rules.Medium: "Medium", rules.High: "High", rules.Critical: "Critical"}

// gitlab writes the secret detection report that a GitLab job hands over as
// artifacts:reports:secret_detection.
type gitlab struct{ options Options }

func newGitLab(o Options) scanner.Sink { return &gitlab{o} }

// Write writes one JSON document.
func (s *gitlab) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	version := s.options.Version
	if version == "" {
		version = "devel"
	}
	tool := gitlabTool{"spillgate", "Spillgate", "https://github.com/spillgate/spillgate", version, gitlabVendor{"Spillgate"}}
	doc := gitlabReport{
		Version: gitlabVersion,
		Scan: gitlabScan{
			Type: "secret_detection", Status: "success", Analyzer: tool, Scanner: tool,
			Start: r.Started.UTC().Format(gitlabTime), End: r.Started.Add(max(r.Took, time.Second)).UTC().Format(gitlabTime),
		},
		Vulnerabilities: make([]gitlabVulnerability, 0, len(r.Findings)),
	}
	if !r.Complete() {
		doc.Scan.Status = "failure"
	}
	for _, p := range d.problems(r) {
		doc.Scan.Messages = append(doc.Scan.Messages, gitlabMessage{"fatal", p.Error()})
	}
	for _, f := range r.Findings {
		v := d.view(f, s.options.gate())
		doc.Vulnerabilities = append(doc.Vulnerabilities, vulnerability(&v))
	}
	return writeJSON(w, doc, "  ")
}

func vulnerability(v *findingView) gitlabVulnerability {
	g := gitlabVulnerability{
		ID: v.Fingerprint, Category: "secret_detection", Name: atMost(v.Title, gitlabName), Severity: gitlabSeverities[v.Severity],
		Description: atMost(strings.TrimSpace(v.Why+" Found "+v.Match+" at "+v.Location.String()+"."), gitlabDescription),
		Solution:    atMost(v.Fix, gitlabSolution), Extract: v.Match,
		Identifiers: gitlabIdentifiers(v),
		Location: gitlabLocation{
			File: file(&v.Location), StartLine: v.Location.StartLine, EndLine: v.Location.EndLine,
			Commit: gitlabCommit{SHA: "0000000"}, // demanded also where there is no commit
		},
	}
	for _, ref := range v.References {
		// the schema takes nothing else, and a reference may be a book
		if strings.HasPrefix(ref, "https://") || strings.HasPrefix(ref, "http://") {
			g.Links = append(g.Links, gitlabLink{ref})
		}
	}
	if c := v.Location.Commit; c != nil {
		g.Location.Commit = gitlabCommit{c.ID, c.Author, c.Date}
	}
	return g
}

// atMost returns the first n characters of s.
func atMost(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// file returns the path of l, or what stands for it where there is none.
func file(l *locationView) string {
	if l.Path != "" {
		return l.Path
	}
	text := utf8Text(l.String())
	switch l.kind {
	case scanner.CommitMessage, scanner.Identity, scanner.TagMessage, scanner.Content:
		// Without the line and column, which the formats have fields for.
		for range 2 {
			text = text[:max(0, strings.LastIndexByte(text, ':'))]
		}
	}
	return text
}

// gitlabIdentifiers names the rule and the weakness of a finding.
func gitlabIdentifiers(v *findingView) []gitlabIdentifier {
	ids := []gitlabIdentifier{{"spillgate_rule_id", "Spillgate rule " + v.Rule, v.Rule}}
	if n := weakness(v.rule); n != "" {
		ids = append(ids, gitlabIdentifier{"cwe", "CWE-" + n, n})
	}
	return ids
}
