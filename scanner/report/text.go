package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spillgate/spillgate/scanner"
)

// The text report looks like this:
//
//	config/prod.env:3:12: critical: AWS secret access key: wJal… (40 characters)
//	    Whoever holds it can call AWS as its user.
//	    region: eu-west-1; 3 more places; commit 1f2e3d4c5b6a by A. Author
//	config/prod.env:9:1: warning (low): KMS alias ARN: arn:aws:kms:…
//
//	1 finding blocks, 1 warning.
//	  1. Take it out: edit the file, then `git restore --staged config/prod.env`.
//	  2. …
//
// Each finding's first line begins with a place that editors and terminals make
// clickable. What the rule says is said once per rule, so that ten findings of
// a kind take ten lines. Blocking findings come first; places in a file stand
// together. On a terminal prose is folded at its width, so that the report has
// the lines that it is said to have.
type text struct{ options Options }

func newText(o Options) scanner.Sink {
	if o.MaxLines <= 0 {
		o.MaxLines = 20
	}
	o.MaxLines = max(o.MaxLines, 10)
	return &text{o}
}

// Write writes nothing if there is nothing to say.
func (s *text) Write(out io.Writer, r *scanner.Result) error {
	w := &textWriter{Writer: bufio.NewWriter(out), options: s.options, redactor: newRedactor(r), said: map[string]bool{}}
	w.findings(r)
	if s.options.ShowSuppressed {
		w.suppressed(r.Suppressed)
	}
	w.problems(r)
	return w.Flush()
}

type textWriter struct {
	*bufio.Writer
	*redactor
	options Options
	said    map[string]bool // rules whose reason was given
}

// The styles, as SGR parameters.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	yellow = "33"
)

