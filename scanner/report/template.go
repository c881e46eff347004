package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/spillgate/spillgate/scanner"
)

// defaultTemplate is used where no other is given.
const defaultTemplate = `{{range .Findings}}{{escape .Location.String}}: {{.Severity}}: {{.Title}}: {{escape .Match}}
{{end}}`

// templateSink writes what a user's template makes of the document that the
// JSON format prints: the same fields by their Go names, for example
//
//	{{range .Findings}}{{.Severity}} {{.Rule}} {{.Location.Path}}:{{.Location.StartLine}}{{"\n"}}{{end}}
//
// The document holds no secret, and nothing leads from it to one. Beside those
// of text/template there are the functions escape (on one line, safe for a
// terminal), json, csv (one cell, quoted), join LIST SEPARATOR, lower, upper
// and short (the first 12 characters of an id).
type templateSink struct{ options Options }

func newTemplate(o Options) scanner.Sink { return &templateSink{o} }

// Write runs the template.
func (s *templateSink) Write(w io.Writer, r *scanner.Result) error {
	t, err := parseTemplate(s.options.Template)
	if err != nil {
		return err
	}
	doc := s.options.document(r)
	var b bytes.Buffer // so that an error leaves no half of a report
	if err := t.Execute(&b, &doc); err != nil {
		return fmt.Errorf("running the template: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// CheckTemplate says what is wrong with the text of a template, as far as that
// can be told without a result. The error is a *scanner.UsageError.
func CheckTemplate(text string) error {
	t, err := parseTemplate(text)
	if err == nil {
		o := Options{}
		doc := o.document(&scanner.Result{})
		err = t.Execute(io.Discard, &doc)
	}
	if err != nil {
		return &scanner.UsageError{What: err.Error(), Fix: "docs/reports.md lists the fields and functions"}
	}
	return nil
}

func parseTemplate(text string) (*template.Template, error) {
	if text == "" {
		text = defaultTemplate
	}
	t, err := template.New("report").Funcs(template.FuncMap{
		"escape": Escape, "lower": strings.ToLower, "upper": strings.ToUpper, "join": strings.Join, "short": short,
		"csv": func(s string) string { return `"` + strings.ReplaceAll(Cell(s), `"`, `""`) + `"` },
		"json": func(v any) (string, error) {
			b, err := json.Marshal(v)
			return string(escapeJSON(b)), err
		},
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	return t, nil
}
