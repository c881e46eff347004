package filetree

import (
	"fmt"
	"sync/atomic"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// A walk obeys the lines of .spillgateignore files, so nobody sees findings in
// what they leave out: which line is of use can only be told here. A line is
// used if it decided about something that exists.

// An auditedFile is a .spillgateignore file whose folder the walk sees as a
// whole. Of the files above a named folder nothing can be said.
type auditedFile struct {
	shown string
	rules *ruleFile
}

// audit begins to watch the .spillgateignore file of a folder, before anything
// in it is decided.
func (w *walk) audit(shown string, r *ruleFile) {
	r.used = make(map[*ignore.Pattern]*atomic.Bool)
	for _, p := range r.file.Patterns() {
		r.used[p] = new(atomic.Bool)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.audited = append(w.audited, auditedFile{shown, r})
}

// unused returns a notice for each line that left out nothing. A line that
// takes something in again is none: what it is for may not be there yet.
func (w *walk) unused() []scanner.Notice {
	var all []scanner.Notice
	for _, f := range w.audited {
		for _, p := range f.rules.file.Patterns() {
			if !p.Negate && !f.rules.used[p].Load() {
				all = append(all, scanner.Notice{
					Kind: scanner.NoticeUnused, Where: fmt.Sprintf("%s:%d", f.shown, p.Line),
					What: "the line " + p.Text + " leaves out nothing that is here", Fix: "take it out, unless older commits need it",
				})
			}
		}
	}
	return all
}
