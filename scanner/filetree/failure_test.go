package filetree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// A failing system fails where its map says so, by the step and the end of
// the path.
type failing struct {
	hostSystem
	errors map[string]error
}

type failingFolder struct {
	folder
	path   string
	errors map[string]error
}

// failingFile yields two bytes before its error.
type failingFile struct {
	io.Reader
	err error
}

func (f *failingFile) Read(b []byte) (int, error) {
	if n, err := f.Reader.Read(b); err == nil {
		return n, nil
	}
	return 0, f.err
}
func (f *failingFile) Close() error { return nil }

func (s *failing) openFolder(path string) (folder, error) {
	if err := s.errors["open "+filepath.Base(path)]; err != nil {
		return nil, err
	}
	d, err := s.hostSystem.openFolder(path)
	return &failingFolder{d, path, s.errors}, err
}

func (d *failingFolder) list(to []entry, s *scratch) ([]entry, error) {
	to, err := d.folder.list(to, s)
	return to, errors.Join(err, d.errors["list "+filepath.Base(d.path)])
}

func (d *failingFolder) open(name string) (io.ReadCloser, error) {
	if err := d.errors["open "+name]; err != nil {
		return nil, err
	}
	if err := d.errors["read "+name]; err != nil {
		return &failingFile{strings.NewReader("ab"), err}, nil
	}
	if err := d.errors["long read "+name]; err != nil {
		return &failingFile{io.LimitReader(zeros{}, 2*wholeLen), err}, nil
	}
	return d.folder.open(name)
}

func (d *failingFolder) readLink(name string) (string, error) {
	if err := d.errors["link "+name]; err != nil {
		return "", err
	}
	return d.folder.readLink(name)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestFailures: what cannot be read is a problem, what vanished is counted,
// and everything else is scanned.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{"denied/x": "", "half/x": "1", "gone/x": "", "f-denied": "", "f-half": "", "f-long": "", "f-gone": "", "f-gone-too": "", "ok/x": "2"})
	if err := os.Symlink("x", filepath.Join(dir, "l-denied")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	denied := &fs.PathError{Op: "open", Path: "somewhere", Err: fs.ErrPermission}
	s := &source{paths: []string{dir}, options: Options{Base: dir}, system: &failing{errors: map[string]error{
		"open denied": denied, "list half": errors.New("input/output error"), "open gone": fs.ErrNotExist,
		"open f-denied": denied, "read f-half": errors.New("input/output error"), "long read f-long": errors.New("input/output error"), "open f-gone": fs.ErrNotExist, "link l-denied": denied,
		"open f-gone-too": &fs.PathError{Op: "open", Path: "f-gone-too", Err: fs.ErrNotExist},
	}}}
	g := gather(t, s)
	g.want(t, scanner.Content, map[string]string{"ok/x": "2", "half/x": "1", "f-half": "ab", "f-long": string(make([]byte, 2*wholeLen))})
	var got []string
	for _, p := range g.Problems {
		if p.Fix == "" {
			t.Errorf("%v: no way out given", p)
		}
		got = append(got, p.Where+": "+p.What)
	}
	want := []string{
		"denied/: cannot open folder: permission denied", "f-denied: cannot open: permission denied", "f-half: read only the first 2 bytes: input/output error",
		"f-long: read only the first 8388608 bytes: input/output error", "half/: cannot list all of folder: input/output error", "l-denied: cannot read symbolic link: permission denied",
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s := g.skipped("vanished during the scan"); s.Count != 3 {
		t.Errorf("vanished: %+v, want 3", s)
	}
}

// TestManyProblems: each is counted, few are kept.
func TestManyProblems(t *testing.T) {
	var paths []string
	for i := range maxProblems + 50 {
		paths = append(paths, fmt.Sprintf("/no/such/%d", i))
	}
	g := gather(t, New(paths, Options{}))
	last := g.Problems[len(g.Problems)-1].What
	if want := fmt.Sprintf("and %d more problems", len(paths)-len(g.Problems)+1); last != want {
		t.Errorf("the last problem is %q, want %q", last, want)
	}
}
