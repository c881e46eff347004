package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// A ref is a name for an object. HEADs of work trees and the older entries of
// the stash, which only a reflog keeps, are listed under names of their own.
type ref struct {
	name string
	id   oid
	// peeled is what an annotated tag points to, where packed-refs or git
	// said so; else zero.
	peeled oid
	// plain says that the ref is known not to point to a tag object.
	plain bool
}

// A refTable is all refs of a repository and what was wrong with others.
type refTable struct {
	refs   []ref
	broken []string // names of refs that hold no id
}

// allRefs lists every ref, every HEAD and every entry of the stash.
func (r *Repo) allRefs(ctx context.Context) (*refTable, error) {
	if r.needGit != "" {
		return r.refsByGit(ctx)
	}
	t := &refTable{}
	found := map[string]ref{}
	if err := r.packedRefs(func(p ref) { found[p.name] = p }); err != nil {
		return nil, err
	}
	dirs := []string{r.commonDir}
	if r.gitDir != r.commonDir {
		dirs = append(dirs, r.gitDir)
	}
	for _, dir := range dirs {
		if err := r.looseRefs(dir, found, t); err != nil {
			return nil, err
		}
	}
	for _, f := range found {
		if !f.id.isZero() {
			t.refs = append(t.refs, f)
		}
	}
	sort.Slice(t.refs, func(i, j int) bool { return t.refs[i].name < t.refs[j].name })
	r.heads(t)
	r.stash(t)
	return t, nil
}

// packedRefs calls visit for each line of packed-refs
// (format: https://git-scm.com/docs/git-pack-refs).
func (r *Repo) packedRefs(visit func(ref)) error {
	name := filepath.Join(r.commonDir, "packed-refs")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading packed refs: %w", err)
	}
	var last ref
	fully := false
	flush := func() {
		if last.name != "" {
			last.plain = last.peeled.isZero() && fully
			visit(last)
		}
		last = ref{}
	}
	for n := 1; len(data) > 0; n++ {
		var line []byte
		line, data = cutLine(data)
		switch {
		case len(line) == 0:
		case line[0] == '#':
			fully = fully || bytes.Contains(line, []byte(" fully-peeled"))
		case line[0] == '^':
			if last.peeled, err = parseOID(string(line[1:]), r.hashLen); err != nil {
				return fmt.Errorf("reading %s, line %d: %w", name, n, err)
			}
		default:
			flush()
			id, refName, _ := strings.Cut(string(line), " ")
			if last.id, err = parseOID(id, r.hashLen); err != nil || refName == "" {
				return fmt.Errorf("reading %s, line %d: not a ref: %w", name, n, err)
			}
			last.name = refName
		}
	}
	flush()
	return nil
}

// looseRefs adds the refs that are files below dir/refs.
func (r *Repo) looseRefs(dir string, found map[string]ref, t *refTable) error {
	root := filepath.Join(dir, "refs")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted while we walk
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || strings.HasSuffix(rel, ".lock") {
			return err
		}
		name := filepath.ToSlash(rel)
		id, ok, err := r.readRefFile(path, 0)
		switch {
		case err != nil:
			t.broken = append(t.broken, name)
		case ok:
			found[name] = ref{name: name, id: id}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing refs: %w", err)
	}
	return nil
}

// readRefFile reads an id, or follows "ref: NAME". ok is false when the ref
// does not exist or points to one that does not.
func (r *Repo) readRefFile(path string, depth int) (id oid, ok bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || isDirectory(path, err) {
		return oid{}, false, nil
	}
	if err != nil {
		return oid{}, false, fmt.Errorf("reading ref: %w", err)
	}
	if target, sym := strings.CutPrefix(string(data), "ref:"); sym {
		if depth > 5 {
			return oid{}, false, fmt.Errorf("reading ref %s: too many symbolic refs in a row", path)
		}
		return r.lookup(strings.TrimSpace(target), depth+1)
	}
	text := strings.TrimSpace(string(data))
	if i := strings.IndexAny(text, " \t\n"); i >= 0 { // FETCH_HEAD says more
		text = text[:i]
	}
	if id, err = parseOID(text, r.hashLen); err != nil {
		return oid{}, false, fmt.Errorf("reading ref %s: %w", path, err)
	}
	return id, true, nil
}

func isDirectory(path string, err error) bool {
	if err == nil {
		return false
	}
	info, serr := os.Stat(path)
	return serr == nil && info.IsDir()
}

// lookup returns the object that the ref called exactly name points to.
func (r *Repo) lookup(name string, depth int) (id oid, ok bool, err error) {
	if !refNameOK(name) {
		return oid{}, false, fmt.Errorf("%q is no name of a ref", name)
	}
	dir := r.commonDir
	if !strings.HasPrefix(name, "refs/") || ownRef(name) {
		dir = r.gitDir
	}
	id, ok, err = r.readRefFile(filepath.Join(dir, filepath.FromSlash(name)), depth)
	if ok || err != nil || !strings.HasPrefix(name, "refs/") {
		return id, ok, err
	}
	err = r.packedRefs(func(p ref) {
		if p.name == name {
			id, ok = p.id, true
		}
	})
	return id, ok, err
}

// ownRef reports whether a ref belongs to one work tree alone
// (https://git-scm.com/docs/git-worktree#_refs).
func ownRef(name string) bool {
	return strings.HasPrefix(name, "refs/bisect/") || strings.HasPrefix(name, "refs/worktree/") ||
		strings.HasPrefix(name, "refs/rewritten/")
}

