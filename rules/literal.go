package rules

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// The bounds of the literals that a pattern may hang on.
const (
	minLiteral  = 3  // bytes; shorter ones stand everywhere
	maxLiteral  = 32 // bytes; longer ones are cut to their rarest part
	maxLiterals = 64 // of one pattern
)

// A literal is a text that stands in every match of some patterns: at least
// one of a pattern's literals does. A folded one is lower-case and stands for
// its ASCII letters in either case.
type literal struct {
	text     string
	fold     bool
	from, to uint32 // its patterns are Program.users[from:to], rising
}

// at reports whether l stands at data[pos].
func (l *literal) at(data []byte, pos int) bool {
	if pos < 0 || len(data)-pos < len(l.text) {
		return false
	}
	b := data[pos : pos+len(l.text)]
	if l.fold {
		return equalFold(b, l.text)
	}
	return string(b) == l.text
}

// A need says: every match has one of these literals, min to max bytes after
// the place where it begins.
type need struct {
	literals []literal
	min, max int
}

// A shape is what is known of all texts that a part of an expression matches.
type shape struct {
	min, max int       // length in bytes; max < 0 means unbounded
	exact    []literal // the texts themselves when they are few, else nil
	needs    []need    // each of them is necessary
}

// shapeOf walks the syntax tree.
func shapeOf(re *syntax.Regexp) shape {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return shape{min: len(re.Rune), max: utf8.UTFMax * len(re.Rune)}
		}
		s := string(re.Rune)
		for _, r := range re.Rune {
			if r == utf8.RuneError { // matches any invalid byte too
				return shape{min: len(re.Rune), max: len(s)}
			}
		}
		return shape{min: len(s), max: len(s), exact: []literal{{text: s}}}
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return shapeOfClass(re)
	case syntax.OpCapture:
		return shapeOf(re.Sub[0])
	case syntax.OpConcat:
		return shapeOfConcat(re.Sub)
	case syntax.OpAlternate:
		return shapeOfAlternate(re.Sub)
	case syntax.OpQuest:
		return shapeOfRepeat(shapeOf(re.Sub[0]), 0, 1)
	case syntax.OpStar:
		return shapeOfRepeat(shapeOf(re.Sub[0]), 0, -1)
	case syntax.OpPlus:
		return shapeOfRepeat(shapeOf(re.Sub[0]), 1, -1)
	case syntax.OpRepeat:
		return shapeOfRepeat(shapeOf(re.Sub[0]), re.Min, re.Max)
	}
	return shape{exact: []literal{{}}} // empty-width
}

func shapeOfClass(re *syntax.Regexp) shape {
	c, err := classOf(re)
	s := shape{min: 1, max: 1}
	if c.wide || err != nil {
		s.max = utf8.UTFMax
		return s
	}
	if b, ok := c.letter(); ok {
		s.exact = []literal{{text: string(rune(b)), fold: true}}
		return s
	}
	for b := byte(0); b < utf8.RuneSelf; b++ {
		if !c.has(b) {
			continue
		}
		if len(s.exact) == 8 {
			s.exact = nil
			break
		}
		s.exact = append(s.exact, literal{text: string(rune(b))})
	}
	return s
}

// shapesOf returns the shapes of the parts of a sequence. A repeat that must
// occur is two parts, so that the first can join the literal before it.
func shapesOf(subs []*syntax.Regexp) []shape {
	var out []shape
	for _, sub := range subs {
		lo, hi := 0, 0
		switch sub.Op {
		case syntax.OpPlus:
			lo, hi = 1, -1
		case syntax.OpRepeat:
			lo, hi = sub.Min, sub.Max
		}
		if lo == 0 || lo == hi {
			out = append(out, shapeOf(sub))
			continue
		}
		s := shapeOf(sub.Sub[0])
		rest := -1
		if hi > 0 {
			rest = hi - lo
		}
		out = append(out, shapeOfRepeat(s, lo, lo), shapeOfRepeat(s, 0, rest))
	}
	return out
}

func shapeOfConcat(subs []*syntax.Regexp) shape {
	var out shape
	cur, curMin, curMax := []literal{{}}, 0, 0 // texts since some place
	whole := true
	flush := func() {
		out.addNeed(need{cur, curMin, curMax})
	}
	for _, s := range shapesOf(subs) {
		switch {
		case s.exact != nil && len(s.exact)*len(cur) <= maxLiterals && longest(cur)+s.max <= 4*maxLiteral:
			if len(s.exact) > 1 || s.exact[0].fold != cur[0].fold {
				flush() // fewer and shorter may be better than more and longer
			}
			cur = cross(cur, s.exact)
		default:
			flush()
			whole = false
			for _, n := range s.needs {
				if out.max >= 0 {
					out.addNeed(need{n.literals, out.min + n.min, out.max + n.max})
				}
			}
			if s.exact != nil {
				cur, curMin, curMax = s.exact, out.min, out.max
			} else {
				cur, curMin, curMax = []literal{{}}, out.min+s.min, plus(out.max, s.max)
			}
		}
		out.min, out.max = out.min+s.min, plus(out.max, s.max)
	}
	flush()
	if whole {
		out.exact = cur
	}
	return out
}

