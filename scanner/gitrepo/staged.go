package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sort"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// StagedOptions say what staged content is compared with. The zero value
// compares with HEAD.
type StagedOptions struct {
	// Amend compares with the parents of HEAD, as a commit that replaces HEAD
	// will be.
	Amend bool
}

// Staged returns the source of what the next commit brings: every blob of the
// index that differs from HEAD, the names of new files, and the targets of
// symbolic links. The index is the one that GIT_INDEX_FILE names, so that a
// hook sees exactly what is committed; files of the work tree are not looked
// at. Paths that were only renamed or copied are not new. Entries without
// content (git add -N) and submodules are counted as skipped.
func (r *Repo) Staged(o StagedOptions) scanner.Source { return &staged{r, o} }

type staged struct {
	repo    *Repo
	options StagedOptions
}

// Chunks implements scanner.Source.
func (s *staged) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	what := "staged changes against HEAD"
	if s.options.Amend {
		what = "staged changes against the parents of HEAD"
	}
	failed := scanner.Coverage{What: what}
	r := s.repo
	if _, err := os.Stat(r.indexFile); r.workTree == "" && errors.Is(err, fs.ErrNotExist) {
		return failed, &scanner.UsageError{
			What: r.gitDir + " is a bare repository, in which nothing is staged",
			Fix:  "spillgate range A..B scans what a push brings, spillgate history everything",
		}
	}
	ix, byGit, err := r.readIndex(ctx)
	if err != nil {
		return failed, err
	}
	defer ix.close()
	st, rd, err := r.openStore(ctx, byGit)
	if err != nil {
		return failed, err
	}
	defer func() { _ = rd.close() }()
	bases, err := s.bases(ctx, rd)
	if err != nil {
		return failed, err
	}
	x := r.begin(ctx, st, what, emit)
	c := &indexDiff{run: x, index: ix, trees: &trees{repo: r, rd: rd}}
	c.once = len(bases) < 2
	return x.finish(ctx, pack.Guarded(func() error { return c.scan(bases) }))
}

// bases returns the trees that the next commit is compared with, none when it
// will be a root commit.
func (s *staged) bases(ctx context.Context, rd reader) ([]oid, error) {
	r := s.repo
	head, branch, err := r.head(ctx)
	if err != nil {
		return nil, err
	}
	if head.isZero() {
		if branch == "" {
			return nil, fmt.Errorf("HEAD of %s points nowhere", r.gitDir)
		}
		return nil, nil
	}
	c, err := r.readCommit(rd, head)
	if err != nil {
		return nil, fmt.Errorf("reading HEAD: %w", err)
	}
	if !s.options.Amend {
		return []oid{c.tree}, nil
	}
	if cut, err := r.shallow(); err != nil {
		return nil, err
	} else if cut[head] && len(c.parents) > 0 {
		return nil, fmt.Errorf("the parents of HEAD are not here, the clone is shallow: %s", fixShallow)
	}
	var bases []oid
	for _, p := range c.parents {
		pc, err := r.readCommit(rd, p)
		if err != nil {
			return nil, fmt.Errorf("reading the parents of HEAD: %w", err)
		}
		bases = append(bases, pc.tree)
	}
	return bases, nil
}

// readIndex reads the index; byGit says that only the git program could.
func (r *Repo) readIndex(ctx context.Context) (ix *index, byGit bool, err error) {
	if r.options.Backend != backendGit {
		ix, err = r.readIndexFile()
		if err == nil || !errors.Is(err, errIndexNeedsGit) || r.options.Backend == backendGoGit {
			return ix, false, err
		}
	}
	ix, err = r.indexByGit(ctx)
	return ix, true, err
}

func (r *Repo) readIndexFile() (ix *index, err error) {
	data, unmap, err := r.mapIndex()
	if err != nil || data == nil {
		return &index{}, err
	}
	if err := pack.Guarded(func() (err error) {
		ix, err = parseIndex(data, r.hashLen)
		return err
	}); err != nil {
		_ = unmap() // err is what went wrong first
		return nil, fmt.Errorf("reading index %s: %w", r.indexFile, err)
	}
	ix.unmap = unmap
	return ix, nil
}

// mapIndex returns the index file mapped, which costs a tenth of the page
// faults that a copy costs, or what indexBytes returns where it cannot be
// mapped. On Windows git could not replace it meanwhile.
func (r *Repo) mapIndex() (data []byte, unmap func() error, err error) {
	if runtime.GOOS != "windows" {
		if data, unmap, err := pack.Map(r.indexFile); err == nil && len(data) > 0 {
			return data, unmap, nil
		}
	}
	data, err = r.indexBytes()
	return data, func() error { return nil }, err
}

