package filetree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spillgate/spillgate/scanner"
)

// batchLen is how many files of a folder a worker takes at a time. A folder
// of more is shared between workers.
const batchLen = 64

// A walk is one run of a source.
type walk struct {
	ctx      context.Context
	system   system
	noIgnore bool
	noFollow bool
	emit     func(*scanner.Chunk) error
	named    map[string]bool // what the caller named, by absolute path
	queue    queue

	stopped  atomic.Bool
	mu       sync.Mutex
	firstErr error
	audited  []auditedFile
}

// A task is a folder to list, files of a listed folder to scan, or a named
// file.
type task struct {
	root     *root
	abs      string // of the folder, ending in '/', or of the named file
	isFolder bool
	isLink   bool    // a named one that is not followed
	ignores  ignores // of the folders above
	files    []entry
	in       *sharedFolder // holds files
}

// A sharedFolder is an open folder that several tasks read from.
type sharedFolder struct {
	folder
	users atomic.Int32
}

func (d *sharedFolder) release() {
	if d.users.Add(-1) == 0 {
		d.close()
	}
}

// stop ends the walk because of err.
func (w *walk) stop(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.firstErr == nil {
		w.firstErr = err
	}
	w.stopped.Store(true)
}

// halted reports whether the walk is to end, and keeps the reason if that is
// its context.
func (w *walk) halted() bool {
	if w.stopped.Load() {
		return true
	}
	if err := w.ctx.Err(); err != nil {
		w.stop(err)
		return true
	}
	return false
}

func (w *walk) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.firstErr
}

// run works off the queue with jobs workers and adds what they did to t.
func (w *walk) run(jobs int, t *tally) {
	var wg sync.WaitGroup
	workers := make([]worker, jobs)
	for i := range workers {
		wg.Go(func() {
			for {
				next, ok := w.queue.pop()
				if !ok {
					return
				}
				workers[i].walk = w
				workers[i].do(&next)
				w.queue.done()
			}
		})
	}
	wg.Wait()
	for i := range workers {
		t.add(&workers[i].tally)
	}
}

// A worker is what one goroutine needs: its buffers and its part of the
// counts.
type worker struct {
	*walk
	tally   tally
	feeder  scanner.Feeder
	scratch scratch
	entries []entry
	buf     []byte
}

func (w *worker) do(t *task) {
	switch {
	case w.halted():
		if t.in != nil {
			t.in.release()
		}
	case t.isFolder:
		w.folder(t)
	case t.in != nil:
		w.files(t, t.files)
		t.in.release()
	case t.isLink:
		w.namedLink(t)
	default:
		f, err := w.system.openFile(t.abs)
		if err != nil {
			w.tally.fail(t.root.show(t.abs), cause(err), fixUnreadable)
			return
		}
		w.file(t.root.show(t.abs), f)
	}
}

const fixUnreadable = "make it readable, or list it in " + spillIgnore

// folder lists a folder, queues the folders in it and scans its files.
func (w *worker) folder(t *task) {
	opened, err := w.system.openFolder(t.abs)
	if err != nil {
		w.failed(t.root, t.abs, err, "cannot open folder: ")
		return
	}
	in := &sharedFolder{folder: opened}
	in.users.Store(1)
	defer in.release()
	w.entries, err = in.list(w.entries[:0], &w.scratch)
	if err != nil {
		w.failed(t.root, t.abs, err, "cannot list all of folder: ")
	}
	if !w.noIgnore {
		above := t.ignores.spill
		t.ignores = t.ignores.add(t.abs, w.listed, w.tally.fail)
		if own := t.ignores.spill; own != above {
			w.audit(t.root.show(t.abs+spillIgnore), own)
		}
	}
	w.sort(t, in)
	files := w.entries
	for len(files) > 2*batchLen {
		share := task{root: t.root, abs: t.abs, in: in, files: append([]entry(nil), files[:batchLen]...)}
		files = files[batchLen:]
		in.users.Add(1)
		w.queue.push(share)
	}
	share := task{root: t.root, abs: t.abs, in: in}
	w.files(&share, files)
}

// listed reports whether the folder just listed has an entry of that name.
func (w *worker) listed(name string) bool {
	for i := range w.entries {
		if w.entries[i].name == name {
			return true
		}
	}
	return false
}

