package hooks

import "strings"

// Cleanup says how git will treat the text that a commit-msg hook is given
// (https://git-scm.com/docs/git-commit, "--cleanup", and core.commentChar).
// The zero value keeps every line.
type Cleanup struct {
	// Mode is commit.cleanup, "" for git's default. The --cleanup option of
	// git commit does not reach a hook.
	Mode string
	// Comment is core.commentString or core.commentChar, "" for "#", or
	// "auto".
	Comment string
	// Edited says that an editor was opened. If none was, git by default
	// keeps lines that look like comments (it tells the hook by GIT_EDITOR=:).
	Edited bool
}

// scissors is the middle of the line below which git drops everything
// (cut_line in git's wt-status.c).
const scissors = " ------------------------ >8 ------------------------"

// commentChars are the characters that core.commentChar=auto chooses from
// (adjust_comment_line_char in git's builtin/commit.c).
const commentChars = "#;@!$%^&|:"

// Message returns the part of text that will be in the commit: without
// comments, and without what follows the scissors line, such as the diff of
// git commit -v. Lines keep their numbers: one that goes leaves an empty line.
//
// Where it cannot be told whether git keeps a line, the line stays: rather
// scan what git throws away than the other way round.
func (c Cleanup) Message(text string) string {
	if !c.strips() {
		return text
	}
	comment := c.Comment
	switch comment {
	case "":
		comment = "#"
	case "auto":
		return c.auto(text)
	}
	kept, _ := cutScissors(text, comment)
	if c.Mode == "scissors" {
		return kept
	}
	return dropLines(kept, func(line string) bool { return strings.HasPrefix(line, comment) })
}

// strips reports whether git removes anything.
func (c Cleanup) strips() bool {
	switch c.Mode {
	case "verbatim", "whitespace":
		return false
	case "strip":
		return true
	}
	return c.Edited
}

// auto handles core.commentChar=auto. git tells nobody which character it
// chose: it is the one of the scissors line, or else that of the block of
// comments that git put at the end.
func (c Cleanup) auto(text string) string {
	for _, r := range commentChars {
		comment := string(r)
		kept, cut := cutScissors(text, comment)
		if cut && c.Mode == "scissors" {
			return kept
		}
		if cut {
			return dropLines(kept, func(line string) bool { return strings.HasPrefix(line, comment) })
		}
	}
	lines := strings.SplitAfter(text, "\n")
	end := len(lines)
	for end > 0 && strings.TrimSpace(lines[end-1]) == "" {
		end--
	}
	if end == 0 || c.Mode == "scissors" || !strings.Contains(commentChars, lines[end-1][:1]) {
		return text
	}
	comment := lines[end-1][:1]
	for i := end - 1; i >= 0 && strings.HasPrefix(lines[i], comment); i-- {
		lines[i] = lineEnd(lines[i])
	}
	return strings.Join(lines, "")
}

// cutScissors drops the scissors line and what follows it.
func cutScissors(text, comment string) (kept string, cut bool) {
	line := comment + scissors + "\n"
	if strings.HasPrefix(text, line) {
		return "", true
	}
	if i := strings.Index(text, "\n"+line); i >= 0 {
		return text[:i+1], true
	}
	return text, false
}

func dropLines(text string, drop func(string) bool) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if drop(line) {
			lines[i] = lineEnd(line)
		}
	}
	return strings.Join(lines, "")
}

// lineEnd returns what is left of a line without its text.
func lineEnd(line string) string {
	if strings.HasSuffix(line, "\n") {
		return "\n"
	}
	return ""
}
