package history

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// A stream writes the input of git fast-import
// (https://git-scm.com/docs/git-fast-import, "INPUT FORMAT"). The first error
// of the writer stays in it and is returned by close.
type stream struct {
	w    *bufio.Writer
	mark int
}

func newStream(w io.Writer) *stream { return &stream{w: bufio.NewWriterSize(w, 1<<20)} }

// A person is an author or committer.
type person struct{ name, email string }

// header is what a commit has beside its changes.
type header struct {
	ref       string
	author    person
	committer person
	when      int64 // seconds since 1970
	message   string
	parents   []int // marks, the first one first; none for a root
}

// commit begins a commit and returns its mark; its changes follow.
func (s *stream) commit(h header) int {
	s.mark++
	if len(h.parents) == 0 {
		// Without this a commit to an existing ref would continue it.
		fmt.Fprintf(s.w, "reset %s\n\n", h.ref)
	}
	fmt.Fprintf(s.w, "commit %s\nmark :%d\n", h.ref, s.mark)
	fmt.Fprintf(s.w, "author %s <%s> %d +0100\n", h.author.name, h.author.email, h.when-60)
	fmt.Fprintf(s.w, "committer %s <%s> %d +0000\n", h.committer.name, h.committer.email, h.when)
	s.data([]byte(h.message))
	for i, p := range h.parents {
		verb := "merge"
		if i == 0 {
			verb = "from"
		}
		fmt.Fprintf(s.w, "%s :%d\n", verb, p)
	}
	return s.mark
}

func (s *stream) data(b []byte) {
	fmt.Fprintf(s.w, "data %d\n", len(b))
	_, _ = s.w.Write(b)
	_ = s.w.WriteByte('\n')
}

// modify writes the content of a file of the current commit.
func (s *stream) modify(path string, f *file) {
	if f.mode == modeGitlink {
		fmt.Fprintf(s.w, "M %s %s %s\n", f.mode, f.data, quote(path))
		return
	}
	fmt.Fprintf(s.w, "M %s inline %s\n", f.mode, quote(path))
	s.data(f.data)
}

func (s *stream) remove(path string) { fmt.Fprintf(s.w, "D %s\n", quote(path)) }

func (s *stream) rename(from, to string) {
	fmt.Fprintf(s.w, "R %s %s\n", quote(from), quote(to))
}

// drop deletes a ref; its commits stay if others reach them.
func (s *stream) drop(ref string) {
	fmt.Fprintf(s.w, "reset %s\nfrom %s\n\n", ref, strings.Repeat("0", 40))
}

// tag writes an annotated tag.
func (s *stream) tag(name string, mark int, by person, when int64, message string) {
	fmt.Fprintf(s.w, "tag %s\nfrom :%d\ntagger %s <%s> %d +0000\n", name, mark, by.name, by.email, when)
	s.data([]byte(message))
}

func (s *stream) close() error {
	_, _ = s.w.WriteString("done\n")
	return s.w.Flush()
}

// quote writes a path as fast-import reads it.
func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
