package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spillgate/spillgate/scanner"
)

// A run is one call of Chunks: the coverage it gathers and the goroutines that
// read blobs. Its methods are safe for concurrent use, but for text and what
// calls it, which belong to the goroutine that walks.
type run struct {
	repo   *Repo
	store  store
	ctx    context.Context
	cancel context.CancelFunc
	emit   func(*scanner.Chunk) error

	mu       sync.Mutex
	coverage scanner.Coverage
	err      error           // the first error that ends the scan
	said     map[string]bool // objects whose failure was recorded
	missing  int             // objects that a partial clone left out
	example  string

	gathered *gathering // or nil
	pointers []lfsFile  // that stand for files, with Options.LFS
	// links are the submodules, with Options.Submodules, by path, foreign the
	// objects that came from there; whole says that all there is of them is
	// meant.
	links   map[string]*link
	foreign map[*scanner.Object]bool
	whole   bool
	jobs    chan job
	workers sync.WaitGroup
	started int            // workers; only add changes it
	feeder  scanner.Feeder // of text
	names   map[string]bool
	people  map[string]bool
}

// queueEach is how many blobs wait for each worker before there is another.
const queueEach = 16

// A job is one blob to read and emit.
type job struct {
	id     oid
	object *scanner.Object
}

// begin starts a run that reads from s. finish must follow.
func (r *Repo) begin(ctx context.Context, s store, what string, emit func(*scanner.Chunk) error) *run {
	x := &run{
		repo: r, store: s, emit: emit,
		said: map[string]bool{}, names: map[string]bool{}, people: map[string]bool{},
		jobs: make(chan job, queueEach*(r.options.Jobs+1)),
	}
	x.ctx, x.cancel = context.WithCancel(ctx)
	x.coverage.What, x.coverage.Backend = what, s.name()
	return x
}

// add hands a blob to the workers, or holds it back where blobs are gathered.
// The error says that the run has ended.
func (x *run) add(id oid, o *scanner.Object) error {
	if x.gathered != nil {
		return x.hold(id, o)
	}
	return x.enqueue(id, o)
}

// enqueue hands a blob to the workers. A worker is started only when those
// there are have a queue: to wake one costs more than to scan a small file. The
// first is the run's own goroutine when the walk is done (finish), unless more
// blobs wait by then than are worth it.
func (x *run) enqueue(id oid, o *scanner.Object) error {
	if len(x.jobs) >= max(x.started, 1)*queueEach && x.started < max(x.repo.options.Jobs, 1) {
		x.started++
		x.workers.Add(1)
		go x.work()
	}
	select {
	case x.jobs <- job{id, o}:
		return nil
	case <-x.ctx.Done():
		return x.ctx.Err()
	}
}

// finish waits for the workers. err is the walk's own error. An error of ctx
// or emit comes back as it is.
func (x *run) finish(ctx context.Context, err error) (scanner.Coverage, error) {
	close(x.jobs)
	if x.started == 0 {
		x.workers.Add(1)
		x.work()
	}
	x.workers.Wait()
	if err == nil && x.err == nil && x.ctx.Err() == nil {
		if err = x.smudge(); err == nil {
			err = x.recurse(x.ctx)
		}
	}
	x.cancel()
	if x.repo.gitServed.Load() && x.store.name() != backendGit {
		x.coverage.Backend += ", " + backendGit
	}
	if x.missing > 0 {
		x.coverage.Fail(x.example, fmt.Sprintf("%s missing: the clone is partial", count(x.missing, "object is", "objects are")),
			"run `git fetch --no-filter --refetch` to get them")
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case x.err != nil:
		err = x.err
	}
	return x.coverage, err
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// stop ends the run because of err, unless something ended it before.
func (x *run) stop(err error) {
	x.mu.Lock()
	if x.err == nil {
		x.err = err
	}
	x.mu.Unlock()
	x.cancel()
}

// work reads and emits blobs until there are no more.
func (x *run) work() {
	defer x.workers.Done()
	var rd reader
	var feeder scanner.Feeder
	defer func() {
		if rd != nil {
			_ = rd.close() // what it failed to read was reported then
		}
	}()
	for j := range x.jobs {
		if x.ctx.Err() != nil {
			continue
		}
		if rd == nil {
			var err error
			if rd, err = x.repo.open(x.ctx, x.store); err != nil {
				x.stop(err)
				continue
			}
		}
		if err := x.blob(rd, &feeder, j); err != nil {
			x.stop(err)
		}
	}
}

// emitError marks an error as one of emit's, which ends the scan, to tell it
// from one of reading, which is a Problem.
type emitError struct{ error }

// blob reads one blob and emits its chunks.
func (x *run) blob(rd reader, f *scanner.Feeder, j job) error {
	o, err := rd.read(j.id)
	if err != nil {
		x.fail(j.object, j.id, err)
		return nil
	}
	defer closeStream(o)
	if o.kind != blobKind {
		x.fail(j.object, j.id, fmt.Errorf("it is a %s, not a blob", o.kind))
		return nil
	}
	emit := x.guardedEmit()
	n := o.size
	if o.stream != nil {
		n, err = f.Reader(j.object, o.stream, emit)
	} else {
		lines, ok := j.object.New.(*newLines)
		if ok {
			lines.content = o.data
		}
		err = f.Bytes(j.object, o.data, emit)
		if ok {
			lines.content = nil
		}
	}
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped.error
	}
	if err != nil {
		x.fail(j.object, j.id, err)
	}
	x.covered(j.object, n, o.data)
	return nil
}

