package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/iac"
	"github.com/spillgate/spillgate/scanner/ignore"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// Parse reads the text of a configuration file; name names it in errors. The
// first error is returned, as name:line:column: what is wrong and what to do.
func Parse(name string, text []byte) (*Config, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if len(text) > maxConfig {
		return nil, fmt.Errorf("%s: the file has over %d MiB: it is no configuration", name, maxConfig>>20)
	}
	p := &parser{name: name, text: text}
	var f file
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, p.decodeError(err)
	}
	p.keys = keysOf(text)
	c := &Config{Name: name, ForeignComments: true}
	p.general(c, &f)
	for i := range f.Allow {
		p.allow(c, i, &f.Allow[i])
	}
	if p.err != nil {
		return nil, p.err
	}
	if err := p.rules(c, &f); err != nil {
		return nil, err
	}
	p.changes(c, f.Rules)
	if p.err != nil {
		return nil, p.err
	}
	c.settings = p.settings()
	return c, nil
}

// A parser reads one file.
type parser struct {
	name string
	text []byte
	keys []key
	err  error // the first one
}

// A key is where a key stands, and what it is called from the top, with the
// number of the table in an array of tables: "allow.0.values".
type key struct {
	path         string
	line, column int
	value        string // as written, on one line
	table        bool   // the header of a table
}

// keysOf lists the keys of a text that is valid TOML, in its order.
func keysOf(text []byte) []key {
	var u unstable.Parser
	u.Reset(text)
	var all []key
	prefix, counts := "", map[string]int{}
	line, lineStart, seen := 1, 0, 0
	for u.NextExpression() {
		e := u.Expression()
		if e.Kind != unstable.KeyValue && e.Kind != unstable.Table && e.Kind != unstable.ArrayTable {
			continue
		}
		var parts []string
		at := -1
		for it := e.Key(); it.Next(); {
			if at < 0 || e.Kind != unstable.KeyValue {
				at = int(it.Node().Raw.Offset) // of a header, its last part
			}
			parts = append(parts, string(it.Node().Data))
		}
		if at < 0 {
			continue
		}
		line += bytes.Count(text[seen:at], []byte{'\n'})
		lineStart, seen = bytes.LastIndexByte(text[:at], '\n')+1, at
		k := key{line: line, column: at - lineStart + 1}
		switch e.Kind {
		case unstable.KeyValue:
			k.path, k.value = prefix+strings.Join(parts, "."), valueText(text[at:])
		default:
			k.table = true
			k.path = numbered(parts, counts, e.Kind == unstable.ArrayTable)
			prefix = k.path + "."
		}
		all = append(all, k)
	}
	return all
}

// numbered returns the path of a table; counts holds how many tables the
// arrays have.
func numbered(parts []string, counts map[string]int, array bool) string {
	path := ""
	for i, part := range parts {
		if i > 0 {
			path += "."
		}
		path += part
		n := counts[path]
		switch {
		case i == len(parts)-1 && array:
			counts[path] = n + 1
			path += fmt.Sprintf(".%d", n)
		case n > 0:
			path += fmt.Sprintf(".%d", n-1)
		}
	}
	return path
}

// valueText returns what stands after the '=' of the line that text begins
// with, shortened.
func valueText(text []byte) string {
	line, _, more := bytes.Cut(text, []byte{'\n'})
	_, value, _ := strings.Cut(string(line), "=")
	value = strings.TrimSpace(value)
	if open := strings.Count(value, "[") - strings.Count(value, "]"); more && (open > 0 || strings.Count(value, `"""`) == 1 || strings.Count(value, `'''`) == 1) {
		value += " …"
	}
	if r := []rune(value); len(r) > 80 {
		value = string(r[:80]) + "…"
	}
	return value
}

// at returns where the key, or the table that it would be in, stands.
func (p *parser) at(path string) (line, column int) {
	for _, k := range p.keys {
		if k.path == path {
			return k.line, k.column
		}
	}
	if i := strings.LastIndexByte(path, '.'); i > 0 {
		return p.at(path[:i])
	}
	return 1, 1
}

// fail keeps the first error.
func (p *parser) fail(path, format string, args ...any) {
	if p.err != nil {
		return
	}
	line, column := p.at(path)
	name := path[strings.LastIndexByte(path, '.')+1:]
	if strings.Trim(name, "0123456789") == "" {
		name = "[[" + strings.TrimSuffix(path, "."+name) + "]]"
	}
	p.err = fmt.Errorf("%s:%d:%d: %s: %s", p.name, line, column, name, fmt.Sprintf(format, args...))
}

func (p *parser) settings() []Setting {
	var all []Setting
	for _, k := range p.keys {
		if !k.table {
			all = append(all, Setting{k.path, k.value, fmt.Sprintf("%s:%d", p.name, k.line)})
		}
	}
	return all
}

