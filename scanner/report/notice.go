package report

import (
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// A noticeView is what any report may say of a scanner.Notice.
type noticeView struct {
	Kind  string `json:"kind"`
	Where string `json:"where,omitempty"`
	What  string `json:"what"`
	Fix   string `json:"fix,omitempty"`
}

// String returns the notice on one line, not escaped.
func (n noticeView) String() string {
	s := n.What
	if n.Where != "" {
		s = n.Where + ": " + s
	}
	if n.Fix != "" {
		s += "; " + n.Fix
	}
	return s
}

// notices returns the notices of r without secrets.
func (d *redactor) notices(r *scanner.Result) []noticeView {
	var all []noticeView
	for _, n := range r.Notices {
		all = append(all, noticeView{n.Kind, utf8Text(d.text(n.Where)), utf8Text(d.text(n.What)), utf8Text(d.text(n.Fix))})
	}
	return all
}

// NoticeLines returns the notices of r for a terminal, a line each, without
// secrets and escaped. Those of the kinds in without are left out.
func NoticeLines(r *scanner.Result, without ...string) []string {
	var lines []string
	for _, n := range newRedactor(r).notices(r) {
		left := false
		for _, kind := range without {
			left = left || n.Kind == kind
		}
		if !left {
			lines = append(lines, strings.ReplaceAll(Escape(n.String()), "\n", " "))
		}
	}
	return lines
}
