package report

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// taken stands where a secret was taken out of a path or another text.
const taken = "[redacted]"

// A redactor takes the secrets of a result out of texts.
type redactor struct{ replacer *strings.Replacer }

// newRedactor returns a redactor of every secret in r that may not be
// printed. The longest come first, so that one that contains another goes as a
// whole.
func newRedactor(r *scanner.Result) *redactor {
	var secrets []string
	for _, list := range [][]*scanner.Finding{r.Findings, r.Suppressed} {
		for _, f := range list {
			if s := f.Secret.Reveal(); !plainWord(s) && !f.Rule.Identifier {
				secrets = append(secrets, s)
			}
		}
	}
	if len(secrets) == 0 {
		return &redactor{}
	}
	slices.SortFunc(secrets, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	secrets = slices.Compact(secrets)
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		pairs = append(pairs, s, taken)
	}
	return &redactor{strings.NewReplacer(pairs...)}
}

// plainWord reports whether a secret is so short or plain that it stands in
// paths and names by chance: taking the password "python" out of every path
// would hide where things are and protect nothing, since the path does not say
// that it is one.
func plainWord(s string) bool {
	if len(s) < 5 {
		return true
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return len(s) < 12
}

// text returns s without secrets.
func (d *redactor) text(s string) string {
	if d.replacer == nil {
		return s
	}
	return d.replacer.Replace(s)
}

// A findingView is what any report may say of a finding. Its tags make it the
// finding of the JSON formats.
type findingView struct {
	Rule        string           `json:"rule"`
	Title       string           `json:"title"`
	Severity    rules.Severity   `json:"severity"`
	Confidence  rules.Confidence `json:"confidence"`
	Blocking    bool             `json:"blocking"`
	Match       string           `json:"match"`
	Why         string           `json:"why,omitempty"`
	Fix         string           `json:"fix,omitempty"`
	References  []string         `json:"references,omitempty"`
	Fields      []rules.Field    `json:"fields,omitempty"`
	Fingerprint string           `json:"fingerprint"`
	Location    locationView     `json:"location"`
	// More are further places, and Occurrences counts all, listed or not.
	More         []locationView   `json:"more_locations,omitempty"`
	Occurrences  int              `json:"occurrences"`
	OtherCommits int              `json:"other_commits,omitempty"`
	Suppression  *suppressionView `json:"suppression,omitempty"`

	rule *rules.Rule
}

// A locationView is what any report may say of a place. JSON has no bytes: a
// path or ref that is not UTF-8 has U+FFFD for every bad byte there, and its
// exact bytes stand in the field of the same name with _base64.
type locationView struct {
	Kind       string         `json:"kind"`
	Path       string         `json:"path,omitempty"`
	PathBase64 string         `json:"path_base64,omitempty"`
	Ref        string         `json:"ref,omitempty"`
	RefBase64  string         `json:"ref_base64,omitempty"`
	StartLine  int            `json:"start_line"`
	StartCol   int            `json:"start_column"`
	EndLine    int            `json:"end_line"`
	EndCol     int            `json:"end_column"`
	Offset     int64          `json:"offset"`
	Object     string         `json:"object,omitempty"`
	Encoding   string         `json:"encoding,omitempty"`
	Decoded    string         `json:"decoded_from,omitempty"`
	Binary     bool           `json:"binary,omitempty"`
	Commit     *commitView    `json:"commit,omitempty"`
	kind       scanner.Kind   // of Kind
	rawPath    string         // bytes of Path
	rawRef     string         // bytes of Ref
	place      scanner.Object // for String: without secrets
}

type commitView struct {
	ID     string `json:"id"`
	Author string `json:"author,omitempty"`
	Email  string `json:"email,omitempty"`
	Date   string `json:"date,omitempty"`
}

type suppressionView struct {
	By       string `json:"by"`
	Reason   string `json:"reason"`
	InSource bool   `json:"in_source"`
}

// view returns the view of f for a gate.
func (d *redactor) view(f *scanner.Finding, gate scanner.Gate) findingView {
	v := findingView{
		Rule: f.Rule.ID, Title: f.Rule.Title, Severity: f.Severity, Confidence: f.Confidence,
		Blocking: f.Blocks(gate), Match: utf8Text(d.display(f)),
		Why: f.Rule.Why, Fix: f.Rule.Fix, References: f.Rule.References,
		Fingerprint: f.Fingerprint(), Location: d.location(&f.Location),
		Occurrences: max(f.Occurrences, 1+len(f.More)), OtherCommits: f.Object.OtherCommits,
		rule: f.Rule,
	}
	for _, field := range f.Fields {
		v.Fields = append(v.Fields, rules.Field{Name: field.Name, Value: utf8Text(d.text(field.Value))})
	}
	for i := range f.More {
		v.More = append(v.More, d.location(&f.More[i]))
	}
	if s := f.Suppression; s != nil {
		v.Suppression = &suppressionView{s.By, utf8Text(d.text(s.Reason)), s.InSource}
	}
	return v
}

// display returns the text of f as far as it may be shown. What an identifier
// holds of another finding's secret is taken out of it.
func (d *redactor) display(f *scanner.Finding) string {
	if f.Rule.Identifier {
		return d.text(f.Display())
	}
	return f.Display()
}

func (d *redactor) location(l *scanner.Location) locationView {
	o := l.Object
	v := locationView{
		Kind: o.Kind.String(), Object: o.ID, Encoding: o.Encoding, Decoded: l.DecodedFrom, Binary: o.Binary,
		StartLine: max(l.StartLine, 1), StartCol: max(l.StartColumn, 1), Offset: l.Offset,
		kind: o.Kind, rawPath: d.text(o.Path), rawRef: d.text(o.Ref),
	}
	v.EndLine, v.EndCol = max(l.EndLine, v.StartLine), max(l.EndColumn, 1)
	if v.EndLine == v.StartLine && v.EndCol <= v.StartCol {
		v.EndCol = v.StartCol + 1
	}
	v.Path, v.PathBase64 = textAndBytes(v.rawPath)
	v.Ref, v.RefBase64 = textAndBytes(v.rawRef)
	if c := o.Commit; c != nil {
		v.Commit = &commitView{c.ID, utf8Text(d.text(c.Author)), utf8Text(d.text(c.Email)), c.Date}
	}
	v.place = scanner.Object{Kind: o.Kind, Path: v.rawPath, ID: o.ID, Ref: v.rawRef}
	return v
}

// String returns path:line:column, or what stands for it, not escaped.
func (v *locationView) String() string {
	l := scanner.Location{Object: &v.place, StartLine: v.StartLine, StartColumn: v.StartCol}
	return l.String()
}

// inWords is String, and how the text is written there if not plainly.
func (v *locationView) inWords() string {
	if v.Decoded == "" {
		return v.String()
	}
	return v.String() + " (decoded from " + v.Decoded + ")"
}

func utf8Text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// textAndBytes returns s for JSON, and its bytes in base64 if the text is not
// all there is.
func textAndBytes(s string) (text, bytes string) {
	if utf8.ValidString(s) {
		return s, ""
	}
	return strings.ToValidUTF8(s, "\uFFFD"), base64.StdEncoding.EncodeToString([]byte(s))
}

// problem returns p without secrets.
func (d *redactor) problem(p scanner.Problem) scanner.Problem {
	return scanner.Problem{
		Where: utf8Text(d.text(p.Where)), What: utf8Text(d.text(p.What)), Fix: utf8Text(d.text(p.Fix)),
	}
}
