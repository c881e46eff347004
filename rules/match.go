package rules

import (
	"regexp"
	"sync"
	"unicode/utf8"
)

// What a program finds, for each pattern apart: a candidate is a place where
// the pattern matches, with the preferences of Go's regexp among the ways to
// match there. From the start of the text on, the first candidate is a match,
// then the first that begins at or behind its end, and so on: the matches are
// those of regexp.FindAll. Validators judge them afterwards, so that a refused
// match hides what it overlaps, as it does in FindAll.
//
// A match belongs to the first anchor from which the pattern would try the
// place, a matter of the text alone. So of a text that is cut into pieces,
// each match is found in one piece. What a piece must know of the text before
// it is where the chain of matches has got to; walking back to a place that no
// candidate spans tells, and there is one within ContextBefore unless somebody
// made a text of nothing but overlapping candidates. In such a text each piece
// starts a chain of its own: nothing is lost, but two matches may overlap
// where pieces meet.

// A chain is how far one pattern has got in one call of Match.
type chain struct {
	call uint64 // the call that this belongs to
	next int    // the first place not tried
	from int    // no candidate begins between this place and next
	// settled says that what stands before the first anchor was looked at,
	// or cannot matter.
	settled bool
}

// A scan is the memory of one call. Scans are pooled.
type scan struct {
	p       *Program
	data    []byte
	edge    int // before it may be anchors that were not given
	call    uint64
	chains  []chain
	trails  []trail // see foundBy
	machine machine
	arn     arnText
	arnAt   int // the position that arn was read for, or -1
	arns    arnMemory
	grades  gradeMemory
	anchors []Anchor
	match   Match
	fields  []Field
	found   func(*Match)
	verdict verdict // on the anchor at hand
	// versions says that the text may be a version of one before: see fates.
	versions bool
	// onlyARNs says that all patterns of the anchor at hand are for ARNs; else it
	// is not known.
	onlyARNs bool
	fates    fateMemory
	seen     sight // of the text, by what judges the candidate at hand
}

var scans = sync.Pool{New: func() any { return new(scan) }}

// Match calls found for every match at one of the anchors, which are those
// that Anchors appends for some part of data. binary keeps rules that are for
// text only away. The Match is valid only during the call.
func (p *Program) Match(data []byte, anchors []Anchor, binary bool, found func(*Match)) {
	if len(anchors) == 0 {
		return
	}
	s := scans.Get().(*scan)
	s.begin(p, data, anchors[0].Pos, found)
	s.run(anchors, binary)
	s.release()
}

// scanStep is how many bytes of text are filtered before their anchors are
// matched: little enough to stay in the cache.
const scanStep = 64 << 10

// Scan calls found for every match whose anchor begins in data[from:to]. It
// gives what Match gives for those anchors.
func (p *Program) Scan(data []byte, from, to int, binary bool, found func(*Match)) {
	from, to = max(from, 0), min(to, len(data))
	s := scans.Get().(*scan)
	s.begin(p, data, from, found)
	for at := from; at < to; at += scanStep {
		s.anchors = p.Anchors(s.anchors[:0], data, at, min(to, at+scanStep))
		s.run(s.anchors, binary)
	}
	s.release()
}

func (s *scan) begin(p *Program, data []byte, edge int, found func(*Match)) {
	s.p, s.data, s.edge, s.found, s.arnAt = p, data, edge, found, -1
	s.call++
	s.arns.end, s.versions, s.onlyARNs = 0, false, false
	if len(s.chains) < len(p.patterns) {
		s.chains = make([]chain, len(p.patterns))
	}
}

func (s *scan) release() {
	s.p, s.data, s.found = nil, nil, nil
	s.arns.text = nil
	s.match = Match{}
	clear(s.fields[:cap(s.fields)])
	scans.Put(s)
}