func shapeOfAlternate(subs []*syntax.Regexp) shape {
	out := shapeOf(subs[0])
	for _, sub := range subs[1:] {
		s := shapeOf(sub)
		union := need{max: -1}
		if a, b := out.best(), s.best(); a != nil && b != nil && len(a.literals)+len(b.literals) <= maxLiterals {
			union = need{append(a.literals[:len(a.literals):len(a.literals)], b.literals...), min(a.min, b.min), max(a.max, b.max)}
		}
		out.needs = nil
		out.addNeed(union)
		if out.exact != nil && s.exact != nil && len(out.exact)+len(s.exact) <= maxLiterals {
			out.exact = append(out.exact[:len(out.exact):len(out.exact)], s.exact...)
		} else {
			out.exact = nil
		}
		out.min = min(out.min, s.min)
		if out.max < 0 || s.max < 0 {
			out.max = -1
		} else {
			out.max = max(out.max, s.max)
		}
	}
	return out
}

func shapeOfRepeat(s shape, lo, hi int) shape {
	out := shape{min: s.min * lo, max: -1}
	if hi >= 0 && s.max >= 0 {
		out.max = s.max * hi
	}
	if s.max == 0 {
		out.max = 0
	}
	if lo > 0 {
		out.needs = s.needs
		if s.exact != nil {
			out.addNeed(need{s.exact, 0, 0})
		}
	}
	if s.exact != nil && lo == 0 && hi == 1 && len(s.exact) < maxLiterals {
		out.exact = append(s.exact[:len(s.exact):len(s.exact)], literal{})
	}
	if s.exact != nil && lo == hi && s.max*lo <= maxLiteral {
		out.exact = []literal{{}}
		for range lo {
			if len(out.exact)*len(s.exact) > maxLiterals {
				out.exact = nil
				break
			}
			out.exact = cross(out.exact, s.exact)
		}
	}
	return out
}

// all returns the needs of s, the texts themselves included.
func (s *shape) all() []need {
	if s.exact == nil {
		return s.needs
	}
	return append(s.needs[:len(s.needs):len(s.needs)], need{s.exact, 0, 0})
}

// best returns the cheapest need of s, or nil.
func (s *shape) best() *need { return cheapest(s.all()) }

func cheapest(all []need) *need {
	var best *need
	cost := 0.0
	for i := range all {
		if n := &all[i]; n.usable() {
			if c := n.cost(); best == nil || c < cost {
				best, cost = n, c
			}
		}
	}
	return best
}

func (s *shape) addNeed(n need) {
	if n.usable() {
		s.needs = append(s.needs, n)
	}
}

func (n *need) usable() bool {
	if n.max < 0 || len(n.literals) == 0 || len(n.literals) > maxLiterals {
		return false
	}
	for i := range n.literals {
		if len(n.literals[i].text) < minLiteral {
			return false
		}
	}
	return true
}

// cost estimates what the need costs for a byte of text: candidates of the
// prefilter to verify, and attempts to match where a literal stands.
func (n *need) cost() float64 {
	attempts := 30 + 5*float64(n.max-n.min)
	sum := 0.0
	for i := range n.literals {
		l := &n.literals[i]
		_, p := rarestWindow(l.text, l.fold)
		sum += 2e-7 + p + attempts*frequency(l.text, l.fold)
	}
	return sum
}

// cut shortens literals that are too long, all at the same offset so that the
// distances stay as sharp as they are, and drops those that another implies.
func (n need) cut() need {
	short := maxLiteral
	for i := range n.literals {
		short = min(short, len(n.literals[i].text))
	}
	out := need{min: n.min, max: n.max}
	for _, l := range n.literals {
		if len(l.text) > maxLiteral {
			l.text = l.text[:maxLiteral]
		}
		if l.fold {
			l.text = strings.ToLower(l.text)
		}
		out.literals = append(out.literals, l)
	}
	var kept []literal
	for i, l := range out.literals {
		implied := false
		for j, k := range out.literals {
			same := l.text == k.text && l.fold == k.fold
			if i != j && implies(l, k) && (!same || j < i) {
				implied = true
			}
		}
		if !implied {
			kept = append(kept, l)
		}
	}
	out.literals = kept
	return out
}

// implies reports whether k stands wherever l does.
func implies(l, k literal) bool {
	if k.fold {
		return strings.HasPrefix(strings.ToLower(l.text), k.text)
	}
	return !l.fold && strings.HasPrefix(l.text, k.text)
}

func cross(a, b []literal) []literal {
	out := make([]literal, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			l := literal{text: x.text + y.text, fold: x.fold || y.fold}
			if l.fold { // weaker than needed where one side is exact, but never wrong
				l.text = strings.ToLower(l.text)
			}
			out = append(out, l)
		}
	}
	return out
}

func longest(ls []literal) int {
	n := 0
	for i := range ls {
		n = max(n, len(ls[i].text))
	}
	return n
}

func plus(a, b int) int {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
