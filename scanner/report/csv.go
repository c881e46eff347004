package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

var csvHeader = []string{
	"status", "severity", "confidence", "blocking", "rule", "title", "path", "line", "column", "kind",
	"commit", "author", "date", "match", "occurrences", "fingerprint", "reason",
}

// csvSink writes a table with a row per finding, suppressed ones too, and a row
// per thing that could not be scanned.
type csvSink struct{ options Options }

func newCSV(o Options) scanner.Sink { return &csvSink{o} }

// Write writes comma separated values as RFC 4180 has them, but with line feeds
// alone.
func (s *csvSink) Write(out io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	w := csv.NewWriter(out)
	_ = w.Write(csvHeader) // the error is kept for w.Error
	row := func(status, reason string, f *scanner.Finding) {
		v := d.view(f, s.options.gate())
		commit := commitView{}
		if v.Location.Commit != nil {
			commit = *v.Location.Commit
		}
		_ = w.Write([]string{
			status, v.Severity.String(), v.Confidence.String(), strconv.FormatBool(v.Blocking), v.Rule, v.Title,
			cell(file(&v.Location)), strconv.Itoa(v.Location.StartLine), strconv.Itoa(v.Location.StartCol), v.Location.Kind,
			commit.ID, cell(commit.Author), commit.Date, cell(v.Match), strconv.Itoa(v.Occurrences), v.Fingerprint, cell(reason),
		})
	}
	for _, f := range r.Findings {
		row("finding", "", f)
	}
	for _, f := range r.Suppressed {
		row("suppressed", d.text(f.Suppression.Reason), f)
	}
	for _, p := range d.problems(r) {
		fields := make([]string, len(csvHeader))
		fields[0], fields[len(fields)-1] = "not scanned", cell(p.Error())
		_ = w.Write(fields)
	}
	w.Flush()
	return w.Error()
}

// cell makes a text that the scanned repository may have chosen harmless for
// spreadsheets, which take what begins so for a formula
// (https://owasp.org/www-community/attacks/CSV_Injection).
func cell(s string) string {
	s = Escape(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
