package suppress

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// What becomes of a comment on a line that the scanned change itself brings.
type NewComments uint8

// The ways to treat new comments.
const (
	HonourNew NewComments = iota // like any other
	ListNew                      // honoured, and told in a notice each
	RefuseNew                    // not honoured, and told
)

// CommentOptions say which comments are honoured. The zero value honours all.
type CommentOptions struct {
	// Off honours none.
	Off bool
	// RequireReason refuses comments without a reason, and with them those of
	// other tools, which have none.
	RequireReason bool
	// NoForeign leaves the comments of other tools unheeded.
	NoForeign bool
	// New says what becomes of comments that the scanned change brings.
	New NewComments
	// Audit watches all text for comments that excuse nothing.
	Audit bool
}

// blockReach is how far, in bytes, the begin and the end of a block may stand
// from a finding between them. A source gives every chunk that much of its
// surroundings, so that it does not matter how a text was cut.
const blockReach = rules.ContextBefore - rules.MaxMatch

// comments is the stage that reads inline comments.
type comments struct {
	options CommentOptions
	today   string

	mu    sync.Mutex
	seen  map[spot]directive // when auditing
	used  map[spot]bool
	tells map[tell]bool
}

// A spot is where a directive stands.
type spot struct {
	object *scanner.Object
	line   int
}

// A tell is a notice before its place has a name.
type tell struct {
	spot
	kind, what, fix string
}

func newComments(o CommentOptions, today string) *comments {
	return &comments{options: o, today: today, seen: map[spot]directive{}, used: map[spot]bool{}, tells: map[tell]bool{}}
}

// Judge does nothing: the text is judged while it is at hand.
func (s *comments) Judge(*scanner.Finding) {}

// JudgeNear implements scanner.NearStage.
func (s *comments) JudgeNear(f *scanner.Finding, c *scanner.Chunk, h *scanner.Hit) {
	if f.Suppression != nil {
		return
	}
	n := &nearText{stage: s, finding: f, data: c.Data, start: h.Start, end: max(h.Start, h.End), secret: h.SecretStart}
	if n.end > n.start && c.Data[n.end-1] == '\n' {
		n.end-- // the line break at the end of a PEM block belongs to its last line
	}
	if n.sameLine() || n.linesAbove() {
		return
	}
	if first := c.Index(blockWord); first >= 0 && first < n.start {
		n.blocks()
	}
}

// Quiet implements scanner.QuietStage: a finding without any comment on its own
// lines or the one before is excused by a block or not at all.
func (s *comments) Quiet(lines []byte) bool {
	for _, w := range [...]string{word, gitleaksWord, trufflehogWord, kingfisherWord, pragmaWord} {
		if bytes.Contains(lines, []byte(w)) {
			return false
		}
	}
	return true
}

// QuietIn implements scanner.QuietStage.
func (s *comments) QuietIn(c *scanner.Chunk) bool { return c.Index(blockWord) < 0 }

// A nearText is the text around one finding.
type nearText struct {
	stage      *comments
	finding    *scanner.Finding
	data       []byte
	start, end int // of the match
	secret     int // where the secret begins: on the finding's first line
}

// lineStart returns where the line of data[at] begins, or maxLine before at.
func (n *nearText) lineStart(at int) int {
	lo := max(0, at-maxLine)
	return lo + bytes.LastIndexByte(n.data[lo:at], '\n') + 1
}

func (n *nearText) lineEnd(at int) int {
	hi := min(len(n.data), at+maxLine)
	if i := bytes.IndexByte(n.data[at:hi], '\n'); i >= 0 {
		return at + i
	}
	return hi
}

// sameLine looks at the lines that the finding is on.
func (n *nearText) sameLine() bool {
	lo, hi := n.lineStart(n.start), n.lineEnd(n.end)
	text := n.data[lo:hi]
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		for _, d := range directives(line) {
			if d.verb == allow && n.try(&d, lo+d.at) {
				return true
			}
		}
		if tool := n.foreign(foreign, line); tool != "" && n.excuse(tool, lo) {
			return true
		}
		lo += len(text) - len(rest)
		text = rest
	}
	return false
}

