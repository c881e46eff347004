package rules

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// A ruleFile is the TOML form of one provider's rules.
type ruleFile struct {
	Provider string     `toml:"provider"`
	Rule     []ruleText `toml:"rule"`
}

type ruleText struct {
	ID           string          `toml:"id"`
	Title        string          `toml:"title"`
	Why          string          `toml:"why"`
	Severity     *severityText   `toml:"severity"`
	Confidence   *confidenceText `toml:"confidence"`
	Identifier   bool            `toml:"identifier"`
	TextOnly     bool            `toml:"text_only"`
	Fallback     bool            `toml:"fallback"`
	ARN          string          `toml:"arn"`
	ARNs         []string        `toml:"arns"`
	Pattern      string          `toml:"pattern"`
	Patterns     []string        `toml:"patterns"`
	Near         string          `toml:"near"`
	Named        string          `toml:"named"`
	Secret       string          `toml:"secret"`
	Keywords     []string        `toml:"keywords"`
	Validators   []string        `toml:"validators"`
	Placeholders []string        `toml:"placeholders"`
	Fix          string          `toml:"fix"`
	References   []string        `toml:"references"`
	Tags         []string        `toml:"tags"`
	Overlaps     []string        `toml:"overlaps"`
	Match        []any           `toml:"match"`
	Clean        []any           `toml:"clean"`
}

// Structs, because numbers would do for plain ones.
type (
	severityText   struct{ Severity }
	confidenceText struct{ Confidence }
)

// Parse reads the rules of one TOML file; file names it in errors. The format
// is strict: an unknown key is an error that says where it stands and which
// key was probably meant, because a misspelt key in a scanner's rules is a
// secret that nobody looks for. Parse checks the shape of a rule; Compile
// checks its patterns and that ids are unique over all files.
//
//	provider = "AWS"
//
//	[[rule]]
//	id         = "aws-kms-key-arn"      # lower-case words joined by hyphens, for ever
//	title      = "AWS KMS key ARN"
//	why        = "…"                    # optional: why a reader should care
//	severity   = "medium"               # info, low, medium, high, critical
//	confidence = "high"                 # low, medium, high
//	arn        = "kms key/{uuid|mrk}"   # see ParseARNPattern; several: arns = [ … ]
//	pattern    = '''…'''                # RE2, see Pattern; several: patterns = [ … ]
//	near       = "acme|acme_?cloud"     # instead of a pattern, see nearPattern: the vendor's names,
//	secret     = '[0-9a-f]{32}'         # and a secret that no prefix tells from others
//	named      = "secret"               # optional, with near: what the value must be called
//	keywords   = [ "…" ]                # optional: one of them is in every match, in any case
//	identifier = true                   # optional: no secret, printed in full
//	text_only  = true                   # optional: not applied to binary content
//	fallback   = true                   # optional: gives way to other rules at the same place
//	overlaps   = ["aws-access-key-id"]  # optional: rules that may speak beside it on its examples
//	validators = [ "…" ]                # optional
//	placeholders = [ "…" ]              # optional
//	fix        = "…"
//	references = [ "https://…" ]
//	tags       = [ "aws" ]
//	match      = [ "…", ["…", "…"] ]    # texts that must match; an array is joined, so that
//	                                    # the file holds no complete example secret;
//	                                    # { base64 = "…" } is binary content
//	clean      = [ "…" ]                # texts that must not
func Parse(file string, text []byte) ([]Rule, error) { return ParseFor(file, text, "") }