// refNameOK keeps names from leaving the repository.
func refNameOK(name string) bool {
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "..") ||
		strings.ContainsAny(name, "\x00\\:?*[~^ \t\n") || strings.HasSuffix(name, "/") {
		return false
	}
	return strings.HasPrefix(name, "refs/") || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}

// heads adds the HEAD of this and of every linked work tree.
func (r *Repo) heads(t *refTable) {
	files := map[string]string{"HEAD": filepath.Join(r.gitDir, "HEAD")}
	if r.gitDir != r.commonDir {
		files["main-worktree/HEAD"] = filepath.Join(r.commonDir, "HEAD")
	}
	linked, _ := os.ReadDir(filepath.Join(r.commonDir, "worktrees"))
	for _, w := range linked {
		files["worktrees/"+w.Name()+"/HEAD"] = filepath.Join(r.commonDir, "worktrees", w.Name(), "HEAD")
	}
	for name, file := range files {
		id, ok, err := r.readRefFile(file, 0)
		switch {
		case err != nil:
			t.broken = append(t.broken, name)
		case ok:
			t.refs = append(t.refs, ref{name: name, id: id, plain: true})
		}
	}
}

// stash adds the entries of the stash that no ref but its reflog keeps: people
// see them in `git stash list`, so they count as history.
func (r *Repo) stash(t *refTable) {
	data, err := os.ReadFile(filepath.Join(r.commonDir, "logs", "refs", "stash"))
	if err != nil {
		return
	}
	lines := bytes.Split(bytes.TrimRight(data, "\n"), []byte("\n"))
	for i, line := range lines {
		words := bytes.Fields(line)
		if len(words) < 2 {
			continue
		}
		if id, err := parseOID(string(words[1]), r.hashLen); err == nil {
			name := fmt.Sprintf("stash@{%d}", len(lines)-1-i)
			t.refs = append(t.refs, ref{name: name, id: id, plain: true})
		}
	}
}

// refsByGit lists the refs through git, for formats that only git reads.
func (r *Repo) refsByGit(ctx context.Context) (*refTable, error) {
	t := &refTable{}
	out, err := r.git.output(ctx, "for-each-ref", "--format=%(objectname) %(*objectname) %(refname)")
	if err != nil {
		return nil, fmt.Errorf("listing refs: %w", err)
	}
	for _, line := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		words := strings.SplitN(line, " ", 3)
		if len(words) != 3 {
			continue
		}
		f := ref{name: words[2], plain: words[1] == ""}
		if f.id, err = parseOID(words[0], r.hashLen); err != nil {
			t.broken = append(t.broken, f.name)
			continue
		}
		if !f.plain {
			f.peeled, _ = parseOID(words[1], r.hashLen)
		}
		t.refs = append(t.refs, f)
	}
	out, err = r.git.output(ctx, "worktree", "list", "--porcelain")
	if err != nil {
		return nil, fmt.Errorf("listing work trees: %w", err)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if hex, ok := strings.CutPrefix(line, "HEAD "); ok {
			if id, err := parseOID(hex, r.hashLen); err == nil && !id.isZero() {
				t.refs = append(t.refs, ref{name: "HEAD", id: id, plain: true})
			}
		}
	}
	r.stash(t)
	return t, nil
}

// head returns the commit that HEAD points to, zero when the branch is unborn,
// and the full name of the branch, "" when HEAD is detached.
func (r *Repo) head(ctx context.Context) (id oid, branch string, err error) {
	if r.needGit != "" {
		return r.headByGit(ctx)
	}
	data, err := os.ReadFile(filepath.Join(r.gitDir, "HEAD"))
	if err != nil {
		return oid{}, "", fmt.Errorf("reading HEAD: %w", err)
	}
	if target, ok := strings.CutPrefix(string(data), "ref:"); ok {
		branch = strings.TrimSpace(target)
	}
	id, _, err = r.readRefFile(filepath.Join(r.gitDir, "HEAD"), 0)
	if err != nil {
		return oid{}, "", fmt.Errorf("reading HEAD: %w", err)
	}
	return id, branch, nil
}

func (r *Repo) headByGit(ctx context.Context) (id oid, branch string, err error) {
	out, err := r.git.output(ctx, "symbolic-ref", "--quiet", "HEAD")
	var g *gitError
	if err != nil && !(errors.As(err, &g) && g.code == 1) { // 1: detached
		return oid{}, "", fmt.Errorf("reading HEAD: %w", err)
	}
	branch = strings.TrimSpace(string(out))
	out, err = r.git.output(ctx, "rev-parse", "--verify", "--quiet", "HEAD")
	if errors.As(err, &g) && g.code == 1 && branch != "" {
		return oid{}, branch, nil
	}
	if err != nil {
		return oid{}, "", fmt.Errorf("reading HEAD: %w", err)
	}
	id, err = parseOID(strings.TrimSpace(string(out)), r.hashLen)
	return id, branch, err
}

// shallow returns the commits at which a shallow clone was cut off.
func (r *Repo) shallow() (map[oid]bool, error) {
	name := first(r.env("GIT_SHALLOW_FILE"), filepath.Join(r.commonDir, "shallow"))
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of shallow commits: %w", err)
	}
	cut := map[oid]bool{}
	for _, word := range strings.Fields(string(data)) {
		id, err := parseOID(word, r.hashLen)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		cut[id] = true
	}
	return cut, nil
}
