package suppress

import (
	"fmt"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// IgnoreName is the name of the ignore file, at the top of a repository.
const IgnoreName = ".spillgateignore"

// IgnoreOptions say which ignore file excuses findings. The zero value is
// none.
type IgnoreOptions struct {
	// File is the parsed file (ignore.ParseSections), or nil.
	File *ignore.File
	// Name is what reports call it; "" is IgnoreName.
	Name string
	// Audit tells which patterns excused nothing; AuditSections only those of
	// sections, as after a walk that left out what the others cover.
	Audit, AuditSections bool
}

// ignoreFile is the stage of the ignore file.
type ignoreFile struct {
	options IgnoreOptions
	tree    tree
	used    map[*ignore.Pattern]bool
}

func (s *ignoreFile) place(p *ignore.Pattern) string {
	name := s.options.Name
	if name == "" {
		name = IgnoreName
	}
	return fmt.Sprintf("%s:%d", name, p.Line)
}

// Judge implements scanner.Stage.
func (s *ignoreFile) Judge(f *scanner.Finding) {
	var p *ignore.Pattern
	for _, path := range s.tree.paths(f) {
		if p = s.options.File.Covers(path, f.Rule.ID); p != nil {
			break
		}
	}
	if p == nil {
		return
	}
	s.used[p] = true
	reason := s.place(p) + " covers the path: " + p.Text
	if p.Comment != "" {
		reason += " (" + p.Comment + ")"
	}
	f.Suppression = &scanner.Suppression{By: "ignore", Reason: reason}
}

// Notices implements scanner.Reporter.
func (s *ignoreFile) Notices() []scanner.Notice {
	var all []scanner.Notice
	for _, p := range s.options.File.Patterns() {
		audited := s.options.Audit || s.options.AuditSections && p.Rules != nil
		if audited && !p.Negate && !s.used[p] {
			all = append(all, scanner.Notice{
				Kind: scanner.NoticeUnused, Where: s.place(p), What: "the line " + p.Text + " excuses nothing", Fix: "take it out",
			})
		}
	}
	return all
}
