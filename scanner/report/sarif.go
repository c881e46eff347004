package report

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// What GitHub code scanning takes of one run ("SARIF support for code
// scanning", docs.github.com). What goes beyond is announced in a
// notification, never just left out.
const (
	maxResults   = 25_000
	maxLocations = 1_000
	maxTags      = 20
)

type sarif struct{ options Options }

func newSARIF(o Options) scanner.Sink { return &sarif{o} }

// Write writes a SARIF 2.1.0 log with one run.
//
// Code scanning wants a file for every result. What stands in none, such as a
// commit message, is given a name below .git that no worktree file can have.
func (s *sarif) Write(w io.Writer, r *scanner.Result) error {
	b := &sarifBuilder{options: s.options, redactor: newRedactor(r), index: map[string]int{}}
	b.collect(r)
	run := sarifRun{
		Tool:              sarifTool{b.driver()},
		AutomationDetails: sarifAutomation{"spillgate/" + orElse(s.options.Category, "secrets") + "/"},
		Invocations:       []sarifInvocation{b.invocation(r)},
		OriginalURIBaseIDs: map[string]sarifArtifactBase{
			srcRoot: {sarifText{Text: "The folder that paths are relative to: the top of the repository, or the working directory."}},
		},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	if uri := repositoryURI(b.text(s.options.Repository.URL)); uri != "" {
		run.VersionControlProvenance = []sarifProvenance{{uri, s.options.Repository.Revision, utf8Text(b.text(s.options.Repository.Branch)), sarifBase{srcRoot}}}
	}
	results := jsonList{"results", 3, len(b.found), func(i int) any {
		v, notes := b.view(b.found[i], b.options.gate()), b.notes
		result := b.result(&v)
		b.notes = notes // they were noted before
		return result
	}}
	return writeJSONLists(w, sarifLog{sarifSchema, sarifVersion, []sarifRun{run}}, "  ", results)
}

const srcRoot = "%SRCROOT%"

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// A sarifBuilder gathers the parts of a run.
type sarifBuilder struct {
	options Options
	*redactor
	rules    []sarifRule
	index    map[string]int // of rules, by id
	found    []*scanner.Finding
	notes    []sarifNotification
	baseline bool // some finding is excused by a baseline
	history  bool // some finding stands in a commit
}

// collect makes the rules, and notes what of the results does not fit. They are
// made once more when they are written, for all of them may be more than memory
// holds.
func (b *sarifBuilder) collect(r *scanner.Result) {
	all := slices.Concat(r.Findings, r.Suppressed)
	if n := len(all) - maxResults; n > 0 {
		b.note("warning", fmt.Sprintf("%d of %d results are left out of this file: code scanning takes %d. The JSON report holds all.", n, len(all), maxResults))
		all = all[:maxResults]
	}
	ids := make([]*rules.Rule, 0, len(all))
	for _, f := range all {
		ids = append(ids, f.Rule)
		b.baseline = b.baseline || f.Suppression != nil && f.Suppression.By == "baseline"
	}
	slices.SortStableFunc(ids, func(x, y *rules.Rule) int { return strings.Compare(x.ID, y.ID) })
	for _, rule := range ids {
		if _, ok := b.index[rule.ID]; !ok {
			b.index[rule.ID] = len(b.rules)
			b.rules = append(b.rules, describe(rule))
		}
	}
	for _, f := range all {
		v := b.view(f, b.options.gate())
		b.result(&v)
	}
	b.found = all
	if b.history {
		b.note("note", "Some results stand in commits rather than in the current files. Code scanning closes such an alert when the line is gone from the branch; the secret still is in the history.")
	}
}

func (b *sarifBuilder) note(level, text string) {
	b.notes = append(b.notes, sarifNotification{level, sarifText{Text: text}})
}

func (b *sarifBuilder) driver() sarifDriver {
	d := sarifDriver{
		Name: "Spillgate", InformationURI: "https://github.com/spillgate/spillgate",
		Version: strings.TrimPrefix(b.options.Version, "v"), Rules: b.rules,
	}
	if v := strings.TrimPrefix(b.options.Version, "v"); len(v) > 0 && '0' <= v[0] && v[0] <= '9' && strings.Count(v, ".") >= 2 {
		d.SemanticVersion = v
	}
	if d.Rules == nil {
		d.Rules = []sarifRule{}
	}
	return d
}

// describe makes the SARIF rule of r.
func describe(r *rules.Rule) sarifRule {
	help := sarifText{Text: strings.TrimSpace(r.Why + "\n\n" + r.Fix)}
	md := []string{"**" + r.Title + "**", r.Why}
	if r.Fix != "" {
		md = append(md, "**What to do:** "+r.Fix)
	}
	links := make([]string, 0, len(r.References))
	for _, ref := range r.References {
		help.Text += "\n" + ref
		links = append(links, "- <"+ref+">")
	}
	if len(links) > 0 {
		md = append(md, strings.Join(links, "\n"))
	}
	help.Markdown = strings.Join(slices.DeleteFunc(md, func(s string) bool { return s == "" }), "\n\n")
	if help.Text == "" {
		help.Text = r.Title
	}
	rule := sarifRule{
		ID: r.ID, Name: pascal(r.ID),
		ShortDescription:     sarifText{Text: r.Title},
		FullDescription:      sarifText{Text: orElse(r.Why, r.Title)},
		Help:                 help,
		DefaultConfiguration: sarifLevel{level(r.Severity)},
		Properties: sarifRuleExtras{
			Tags: weaknessTags(r), Precision: r.Confidence.String(),
			SecuritySeverity: securitySeverity(r.Severity),
		},
	}
	if len(r.References) > 0 {
		rule.HelpURI = r.References[0]
	}
	for _, tag := range r.Tags {
		if len(rule.Properties.Tags) < maxTags && !slices.Contains(rule.Properties.Tags, tag) {
			rule.Properties.Tags = append(rule.Properties.Tags, tag)
		}
	}
	return rule
}

// pascal makes AwsSecretKey of aws-secret-key.
func pascal(id string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// securitySeverity returns a score in the middle of the band that code
// scanning has for s: over 9.0 critical, 7.0 high, 4.0 medium, 0.1 low.
func securitySeverity(s rules.Severity) string {
	return [...]string{rules.Info: "0.1", rules.Low: "2.5", rules.Medium: "5.5", rules.High: "8.0", rules.Critical: "9.5"}[min(s, rules.Critical)]
}

func level(s rules.Severity) string {
	switch {
	case s >= rules.High:
		return "error"
	case s == rules.Medium:
		return "warning"
	}
	return "note"
}

// result makes the SARIF result of a finding.
func (b *sarifBuilder) result(v *findingView) sarifResult {
	message := v.Title + ": " + v.Match + ". " + v.Why
	if v.Fix != "" {
		message += " " + v.Fix
	}
	r := sarifResult{
		RuleID: v.Rule, RuleIndex: b.index[v.Rule], Level: level(v.Severity),
		Message:         sarifText{Text: plainMessage(strings.TrimSpace(message))},
		Locations:       []sarifLocation{b.location(&v.Location)},
		OccurrenceCount: v.Occurrences,
		Suppressions:    []sarifSuppression{},
		Properties: sarifResultExtras{
			Severity: v.Severity.String(), Confidence: v.Confidence.String(), Kind: v.Location.Kind,
			Commit: v.Location.Commit, Object: v.Location.Object, OtherCommits: v.OtherCommits,
		},
	}
	for i := range v.More {
		if len(r.RelatedLocations) == maxLocations-1 {
			break
		}
		related := b.location(&v.More[i])
		related.ID = i + 1
		related.Message = &sarifText{Text: "The same secret stands here."}
		r.RelatedLocations = append(r.RelatedLocations, related)
	}
	if n := v.Occurrences - 1 - len(r.RelatedLocations); n > 0 {
		b.note("note", fmt.Sprintf("%s of the %s at %s are not listed.", count(n, "further place"), v.Rule, plainMessage(v.Location.String())))
	}
	if v.Fingerprint != "" {
		r.PartialFingerprints = map[string]string{"secretFingerprint/v1": v.Fingerprint}
	}
	for _, f := range v.Fields {
		if r.Properties.Fields == nil {
			r.Properties.Fields = map[string]string{}
		}
		r.Properties.Fields[f.Name] = f.Value
	}
	if b.baseline {
		r.BaselineState = "new"
	}
	if s := v.Suppression; s != nil {
		kind := "external"
		if s.InSource {
			kind = "inSource"
		}
		r.Suppressions = append(r.Suppressions, sarifSuppression{kind, "accepted", Escape(s.By + ": " + s.Reason)})
		if s.By == "baseline" {
			r.BaselineState = "unchanged"
		}
	}
	return r
}

// plainMessage makes text safe for a SARIF message, where brackets begin a
// link (section 3.11.6).
func plainMessage(text string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(Escape(text))
}

// location makes the SARIF location of a place.
func (b *sarifBuilder) location(v *locationView) sarifLocation {
	if v.Commit != nil {
		b.history = true
	}
	l := sarifLocation{PhysicalLocation: sarifPhysicalLocation{
		ArtifactLocation: artifact(v),
		Region:           sarifRegion{v.StartLine, v.StartCol, v.EndLine, v.EndCol},
	}}
	if v.kind == scanner.FileName || v.kind == scanner.RefName {
		l.PhysicalLocation.Region = sarifRegion{1, 1, 1, 2} // in the name, not in the text
	}
	return l
}

func artifact(v *locationView) sarifArtifactLocation {
	file := v.rawPath
	switch {
	case v.kind == scanner.CommitMessage:
		file = ".git/commit/" + v.Object + "/message"
	case v.kind == scanner.Identity:
		file = ".git/commit/" + v.Object + "/author"
	case v.kind == scanner.TagMessage:
		file = ".git/tag/" + v.rawRef + "/message"
	case v.kind == scanner.RefName:
		file = ".git/ref/" + v.rawRef
	case file == "":
		file = ".git/object/" + v.Object
	case strings.HasPrefix(file, "/"):
		return sarifArtifactLocation{URI: "file://" + percentEncode(file)}
	case len(file) > 2 && file[1] == ':' && file[2] == '/': // a drive of Windows
		return sarifArtifactLocation{URI: "file:///" + percentEncode(file)}
	}
	return sarifArtifactLocation{URI: percentEncode(path.Clean(file)), URIBaseID: srcRoot}
}

// invocation says how the scan went. It is successful only if everything that
// should have been scanned was.
func (b *sarifBuilder) invocation(r *scanner.Result) sarifInvocation {
	const layout = "2006-01-02T15:04:05.000Z"
	code := r.ExitCode(b.options.gate())
	inv := sarifInvocation{
		ExecutionSuccessful: r.Complete(), ExitCode: code, ExitCodeDescription: exitMeaning(code),
		StartTimeUTC:               r.Started.UTC().Format(layout),
		EndTimeUTC:                 r.Started.Add(r.Took).UTC().Format(layout),
		ToolExecutionNotifications: []sarifNotification{},
	}
	for i := range r.Coverage {
		c := &r.Coverage[i]
		for _, p := range c.Problems {
			b.note("error", "Not scanned: "+plainMessage(b.problem(p).Error()))
		}
		b.note("note", "Scanned "+plainMessage(strings.TrimPrefix(b.text(c.What+": "+c.String()), ": ")))
	}
	for _, n := range b.notices(r) {
		b.note("note", plainMessage(n.String()))
	}
	inv.ToolExecutionNotifications = append(inv.ToolExecutionNotifications, b.notes...)
	return inv
}

func exitMeaning(code int) string {
	switch code {
	case scanner.ExitClean:
		return "everything was scanned, nothing counts"
	case scanner.ExitFindings:
		return "findings at or above the gate's severity"
	case scanner.ExitIncomplete:
		return "something could not be scanned"
	}
	return "interrupted"
}
