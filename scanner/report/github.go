package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// maxAnnotations is how many annotations of each level GitHub shows per step
// (https://docs.github.com/rest/checks/runs, "annotations"; the limit of ten is
// that of the runner's workflow commands). The rest is counted in one more line
// and stands in the job summary.
const maxAnnotations = 10

// github writes the workflow commands that become annotations
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands).
// A clean and complete run is expressed by silence.
type github struct{ options Options }

func newGitHub(o Options) scanner.Sink { return &github{o} }

// Write writes a line per annotation.
func (s *github) Write(out io.Writer, r *scanner.Result) error {
	w := bufio.NewWriter(out)
	d := newRedactor(r)
	errors, warnings := 0, 0
	for _, problem := range d.problems(r) {
		if errors++; errors <= maxAnnotations {
			command(w, "error", "title=Spillgate could not scan everything", problem.Error())
		}
	}
	// the gravest first, lest the limit hide them
	for _, f := range bySeverity(r.Findings) {
		v := d.view(f, s.options.gate())
		level, n := "warning", &warnings
		if v.Blocking {
			level, n = "error", &errors
		}
		if *n++; *n <= maxAnnotations {
			command(w, level, place(&v), annotation(&v))
		}
	}
	if left := max(0, errors-maxAnnotations) + max(0, warnings-maxAnnotations); left > 0 {
		command(w, "notice", "title=Spillgate", count(left, "more annotation")+" than GitHub shows: the job summary and the log have all")
	}
	return w.Flush()
}

// place returns the properties that say where an annotation belongs. What is
// not in a file gets none.
func place(v *findingView) string {
	title := "title=" + property(v.Title+" ("+v.Severity.String()+")")
	l := &v.Location
	switch l.kind {
	case scanner.Content, scanner.SymlinkTarget:
		if l.Path == "" {
			return title
		}
		p := fmt.Sprintf("file=%s,line=%d,endLine=%d", property(l.Path), l.StartLine, l.EndLine)
		if l.StartLine == l.EndLine {
			// GitHub takes columns on one line only.
			p += fmt.Sprintf(",col=%d,endColumn=%d", l.StartCol, l.EndCol)
		}
		return p + "," + title
	case scanner.FileName:
		return "file=" + property(l.Path) + "," + title
	}
	return title
}

func annotation(v *findingView) string {
	s := v.Location.String() + ": " + v.Match + " [" + v.Rule + "]"
	if c := v.Location.Commit; c != nil {
		s += " in commit " + short(c.ID)
	}
	if v.Occurrences > 1 {
		s += ", and in " + count(v.Occurrences-1, "more place")
	}
	if v.Fix != "" {
		s += ". " + v.Fix
	}
	return s
}

// command writes a workflow command. Whatever a file name holds, it stays one
// command on one line.
func command(w io.Writer, name, properties, message string) {
	message = strings.ReplaceAll(Escape(message), "%", "%25")
	_, _ = fmt.Fprintf(w, "::%s %s::%s\n", name, properties, message)
}

// property escapes the value of a command's property.
func property(s string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A", ",", "%2C").Replace(Escape(s))
}

func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// problems returns the problems of r without secrets.
func (d *redactor) problems(r *scanner.Result) []scanner.Problem {
	var all []scanner.Problem
	for i := range r.Coverage {
		for _, p := range r.Coverage[i].Problems {
			all = append(all, d.problem(p))
		}
	}
	return all
}