func (s *scan) run(anchors []Anchor, binary bool) {
	for _, a := range anchors {
		if a.Literal >= ForeignLiteral {
			continue
		}
		l := &s.p.literals[a.Literal]
		met, again := false, false // an ARN, that is remembered
		if s.onlyARNs {
			if met, again = true, s.meet(a.Pos, binary); again {
				continue
			}
		}
		for _, i := range s.p.users[l.from:l.to] {
			pat := &s.p.patterns[i]
			if binary && s.p.Rules[pat.rule].TextOnly {
				continue
			}
			if pat.arn.service != "" {
				if !met {
					met, again = true, s.meet(a.Pos, binary)
				}
				if again || !s.readARN(a.Pos, pat) {
					continue // one of many patterns that hang on "arn:aws"
				}
			}
			c := &s.chains[i]
			if c.call != s.call {
				*c = chain{call: s.call}
			}
			s.follow(int(i), c, a.Pos, len(l.text))
		}
		s.arns.done()
	}
}

// follow tries the places that an anchor at pos, of a literal of n bytes,
// opens, and reports matches.
func (s *scan) follow(i int, c *chain, pos, n int) {
	pat := &s.p.patterns[i]
	first, hi := max(pos-int(pat.max), 0), pos-int(pat.min)
	if c.next < first {
		c.from = first
	}
	refused := false
	for {
		lo := max(first, c.next)
		start, end := s.find(i, lo, hi)
		if start < 0 {
			c.next = max(c.next, hi+1)
			if c.from > first && !refused {
				s.verdict.sure = false // a place was not tried, or held a candidate
			}
			return
		}
		if !c.settled {
			c.settled = true
			// Anchors before those given may have settled this place.
			if start < s.edge-1-int(pat.min)+int(pat.longest) {
				c.next = max(c.next, s.lookBack(i, s.edge))
				c.from = c.next
				continue
			}
		}
		c.next, c.from = end, end
		if pat.arn.service != "" {
			s.arns.end = max(s.arns.end, end)
		}
		known := s.report(i, start, end)
		refused = known && s.p.Rules[pat.rule].Fallback && start == pos && end == pos+n
		s.verdict.refused(&s.match, pos, refused)
	}
}

// find returns the first candidate of pattern i that begins in
// data[lo:hi+1], or -1.
func (s *scan) find(i, lo, hi int) (start, end int) {
	pat := &s.p.patterns[i]
	lo, hi = max(lo, 0), min(hi, len(s.data)-1)
	for lo <= hi {
		switch {
		case pat.arn.service != "":
			start, end = s.findARN(pat, lo, hi)
		case len(pat.code.insts) > 0:
			start, end = s.findCode(pat, lo, hi)
		default:
			start, end = s.findRegexp(i, lo, hi)
		}
		if start < 0 || pat.hasKeyword(s.data[start:end]) {
			return start, end
		}
		lo = start + 1
	}
	return -1, -1
}

func (pat *pattern) hasKeyword(match []byte) bool {
	if len(pat.keywords) == 0 {
		return true
	}
	for _, k := range pat.keywords {
		for pos := 0; pos+len(k) <= len(match); pos++ {
			if equalFold(match[pos:pos+len(k)], k) {
				return true
			}
		}
	}
	return false
}

func (s *scan) findCode(pat *pattern, lo, hi int) (start, end int) {
	for ; lo <= hi; lo++ {
		if !pat.first.has(s.data[lo]) || pat.wide && insideRune(s.data, lo) {
			continue
		}
		if end := s.machine.match(&pat.code, s.data, lo, int(pat.longest)); end >= 0 {
			return lo, end
		}
	}
	return -1, -1
}

// withinPrefix passes over the character before a search.
const withinPrefix = `\A(?s:.)(?s:.*?)`

// lazyRegexp returns the regexp of pattern i. Most scans need none, for the
// machine does nearly all patterns: so there is no array of them until then.
func (p *Program) lazyRegexp(i int) *lazyRegexp {
	if p.lazy.Load() == nil {
		all := make([]lazyRegexp, len(p.patterns))
		p.lazy.CompareAndSwap(nil, &all)
	}
	return &(*p.lazy.Load())[i]
}