// maxAbove is how many lines of directives may be stacked above a finding.
const maxAbove = 8

// linesAbove looks at the lines above the finding that hold nothing but a
// directive.
func (n *nearText) linesAbove() bool {
	at := n.lineStart(n.start)
	for i := range maxAbove {
		if at == 0 || n.data[at-1] != '\n' {
			return false // the beginning of the text, or of a very long line
		}
		hi := at - 1
		at = n.lineStart(hi)
		line := n.data[at:hi]
		alone := false
		for _, d := range directives(line) {
			if d.verb == allow && d.alone {
				alone = true
				if n.try(&d, at+d.at) {
					return true
				}
			}
		}
		if i == 0 {
			if tool := n.foreign(foreignAbove, line); tool != "" && n.excuse(tool, at) {
				return true
			}
		}
		if !alone {
			return false
		}
	}
	return false
}

// blocks looks for a block around the finding. Of several, the innermost that
// covers it excuses it.
func (n *nearText) blocks() bool {
	var open []directive
	lo := max(0, n.start-blockReach)
	n.each(lo, n.start, func(d directive) {
		switch {
		case d.verb == begin:
			open = append(open, d)
		case d.verb == end && len(open) > 0:
			open = open[:len(open)-1]
		}
	})
	if len(open) == 0 {
		return false
	}
	closed, inner := 0, 0 // how many of open have an end, from the innermost
	n.each(n.end, min(len(n.data), n.end+blockReach), func(d directive) {
		switch {
		case d.verb == begin:
			inner++
		case d.verb == end && inner > 0:
			inner--
		case d.verb == end:
			closed++
		}
	})
	for i := len(open) - 1; i >= 0; i-- {
		if closed == 0 {
			open[i].wrong = fmt.Sprintf("it has no spillgate:allow-end within %d KiB of the finding", blockReach>>10)
		} else {
			closed--
		}
		if n.try(&open[i], open[i].at) {
			return true
		}
	}
	return false
}

// each calls visit for the directives of blocks in data[lo:hi], with at
// relative to data.
func (n *nearText) each(lo, hi int, visit func(directive)) {
	for lo < hi {
		i := bytes.Index(n.data[lo:hi], []byte(blockWord))
		if i < 0 {
			return
		}
		at := lo + i
		from, to := n.lineStart(at), n.lineEnd(at)
		for _, d := range directives(n.data[from:to]) {
			if d.at += from; d.verb != allow && d.at == at {
				visit(d)
			}
		}
		lo = at + len(word)
	}
}

func (n *nearText) foreign(read func([]byte) string, line []byte) string {
	if n.stage.options.NoForeign {
		return ""
	}
	return read(line)
}

// spot returns the place of data[at].
func (n *nearText) spot(at int) spot {
	line := n.finding.StartLine
	if at < n.secret {
		line -= bytes.Count(n.data[at:n.secret], []byte{'\n'})
	} else {
		line += bytes.Count(n.data[n.secret:at], []byte{'\n'})
	}
	return spot{n.finding.Object, line}
}

// try lets d, which stands at data[at], excuse the finding.
func (n *nearText) try(d *directive, at int) bool {
	s := n.stage
	switch {
	case d.wrong != "" && (len(d.rules) == 0 || d.covers(n.finding.Rule.ID)):
		s.tell(n.spot(at), scanner.NoticeRefused, "a spillgate:allow comment is not honoured: "+d.wrong,
			"write spillgate:allow RULE REASON")
		return false
	case !d.covers(n.finding.Rule.ID):
		return false
	case d.until != "" && d.until < s.today:
		s.tell(n.spot(at), scanner.NoticeExpired, "the spillgate:allow comment expired on "+d.until, "fix what it excuses, or set a new date")
		return false
	case s.options.RequireReason && d.reason == "":
		s.tell(n.spot(at), scanner.NoticeRefused, "the spillgate:allow comment gives no reason", "write one after the rule")
		return false
	}
	reason := d.reason
	if reason == "" {
		reason = "allowed without a reason"
	}
	if d.until != "" {
		reason += " (until " + d.until + ")"
	}
	return n.honour(at, reason, "spillgate:allow")
}

