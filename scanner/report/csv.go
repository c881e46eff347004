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
			Cell(file(&v.Location)), strconv.Itoa(v.Location.StartLine), strconv.Itoa(v.Location.StartCol), v.Location.Kind,
			commit.ID, Cell(commit.Author), commit.Date, Cell(v.Match), strconv.Itoa(v.Occurrences), v.Fingerprint, Cell(reason),
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
		fields[0], fields[len(fields)-1] = "not scanned", Cell(p.Error())
		_ = w.Write(fields)
	}
	w.Flush()
	return w.Error()
}

// Cell returns s, which whoever wrote the scanned repository may have chosen, as
// a cell that no spreadsheet takes for a formula or a call of another program:
// escaped, and behind an apostrophe where it begins like one. Blanks before the
// sign and its wide forms count.
// Source: https://owasp.org/www-community/attacks/CSV_Injection
func Cell(s string) string {
	s = Escape(s)
	if t := strings.TrimLeft(s, " "); t != "" && strings.ContainsRune("=+-@|%\\＝＋－＠", []rune(t)[0]) {
		return "'" + s
	}
	return s
}
