package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// A leaksFile is the configuration of gitleaks, as its documentation describes
// it (github.com/gitleaks/gitleaks, "Configuration").
type leaksFile struct {
	Title      string       `toml:"title"`
	Extend     leaksExtend  `toml:"extend"`
	Rules      []leaksRule  `toml:"rules"`
	Allowlist  leaksAllow   `toml:"allowlist"`
	Allowlists []leaksAllow `toml:"allowlists"`
}

type leaksExtend struct {
	UseDefault    bool     `toml:"useDefault"`
	Path          string   `toml:"path"`
	URL           string   `toml:"url"`
	DisabledRules []string `toml:"disabledRules"`
}

type leaksRule struct {
	ID          string       `toml:"id"`
	Description string       `toml:"description"`
	Regex       string       `toml:"regex"`
	SecretGroup int          `toml:"secretGroup"`
	Entropy     float64      `toml:"entropy"`
	Path        string       `toml:"path"`
	Keywords    []string     `toml:"keywords"`
	Tags        []string     `toml:"tags"`
	Allowlist   leaksAllow   `toml:"allowlist"`
	Allowlists  []leaksAllow `toml:"allowlists"`
	Required    []any        `toml:"required"`
	SkipReport  bool         `toml:"skipReport"`
}

type leaksAllow struct {
	Description string   `toml:"description"`
	Condition   string   `toml:"condition"`
	TargetRules []string `toml:"targetRules"`
	Commits     []string `toml:"commits"`
	Paths       []string `toml:"paths"`
	RegexTarget string   `toml:"regexTarget"`
	Regexes     []string `toml:"regexes"`
	StopWords   []string `toml:"stopwords"`
}

// Imported reads the configuration of gitleaks as if it were one of ours. Text
// is that of .gitleaks.toml and places that of .gitleaksignore; nil stands for
// none. What means something else here stands in Notes.
func Imported(name string, text, places []byte) (*Config, error) {
	own, notes, err := Import(name, text, places)
	if err != nil {
		return nil, err
	}
	c, err := Parse(name, own)
	if err != nil {
		return nil, fmt.Errorf("importing %w", err)
	}
	c.Imported, c.Notes = true, notes
	for i := range c.Allow { // the lines are those of the import, which nobody sees
		c.Allow[i].Name = name
	}
	return c, nil
}

// Import writes the configuration of gitleaks in the format of Parse, and says
// what of it means something else here.
//
// The rules of a .gitleaks.toml are added to those of Spillgate, which stand
// for the default rules of gitleaks, whether it extends those or not. Matches
// have a bound here: repeats without one get one, which is noted in the text.
func Import(name string, text, places []byte) (own []byte, notes []string, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var f leaksFile
	if err := toml.Unmarshal(text, &f); err != nil {
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			line, column := decode.Position()
			return nil, nil, fmt.Errorf("%s:%d:%d: %s", name, line, column, strings.TrimPrefix(decode.Error(), "toml: "))
		}
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	i := &importer{name: name, ids: map[string]string{}}
	i.line("# Made of %s by spillgate config import.", name)
	i.extend(&f)
	for n := range f.Rules {
		i.chooseID(n, &f.Rules[n])
	}
	i.tables = map[string][]string{}
	for n := range f.Rules {
		i.rule(&f.Rules[n])
	}
	for _, a := range append(f.Allowlists, f.Allowlist) {
		i.allow(&a, nil)
	}
	i.places(places)
	i.changes()
	return i.out.Bytes(), i.notes, nil
}

// An importer writes one file.
type importer struct {
	name   string
	out    bytes.Buffer
	notes  []string
	ids    map[string]string   // of gitleaks to ours
	order  []string            // of tables
	tables map[string][]string // lines of [rules.ID]
	off    []string
}

func (i *importer) line(format string, args ...any) { fmt.Fprintf(&i.out, format+"\n", args...) }

func (i *importer) note(format string, args ...any) {
	i.notes = append(i.notes, i.name+": "+fmt.Sprintf(format, args...))
}

func (i *importer) extend(f *leaksFile) {
	switch {
	case !f.Extend.UseDefault && len(f.Rules) > 0:
		i.note(`it replaces gitleaks' default rules; Spillgate's own stay on all the same ([rules."*"] enabled = false turns them off)`)
	case f.Extend.Path != "" || f.Extend.URL != "":
		i.note("extend.path and extend.url are not followed: put their rules into the file")
	}
	for _, id := range f.Extend.DisabledRules {
		found := false
		for _, own := range counterparts(id) {
			if rules.Builtin().Rule(own) != nil {
				i.off, found = append(i.off, own), true
			}
		}
		if !found {
			i.note("disabledRules names %s, which has no counterpart of that name here", id)
		}
	}
}

// chooseID chooses the id of the n-th rule.
func (i *importer) chooseID(n int, r *leaksRule) {
	id := strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(r.ID))
	id = strings.Join(strings.FieldsFunc(id, func(c rune) bool { return c == '-' }), "-")
	if id == "" {
		id = fmt.Sprintf("imported-rule-%d", n+1)
	}
	for taken := true; taken; {
		taken = false
		for _, other := range i.ids {
			taken = taken || other == id
		}
		if taken {
			id += "-too"
		}
	}
	i.ids[r.ID] = id
}