// findRegexp has regexp do it, on no more of the text than a match can touch
// and the character on either side of it, which conditions may look at.
func (s *scan) findRegexp(i, lo, hi int) (start, end int) {
	pat, lazy := &s.p.patterns[i], s.p.lazyRegexp(i)
	lazy.once.Do(func() {
		// Both compile, since compileRegexp tried.
		lazy.atStart = regexp.MustCompile("(" + pat.regexp + ")")
		lazy.within = regexp.MustCompile(withinPrefix + "(" + pat.regexp + ")")
	})
	limit := min(len(s.data), hi+int(pat.longest)+2*utf8.UTFMax)
	from, re := 0, lazy.atStart
	if lo > 0 {
		from, re = lo-1, lazy.within
		for from > 0 && insideRune(s.data, from) {
			from--
		}
	}
	loc := re.FindSubmatchIndex(s.data[from:limit])
	if loc == nil || loc[2]+from > hi {
		return -1, -1
	}
	m := &s.machine
	for k := range m.slots {
		m.slots[k] = -1
	}
	note := func(slot, group int) {
		if at := loc[2*group+2]; at >= 0 {
			m.slots[slot], m.slots[slot+1] = at+from, loc[2*group+3]+from
		}
	}
	if pat.secret > 0 {
		note(0, pat.secret)
	}
	for k, f := range pat.fields {
		note(2*k+2, f.number)
	}
	return loc[2] + from, loc[3] + from
}

func (s *scan) findARN(pat *pattern, lo, hi int) (start, end int) {
	for ; lo <= hi; lo++ {
		if s.data[lo] != 'a' || !s.readARN(lo, pat) {
			continue
		}
		if m, ok := s.arn.match(&s.machine, pat, s.data); ok {
			return lo, m.end
		}
	}
	return -1, -1
}

// readARN reads the ARN at data[pos], unless it was the last one read, and
// reports whether it is one of pat's service.
func (s *scan) readARN(pos int, pat *pattern) bool {
	if s.arnAt != pos {
		s.arn.read(s.data, pos)
		s.arnAt = pos
	}
	return s.arn.ok && string(s.arn.service) == pat.arn.service
}

// lookBack returns the first place that pattern i has not tried when it has
// been through all anchors before edge: where its chain of matches ends, or
// where the last anchor stops opening places.
func (s *scan) lookBack(i, edge int) int {
	pat := &s.p.patterns[i]
	// Candidates of anchors farther apart than this cannot overlap.
	gap := int(pat.longest) + int(pat.max) - int(pat.min)
	floor := 0
	if edge >= s.p.context {
		floor = edge - s.p.context + int(pat.max) + 2*utf8.UTFMax
	}
	first, whole := edge, true
	for {
		limit := max(first-gap, 0)
		if limit < floor {
			limit, whole = floor, false
		}
		a := s.anchorBefore(pat, first, limit)
		if a < 0 {
			break
		}
		first, whole = a, true
	}
	if first == edge {
		return 0
	}
	// Without a gap the candidates before first are unknown; the chain is
	// known again where nothing spans.
	known, next, spanned, tried := whole, 0, 0, 0
	if !whole {
		spanned = first - int(pat.min) + int(pat.longest)
	}
	last := first
	for a := first; a >= 0 && a < edge; a = s.anchorFrom(pat, a+1, edge) {
		last = a
		for {
			start, end := s.find(i, max(a-int(pat.max), tried), a-int(pat.min))
			if start < 0 {
				break
			}
			tried = start + 1
			if start >= spanned {
				known, next = true, start
			}
			spanned = max(spanned, end)
			if known && start >= next {
				next = end
			}
		}
		tried = max(tried, a-int(pat.min)+1)
	}
	decided := last - int(pat.min) + 1
	if !known {
		return decided
	}
	return max(decided, next)
}

// anchorBefore returns the last position in data[limit:before] at which a
// literal of pat stands, or -1.
func (s *scan) anchorBefore(pat *pattern, before, limit int) int {
	for pos := before - 1; pos >= limit; pos-- {
		if s.anchored(pat, pos) {
			return pos
		}
	}
	return -1
}

// anchorFrom returns the first position in data[from:to] at which a literal
// of pat stands, or -1.
func (s *scan) anchorFrom(pat *pattern, from, to int) int {
	for pos := from; pos < to; pos++ {
		if s.anchored(pat, pos) {
			return pos
		}
	}
	return -1
}

func (s *scan) anchored(pat *pattern, pos int) bool {
	for _, l := range pat.literals {
		if s.p.literals[l].at(s.data, pos) {
			return true
		}
	}
	return false
}
