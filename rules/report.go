package rules

// report builds the match of pattern i at data[start:end], which the machine
// has just found, has it judged, and hands it on. It reports whether a
// validator refused it and said what its verdict depends on.
func (s *scan) report(i, start, end int) bool {
	isARN := s.p.patterns[i].arn.service != ""
	if s.versions && !isARN {
		if j := s.recallFate(i, start, end); j != nil {
			if j.fate == matched {
				s.found(&s.match)
			}
			return j.fate == refused && s.match.sawTo > 0
		}
	}
	fate := s.decide(i, start, end)
	if s.versions && !isARN {
		s.rememberFate(i, start, end, fate)
	}
	if fate != matched {
		return fate == refused && s.match.sawTo > 0
	}
	if isARN {
		s.arns.note(&s.match)
	}
	s.found(&s.match)
	return false
}

// decide fills s.match with the match of pattern i at data[start:end] and says
// what becomes of it.
func (s *scan) decide(i, start, end int) fate {
	s.seen = sight{from: start - looksAround, to: end + looksAround}
	if !s.judge(i, start, end) {
		return refused
	}
	// Two patterns of a rule may find the same secret: the first reports it.
	rule, from, to := s.p.patterns[i].rule, s.match.SecretStart, s.match.SecretEnd
	first := i
	for first > 0 && s.p.patterns[first-1].rule == rule {
		first--
		if s.foundBy(first, from, to) {
			return repeated
		}
	}
	if first < i { // the machine and the match were used
		s.find(i, start, start)
		s.judge(i, start, end)
	}
	return matched
}

// judge fills s.match and reports whether the validators let it pass.
func (s *scan) judge(i, start, end int) bool {
	pat := &s.p.patterns[i]
	r := &s.p.Rules[pat.rule]
	m := &s.match
	*m = Match{
		Rule: r, Start: start, End: end, SecretStart: start, SecretEnd: end,
		Severity: r.Severity, Confidence: r.Confidence, Fields: s.fields[:0],
		grades: &s.grades,
	}
	if pat.arn.service != "" {
		s.arnFields(pat)
	} else {
		slots := &s.machine.slots
		if slots[1] > slots[0] && slots[0] >= 0 {
			m.SecretStart, m.SecretEnd = slots[0], slots[1]
		}
		for k := range pat.fields {
			if from, to := slots[2*k+2], slots[2*k+3]; from >= 0 && to >= from {
				m.Fields = append(m.Fields, Field{pat.fields[k].name, string(s.data[from:to])})
			}
		}
	}
	for _, name := range r.Validators {
		validate, ok := lookupValidator(name)
		if !ok {
			continue
		}
		start, end := m.Start, m.End
		passed := validate(s.data, m)
		if s.versions {
			s.seen.seeValidator(name, m, start, end)
		}
		if !passed {
			return false
		}
	}
	for _, list := range r.Placeholders {
		if m.Placeholder == "" {
			m.Placeholder = placeholderReason(list, s.data[m.SecretStart:m.SecretEnd], m)
		}
	}
	s.fields = m.Fields
	return true
}

// arnFields sets the fields and the confidence of the ARN that was matched.
func (s *scan) arnFields(pat *pattern) {
	m, a := &s.match, &s.arn
	got, ok := a.match(&s.machine, pat, s.data)
	if !ok {
		return
	}
	plain := string(a.buf[:got.length])
	add := func(name, value string) {
		if value != "" {
			m.Fields = append(m.Fields, Field{name, value})
		}
	}
	add("arn", plain)
	add("partition", string(a.partition))
	add("region", string(a.region))
	add("account", string(a.account))
	add("resource", plain[a.resource:])
	for range got.doubts {
		lowerConfidence(m)
	}
}

// foundBy reports whether pattern i has a match that passes its validators
// and whose secret is data[from:to].
func (s *scan) foundBy(i, from, to int) bool {
	if !s.couldFind(i, from, to) {
		return false
	}
	// There is a candidate. Whether it is a match depends on the matches
	// before it.
	s.seen.endless = true
	pat := &s.p.patterns[i]
	edge := s.lowest(pat, from, to) + int(pat.min)
	next := s.trail(i, edge)
	limit := min(from+int(pat.max)+1, len(s.data))
	found := false
	s.advance(i, next, edge, limit, func(start, end int) bool {
		found = s.judge(i, start, end) && s.match.SecretStart == from && s.match.SecretEnd == to
		return !found
	})
	return found
}

// A trail is how far the chain of a pattern was followed for foundBy.
type trail struct {
	call       uint64 // the call that this belongs to
	edge, next int    // the chain has been through all anchors before edge
}

// farBack is from how many bytes on it is cheaper to look back than to go on
// from where foundBy was last.
const farBack = ContextBefore

// trail returns the first place that pattern i has not tried when it has been
// through all anchors before edge. In a text in which every few lines are found
// in two ways, to look back each time would read each line hundreds of times.
func (s *scan) trail(i, edge int) int {
	if len(s.trails) < len(s.p.patterns) {
		s.trails = make([]trail, len(s.p.patterns))
	}
	t := &s.trails[i]
	if t.call == s.call && t.edge <= edge && edge-t.edge < farBack {
		t.next = s.advance(i, t.next, t.edge, edge, func(int, int) bool { return true })
	} else {
		t.next = s.lookBack(i, edge)
	}
	t.call, t.edge = s.call, edge
	return t.next
}

// advance follows the chain of pattern i, whose first untried place is next,
// through the anchors in data[from:to] while each returns true for its matches,
// and returns the first untried place.
func (s *scan) advance(i, next, from, to int, each func(start, end int) bool) int {
	pat := &s.p.patterns[i]
	for a := s.anchorFrom(pat, from, to); a >= 0; a = s.anchorFrom(pat, a+1, to) {
		for {
			start, end := s.find(i, max(a-int(pat.max), next), a-int(pat.min))
			if start < 0 {
				next = max(next, a-int(pat.min)+1)
				break
			}
			if next = end; !each(start, end) {
				return next
			}
		}
	}
	return next
}

// couldFind reports whether any candidate of pattern i, be it a match or
// hidden by one before it, passes and has the secret data[from:to]. To ask it
// first is what keeps foundBy from reading thousands of bytes back for nearly
// every match.
func (s *scan) couldFind(i, from, to int) bool {
	pat := &s.p.patterns[i]
	lowest := s.lowest(pat, from, to)
	limit := min(from+int(pat.max)+1, len(s.data))
	s.seen.see(lowest-looksAround, limit+int(pat.longest)+maxLiteral+looksAround)
	tried := lowest
	for a := s.anchorFrom(pat, lowest+int(pat.min), limit); a >= 0; a = s.anchorFrom(pat, a+1, limit) {
		tried = max(tried, a-int(pat.max))
		for hi := min(a-int(pat.min), from); tried <= hi; tried++ {
			start, end := s.find(i, tried, hi)
			if start < 0 {
				tried = hi + 1
				break
			}
			if s.judge(i, start, end) && s.match.SecretStart == from && s.match.SecretEnd == to {
				return true
			}
			tried = start
		}
	}
	return false
}

// lowest returns the first place where a match of pat can begin whose secret
// is data[from:to].
func (s *scan) lowest(pat *pattern, from, to int) int {
	if pat.arn.service != "" {
		return from // an ARN is its own secret
	}
	return max(0, to-int(pat.longest))
}