// sort leaves in w.entries the regular files to scan, queues the folders and
// deals with everything else.
func (w *worker) sort(t *task, in *sharedFolder) {
	files := w.entries[:0]
	ignoring := !t.ignores.none()
	for _, e := range w.entries {
		isFolder := e.typ.IsDir()
		if isFolder && e.name == gitFolder {
			w.tally.skip("git's own folder", t.root.show(t.abs+e.name))
			continue
		}
		if ignoring || len(w.named) > 1 || !e.typ.IsRegular() {
			abs := t.abs + e.name
			key := abs
			if isFolder {
				key += "/"
			}
			if w.named[key] {
				continue // it is, or was, scanned as what it was named
			}
			if ignoring {
				if why := t.ignores.reason(abs, len(t.abs), isFolder); why != "" {
					w.tally.skip(why, t.root.show(abs))
					continue
				}
			}
			if isFolder {
				w.queue.push(task{root: t.root, abs: key, isFolder: true, ignores: t.ignores})
				continue
			}
			if !e.typ.IsRegular() {
				w.special(t, in, e, abs)
				continue
			}
		}
		files = append(files, e)
	}
	w.entries = files
}

// special deals with what is neither a folder nor a regular file.
func (w *worker) special(t *task, in *sharedFolder, e entry, abs string) {
	shown := t.root.show(abs)
	w.name(shown)
	if e.typ&fs.ModeSymlink == 0 {
		w.tally.skip(typeName(e.typ), shown)
		return
	}
	target, err := in.readLink(e.name)
	if err != nil {
		w.failed(t.root, abs, err, "cannot read symbolic link: ")
		return
	}
	w.link(shown, target)
	if leaves(t.root, abs) {
		w.tally.skip("symbolic link out of the folder", shown)
	}
}

// link scans the text of a symbolic link.
func (w *worker) link(shown, target string) {
	w.feed(&scanner.Object{Kind: scanner.SymlinkTarget, Path: shown, Mode: 0o120000}, []byte(target))
}

// namedLink scans a named link that is not followed.
func (w *worker) namedLink(t *task) {
	shown := t.root.show(t.abs)
	target, err := os.Readlink(filepath.FromSlash(t.abs))
	if err != nil {
		w.tally.fail(shown, cause(err), fixUnreadable)
		return
	}
	w.name(shown)
	w.link(shown, target)
	w.tally.files++
	w.tally.bytes += int64(len(target))
}

// leaves reports whether the link at abs leads to something outside the root.
func leaves(r *root, abs string) bool {
	target, err := filepath.EvalSymlinks(filepath.FromSlash(abs))
	if err != nil {
		return false // it leads nowhere
	}
	top, err := filepath.EvalSymlinks(filepath.FromSlash(r.abs))
	if err != nil {
		return true
	}
	return !strings.HasPrefix(withSlash(filepath.ToSlash(target)), withSlash(filepath.ToSlash(top)))
}

// failed records that the thing at abs could not be read. If it is not there
// any more, it is counted and no more.
func (w *worker) failed(r *root, abs string, err error, what string) {
	shown := r.show(abs)
	if shown == "" {
		shown = "."
	}
	if errors.Is(err, fs.ErrNotExist) && abs != r.abs {
		w.tally.skip("vanished during the scan", shown)
		return
	}
	w.tally.fail(shown, what+cause(err), fixUnreadable)
}

// A queue holds the tasks of a walk, last in, first out, so that it stays as
// short as the tree is deep and open folders are finished soon.
type queue struct {
	mu    sync.Mutex
	more  sync.Cond
	tasks []task
	open  int // tasks queued or being worked on
}

func (q *queue) init() { q.more.L = &q.mu }

func (q *queue) push(tasks ...task) {
	q.mu.Lock()
	q.tasks = append(q.tasks, tasks...)
	q.open += len(tasks)
	q.mu.Unlock()
	if len(tasks) == 1 {
		q.more.Signal()
	} else {
		q.more.Broadcast()
	}
}

// pop waits for a task. It returns false when none is left and none can come.
func (q *queue) pop() (task, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.tasks) == 0 {
		if q.open == 0 {
			return task{}, false
		}
		q.more.Wait()
	}
	last := len(q.tasks) - 1
	t := q.tasks[last]
	q.tasks[last] = task{}
	q.tasks = q.tasks[:last]
	return t, true
}

// done says that a task that pop returned is finished.
func (q *queue) done() {
	q.mu.Lock()
	q.open--
	last := q.open == 0
	q.mu.Unlock()
	if last {
		q.more.Broadcast()
	}
}
