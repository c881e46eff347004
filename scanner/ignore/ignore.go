// Package ignore reads ignore files in the syntax of .gitignore and says what
// they cover. It is a leaf: it opens no file and knows neither findings nor
// walks, because two packages beside each other ask it the same question about
// different things. A walk (scanner/filetree) asks whether to enter a folder;
// the judge of findings (scanner/suppress) asks whether a path is excused.
// Two answers to one ignore file would be a hole, so there is one matcher.
//
// A pattern means what git makes of it, not what go-gitignore does: that
// library decides only where a regular expression is needed, and gets the
// pattern rewritten into the part of its syntax that both read alike.
// `git check-ignore` is the authority in the tests.
//
// # Sections
//
// A .spillgateignore file may have sections that hold for some rules only:
//
//	# made up for the tests
//	testdata/
//
//	#rule: aws-kms-key-arn, aws-arn-*
//	docs/
//	!docs/runbooks/
//
//	#rule: *
//	vendor/
//
// A line `#rule:` with ids of rules, parted by commas, scopes the lines after
// it, up to the next such line; `#rule: *` ends the scoping. In an id '*'
// stands for any characters. For git and every other reader of the syntax the
// line is a comment, so the file stays valid: a reader that does not know
// sections merely ignores more. The comment lines right above a pattern are
// its reason.
package ignore

import "strings"

// A File is the patterns of one ignore file. It never changes once parsed and
// is safe for concurrent use.
type File struct {
	patterns []*Pattern
	fold     bool
}

// Parse reads the text of an ignore file as git's add_patterns_from_buffer
// does: a byte order mark and comments are skipped, one carriage return at the
// end of a line is dropped, and blanks at the end unless a backslash stands
// before them. With fold ASCII letters match in any case (core.ignoreCase).
// No text is an error: what git takes for malformed matches nothing.
func Parse(text string, fold bool) *File { return parse(text, fold, false) }

// ParseSections does the same and obeys `#rule:` lines.
func ParseSections(text string, fold bool) *File { return parse(text, fold, true) }

func parse(text string, fold, sections bool) *File {
	text = strings.TrimPrefix(text, "\xef\xbb\xbf")
	f := &File{fold: fold}
	var rules, comment []string
	for number := 1; len(text) > 0; number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, "\r")
		if nul := strings.IndexByte(line, 0); nul >= 0 {
			line = line[:nul] // for git, which works with C strings, the line ends here
		}
		if line == "" {
			comment = nil
			continue
		}
		if line[0] == '#' {
			if ids, ok := strings.CutPrefix(line, "#rule:"); ok && sections {
				rules, comment = scope(ids), nil
				continue
			}
			comment = append(comment, strings.TrimSpace(strings.TrimLeft(line, "#")))
			continue
		}
		if p := newPattern(trimBlanks(line), fold); p.kind != never {
			p.Text, p.Line, p.Rules = line, number, rules
			p.Comment = strings.TrimSpace(strings.Join(comment, " "))
			f.patterns = append(f.patterns, p)
		}
	}
	return f
}

// scope reads the ids of a `#rule:` line; nil means all rules.
func scope(ids string) []string {
	var rules []string
	for id := range strings.SplitSeq(ids, ",") {
		switch id = strings.TrimSpace(id); id {
		case "":
		case "*":
			return nil
		default:
			rules = append(rules, id)
		}
	}
	if rules == nil {
		return []string{""} // names nothing, so it holds for nothing
	}
	return rules
}

// Empty reports whether f ignores nothing.
func (f *File) Empty() bool { return f == nil || len(f.patterns) == 0 }

// Patterns returns the patterns in the order of the file. Nobody changes them.
func (f *File) Patterns() []*Pattern {
	if f == nil {
		return nil
	}
	return f.patterns
}

// Unscoped returns f without the patterns that hold for some rules only.
func (f *File) Unscoped() *File {
	u := &File{fold: f.fold}
	for _, p := range f.patterns {
		if p.Rules == nil {
			u.patterns = append(u.patterns, p)
		}
	}
	return u
}

// Decide returns the last pattern that matches the entry with the path rel,
// relative to the folder of the file, and the base name base; nil if none
// does. It looks at this one entry: whether a folder above it is ignored is
// the caller's to know, as a walk does.
func (f *File) Decide(rel, base string, isDir bool) *Pattern {
	return f.decide(rel, base, isDir, "", false)
}

func (f *File) decide(rel, base string, isDir bool, rule string, scoped bool) *Pattern {
	if f.fold {
		rel, base = lower(rel), lower(base)
	}
	for i := len(f.patterns) - 1; i >= 0; i-- {
		p := f.patterns[i]
		if scoped && !p.HoldsFor(rule) {
			continue
		}
		if p.matches(rel, base, isDir) {
			return p
		}
	}
	return nil
}

// Covers returns the pattern because of which findings of the rule at path, a
// file's path relative to the folder of f, are ignored; nil if they are not.
// As in git, nothing below an ignored folder can be included again.
func (f *File) Covers(path, rule string) *Pattern {
	if f.Empty() {
		return nil
	}
	for start := 0; ; {
		slash := strings.IndexByte(path[start:], '/')
		if slash < 0 {
			if p := f.decide(path, path[start:], false, rule, true); p != nil && !p.Negate {
				return p
			}
			return nil
		}
		end := start + slash
		if p := f.decide(path[:end], path[start:end], true, rule, true); p != nil && !p.Negate {
			return p
		}
		start = end + 1
	}
}

// HoldsFor reports whether p holds for findings of the rule.
func (p *Pattern) HoldsFor(rule string) bool {
	if p.Rules == nil {
		return true
	}
	for _, id := range p.Rules {
		if Glob(id, rule) {
			return true
		}
	}
	return false
}

// Glob reports whether pattern, in which '*' stands for any characters and
// every other one for itself, matches all of s. It takes time linear in the
// product of their lengths at most.
func Glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