// indexBytes returns the index file, nil where nothing was ever added.
func (r *Repo) indexBytes() ([]byte, error) {
	data, err := os.ReadFile(r.indexFile)
	if errors.Is(err, fs.ErrNotExist) {
		if r.indexNamed && r.indexFile != absIn(r.gitDir, "index") {
			return nil, fmt.Errorf("reading index: GIT_INDEX_FILE=%s names no file", r.env("GIT_INDEX_FILE"))
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading index: %w", err)
	}
	return data, nil
}

// An indexDiff compares an index with trees.
type indexDiff struct {
	*run
	*trees
	index *index
	// added and changed entries, and what the first base has and the index
	// has not.
	entries []entryChange
	lost    []lostFile
}

// An entryChange is an entry of the index that no base has.
type entryChange struct {
	entry *indexEntry
	olds  []oid // blobs of the bases at the path
	added bool  // no base has the path
}

// A lostFile is a path that is no longer there: what an added file may have
// been renamed from.
type lostFile struct {
	path string
	id   oid
}

// scan emits what is new in the index.
func (d *indexDiff) scan(bases []oid) error {
	for i := range d.index.entries {
		if e := &d.index.entries[i]; e.intentToAdd {
			d.skip("intent to add: no content yet", string(e.path))
		}
	}
	if len(bases) == 0 {
		d.addAll(0, len(d.index.entries))
	} else if err := d.dir(bases[0], 0, len(d.index.entries), nil, d.index.tree); err != nil {
		return err
	}
	for _, b := range bases[min(1, len(bases)):] {
		if err := d.against(b); err != nil {
			return err
		}
	}
	known := d.known()
	for _, c := range d.entries {
		if err := d.one(c, known); err != nil {
			return err
		}
	}
	return nil
}

// one emits a changed entry.
func (d *indexDiff) one(c entryChange, known map[oid]bool) error {
	e := c.entry
	if e.intentToAdd || e.stage == 1 { // stage 1 is the common ancestor: not new
		return nil
	}
	o := &scanner.Object{Path: string(e.path), Mode: e.mode}
	if e.mode&modeType != modeGitlink && known[e.id] {
		if c.added {
			return d.name(e.path, nil)
		}
		return nil
	}
	if len(c.olds) > 0 || len(d.lost) > 0 {
		o.New = &newLines{repo: d.run.repo, object: o, id: e.id, olds: c.olds, lost: d.lostFiles(c)}
	}
	return d.file(o, e.id, c.olds, c.added)
}

func (d *indexDiff) lostFiles(c entryChange) func() []lostFile {
	if !c.added || len(d.lost) == 0 {
		return nil
	}
	return func() []lostFile { return d.lost }
}

// known returns which of the new blobs the first base holds at another path
// already: they were renamed or copied. The index itself tells, since what is
// not changed in it is what the base has.
func (d *indexDiff) known() map[oid]bool {
	wanted := map[oid]bool{}
	changed := map[*indexEntry]bool{}
	var first [256]bool // bytes of wanted ids: most entries are not asked further
	for _, c := range d.entries {
		wanted[c.entry.id] = false
		first[c.entry.id[0]] = true
		changed[c.entry] = true
	}
	if len(wanted) == 0 {
		return nil
	}
	mark := func(id oid) {
		if _, ok := wanted[id]; ok {
			wanted[id] = true
		}
	}
	for i := range d.index.entries {
		e := &d.index.entries[i]
		if first[e.id[0]] && !changed[e] && e.stage == 0 {
			mark(e.id)
		}
	}
	for _, l := range d.lost {
		mark(l.id)
	}
	for _, c := range d.entries {
		for _, id := range c.olds {
			mark(id)
		}
	}
	return wanted
}

// dir compares the entries lo to hi of the index, all below prefix, with a
// tree. Where the cache tree knows the directory's id, equal ones are not read.
func (d *indexDiff) dir(tree oid, lo, hi int, prefix []byte, cached *cacheTree) error {
	if cached != nil && cached.count == hi-lo && cached.id == tree {
		return nil
	}
	if bytes.Count(prefix, []byte("/")) > maxDepth {
		return fmt.Errorf("tree %s: more than %d directories deep", d.trees.repo.hex(tree), maxDepth)
	}
	raw, err := d.read(tree)
	if err != nil {
		return fmt.Errorf("reading directory %q of the commit: %w", prefix, err)
	}
	t := treeReader{rest: raw, hashLen: d.trees.repo.hashLen}
	more := t.next()
	for lo < hi || more {
		if err := d.run.ctx.Err(); err != nil {
			return err
		}
		var name []byte
		var isDir bool
		var below *cacheTree
		end, c := lo, 1
		if lo < hi {
			name, isDir, end, below = d.group(lo, hi, len(prefix), cached)
			c = -1
		}
		if more && lo < hi {
			c = compareNames(name, isDir, t.entry.name, t.entry.isTree())
		}
		switch {
		case c < 0: // only in the index
			d.addAll(lo, end)
			lo = end
		case c > 0: // only in the tree
			if err := d.lose(&t.entry, prefix); err != nil {
				return err
			}
			more = t.next()
		case isDir && d.index.entries[lo].sparse():
			d.sparse(&d.index.entries[lo], []oid{t.entry.id})
			lo, more = end, t.next()
		case isDir:
			if below == nil || below.count != end-lo || below.id != t.entry.id {
				path := d.index.entries[lo].path[:len(prefix)+len(name)+1]
				if err := d.dir(t.entry.id, lo, end, path, below); err != nil {
					return err
				}
			}
			lo, more = end, t.next()
		default:
			d.file1(lo, end, &t.entry)
			lo, more = end, t.next()
		}
	}
	if t.err != nil {
		return fmt.Errorf("directory %q of the commit: %w", prefix, t.err)
	}
	return nil
}

// group returns the first name below a prefix of length n in entries lo to hi,
// whether it is a directory, and the end of the entries that belong to it; of a
// directory also what cached, the cache tree of the prefix, knows of it.
func (d *indexDiff) group(lo, hi, n int, cached *cacheTree) (name []byte, isDir bool, end int, below *cacheTree) {
	entries := d.index.entries[:hi]
	path := entries[lo].path
	slash := bytes.IndexByte(path[n:], '/')
	end = lo + 1
	if slash < 0 {
		for end < hi && bytes.Equal(entries[end].path, path) { // the stages of a conflict
			end++
		}
		return path[n:], false, end, nil
	}
	name, path = path[n:n+slash], path[:n+slash+1]
	below = cached.sub(name)
	within := func(i int) bool { return i < hi && bytes.HasPrefix(entries[i].path, path) }
	if below != nil && below.count > 0 && below.count <= hi-lo { // it tells the end, unless it lies
		if end = lo + below.count; within(end-1) && !within(end) {
			return name, true, end, below
		}
	}
	end = lo + 1 + sort.Search(hi-lo-1, func(i int) bool { return !within(lo + 1 + i) })
	return name, true, end, below
}

func (d *indexDiff) addAll(lo, hi int) {
	for i := lo; i < hi; i++ {
		if e := &d.index.entries[i]; e.sparse() {
			d.sparse(e, nil)
		} else {
			d.entries = append(d.entries, entryChange{entry: e, added: true})
		}
	}
}

// sparse adds what a directory that the index holds as a whole has and the
// trees olds have not. What it lost is not looked for.
func (d *indexDiff) sparse(e *indexEntry, olds []oid) {
	c := comparison{trees: d.trees, path: bytes.TrimSuffix(bytes.Clone(e.path), []byte("/"))}
	c.failed = func(path []byte, id oid, err error) { d.failed("directory "+string(path), id, err) }
	c.visit = func(ch *change) error {
		n := entryChange{entry: &indexEntry{path: bytes.Clone(ch.path), id: ch.id, mode: ch.mode}, added: ch.added}
		n.olds = append(n.olds, ch.olds...)
		d.entries = append(d.entries, n)
		return nil
	}
	_ = c.compare(e.id, olds) // visit returns no error
}

// file1 compares the stages of one path with the file of that path in a tree.
func (d *indexDiff) file1(lo, hi int, old *treeEntry) {
	for i := lo; i < hi; i++ {
		e := &d.index.entries[i]
		if e.id == old.id && e.mode&modeType == old.mode&modeType {
			continue
		}
		c := entryChange{entry: e}
		if old.mode&modeType == e.mode&modeType {
			c.olds = []oid{old.id}
		}
		d.entries = append(d.entries, c)
	}
}

// maxLost bounds how many lost paths are remembered as origins of renames.
const maxLost = 10000

// lose notes a file, or all files of a directory, that the index lacks.
func (d *indexDiff) lose(e *treeEntry, prefix []byte) error {
	path := append(append([]byte(nil), prefix...), e.name...)
	if !e.isTree() {
		if e.mode&modeType != modeGitlink && len(d.lost) < maxLost {
			d.lost = append(d.lost, lostFile{string(path), e.id})
		}
		return nil
	}
	all := comparison{trees: d.trees, path: path, failed: func([]byte, oid, error) {}}
	all.visit = func(c *change) error {
		if c.mode&modeType != modeGitlink && len(d.lost) < maxLost {
			d.lost = append(d.lost, lostFile{string(c.path), c.id})
		}
		return nil
	}
	return all.compare(e.id, nil)
}

// against takes out of the changes what a further base has too.
func (d *indexDiff) against(base oid) error {
	other := &indexDiff{run: d.run, trees: d.trees, index: d.index}
	if err := other.dir(base, 0, len(d.index.entries), nil, d.index.tree); err != nil {
		return err
	}
	both := map[*indexEntry]entryChange{}
	for _, c := range other.entries {
		both[c.entry] = c
	}
	kept := d.entries[:0]
	for _, c := range d.entries {
		if o, ok := both[c.entry]; ok {
			c.olds, c.added = append(c.olds, o.olds...), c.added && o.added
			kept = append(kept, c)
		}
	}
	d.entries = kept
	return nil
}
