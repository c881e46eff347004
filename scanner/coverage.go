package scanner

import (
	"fmt"
	"strings"
)

// Coverage is the evidence a Source leaves: what it read, what it passed over
// and what it could not read. All counts are of things, not of tries.
type Coverage struct {
	// What says what was scanned, for example "staged changes against HEAD".
	What string
	// Backend says who read it: "go-git", "git", "packs", "files".
	Backend string
	// Shard says which part of the history it was, as I/N@STATE; empty for a scan
	// that is no shard. STATE is a digest of what the refs point to.
	Shard                  string
	Commits, Tags, Refs    int64
	Blobs, Files, Binaries int64
	Messages, Names        int64
	// Members counts the files in archives, and Bytes includes theirs.
	Members int64
	Bytes   int64
	// Skipped are things left out by rule, such as submodules, LFS pointers
	// and ignored files. They do not make a scan incomplete.
	Skipped []Skip
	// Problems are things that should have been scanned and were not. One is
	// enough for exit code 2.
	Problems []Problem
	// Notices are what the source has to say beside that, such as a line of an
	// ignore file that left out nothing. Scan adds them to those of the stages.
	Notices []Notice `json:"-"`
}

// A Skip counts what was left out for one reason.
type Skip struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
	// Example is one of the paths, for the reader.
	Example string `json:"example,omitempty"`
}

// A Problem is one thing that could not be scanned.
type Problem struct {
	// Where names the file, line, ref, commit or object.
	Where string `json:"where"`
	// What went wrong.
	What string `json:"what"`
	// Fix is the way out, usually a command to type; it may be empty.
	Fix string `json:"fix,omitempty"`
}

// Error formats p on one line.
func (p Problem) Error() string {
	s := p.What
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if p.Fix != "" {
		s += " (" + p.Fix + ")"
	}
	return s
}

// Skip counts one thing at path that is left out because of reason.
func (c *Coverage) Skip(reason, path string) {
	for i := range c.Skipped {
		if c.Skipped[i].Reason == reason {
			c.Skipped[i].Count++
			return
		}
	}
	c.Skipped = append(c.Skipped, Skip{Reason: reason, Count: 1, Example: path})
}

// maxProblems bounds how many problems a Coverage keeps; the rest is counted
// in the last one.
const maxProblems = 100

// Fail records that something could not be scanned.
func (c *Coverage) Fail(where, what, fix string) {
	if len(c.Problems) < maxProblems {
		c.Problems = append(c.Problems, Problem{where, what, fix})
		return
	}
	last := &c.Problems[maxProblems-1]
	n := 1
	_, _ = fmt.Sscanf(last.What, "and %d more problems", &n)
	*last = Problem{What: fmt.Sprintf("and %d more problems", n+1)}
}

// Add adds the counts of d to c and keeps c's What and Backend where set.
func (c *Coverage) Add(d Coverage) {
	if c.What == "" {
		c.What = d.What
	}
	if c.Backend == "" {
		c.Backend = d.Backend
	}
	c.Commits += d.Commits
	c.Tags += d.Tags
	c.Refs += d.Refs
	c.Blobs += d.Blobs
	c.Files += d.Files
	c.Binaries += d.Binaries
	c.Messages += d.Messages
	c.Names += d.Names
	c.Members += d.Members
	c.Bytes += d.Bytes
	for _, s := range d.Skipped {
		i := 0
		for i < len(c.Skipped) && c.Skipped[i].Reason != s.Reason {
			i++
		}
		if i == len(c.Skipped) {
			c.Skipped = append(c.Skipped, s)
		} else {
			c.Skipped[i].Count += s.Count
		}
	}
	for _, p := range d.Problems {
		c.Fail(p.Where, p.What, p.Fix)
	}
}

// Complete reports whether everything that should be scanned was.
func (c *Coverage) Complete() bool { return len(c.Problems) == 0 }

// String returns the coverage on one line, without its problems.
func (c *Coverage) String() string {
	var parts []string
	add := func(n int64, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(c.Commits, "commit", "commits")
	add(c.Tags, "tag", "tags")
	add(c.Blobs, "blob", "blobs")
	add(c.Files, "file", "files")
	add(c.Binaries, "of them binary", "of them binary")
	add(c.Members, "file in archives", "files in archives")
	if len(parts) == 0 && c.Messages == 0 {
		parts = append(parts, "nothing to scan")
	}
	parts = append(parts, byteCount(c.Bytes))
	for _, s := range c.Skipped {
		parts = append(parts, fmt.Sprintf("%d skipped (%s)", s.Count, s.Reason))
	}
	return strings.Join(parts, ", ")
}

func byteCount(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
