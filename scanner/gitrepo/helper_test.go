package gitrepo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// A sandbox is a directory with repositories in it, made by the git program
// without anything of the user's configuration.
type sandbox struct {
	t    testing.TB
	dir  string
	env  []string
	tick int // commits get rising dates
}

func newSandbox(t testing.TB) *sandbox {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs the git program")
	}
	s := &sandbox{t: t, dir: t.TempDir()}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "GIT_") {
			s.env = append(s.env, e)
		}
	}
	home := filepath.Join(s.dir, "home")
	s.env = append(s.env, "HOME="+home, "XDG_CONFIG_HOME="+home, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com")
	s.write("home/.gitconfig", "[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n[gc]\n\tauto = 0\n")
	return s
}

// path returns the absolute path of name in the sandbox.
func (s *sandbox) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *sandbox) write(name, content string) {
	s.t.Helper()
	file := s.path(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// git runs git in directory dir of the sandbox and returns its trimmed output.
func (s *sandbox) git(dir string, args ...string) string {
	s.t.Helper()
	out, err := s.try(dir, args...)
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *sandbox) try(dir string, args ...string) (string, error) {
	s.tick++
	c := exec.Command("git", args...)
	c.Dir = s.path(dir)
	date := fmt.Sprintf("%d +0000", 1700000000+60*s.tick)
	c.Env = append(s.env, "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// init makes a repository called name.
func (s *sandbox) init(name string, args ...string) {
	s.t.Helper()
	if err := os.MkdirAll(s.path(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.git(name, append([]string{"init", "-q"}, args...)...)
}

// commit writes a file, commits it and returns the commit's id.
func (s *sandbox) commit(repo, file, content string) string {
	s.t.Helper()
	s.write(repo+"/"+file, content)
	s.git(repo, "add", "-f", "--", file)
	s.git(repo, "commit", "-q", "--allow-empty", "--no-verify", "-m", "change "+file)
	return s.git(repo, "rev-parse", "HEAD")
}

// open opens the repository that contains dir with further variables in the
// environment.
func (s *sandbox) open(dir, backend string, env ...string) *Repo {
	s.t.Helper()
	r, err := s.tryOpen(Options{Dir: s.path(dir), Backend: backend, Environ: append(append([]string(nil), s.env...), env...)})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *sandbox) tryOpen(o Options) (*Repo, error) {
	if o.Environ == nil {
		o.Environ = s.env
	}
	r, err := Open(context.Background(), o)
	if err == nil {
		s.t.Cleanup(func() { _ = r.Close() })
	}
	return r, err
}

// both runs a test with each backend.
func both(t *testing.T, f func(t *testing.T, backend string)) {
	t.Helper()
	for _, b := range [...]string{backendPacks, backendGoGit, backendGit} {
		t.Run(b, func(t *testing.T) { f(t, b) })
	}
}

// A seen is one object that a source emitted.
type seen struct {
	*scanner.Object
	text string // all of its content, decoded
}

// A haul is what a source emitted and covered.
type haul struct {
	t        testing.TB
	objects  []seen
	coverage scanner.Coverage
	err      error
	// attributed are the objects once they were attributed.
	attributed []*scanner.Object
}

// scan drains a source and lets it attribute all objects, as if something had
// been found in each.
func scan(t testing.TB, src scanner.Source) *haul {
	t.Helper()
	h := &haul{t: t}
	var mu sync.Mutex
	at := map[*scanner.Object]int{}
	h.coverage, h.err = src.Chunks(context.Background(), func(c *scanner.Chunk) error {
		mu.Lock()
		defer mu.Unlock()
		i, ok := at[c.Object]
		if !ok {
			i = len(h.objects)
			at[c.Object] = i
			h.objects = append(h.objects, seen{Object: c.Object})
		}
		h.objects[i].text += string(c.Data[c.From:c.To])
		return nil
	})
	if a, ok := src.(scanner.Attributor); ok && h.err == nil {
		for i := range h.objects {
			h.attributed = append(h.attributed, h.objects[i].Object)
		}
		h.err = a.Attribute(context.Background(), h.attributed)
	}
	return h
}

// whole fails the test unless the scan was complete.
func (h *haul) whole() *haul {
	h.t.Helper()
	if h.err != nil {
		h.t.Fatal(h.err)
	}
	for _, p := range h.coverage.Problems {
		h.t.Errorf("problem: %v", p)
	}
	return h
}

// new returns the new lines that hold word, as "path:line", with the kind in
// front unless it is content.
func (h *haul) new(word string) []string {
	var places []string
	for _, o := range h.objects {
		for i, line := range strings.Split(o.text, "\n") {
			if !strings.Contains(line, word) || o.New != nil && !o.New.Touches(i+1, i+1) {
				continue
			}
			place := fmt.Sprintf("%s:%d", o.Path, i+1)
			if o.Kind != scanner.Content {
				place = o.Kind.String() + " " + place
			}
			places = append(places, place)
		}
	}
	sort.Strings(places)
	return places
}

// want fails the test unless exactly these places hold word on a new line.
func (h *haul) want(word string, places ...string) {
	h.t.Helper()
	got := h.new(word)
	sort.Strings(places)
	if strings.Join(got, "|") != strings.Join(places, "|") {
		h.t.Errorf("new lines with %q: got %q, want %q", word, got, places)
	}
}

// skipped returns how often something was skipped for a reason that holds word.
func (h *haul) skipped(word string) int64 {
	for _, s := range h.coverage.Skipped {
		if strings.Contains(s.Reason, word) {
			return s.Count
		}
	}
	return 0
}

// blobs returns the sorted ids of the blobs that were emitted.
func (h *haul) blobs() []string {
	var ids []string
	for _, o := range h.objects {
		if o.Kind == scanner.Content || o.Kind == scanner.SymlinkTarget {
			ids = append(ids, o.ID)
		}
	}
	sort.Strings(ids)
	return ids
}

// object returns the first object of a kind whose path is path.
func (h *haul) object(kind scanner.Kind, path string) *seen {
	h.t.Helper()
	for i := range h.objects {
		if h.objects[i].Kind == kind && h.objects[i].Path == path {
			return &h.objects[i]
		}
	}
	h.t.Fatalf("nothing of kind %v was emitted at %q", kind, path)
	return nil
}

// mustRange resolves and drains a range.
func mustRange(t testing.TB, r *Repo, spec string) *haul {
	t.Helper()
	src, err := r.Range(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return scan(t, src)
}

// hasProblem fails the test unless the scan failed or a problem holds word.
func (h *haul) hasProblem(word string) {
	h.t.Helper()
	if h.err != nil && strings.Contains(h.err.Error(), word) {
		return
	}
	for _, p := range h.coverage.Problems {
		if strings.Contains(p.Error(), word) {
			return
		}
	}
	h.t.Errorf("no problem says %q: error %v, problems %v", word, h.err, h.coverage.Problems)
}

// corrupt overwrites the middle of a loose object.
func (s *sandbox) corrupt(repo, id string) {
	s.t.Helper()
	file := s.path(repo + "/.git/objects/" + id[:2] + "/" + id[2:])
	data, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := len(data) / 2; i < len(data); i++ {
		data[i] ^= 0x55
	}
	if err := os.Chmod(file, 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// tree returns the state of all files below a directory, to see that nothing
// was written.
func (s *sandbox) tree(name string) string {
	s.t.Helper()
	var b bytes.Buffer
	err := filepath.Walk(s.path(name), func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.Mode(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}
