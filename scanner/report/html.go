package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

//go:embed html/page.css
var pageStyle string

//go:embed html/page.js
var pageScript string

// htmlSink writes one page that needs nothing else: no picture, font or script
// from anywhere. Its content security policy forbids everything but the style
// and the script in it, which it names by their hashes, so that nothing in the
// scanned text could become active even if its escaping failed. The script only
// hides rows; without it all of them show.
type htmlSink struct{ options Options }

func newHTML(o Options) scanner.Sink { return &htmlSink{o} }

// Write writes one HTML document.
func (s *htmlSink) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	var b strings.Builder
	title := "Spillgate: " + strings.TrimSuffix((&markdown{s.options}).headline(r), ".")
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n"+
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n",
		hashOf(pageStyle), hashOf(pageScript), markup(title), pageStyle)
	fmt.Fprintf(&b, "<header><h1>%s</h1>\n<p class=\"coverage\">%s</p></header>\n<main>\n", markup(title), markup(CoverageLine(r, true)))
	severities(&b, r)
	if problems := d.problems(r); len(problems) > 0 {
		b.WriteString("<section class=\"problems\"><h2>Not everything could be scanned</h2><ul>\n")
		for _, p := range problems {
			fmt.Fprintf(&b, "<li>%s</li>\n", markup(p.Error()))
		}
		b.WriteString("</ul></section>\n")
	}
	s.filters(&b, r)
	s.rows(&b, d, r)
	fmt.Fprintf(&b, "</main>\n<footer>Spillgate %s, %s. Values are masked; the page holds no secret.</footer>\n<script>%s</script>\n</body>\n</html>\n",
		markup(s.options.Version), r.Started.UTC().Format("2006-01-02 15:04 MST"), pageScript)
	_, err := io.WriteString(w, b.String())
	return err
}

// severities says how many findings of each severity count, the gravest first.
func severities(b *strings.Builder, r *scanner.Result) {
	var counts [rules.Critical + 1]int
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	if len(r.Findings) == 0 {
		return
	}
	b.WriteString("<ul class=\"tally\">")
	for i, n := range slices.Backward(counts[:]) {
		if n > 0 {
			s := rules.Severity(i)
			fmt.Fprintf(b, "<li class=\"%s\"><b>%d</b> %s</li>", s, n, s)
		}
	}
	b.WriteString("</ul>\n")
}

// bySeverity returns the findings, the gravest first, else in their order.
func bySeverity(all []*scanner.Finding) []*scanner.Finding {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *scanner.Finding) int { return int(b.Severity) - int(a.Severity) })
	return sorted
}

// filters writes the form that the script shows.
func (s *htmlSink) filters(b *strings.Builder, r *scanner.Result) {
	if len(r.Findings)+len(r.Suppressed) == 0 {
		return
	}
	b.WriteString("<form id=\"filter\" hidden>\n<label>Rule <select name=\"rule\"><option value=\"\">all</option>")
	seen := map[string]bool{}
	for _, list := range [][]*scanner.Finding{r.Findings, r.Suppressed} {
		for _, f := range list {
			if !seen[f.Rule.ID] {
				seen[f.Rule.ID] = true
				fmt.Fprintf(b, "<option>%s</option>", markup(f.Rule.ID))
			}
		}
	}
	b.WriteString("</select></label>\n<label>Severity, from <select name=\"severity\">")
	for i, name := range []string{"info", "low", "medium", "high", "critical"} {
		fmt.Fprintf(b, "<option value=\"%d\">%s</option>", i, name)
	}
	b.WriteString("</select></label>\n<label>Path <input name=\"path\" type=\"search\" placeholder=\"part of a path\" autocomplete=\"off\"></label>\n" +
		"<label><input name=\"suppressed\" type=\"checkbox\"> suppressed too</label>\n<output name=\"shown\"></output>\n</form>\n")
}

// rows writes the table of findings.
func (s *htmlSink) rows(b *strings.Builder, d *redactor, r *scanner.Result) {
	if len(r.Findings)+len(r.Suppressed) == 0 {
		if r.Complete() {
			b.WriteString("<p class=\"clean\">✓ No findings.</p>\n")
		}
		return
	}
	b.WriteString("<table>\n<thead><tr><th>Severity</th><th>Where</th><th>What</th><th>Match</th></tr></thead>\n<tbody>\n")
	for _, list := range [][]*scanner.Finding{bySeverity(r.Findings), r.Suppressed} {
		for _, f := range list {
			v := d.view(f, s.options.gate())
			class := v.Severity.String()
			if v.Suppression != nil {
				class += " suppressed"
			}
			fmt.Fprintf(b, "<tr class=\"%s\" data-rule=\"%s\" data-severity=\"%d\" data-path=\"%s\">", class, markup(v.Rule), v.Severity, markup(file(&v.Location)))
			fmt.Fprintf(b, "<td><span class=\"badge\">%s</span>%s</td>", v.Severity, blocks(&v))
			fmt.Fprintf(b, "<td><code>%s</code>%s</td>", markup(v.Location.String()), places(&v))
			fmt.Fprintf(b, "<td><details><summary>%s</summary>%s</details></td><td><code>%s</code></td></tr>\n", markup(v.Title), explained(&v), markup(v.Match))
		}
	}
	b.WriteString("</tbody>\n</table>\n")
}

func blocks(v *findingView) string {
	switch {
	case v.Suppression != nil:
		return " <small>suppressed</small>"
	case v.Blocking:
		return " <small>blocks</small>"
	}
	return " <small>warning</small>"
}

// places says in which commit and where else a finding is.
func places(v *findingView) string {
	var b strings.Builder
	if c := v.Location.Commit; c != nil {
		fmt.Fprintf(&b, "<br><small>commit <code>%s</code> by %s</small>", markup(short(c.ID)), markup(c.Author))
	}
	if len(v.More) > 0 {
		fmt.Fprintf(&b, "<details><summary>%s</summary><ul>", count(v.Occurrences-1, "more place"))
		for i := range v.More {
			if i == 20 {
				fmt.Fprintf(&b, "<li>and %d more</li>", v.Occurrences-1-i)
				break
			}
			fmt.Fprintf(&b, "<li><code>%s</code></li>", markup(v.More[i].inWords()))
		}
		b.WriteString("</ul></details>")
	}
	return b.String()
}

// explained says why a finding matters and what to do.
func explained(v *findingView) string {
	var b strings.Builder
	for _, text := range []string{v.Why, v.Fix} {
		if text != "" {
			fmt.Fprintf(&b, "<p>%s</p>", markup(text))
		}
	}
	if s := v.Suppression; s != nil {
		fmt.Fprintf(&b, "<p>Suppressed by %s: %s</p>", markup(s.By), markup(s.Reason))
	}
	fmt.Fprintf(&b, "<dl><dt>rule</dt><dd><code>%s</code></dd><dt>fingerprint</dt><dd><code>%s</code></dd>", markup(v.Rule), markup(v.Fingerprint))
	for _, f := range v.Fields {
		fmt.Fprintf(&b, "<dt>%s</dt><dd>%s</dd>", markup(f.Name), markup(f.Value))
	}
	b.WriteString("</dl>")
	for _, ref := range v.References {
		if strings.HasPrefix(ref, "https://") {
			fmt.Fprintf(&b, "<p><a href=\"%s\" rel=\"noreferrer noopener\">%s</a></p>", markup(ref), markup(ref))
		}
	}
	return b.String()
}

// markup escapes a text for HTML, attributes too.
func markup(s string) string { return html.EscapeString(Escape(s)) }

// hashOf returns the source expression of an inline style or script for a
// content security policy.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