// change adds a line to the table of a rule.
func (i *importer) change(id, line string) {
	if i.tables[id] == nil {
		i.order = append(i.order, id)
	}
	i.tables[id] = append(i.tables[id], line)
}

func (i *importer) changes() {
	for _, id := range i.off {
		i.change(id, "enabled = false")
	}
	for _, id := range i.order {
		i.line("\n[rules.%s]", id)
		for _, l := range slices.Compact(i.tables[id]) {
			i.line("%s", l)
		}
	}
}

// rule writes one rule and its allowlists.
func (i *importer) rule(r *leaksRule) {
	id := i.ids[r.ID]
	switch {
	case r.Regex == "" && r.Path != "":
		i.note("rule %s looks at paths alone and is left out: Spillgate judges what stands in files", id)
		return
	case r.Regex == "":
		if r.Entropy != 0 || len(r.Allowlists) > 0 || !r.Allowlist.empty() {
			i.refine(r)
			return
		}
		i.note("rule %s has no regex and is left out", id)
		return
	case r.SkipReport:
		i.note("rule %s is reported here, although skipReport is set", id)
	}
	if len(r.Required) > 0 {
		i.note("rule %s is reported here whether its required rules match beside it or not", id)
	}
	b, err := bounded(r)
	if err != nil {
		i.note("rule %s is left out: %v", id, err)
		return
	}
	title := strings.TrimRight(strings.TrimSpace(r.Description), ".")
	if title == "" {
		title = id
	}
	i.line("\n[[rule]]\nid         = %s\ntitle      = %s\nseverity   = \"high\"\nconfidence = \"high\"", quote(id), quote(title))
	if b.limit > 0 {
		i.line("# repeats without an upper bound have %d as one: a match has a bound here", b.limit)
	}
	i.line("pattern    = %s", quote(b.expression))
	if len(b.keywords) > 0 {
		i.line("keywords   = %s # one is in every match, not only in the same file", quoteAll(b.keywords))
	}
	if len(r.Tags) > 0 {
		i.line("tags       = %s", quoteAll(r.Tags))
	}
	if r.Entropy > 0 {
		i.change(id, fmt.Sprintf("min-entropy = %g", min(r.Entropy, 8)))
	}
	if r.Path != "" {
		if _, err := regexp.Compile(r.Path); err != nil {
			i.note("rule %s looks at all files, since its path is no regular expression: %v", id, err)
		} else {
			i.change(id, "path-expressions = "+quoteAll([]string{r.Path}))
		}
	}
	for _, a := range append(r.Allowlists, r.Allowlist) {
		i.allow(&a, []string{id})
	}
}

// refine imports a rule without a regex: gitleaks adds such a one to the
// default rule of the same id.
func (i *importer) refine(r *leaksRule) {
	var own []string
	for _, id := range counterparts(r.ID) {
		if rules.Builtin().Rule(id) != nil {
			own = append(own, id)
		}
	}
	if len(own) == 0 {
		i.note("rule %s changes a default rule of gitleaks that has no counterpart of that name here", r.ID)
		return
	}
	if r.Entropy > 0 {
		for _, id := range own {
			i.change(id, fmt.Sprintf("min-entropy = %g", min(r.Entropy, 8)))
		}
	}
	for _, a := range append(r.Allowlists, r.Allowlist) {
		i.allow(&a, own)
	}
}

func (a *leaksAllow) empty() bool {
	return len(a.Commits)+len(a.Paths)+len(a.Regexes)+len(a.StopWords) == 0
}

// allow writes one allowlist, for the rules with the given ids or for all.
func (i *importer) allow(a *leaksAllow, ids []string) {
	if a.empty() {
		return
	}
	for _, target := range a.TargetRules {
		if own, ok := i.ids[target]; ok {
			ids = append(ids, own)
		} else {
			ids = append(ids, counterparts(target)...)
		}
	}
	var commits []string
	for _, c := range a.Commits {
		if c = strings.ToLower(c); hexadecimal(c) && len(c) >= 7 && len(c) <= 64 {
			commits = append(commits, c)
		} else {
			i.note("%q in an allowlist is no id of a commit", c)
		}
	}
	regexes, paths := i.valid(a.Regexes), i.valid(a.Paths)
	words := slices.DeleteFunc(slices.Clone(a.StopWords), func(w string) bool { return w == "" })
	if len(commits)+len(regexes)+len(paths)+len(words) == 0 {
		return
	}
	all := false
	if c := strings.ToUpper(strings.TrimSpace(a.Condition)); c == "AND" || c == "&&" {
		all = true
		// Without one of its conditions it would excuse more than was asked.
		if len(a.Commits) > 0 && len(commits) == 0 || len(a.Regexes) > 0 && len(regexes) == 0 ||
			len(a.Paths) > 0 && len(paths) == 0 || len(a.StopWords) > 0 && len(words) == 0 {
			i.note("an allowlist is left out, for one of the conditions that must all hold cannot be read: %.80q", a.Description)
			return
		}
	}
	i.line("\n[[allow]]")
	i.list("rules", ids)
	if d := strings.TrimSpace(a.Description); d != "" {
		i.line("reason = %s", quote(d))
	}
	if all {
		i.line(`match = "all"`)
	}
	if t := strings.ToLower(a.RegexTarget); t == "match" || t == "line" {
		i.line("target = %s", quote(t))
	}
	i.list("values", regexes)
	i.list("path-expressions", paths)
	i.list("stopwords", words)
	i.list("commits", commits)
}