func (p *parser) general(c *Config, f *file) {
	c.FailOn = p.severity("fail-on", f.FailOn)
	c.MinConfidence = p.confidence("min-confidence", f.MinConfidence)
	c.RequireReason, c.FailOnUnused, c.Baseline = f.RequireReason, f.FailOnUnused, f.Baseline
	if f.ForeignComments != nil {
		c.ForeignComments = *f.ForeignComments
	}
	if f.NewComments != nil {
		i := slices.Index(newCommentNames, *f.NewComments)
		if i < 0 {
			p.fail("new-comments", "%q is none of %s", *f.NewComments, strings.Join(newCommentNames, ", "))
			return
		}
		n := suppress.NewComments(i)
		c.NewComments = &n
	}
}

// The names of the values of keys, in the order of their numbers.
var (
	newCommentNames = []string{"honour", "list", "refuse"}
	targetNames     = []string{"secret", "match", "line"}
	matchNames      = []string{"any", "all"}
)

func (p *parser) severity(path string, s *string) *rules.Severity {
	if s == nil {
		return nil
	}
	v := new(rules.Severity)
	if err := v.UnmarshalText([]byte(*s)); err != nil {
		p.fail(path, "%v", err)
	}
	return v
}

func (p *parser) confidence(path string, s *string) *rules.Confidence {
	if s == nil {
		return nil
	}
	v := new(rules.Confidence)
	if err := v.UnmarshalText([]byte(*s)); err != nil {
		p.fail(path, "%v", err)
	}
	return v
}

// choice returns the index of s in names, 0 for "".
func (p *parser) choice(path, s string, names []string) int {
	if s == "" {
		return 0
	}
	i := slices.Index(names, s)
	if i < 0 {
		p.fail(path, "%q is none of %s", s, strings.Join(names, ", "))
	}
	return max(i, 0)
}

func (p *parser) allow(c *Config, i int, t *allowText) {
	key := func(name string) string { return fmt.Sprintf("allow.%d.%s", i, name) }
	line, _ := p.at(fmt.Sprintf("allow.%d", i))
	a := suppress.Allow{
		Name: fmt.Sprintf("%s:%d", p.name, line), Reason: t.Reason, Rules: t.Rules,
		All:    p.choice(key("match"), t.Match, matchNames) == 1,
		Target: suppress.Target(p.choice(key("target"), t.Target, targetNames)),
		Values: p.expressions(key("values"), t.Values), PathExpressions: p.expressions(key("path-expressions"), t.PathExpressions),
		Commits: append([]string(nil), t.Commits...), Fingerprints: t.Fingerprints,
	}
	for _, w := range t.Stopwords {
		if w == "" {
			p.fail(key("stopwords"), "an empty word is in every secret")
		}
		a.Stopwords = append(a.Stopwords, strings.ToLower(w))
	}
	for i, id := range t.Commits {
		a.Commits[i] = strings.ToLower(id)
		if !hexadecimal(a.Commits[i]) || len(id) < 7 || len(id) > 64 {
			p.fail(key("commits"), "%q is not the id of a commit, of 7 digits at least", id)
		}
	}
	for _, print := range t.Fingerprints {
		if !hexadecimal(print) || len(print) != 32 {
			p.fail(key("fingerprints"), "%q is no fingerprint: reports have them, of 32 hexadecimal digits", print)
		}
	}
	for _, s := range t.Places {
		place, err := suppress.ParsePlace(s)
		if err != nil {
			p.fail(key("places"), "%v", err)
			continue
		}
		a.Places = append(a.Places, place)
	}
	if len(t.Paths) > 0 {
		a.Paths = globs(t.Paths)
	}
	if len(t.Values)+len(t.Stopwords)+len(t.Paths)+len(t.PathExpressions)+len(t.Commits)+len(t.Fingerprints)+len(t.Places) == 0 {
		p.fail(fmt.Sprintf("allow.%d", i), "a table without a list excuses nothing: add values, stopwords, paths, path-expressions, commits, fingerprints or places")
	}
	c.Allow = append(c.Allow, a)
}

// globs makes an ignore file of patterns.
func globs(list []string) *ignore.File { return ignore.Parse(strings.Join(list, "\n"), false) }

func hexadecimal(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }

// changes reads the tables of rules. Those for one rule go before those for
// several, and of these the longer pattern.
func (p *parser) changes(c *Config, all map[string]changeText) {
	patterns := make([]string, 0, len(all))
	for pattern := range all {
		patterns = append(patterns, pattern)
	}
	slices.SortFunc(patterns, func(a, b string) int {
		la, _ := p.at("rules." + a)
		lb, _ := p.at("rules." + b)
		if la != lb {
			return la - lb
		}
		return strings.Compare(a, b)
	})
	known := c.ids()
	for _, pattern := range patterns {
		t := all[pattern]
		path := "rules." + pattern
		if !slices.ContainsFunc(known, func(id string) bool { return ignore.Glob(pattern, id) }) {
			p.fail(path, "there is no such rule: %s", nearest(pattern, known))
		}
		change := Change{Pattern: pattern, Severity: p.severity(path+".severity", t.Severity), Confidence: p.confidence(path+".confidence", t.Confidence)}
		if t.Enabled != nil {
			change.On, change.Off = *t.Enabled, !*t.Enabled
		}
		p.action(path+".action", t.Action, &change)
		c.Changes = append(c.Changes, change)
		line, _ := p.at(path)
		a := suppress.Allow{Name: fmt.Sprintf("%s:%d", p.name, line), Rules: []string{pattern}}
		if len(t.Paths)+len(t.PathExpressions) > 0 {
			only := a
			only.Reason, only.Outside = "the rule is confined to other paths", true
			only.Paths, only.PathExpressions = globs(t.Paths), p.expressions(path+".path-expressions", t.PathExpressions)
			c.Allow = append(c.Allow, only)
		}
		if len(t.Exclude) > 0 {
			not := a
			not.Reason, not.Paths = "the rule leaves out the path", globs(t.Exclude)
			c.Allow = append(c.Allow, not)
		}
		if t.MinEntropy != 0 {
			if t.MinEntropy < 0 || t.MinEntropy > 8 {
				p.fail(path+".min-entropy", "a byte has between 0 and 8 bits of entropy")
			}
			low := a
			low.Reason, low.EntropyBelow = fmt.Sprintf("its entropy lies below %g bits per byte", t.MinEntropy), t.MinEntropy
			c.Allow = append(c.Allow, low)
		}
	}
}

// action reads what becomes of a rule's findings, whatever the gate says.
func (p *parser) action(path string, s *string, change *Change) {
	if s == nil {
		return
	}
	var action scanner.Action
	switch *s {
	case "block":
		action = scanner.AlwaysBlocks
	case "warn":
		action = scanner.AlwaysWarn
	case "gate":
	case "ignore":
		if change.On {
			p.fail(path, "the rule cannot be enabled and ignored")
		}
		change.Off = true
		return
	default:
		p.fail(path, "unknown action %q: use block, warn, ignore or gate", *s)
		return
	}
	if change.Off {
		p.fail(path, "the rule cannot be off and do something to findings")
	}
	change.On, change.Action = true, &action
}

// rules reads the [[rule]] tables with the parser of package rules: everything
// else is made blank, so that its errors name the right line.
func (p *parser) rules(c *Config, f *file) error {
	if len(f.Rule) == 0 {
		if f.Provider != "" {
			p.fail("provider", "it names whose the [[rule]] tables are, and there are none")
		}
		return p.err
	}
	own := make([]bool, bytes.Count(p.text, []byte{'\n'})+2)
	inside, from := false, 1
	mark := func(to int) {
		for i := from; i < to && i < len(own); i++ {
			own[i] = inside
		}
		from = to
	}
	for _, k := range p.keys {
		if k.table {
			mark(k.line)
			inside = k.path == "rule" || strings.HasPrefix(k.path, "rule.")
		} else if !inside && (k.path == "rule" || strings.HasPrefix(k.path, "rule.")) {
			p.fail(k.path, "write each rule as a table of its own, [[rule]]")
			return p.err
		}
	}
	mark(len(own))
	var text bytes.Buffer
	number := 0
	for line := range bytes.Lines(p.text) {
		if number++; own[number] {
			text.Write(line)
		} else {
			text.WriteByte('\n')
		}
	}
	provider := f.Provider
	if provider == "" {
		provider = "own rules"
	}
	all, err := rules.ParseFor(p.name, text.Bytes(), provider)
	if err != nil {
		return err
	}
	c.Rules = all
	if c.program, err = rules.Compile(all); err != nil {
		for i := range all {
			if _, one := rules.Compile(all[i : i+1]); one != nil {
				p.fail(fmt.Sprintf("rule.%d", i), "%v", one)
			}
		}
		p.fail("rule", "%v", err)
	}
	return p.err
}

// ids lists the ids of all rules there are with c.
func (c *Config) ids() []string {
	var ids []string
	for i := range rules.Builtin().Rules {
		ids = append(ids, rules.Builtin().Rules[i].ID)
	}
	for _, r := range iac.Rules() {
		ids = append(ids, r.ID)
	}
	for i := range c.Rules {
		ids = append(ids, c.Rules[i].ID)
	}
	return ids
}

// decodeError says where in the file an error of the TOML reader stands, and
// names the key nearest to an unknown one.
func (p *parser) decodeError(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := &strict.Errors[0]
		line, column := e.Position()
		path := e.Key()
		return fmt.Errorf("%s:%d:%d: unknown key %q: %s", p.name, line, column, path[len(path)-1], nearest(path[len(path)-1], knownKeys(path)))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		return fmt.Errorf("%s:%d:%d: %s", p.name, line, column, strings.TrimPrefix(decode.Error(), "toml: "))
	}
	return fmt.Errorf("reading %s: %w", p.name, err)
}
