package rules

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

// A pattern is one compiled way to write a secret.
type pattern struct {
	rule     uint16
	wide     bool   // a match may begin with a character from outside ASCII
	min, max int32  // an anchor lies min to max bytes after the start of its match
	longest  int32  // bytes of a match at most
	first    class  // of the first character of a match
	code     code   // empty when only regexp can express the pattern
	regexp   string // the expression, with (?i) confined to ASCII; "" for an ARN
	arn      arn    // for an ARN
	keywords []string
	literals []uint16
	// secret is the number of the group that is the secret, 0 for none, and
	// fields are the groups that become fields. The machine notes the secret
	// in slots 0 and 1, and the n-th field in slots 2n+2 and 2n+3.
	secret int
	fields []group
	source Pattern
}

// A group is a named capture group.
type group struct {
	name   string
	number int
}

// A lazyRegexp is the regexp of a pattern, compiled when it is first needed.
type lazyRegexp struct {
	once    sync.Once
	atStart *regexp.Regexp // for a search from the start of the text
	within  *regexp.Regexp // for one that begins a character early, for the sake of \b and ^
}

func compile(rules []Rule, rounds int) (*Program, error) {
	p := &Program{Rules: rules, context: ContextBefore}
	if len(rules) > 1<<15 {
		return nil, fmt.Errorf("%d rules are more than the %d that a program holds", len(rules), 1<<15)
	}
	ids := make(map[string]bool, len(rules))
	index := map[literal]int{}
	for i := range rules {
		r := &rules[i]
		if ids[r.ID] {
			return nil, fmt.Errorf("rule %q: there are two rules of this id: rename one", r.ID)
		}
		ids[r.ID] = true
		if err := checkNames(r); err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.ID, err)
		}
		for _, src := range r.Patterns {
			pat, literals, err := compilePattern(src)
			if err != nil {
				return nil, fmt.Errorf("rule %q: %w", r.ID, err)
			}
			pat.rule = uint16(i)
			for _, l := range literals {
				if _, ok := index[l]; !ok {
					index[l] = len(index)
					p.literals = append(p.literals, l)
				}
				pat.literals = append(pat.literals, uint16(index[l]))
			}
			p.patterns = append(p.patterns, pat)
		}
	}
	if len(p.literals) > ForeignLiteral || len(p.patterns) > ForeignLiteral {
		return nil, fmt.Errorf("%d literals of %d patterns are more than the %d that a program holds",
			len(p.literals), len(p.patterns), ForeignLiteral)
	}
	p.sortLiterals()
	p.filter = newFilter(p.literals, rounds)
	p.forgetful = !p.recalls()
	return p, nil
}

// sortLiterals brings the literals into an order that depends on nothing but
// themselves, and lists the patterns of each.
func (p *Program) sortLiterals() {
	order := make([]int, len(p.literals))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return compareLiterals(p.literals[a], &p.literals[b])
	})
	sorted, place := make([]literal, len(order)), make([]uint16, len(order))
	for to, from := range order {
		sorted[to], place[from] = p.literals[from], uint16(to)
	}
	users := make([][]uint16, len(order))
	for i := range p.patterns {
		for j, l := range p.patterns[i].literals {
			p.patterns[i].literals[j] = place[l]
			users[place[l]] = append(users[place[l]], uint16(i))
		}
		slices.Sort(p.patterns[i].literals)
	}
	for i := range sorted {
		sorted[i].from = uint32(len(p.users))
		p.users = append(p.users, users[i]...)
		sorted[i].to = uint32(len(p.users))
	}
	p.literals = sorted
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func checkNames(r *Rule) error {
	for _, v := range r.Validators {
		if _, ok := lookupValidator(v); !ok {
			return fmt.Errorf("unknown validator %q: %s", v, suggest(v, ValidatorNames()))
		}
	}
	for _, l := range r.Placeholders {
		if !slices.Contains(PlaceholderNames(), l) {
			return fmt.Errorf("unknown placeholder list %q: %s", l, suggest(l, PlaceholderNames()))
		}
	}
	if len(r.Patterns) == 0 {
		return errors.New("it looks for nothing: add a pattern or an arn")
	}
	return nil
}

func compilePattern(src Pattern) (pattern, []literal, error) {
	if pat, literals, ok := builtinPattern(src); ok {
		return pat, literals, nil
	}
	switch {
	case (src.Regexp == "") == (src.ARN == ""):
		return pattern{}, nil, errors.New("a pattern must have either a regular expression or an ARN")
	case src.ARN != "":
		pat, err := compileARN(src)
		return pat, arnLiterals(), err
	}
	pat, literals, err := compileRegexp(src)
	if err != nil {
		return pat, nil, fmt.Errorf("pattern %s: %w", quotePattern(src.Regexp), err)
	}
	return pat, literals, nil
}