func (w *textWriter) style(sgr, s string) string {
	if !w.options.Color || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// findings writes the findings that fit, the blocking ones first, and what to
// do about them.
func (w *textWriter) findings(r *scanner.Result) {
	if len(r.Findings) == 0 {
		return
	}
	sorted := slices.Clone(r.Findings)
	gate := w.options.gate()
	warns := func(f *scanner.Finding) int {
		if f.Blocks(gate) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(sorted, func(a, b *scanner.Finding) int {
		return cmp.Or(cmp.Compare(warns(a), warns(b)), strings.Compare(a.Object.Path, b.Object.Path),
			cmp.Compare(a.StartLine, b.StartLine), cmp.Compare(a.StartColumn, b.StartColumn))
	})
	blocking := 0
	for _, f := range sorted {
		blocking += 1 - warns(f)
	}
	var steps []string
	if !w.options.Quiet {
		steps = w.steps(sorted, gate)
	}
	left := w.options.MaxLines - len(steps) - 3 // "and N more", blank, summary
	for i, f := range sorted {
		v := w.view(f, gate)
		lines := w.lines(&v)
		last := i == len(sorted)-1
		height := w.height(lines)
		if !w.options.Verbose && (height > left+1 || height > left && !last) {
			rest := len(sorted) - i
			_, _ = fmt.Fprintf(w, "and %s more (%s); -v or --format json shows all\n", number(rest), blockingOf(max(0, blocking-i), rest))
			break
		}
		left -= height
		for _, line := range lines {
			_, _ = w.WriteString(line + "\n")
		}
	}
	if w.options.Quiet {
		return
	}
	_, _ = w.WriteString("\n" + w.style(bold, tally(blocking, len(sorted)-blocking)) + "\n")
	for _, step := range steps {
		_, _ = w.WriteString(step + "\n")
	}
}

func number(n int) string { return fmt.Sprint(n) }

func blockingOf(blocking, all int) string {
	switch blocking {
	case 0:
		return "warnings"
	case all:
		return "blocking"
	}
	return number(blocking) + " of them blocking"
}

func tally(blocking, warnings int) string {
	switch {
	case blocking == 0:
		return count(warnings, "warning") + ", nothing that blocks."
	case warnings == 0:
		return verb(blocking) + "."
	}
	return verb(blocking) + ", " + count(warnings, "warning") + "."
}

func verb(blocking int) string {
	if blocking == 1 {
		return "1 finding blocks"
	}
	return number(blocking) + " findings block"
}

// lines returns the lines of one finding: one that names it, and unless quiet
// why it matters, when that was not said yet, and its particulars.
func (w *textWriter) lines(v *findingView) []string {
	grade := w.style(red, v.Severity.String())
	if !v.Blocking {
		grade = "warning (" + v.Severity.String()
		if v.Confidence < w.options.MinConfidence {
			grade += ", " + v.Confidence.String() + " confidence"
		}
		grade = w.style(yellow, grade+")")
	}
	lines := []string{w.style(bold, Escape(v.Location.String())) + ": " + grade + ": " +
		Escape(v.Title) + ": " + Escape(v.Match) + w.style(dim, " ["+v.Rule+"]")}
	if w.options.Quiet {
		return lines
	}
	if v.Why != "" && !w.said[v.Rule] {
		for _, line := range w.fold("    ", "    ", Escape(v.Why)) {
			lines = append(lines, w.style(dim, line))
		}
	}
	w.said[v.Rule] = true
	if more := particulars(v); more != "" {
		lines = append(lines, w.fold("    ", "    ", more)...)
	}
	return lines
}

// minWidth is how wide a terminal must be for lines to be folded.
const minWidth = 40

// fold breaks a text between words, so that no line is wider than the terminal
// if that can be had; what stands in backticks is to be copied and stays
// together. The first line begins with first, the others with next.
func (w *textWriter) fold(first, next, text string) []string {
	line, lines, code := first, []string(nil), false
	for i, word := range strings.Split(text, " ") {
		switch width := utf8.RuneCountInString(line) + 1 + utf8.RuneCountInString(word); {
		case i == 0:
			line += word
		case w.options.Width >= minWidth && width > w.options.Width && !code:
			lines, line = append(lines, line), next+word
		default:
			line += " " + word
		}
		code = code != (strings.Count(word, "`")%2 == 1)
	}
	return append(lines, line)
}

// height returns how many lines of the terminal the lines take.
func (w *textWriter) height(lines []string) int {
	n := 0
	for _, line := range lines {
		n++
		if w.options.Width >= minWidth {
			n += max(0, utf8.RuneCountInString(plain(line))-1) / w.options.Width
		}
	}
	return n
}

// plain returns a line without what style writes.
func plain(line string) string {
	var b strings.Builder
	for {
		before, styled, ok := strings.Cut(line, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		after := strings.TrimLeft(styled, "0123456789;")
		if line = strings.TrimPrefix(after, "m"); len(line) == len(after) {
			b.WriteString("\x1b[")
			line = styled // it was something else
		}
	}
}

// particulars says on one line what else is known of a finding.
func particulars(v *findingView) string {
	var parts []string
	for _, f := range v.Fields {
		if f.Value == v.Match {
			continue // the first line says it
		}
		parts = append(parts, Escape(f.Name+": "+f.Value))
	}
	if c := v.Location.Commit; c != nil {
		if v.Location.kind != scanner.CommitMessage && v.Location.kind != scanner.Identity {
			parts = append(parts, "commit "+Escape(abbreviate(c.ID))+by(c))
		}
	}
	if v.OtherCommits > 0 {
		parts = append(parts, "in "+count(v.OtherCommits, "further commit"))
	}
	if n := v.Occurrences - 1; n > 0 {
		also := count(n, "further place")
		if len(v.More) > 0 {
			also += ", such as " + Escape(v.More[0].inWords())
		}
		parts = append(parts, also)
	}
	if v.Location.Encoding != "" {
		parts = append(parts, "read as "+v.Location.Encoding)
	}
	return strings.Join(parts, "; ")
}

func by(c *commitView) string {
	if c.Author == "" {
		return ""
	}
	return " by " + Escape(c.Author)
}

func abbreviate(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// steps says what to do, after the first finding, which is the worst placed.
func (w *textWriter) steps(sorted []*scanner.Finding, gate scanner.Gate) []string {
	v := w.view(sorted[0], gate)
	fix := v.Fix
	if fix == "" {
		fix = "treat it as known to others and replace it where it was issued."
	}
	allow := w.options.Allow
	if allow == "" {
		allow = "`spillgate explain " + v.Rule + "` says what counts as one."
	}
	step := func(first, text string) []string { return w.fold(first, "     ", text) }
	if isInfrastructure(v.rule) {
		// Nothing leaked: the next commit puts it right.
		return append(step("  1. Put it right: ", Escape(fix)), step("  2. If it is meant so: ", Escape(allow))...)
	}
	steps := step("  1. Take it out: ", w.removal(&v, sorted, gate))
	steps = append(steps, step("  2. If it left this machine: ", Escape(fix)+others(sorted, gate))...)
	return append(steps, step("  3. If it is no secret: ", Escape(allow))...)
}

// others points to what to do about findings of other rules than the first.
func others(sorted []*scanner.Finding, gate scanner.Gate) string {
	var rules []string
	for _, f := range sorted[1:] {
		if id := f.Rule.ID; id != sorted[0].Rule.ID && !slices.Contains(rules, id) && (f.Blocks(gate) || !sorted[0].Blocks(gate)) {
			rules = append(rules, id)
		}
	}
	switch len(rules) {
	case 0:
		return ""
	case 1:
		return " For the other rule: `spillgate explain " + rules[0] + "`."
	}
	return " For the " + number(len(rules)) + " other rules: `spillgate explain " + rules[0] + "` and so on."
}

// maxFiles is how many files the command that unstages them names.
const maxFiles = 3

// unstaging returns the words of the command that unstages the files of the
// findings that block, and what it leaves out.
func unstaging(w *redactor, sorted []*scanner.Finding, gate scanner.Gate) string {
	var files []string
	for _, f := range sorted {
		v := w.view(f, gate)
		name := shellWord(v.Location.rawPath)
		if v.Location.staged() && (f.Blocks(gate) || !sorted[0].Blocks(gate)) && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	if n := len(files) - maxFiles; n > 0 {
		return "`git restore --staged -- " + strings.Join(files[:maxFiles], " ") + "` and " + count(n, "more file") + ", then edit them."
	}
	then := "the file."
	if len(files) > 1 {
		then = "the files."
	}
	return "`git restore --staged -- " + strings.Join(files, " ") + "`, then edit " + then
}

// staged reports whether the place is in the index.
func (l *locationView) staged() bool {
	return l.Commit == nil && l.Object != "" && l.Path != "" &&
		(l.kind == scanner.Content || l.kind == scanner.SymlinkTarget)
}

// removal says how to get the first finding out of where it is, and those that
// leave in the same way.
func (w *textWriter) removal(v *findingView, sorted []*scanner.Finding, gate scanner.Gate) string {
	l := &v.Location
	switch {
	case l.kind == scanner.TagMessage || l.kind == scanner.RefName:
		return "delete and re-create " + shellWord(l.rawRef) + "."
	case l.kind == scanner.CommitMessage && l.Object == "" && l.Commit == nil:
		return "take it out of the message and commit again; `git commit -e -F \"$(git rev-parse --git-path COMMIT_EDITMSG)\"` brings the text back."
	case l.Commit != nil && (l.kind == scanner.Content || l.kind == scanner.SymlinkTarget), l.kind == scanner.CommitMessage, l.kind == scanner.Identity:
		id := l.Object
		if l.Commit != nil {
			id = l.Commit.ID
		}
		return "rewrite commit " + Escape(abbreviate(id)) + " (`git rebase -i " + Escape(abbreviate(id)) + "^`) before you push it."
	case l.kind == scanner.FileName:
		return "rename " + shellWord(l.rawPath) + "."
	case l.staged():
		return unstaging(w.redactor, sorted, gate)
	}
	return "edit " + shellWord(l.rawPath) + "; read the value from the environment or a secret store."
}

// shellWord returns s as one word for a shell, escaped for the terminal: as it
// is where that is safe, else in quotes, and with $'…' where it holds what
// only that can express.
func shellWord(s string) string {
	plain := s != ""
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("/._-+,@%", r):
		default:
			plain = false
		}
	}
	if plain {
		return s
	}
	if escaped := Escape(s); escaped != s {
		quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		var b strings.Builder
		for i := 0; i < len(s); {
			n := 1
			for n < len(s)-i && s[i+n]&0xc0 == 0x80 {
				n++
			}
			if one := s[i : i+n]; Escape(one) == one {
				b.WriteString(quoted.Replace(one))
			} else {
				for j := range n {
					b.WriteString(escapeByte(one[j]))
				}
			}
			i += n
		}
		return "$'" + b.String() + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// suppressed lists the findings that do not count.
func (w *textWriter) suppressed(findings []*scanner.Finding) {
	for i, f := range findings {
		if i == w.options.MaxLines && !w.options.Verbose {
			_, _ = fmt.Fprintf(w, "and %d more suppressed; -v or --format json shows all\n", len(findings)-i)
			return
		}
		v := w.view(f, w.options.gate())
		_, _ = w.WriteString(w.style(dim, Escape(v.Location.String())+": suppressed ("+Escape(v.Suppression.By)+"): "+
			Escape(v.Title)+": "+Escape(v.Match)+": "+Escape(v.Suppression.Reason)) + "\n")
	}
}

// problems lists what was not scanned, with the way out.
func (w *textWriter) problems(r *scanner.Result) {
	for i := range r.Coverage {
		for _, p := range r.Coverage[i].Problems {
			p = w.problem(p)
			line := w.style(red, "not scanned: ")
			if p.Where != "" {
				line += w.style(bold, Escape(p.Where)) + ": "
			}
			line += Escape(p.What)
			if p.Fix != "" {
				line += "\n    " + Escape(p.Fix)
			}
			_, _ = w.WriteString(line + "\n")
		}
	}
}
