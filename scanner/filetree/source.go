// Package filetree holds the Sources over files, folders and standard input.
//
// A folder is walked as it lies on disk: this package knows nothing of git but
// two things that people expect of a walk, that .gitignore files are honoured
// and that .git is not entered. So a file that is tracked although an ignore
// pattern covers it is not seen here (unless it is named, or with NoIgnore):
// only the sources over git objects see it.
//
// What is scanned of each file is its content and its name, as a path. Of a
// symbolic link it is the name and the text of the link; the link is never
// followed, so there are no loops, nothing is scanned twice and nothing outside
// the named folder is opened. If it points inside the folder, the walk comes
// by its target anyway. Named pipes, sockets and devices are skipped without
// being opened.
//
// What is named is scanned: a path that the caller names is never ignored, and
// if it is a link it is followed, unless NoFollow takes it as it lies there. A named path that cannot be scanned, and any
// file or folder below that cannot be read, is a Problem of the coverage. What
// vanishes between being listed and being opened is only counted, since it is
// not there to leak anything.
//
// Folders are listed and files read by a few workers, in no order; the core
// sorts the findings. A file is read into memory when it is small and streamed
// when it is not, so memory does not depend on the files.
package filetree

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// Options say how files are found. The zero value is the default.
type Options struct {
	// NoIgnore scans what .gitignore, .git/info/exclude and .spillgateignore
	// files leave out.
	NoIgnore bool
	// NoFollow scans of a named symbolic link what git would commit of it, its
	// text, whether it leads anywhere or not, and not what it leads to.
	NoFollow bool
	// Jobs is how many workers list and read. Zero means as many as the
	// program may use processors (GOMAXPROCS).
	Jobs int
	// Base is the folder that the paths of files below it are reported
	// relative to, usually the top of the repository. Empty means the working
	// directory. Files elsewhere are reported with the path as it was named.
	Base string
}

// New returns the source over files and folders. Paths may overlap: no file is
// scanned twice.
func New(paths []string, o Options) scanner.Source {
	return &source{paths: paths, options: o, system: hostSystem{}}
}

type source struct {
	paths   []string
	options Options
	system  system
}

// Chunks scans the files.
func (s *source) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	if len(s.paths) == 0 {
		return scanner.Coverage{}, &scanner.UsageError{What: "no file or folder given", Fix: "name one, for example `spillgate dir .`"}
	}
	if err := ctx.Err(); err != nil {
		return scanner.Coverage{}, err
	}
	w := &walk{ctx: ctx, system: s.system, noIgnore: s.options.NoIgnore, noFollow: s.options.NoFollow, emit: emit}
	w.queue.init()
	var t tally
	w.addRoots(s.paths, s.options.Base, &t)
	jobs := s.options.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	w.run(jobs, &t)
	c := t.coverage()
	c.What, c.Backend = "files in "+strings.Join(s.paths, " "), "files"
	if len(s.paths) > 3 {
		c.What = "named files and folders"
	}
	if w.err() == nil && len(c.Problems) == 0 {
		c.Notices = w.unused()
	}
	return c, w.err()
}

// A root is one named path.
type root struct {
	abs   string // absolute, '/' between parts, at the end too if it is a folder
	shown string // what reports print in place of abs[:cut]
	cut   int
}

// show returns the path that reports print for a path at or below the root.
func (r *root) show(abs string) string {
	if r.shown == "" {
		return abs[r.cut:]
	}
	return r.shown + abs[r.cut:]
}

// addRoots finds out what the named paths are and queues them.
func (w *walk) addRoots(paths []string, base string, t *tally) {
	if base == "" {
		base, _ = os.Getwd() // without one, all paths are reported as named
	}
	if base != "" {
		base = withSlash(absolute(base))
	}
	w.named = make(map[string]bool, len(paths))
	var files []task
	for _, path := range paths {
		look := os.Stat
		if w.noFollow {
			look = os.Lstat
		}
		info, err := look(path)
		if err != nil {
			t.fail(path, cause(err), "check the spelling; the path is relative to the working directory")
			continue
		}
		abs := absolute(path)
		switch {
		case info.IsDir():
			abs = withSlash(abs)
		case info.Mode()&fs.ModeSymlink != 0:
		case !info.Mode().IsRegular():
			t.fail(path, "is a "+typeName(info.Mode())+", not a file", "give its content to `spillgate stdin`")
			continue
		}
		if w.named[abs] {
			continue
		}
		w.named[abs] = true
		r := newRoot(path, abs, base)
		if !info.IsDir() {
			files = append(files, task{root: r, abs: abs, isLink: info.Mode()&fs.ModeSymlink != 0})
			continue
		}
		next := task{root: r, abs: r.abs, isFolder: true}
		if !w.noIgnore {
			next.ignores = above(r.abs, t.fail)
		}
		w.queue.push(next)
	}
	w.queue.push(files...)
}

func newRoot(path, abs, base string) *root {
	r := &root{abs: abs}
	if base != "" && len(abs) > len(base) && strings.HasPrefix(abs, base) || abs == base {
		r.cut = len(base)
	} else {
		r.cut = len(abs)
		if r.shown = filepath.ToSlash(filepath.Clean(path)); strings.HasSuffix(abs, "/") {
			r.shown = withSlash(r.shown)
		}
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 && strings.HasSuffix(abs, "/") {
		// The named link is followed here, once; below it no link is.
		if target, err := filepath.EvalSymlinks(path); err == nil {
			shown := r.show(abs)
			r.abs = withSlash(absolute(target))
			r.shown, r.cut = shown, len(r.abs)
		}
	}
	return r
}

// absolute returns path as an absolute one with '/' between its parts.
func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = filepath.Clean(path)
	}
	return filepath.ToSlash(abs)
}

func withSlash(path string) string {
	if strings.HasSuffix(path, "/") {
		return path
	}
	return path + "/"
}