// valid returns the expressions that compile.
func (i *importer) valid(list []string) []string {
	var all []string
	for _, s := range list {
		if _, err := regexp.Compile(s); err != nil {
			i.note("an allowlist's expression is left out: %v", err)
			continue
		}
		all = append(all, s)
	}
	return all
}

func (i *importer) list(key string, list []string) {
	if len(list) > 0 {
		i.line("%s = %s", key, quoteAll(list))
	}
}

// places writes the fingerprints of a .gitleaksignore: commit:file:rule:line,
// or file:rule:line. The rule is left out, because its ids are those of
// gitleaks; the place is exact enough.
func (i *importer) places(text []byte) {
	var all []string
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
		number++
		s := strings.TrimSpace(string(line))
		if s == "" || s[0] == '#' {
			continue
		}
		parts := strings.Split(s, ":")
		if len(parts) < 3 {
			i.note("line %d of %s is no fingerprint and is left out", number, leaksIgnore)
			continue
		}
		place := strings.Join(parts[:len(parts)-2], ":") + ":" + parts[len(parts)-1]
		if _, err := suppress.ParsePlace(place); err != nil {
			i.note("line %d of %s is left out: it names no line of a file", number, leaksIgnore)
			continue
		}
		all = append(all, place)
	}
	if len(all) > 0 {
		i.line("\n[[allow]]\nreason = \"listed in %s\"\nplaces = %s", leaksIgnore, quoteAll(all))
	}
}

// A boundedRule is a rule of gitleaks as ours can be.
type boundedRule struct {
	expression string
	keywords   []string
	limit      int // of repeats that had none, or 0
}

// repeatLimits are tried in turn: a match may have 32 KiB at most, and RE2
// refuses repeats whose product is over 1,000.
var repeatLimits = [...]int{1000, 500, 200, 100, 50, 30, 20, 10}

// bounded rewrites the expression of r so that it compiles here.
func bounded(r *leaksRule) (boundedRule, error) {
	var first error
	for _, limit := range repeatLimits {
		re, err := syntax.Parse(r.Regex, syntax.Perl)
		if err != nil {
			return boundedRule{}, err
		}
		changed := limitRepeats(re, limit)
		if r.SecretGroup > re.MaxCap() {
			return boundedRule{}, fmt.Errorf("secretGroup is %d, and there are %d groups", r.SecretGroup, re.MaxCap())
		}
		nameGroup(re, r.SecretGroup)
		b := boundedRule{expression: re.String()}
		if changed {
			b.limit = limit
		}
		for _, keywords := range [][]string{nil, r.Keywords} {
			if err = (rules.Pattern{Regexp: b.expression, Keywords: keywords}).Check(); err == nil {
				b.keywords = keywords
				return b, nil
			}
			if first == nil {
				first = err
			}
			if len(r.Keywords) == 0 {
				break
			}
		}
		if !changed {
			break
		}
	}
	return boundedRule{}, first
}

// limitRepeats gives repeats without an upper bound one.
func limitRepeats(re *syntax.Regexp, limit int) (changed bool) {
	switch {
	case re.Op == syntax.OpStar:
		re.Op, re.Min, re.Max, changed = syntax.OpRepeat, 0, limit, true
	case re.Op == syntax.OpPlus:
		re.Op, re.Min, re.Max, changed = syntax.OpRepeat, 1, limit, true
	case re.Op == syntax.OpRepeat && re.Max < 0:
		re.Max, changed = max(re.Min, limit), true
	}
	for _, sub := range re.Sub {
		changed = limitRepeats(sub, limit) || changed
	}
	return changed
}

// nameGroup names the n-th group "secret", unless n is 0, and takes the names
// of the others away: named groups become fields, which reports print.
func nameGroup(re *syntax.Regexp, n int) {
	if re.Op == syntax.OpCapture {
		re.Name = ""
		if re.Cap == n {
			re.Name = "secret"
		}
	}
	for _, sub := range re.Sub {
		nameGroup(sub, n)
	}
}

// quote writes s as a TOML string, as it is where that can be.
func quote(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f || r == 0xfffd }) < 0
	switch {
	case plain && !strings.Contains(s, "'"):
		return "'" + s + "'"
	case plain && !strings.Contains(s, "''") && !strings.HasSuffix(s, "'") && !strings.HasPrefix(s, "'"):
		return "'''" + s + "'''"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string into memory
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}

func quoteAll(list []string) string {
	all := make([]string, len(list))
	for i := range list {
		all[i] = quote(list[i])
	}
	return "[" + strings.Join(all, ", ") + "]"
}