// ParseFor is Parse for a file that need not name a provider: rules without
// one are of the given provider.
func ParseFor(file string, text []byte, provider string) ([]Rule, error) {
	f := ruleFile{Provider: provider}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, parseError(file, text, err)
	}
	if f.Provider == "" && len(f.Rule) > 0 {
		return nil, fmt.Errorf("%s:1:1: provider is missing: add provider = \"NAME\" before the first [[rule]]", file)
	}
	out := make([]Rule, 0, len(f.Rule))
	for i := range f.Rule {
		line := ruleLine(text, i)
		r, err := f.Rule[i].rule(f.Provider)
		if err != nil {
			return nil, fmt.Errorf("%s:%d:1: rule %q: %w", file, line, f.Rule[i].ID, err)
		}
		for j := range out {
			if out[j].ID == r.ID {
				return nil, fmt.Errorf("%s:%d:1: rule %q: the id was taken at line %d: choose another",
					file, line, r.ID, ruleLine(text, j))
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// ruleLine returns the line of the n-th [[rule]] header, for errors about a
// rule as a whole. A header inside a multi-line string can mislead it, which
// costs a wrong line number and nothing else.
func ruleLine(text []byte, n int) int {
	line := 0
	for l := range bytes.Lines(text) {
		line++
		if bytes.HasPrefix(bytes.ReplaceAll(l, []byte(" "), nil), []byte("[[rule]]")) {
			if n == 0 {
				return line
			}
			n--
		}
	}
	return 1
}

func (t *ruleText) rule(provider string) (Rule, error) {
	r := Rule{
		ID: t.ID, Provider: provider, Title: t.Title, Why: t.Why, Fix: t.Fix,
		References: t.References, Identifier: t.Identifier, TextOnly: t.TextOnly, Fallback: t.Fallback, Overlaps: t.Overlaps,
		Validators: t.Validators, Placeholders: t.Placeholders, Tags: t.Tags,
	}
	if !validID(t.ID) {
		return r, errors.New("id must be lower-case words of letters and digits joined by hyphens")
	}
	if t.Title == "" {
		return r, errors.New("title is missing: say in a few words what was found")
	}
	if t.Severity == nil || t.Confidence == nil {
		return r, errors.New("severity or confidence is missing: say how bad a finding is and how sure")
	}
	r.Severity, r.Confidence = t.Severity.Severity, t.Confidence.Confidence
	regexps, arns := t.Patterns, t.ARNs
	if t.Pattern != "" {
		regexps = append([]string{t.Pattern}, regexps...)
	}
	if t.ARN != "" {
		arns = append([]string{t.ARN}, arns...)
	}
	for _, s := range arns {
		r.Patterns = append(r.Patterns, Pattern{ARN: s})
	}
	for _, s := range regexps {
		r.Patterns = append(r.Patterns, Pattern{Regexp: s, Keywords: t.Keywords})
	}
	switch {
	case (t.Near == "") != (t.Secret == ""):
		return r, errors.New("near and secret belong together: a vendor's name, and what its secret looks like")
	case t.Near != "":
		r.Patterns = append(r.Patterns, Pattern{Regexp: nearPattern(t.Near, t.Named, t.Secret), Keywords: t.Keywords})
	case t.Named != "":
		return r, errors.New("named says what the value is called behind near, which is missing")
	}
	if len(r.Patterns) == 0 {
		return r, errors.New("it looks for nothing: add pattern, patterns, near with secret, arn or arns")
	}
	var err error
	if r.Match, err = examples("match", t.Match); err != nil {
		return r, err
	}
	r.Clean, err = examples("clean", t.Clean)
	return r, err
}

func validID(id string) bool {
	for i := range len(id) {
		c := id[i]
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !word && (c != '-' || i == 0 || i == len(id)-1 || id[i-1] == '-') {
			return false
		}
	}
	return id != ""
}

// examples joins the parts of each example.
func examples(key string, list []any) ([]string, error) {
	var out []string
	for i, e := range list {
		if table, ok := e.(map[string]any); ok { // binary content
			text, _ := table["base64"].(string)
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(raw) == 0 || len(table) != 1 {
				return nil, fmt.Errorf("%s: example %d must be { base64 = \"…\" }, a string or an array of strings", key, i+1)
			}
			out = append(out, string(raw))
			continue
		}
		parts, ok := e.([]any)
		if !ok {
			parts = []any{e}
		}
		var b strings.Builder
		for _, p := range parts {
			s, ok := p.(string)
			if !ok {
				return nil, fmt.Errorf("%s: example %d must be a string or an array of strings", key, i+1)
			}
			b.WriteString(s)
		}
		if b.Len() == 0 {
			return nil, fmt.Errorf("%s: example %d is empty", key, i+1)
		}
		out = append(out, b.String())
	}
	return out, nil
}

// parseError says where in the file an error of the TOML reader stands, and
// names the known key nearest to an unknown one.
func parseError(file string, text []byte, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := &strict.Errors[0]
		row, col := e.Position()
		key := e.Key()
		if len(key) == 0 {
			return fmt.Errorf("%s:%d:%d: unknown key", file, row, col)
		}
		name := key[len(key)-1]
		known := tomlKeys(ruleFile{})
		if len(key) > 1 {
			known = tomlKeys(ruleText{})
		}
		return fmt.Errorf("%s:%d:%d: unknown key %q: %s", file, row, col, name, suggest(name, known))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		row, col := decode.Position()
		return fmt.Errorf("%s:%d:%d: %s", file, row, col, strings.TrimPrefix(decode.Error(), "toml: "))
	}
	return fmt.Errorf("reading rules of %s (%d bytes): %w", file, len(text), err)
}

// tomlKeys lists the keys of a struct, so that the format is written down once.
func tomlKeys(v any) []string {
	t := reflect.TypeOf(v)
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("toml")
	}
	return keys
}

// suggest says which of the known names was probably meant.
func suggest(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known keys are " + strings.Join(known, ", ")
}