// excuse lets the comment of another tool, on the line of data[at], excuse the
// finding.
func (n *nearText) excuse(tool string, at int) bool {
	if n.stage.options.RequireReason {
		n.stage.tell(n.spot(at), scanner.NoticeRefused, "a comment for "+tool+" gives no reason", "write spillgate:allow "+n.finding.Rule.ID+" REASON")
		return false
	}
	return n.honour(at, "a comment for "+tool, tool)
}

func (n *nearText) honour(at int, reason, by string) bool {
	s, where := n.stage, n.spot(at)
	if s.options.New != HonourNew {
		isNew := n.finding.Object.New == nil || n.finding.Object.New.Touches(where.line, where.line)
		switch {
		case isNew && s.options.New == RefuseNew:
			s.tell(where, scanner.NoticeRefused, "a "+by+" comment is not honoured, because the change that it excuses brings it",
				"have it reviewed and merged first, or put the excuse into the baseline")
			return false
		case isNew:
			s.tell(where, scanner.NoticeOwn, "this change excuses its own "+n.finding.Rule.ID+" with a "+by+" comment", "")
		}
	}
	n.finding.Suppression = &scanner.Suppression{By: "comment", Reason: reason, InSource: true}
	if s.options.Audit {
		s.mu.Lock()
		s.used[where] = true
		s.mu.Unlock()
	}
	return true
}

func (s *comments) tell(at spot, kind, what, fix string) {
	s.mu.Lock()
	s.tells[tell{at, kind, what, fix}] = true
	s.used[at] = true // whoever reads why it was refused need not hear that it was unused
	s.mu.Unlock()
}

// A watchingComments stage also remembers every comment, for the unused ones.
type watchingComments struct{ *comments }

// Watch implements scanner.Watcher.
func (s watchingComments) Watch(c *scanner.Chunk) {
	if c.Object.Binary {
		return
	}
	line, counted := c.Line, 0
	for at := c.From; at < c.To; {
		i := bytes.Index(c.Data[at:], []byte(word))
		if i < 0 || at+i >= c.To {
			return
		}
		at += i
		n := nearText{data: c.Data}
		from, to := n.lineStart(at), n.lineEnd(at)
		line += bytes.Count(c.Data[counted:at], []byte{'\n'})
		counted = at
		for _, d := range directives(c.Data[from:to]) {
			if d.at+from == at && d.verb != end && d.wrong == "" {
				s.remember(spot{c.Object, line}, d)
			}
		}
		at += len(word)
	}
}

func (s *comments) remember(at spot, d directive) {
	if lines := at.object.New; lines != nil && !lines.Touches(at.line, at.line) {
		return
	}
	s.mu.Lock()
	s.seen[at] = d
	s.mu.Unlock()
}

// Notices implements scanner.Reporter.
func (s *comments) Notices() []scanner.Notice {
	var all []scanner.Notice
	for t := range s.tells {
		all = append(all, scanner.Notice{Kind: t.kind, Where: t.where(), What: t.what, Fix: t.fix})
	}
	for at, d := range s.seen {
		if !s.used[at] {
			all = append(all, scanner.Notice{
				Kind: scanner.NoticeUnused, Where: at.where(),
				What: "the spillgate:allow comment for " + join(d.rules) + " excuses nothing", Fix: "take it out",
			})
		}
	}
	// One comment is met in every version of its file.
	slices.SortFunc(all, func(a, b scanner.Notice) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Where, b.Where), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(all)
}

func (s spot) where() string {
	if s.object.Kind == scanner.Content && s.object.Path != "" {
		return fmt.Sprintf("%s:%d", s.object.Path, s.line)
	}
	l := scanner.Location{Object: s.object, StartLine: s.line, StartColumn: 1}
	return l.String()
}