// guardedEmit returns emit with its errors marked, which ends when ctx does.
func (x *run) guardedEmit() func(*scanner.Chunk) error {
	return func(c *scanner.Chunk) error {
		if err := x.emit(c); err != nil {
			return emitError{err}
		}
		return x.ctx.Err()
	}
}

// covered counts a blob of n bytes that was emitted. data is its content if it
// was in memory.
func (x *run) covered(o *scanner.Object, n int64, data []byte) {
	x.repo.progress.Add(1, n)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.coverage.Blobs++
	x.coverage.Bytes += n
	if o.Binary {
		x.coverage.Binaries++
	}
	if p, ok := scanner.ParseLFSPointer(data); ok {
		x.pointer(p, o)
	}
}

// fail records that an object could not be read, once per object.
func (x *run) fail(o *scanner.Object, id oid, err error) {
	where := "object " + x.repo.hex(id)
	if o != nil && o.Path != "" {
		where = o.Path
		if o.Commit != nil {
			where += " in commit " + o.Commit.ID
		}
	}
	x.failed(where, id, err)
}

func (x *run) failed(where string, id oid, err error) {
	if x.ctx.Err() != nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	name := x.repo.hex(id)
	if x.said[name] {
		return
	}
	x.said[name] = true
	if isMissing(err) && x.repo.partial {
		if x.missing++; x.missing == 1 {
			x.example = where
		}
		return
	}
	fix := fixDamage
	var owner *ownerError
	if errors.As(err, &owner) {
		fix = "" // it says so itself
	}
	if cut, serr := x.repo.shallow(); isMissing(err) && serr == nil && len(cut) > 0 {
		fix = fixShallow
	}
	x.coverage.Fail(where, err.Error(), fix)
}

// fixDamage is the way out when objects cannot be read.
const fixDamage = "`git fsck` lists what is damaged; fetch the objects again from another clone"

// problem records something else that was not scanned.
func (x *run) problem(where, what, fix string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.coverage.Fail(where, what, fix)
}

// skip counts something left out by rule.
func (x *run) skip(reason, path string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.coverage.Skip(reason, path)
}

// note changes the counts of the coverage.
func (x *run) note(change func(*scanner.Coverage)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(&x.coverage)
}

// text emits an object that is not a blob: a message, a name.
func (x *run) text(o *scanner.Object, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return x.feeder.Bytes(o, data, x.emit)
}

// name emits the name of a new file, once in a run.
func (x *run) name(path []byte, c *scanner.Commit) error {
	if x.names[string(path)] {
		return nil
	}
	p := string(path)
	x.names[p] = true
	x.note(func(c *scanner.Coverage) { c.Names++ })
	return x.text(&scanner.Object{Kind: scanner.FileName, Path: p, Commit: c}, path)
}

// person emits the name and address of an author, committer or tagger, once in
// a run.
func (x *run) person(line []byte, o scanner.Object) error {
	who := identityText(line)
	if x.people[string(who)] {
		return nil
	}
	x.people[string(who)] = true
	o.Kind = scanner.Identity
	return x.text(&o, who)
}

// commit emits what a commit says itself: its message, further headers and
// its people.
func (x *run) commit(id oid, c *commit) (*scanner.Commit, error) {
	d := c.describe(x.repo.hex(id))
	return d, x.commitTexts(d.ID, d, c)
}

// commitTexts is commit for the commit of that id, which d describes; nil says
// that it will be attributed.
func (x *run) commitTexts(id string, d *scanner.Commit, c *commit) error {
	x.note(func(v *scanner.Coverage) {
		v.Commits++
		v.Messages++
		v.Bytes += int64(len(c.message) + len(c.extra))
	})
	o := scanner.Object{Kind: scanner.CommitMessage, ID: id, Commit: d}
	message, extra := o, o
	if err := x.text(&message, c.message); err != nil {
		return err
	}
	if err := x.text(&extra, c.extra); err != nil {
		return err
	}
	if err := x.person(c.author, o); err != nil {
		return err
	}
	return x.person(c.committer, o)
}

// tag emits what an annotated tag says itself. name is its ref, or its id.
func (x *run) tag(id oid, t *tag, name string) error {
	x.note(func(c *scanner.Coverage) {
		c.Tags++
		c.Messages++
		c.Bytes += int64(len(t.message))
	})
	o := scanner.Object{Kind: scanner.TagMessage, ID: x.repo.hex(id), Ref: name}
	who := o
	if err := x.text(&o, t.message); err != nil {
		return err
	}
	return x.person(t.tagger, who)
}

// file emits the name of a new or changed file and hands its blob to the
// workers. olds are what the path was before, newName says that no parent has
// it.
func (x *run) file(o *scanner.Object, id oid, olds []oid, newName bool) error {
	if newName {
		if err := x.name([]byte(o.Path), o.Commit); err != nil {
			return err
		}
	}
	switch o.Mode & modeType {
	case modeGitlink:
		x.submodule(o.Path, id, olds)
		return nil
	case modeSymlink:
		o.Kind = scanner.SymlinkTarget
	}
	o.ID = x.repo.hex(id)
	return x.add(id, o)
}