// builtinPattern returns the pattern of the built-in program that was compiled
// from src, since a user's rules mostly come with ours.
func builtinPattern(src Pattern) (pattern, []literal, bool) {
	for i := range builtin.patterns {
		b := &builtin.patterns[i]
		if b.source.Regexp != src.Regexp || b.source.ARN != src.ARN || !slices.Equal(b.source.Keywords, src.Keywords) {
			continue
		}
		pat := *b
		pat.literals = nil
		var literals []literal
		for _, l := range b.literals {
			literals = append(literals, literal{text: builtin.literals[l].text, fold: builtin.literals[l].fold})
		}
		return pat, literals, true
	}
	return pattern{}, nil, false
}

func quotePattern(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return "'" + s + "'"
}

// maxKeywordLength bounds given keywords.
const maxKeywordLength = maxLiteral

func compileRegexp(src Pattern) (pattern, []literal, error) {
	pat := pattern{source: src}
	re, err := parsePlain(src.Regexp)
	if err != nil {
		return pat, nil, err
	}
	s := shapeOf(re)
	if s.max < 0 || s.max > MaxMatch {
		return pat, nil, tooLong(s.max)
	}
	chosen := s.best()
	if len(src.Keywords) > 0 {
		if chosen, err = needOfKeywords(src.Keywords, &s, &pat); err != nil {
			return pat, nil, err
		}
	}
	if chosen == nil {
		return pat, nil, fmt.Errorf("no literal of at least %d bytes stands in every match, so that every text "+
			"would have to be searched for it: lengthen its fixed part, or add keywords = [ … ], "+
			"one of which is in every match", minLiteral)
	}
	n := chosen.cut()
	pat.min, pat.max, pat.longest = int32(n.min), int32(n.max), int32(s.max)
	pat.regexp = re.String()
	slots, err := pat.groups(re)
	if err != nil {
		return pat, nil, err
	}
	pat.first = class{^uint64(0), ^uint64(0), true}
	if c, err := assemble(re, slots); err == nil {
		pat.code = c
		a := assembler{code: c}
		if f, ok := a.first(0, 0); ok {
			pat.first = f
		}
	} else if _, err := regexp.Compile(withinPrefix + "(" + pat.regexp + ")"); err != nil {
		return pat, nil, err
	}
	pat.wide = pat.first.wide
	return pat, n.literals, nil
}

func tooLong(n int) error {
	if n < 0 {
		return errors.New("a match can be of any length: give every repeat an upper bound, " +
			"such as x{0,200} for x* and x{1,200} for x+")
	}
	return fmt.Errorf("a match can be %d bytes long, more than the %d allowed: lower the bounds of its repeats "+
		"(a character from outside ASCII counts as four bytes; [!-~] instead of . or a negated class excludes them)", n, MaxMatch)
}

// needOfKeywords turns given keywords into a need. Where the expression itself
// guarantees literals that hold the keywords, those serve, because they are
// longer and stand at known distances. Otherwise a match counts only if it
// has a keyword, which is then checked.
func needOfKeywords(keywords []string, s *shape, pat *pattern) (*need, error) {
	n := &need{max: s.max}
	for _, k := range keywords {
		if len(k) < minLiteral || len(k) > maxKeywordLength {
			return nil, fmt.Errorf("keyword %q must be %d to %d bytes long", k, minLiteral, maxKeywordLength)
		}
		n.literals = append(n.literals, literal{text: strings.ToLower(k), fold: true})
		n.max = max(0, min(n.max, s.max-len(k)))
	}
	if len(keywords) > maxLiterals {
		return nil, fmt.Errorf("%d keywords are more than the %d allowed", len(keywords), maxLiterals)
	}
	for i := range n.literals {
		for _, c := range []byte(n.literals[i].text) {
			if c >= 0x80 {
				return nil, fmt.Errorf("keyword %q must be ASCII", keywords[i])
			}
		}
		n.max = max(n.max, s.max-len(n.literals[i].text))
	}
	var proven []need
	for _, m := range s.all() {
		if !slices.ContainsFunc(m.literals, func(l literal) bool { return !holdsKeyword([]byte(l.text), n.literals) }) {
			proven = append(proven, m)
		}
	}
	if best := cheapest(proven); best != nil {
		return best, nil
	}
	for i := range n.literals {
		pat.keywords = append(pat.keywords, n.literals[i].text)
	}
	return n, nil
}

func holdsKeyword(text []byte, keywords []literal) bool {
	for i := range keywords {
		for pos := range len(text) - len(keywords[i].text) + 1 {
			if keywords[i].at(text, pos) {
				return true
			}
		}
	}
	return false
}

// groups finds the secret and the fields among the capture groups and returns
// the slots of all groups.
func (pat *pattern) groups(re *syntax.Regexp) ([]int, error) {
	names := re.CapNames()
	slots := make([]int, len(names))
	fields := 0
	pat.secret = slices.Index(names, "secret")
	if pat.secret < 0 {
		pat.secret = min(1, len(names)-1)
	}
	for i, name := range names {
		slots[i] = -1
		switch {
		case i == 0:
		case i == pat.secret:
			slots[i] = 0
		case name != "":
			fields++
			slots[i] = 2 * fields
			pat.fields = append(pat.fields, group{name, i})
		}
	}
	if 2*fields+2 > maxSlots {
		return nil, fmt.Errorf("%d named groups are more than the %d allowed beside the secret", fields, maxSlots/2-1)
	}
	return slots, nil
}
