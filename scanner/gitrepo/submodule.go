package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// A tree names a commit of a submodule, whose objects are in a repository of
// their own. With Options.Submodules each source goes on there, with what the
// change of the name brings:
//
//	staged, a range    the commits that the new name reaches and no old one does
//	a history          everything that the refs of the submodule's repository
//	                   reach, and the commit that HEAD names
//
// The paths of what is found there begin with the submodule's own. A repository
// or a commit that is not here is a Problem; only of a submodule that HEAD has
// no more it is a Skip. Nothing is fetched.

// skippedSubmodule is the reason for which a submodule is left out.
const skippedSubmodule = "submodule"

// maxNested bounds how deep submodules lie in each other.
const maxNested = 16

// A link is what a source learned of one submodule.
type link struct{ news, olds []oid }

// family is what a repository and its submodules have in common.
type family struct {
	depth int
	seen  map[string]bool // repositories and what was scanned of them
}

// submodule counts a submodule, or keeps it until the rest is done. id is the
// commit that path names now, zero where any may be meant, and olds are those
// that it named before, or zero.
func (x *run) submodule(path string, id oid, olds []oid) {
	if !x.repo.options.Submodules {
		x.skip(skippedSubmodule, path)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.links == nil {
		x.links = map[string]*link{}
	}
	l := x.links[path]
	if l == nil {
		l = &link{}
		x.links[path] = l
	}
	add := func(list []oid, id oid) []oid {
		if id.isZero() || slices.Contains(list, id) {
			return list
		}
		return append(list, id)
	}
	l.news = add(l.news, id)
	for _, old := range olds {
		l.olds = add(l.olds, old)
	}
}

// recurse scans the submodules.
func (x *run) recurse(ctx context.Context) error {
	for _, path := range slices.Sorted(maps.Keys(x.links)) {
		l := x.links[path]
		o := RevisionsOptions{What: "submodule " + path}
		current := true
		if x.whole {
			id, err := x.repo.linkAtHead(ctx, path)
			if err != nil {
				return err
			}
			if current = !id.isZero(); current {
				l.news = []oid{id}
			}
			o.TipRefs = []string{""}
		}
		if err := x.descend(ctx, path, l, o, current); err != nil {
			return err
		}
	}
	if n := len(x.links); n > 0 {
		x.note(func(c *scanner.Coverage) { c.What += " and " + count(n, "submodule", "submodules") })
	}
	return nil
}

// descend scans one submodule. current says that what is missing of it matters.
func (x *run) descend(ctx context.Context, path string, l *link, o RevisionsOptions, current bool) error {
	fix := "run `git submodule update --init --recursive -- " + path + "`"
	sub, err := x.repo.openSubmodule(ctx, path)
	if err != nil {
		if errors.Is(err, errNotHere) && !current {
			x.skip("submodule that HEAD has no more, and that is not here", path)
			return nil
		}
		x.problem(path, err.Error(), fix)
		return nil
	}
	defer func() { _ = sub.Close() }()
	for _, id := range l.news {
		if name := sub.hex(id); sub.holds(ctx, id) {
			o.Tips = append(o.Tips, Tip{Rev: name})
		} else {
			x.problem(path, "its repository has not the commit "+name+" that this one names", fix)
		}
	}
	for _, id := range l.olds {
		if !slices.Contains(l.news, id) { // what came and went is new all the same
			o.Exclude = append(o.Exclude, sub.hex(id))
		}
	}
	if x.repo.metBefore(sub, o) {
		return nil
	}
	source, err := sub.Revisions(ctx, o)
	if err != nil {
		x.problem(path, err.Error(), fix)
		return nil
	}
	c, err := source.Chunks(ctx, x.under(path))
	for i := range c.Problems {
		c.Problems[i].Where = strings.TrimSuffix("submodule "+path+": "+c.Problems[i].Where, ": ")
	}
	for i := range c.Skipped {
		if c.Skipped[i].Example != "" {
			c.Skipped[i].Example = path + "/" + c.Skipped[i].Example
		}
	}
	x.note(func(all *scanner.Coverage) { all.Add(c) })
	var ended emitError
	switch {
	case errors.As(err, &ended):
		return ended.error
	case err != nil && ctx.Err() == nil:
		x.problem("submodule "+path, err.Error(), "")
		return nil
	}
	return err
}

// under returns emit for the objects of a submodule, whose paths are relative to
// it, with its errors marked.
func (x *run) under(path string) func(*scanner.Chunk) error {
	return func(c *scanner.Chunk) error {
		if o := c.Object; c.First {
			if o.Path != "" {
				o.Path = path + "/" + o.Path
			}
			x.mu.Lock()
			if x.foreign == nil {
				x.foreign = map[*scanner.Object]bool{}
			}
			x.foreign[o] = true
			x.mu.Unlock()
		}
		if err := x.emit(c); err != nil {
			return emitError{err}
		}
		return nil
	}
}

// errNotHere says that a submodule has no repository on this machine.
var errNotHere = errors.New("the submodule is not here")

// openSubmodule opens the repository of the submodule at path: where the work
// tree has it, else where git keeps it (https://git-scm.com/docs/gitsubmodules).
func (r *Repo) openSubmodule(ctx context.Context, path string) (*Repo, error) {
	kin := r.options.family
	if kin == nil {
		kin = &family{seen: map[string]bool{}}
		r.options.family = kin
	}
	if kin.depth >= maxNested {
		return nil, fmt.Errorf("submodules lie more than %d deep in each other", maxNested)
	}
	dir := r.submoduleDir(path)
	if dir == "" {
		return nil, errNotHere
	}
	o := r.options
	o.Dir, o.Environ = dir, dropLocal(r.options.Environ)
	o.family = &family{depth: kin.depth + 1, seen: kin.seen}
	return Open(ctx, o)
}

// submoduleDir returns where the submodule at path or its repository lies, or "".
func (r *Repo) submoduleDir(path string) string {
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		return ""
	}
	if r.workTree != "" {
		dir := filepath.Join(r.workTree, filepath.FromSlash(path))
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
	}
	for _, name := range []string{r.submoduleName(path), path} {
		if !filepath.IsLocal(filepath.FromSlash(name)) { // as in CVE-2018-11235
			continue
		}
		for _, base := range []string{r.gitDir, r.commonDir} {
			dir := filepath.Join(base, "modules", filepath.FromSlash(name))
			if isGitDir(dir, func(string) string { return "" }) {
				return dir
			}
		}
	}
	return ""
}

// submoduleName returns the name that .gitmodules of the work tree, or else of
// HEAD, gives the submodule at path, or "".
func (r *Repo) submoduleName(path string) string {
	var c config
	if r.workTree == "" || c.load(filepath.Join(r.workTree, ".gitmodules")) != nil || len(c.settings) == 0 {
		text, err := r.ReadFile(context.Background(), "HEAD", ".gitmodules")
		if err != nil {
			return ""
		}
		c.parse(string(text))
	}
	for _, s := range c.settings {
		if name, ok := strings.CutSuffix(s.key, ".path"); ok && s.value == path {
			return strings.TrimPrefix(name, "submodule.")
		}
	}
	return ""
}

// holds reports whether the repository has a commit of that id.
func (r *Repo) holds(ctx context.Context, id oid) bool {
	k, err := r.kindOf(ctx, func(reader) (oid, error) { return id, nil })
	return err == nil && k == commitKind
}

// metBefore reports whether the same part of the same repository was met
// before, and remembers it: a submodule may be there twice, or hold itself.
func (r *Repo) metBefore(sub *Repo, o RevisionsOptions) bool {
	kin := r.options.family
	key := sub.commonDir
	for _, t := range o.Tips {
		key += "\x00" + t.Rev
	}
	key += "\x00" + strings.Join(o.Exclude, "\x00") + "\x00" + strings.Join(o.TipRefs, ",")
	met := kin.seen[key]
	kin.seen[key] = true
	return met
}

// linkAtHead returns the commit that HEAD names at path, zero if it has no
// submodule there.
func (r *Repo) linkAtHead(ctx context.Context, path string) (oid, error) {
	head, _, err := r.head(ctx)
	if err != nil || head.isZero() {
		return oid{}, err
	}
	_, rd, err := r.openStore(ctx, false)
	if err != nil {
		return oid{}, err
	}
	defer func() { _ = rd.close() }()
	e, err := r.find(rd, head, path)
	if err != nil || e.mode&modeType != modeGitlink {
		return oid{}, nil // gone, or a file by now
	}
	return e.id, nil
}

// own returns the objects that are not a submodule's: those of a history are
// attributed by who found them, which for a submodule was done at once.
func (h *history) own(objects []*scanner.Object) []*scanner.Object {
	if !h.repo.options.Submodules {
		return objects
	}
	return slices.DeleteFunc(slices.Clone(objects), func(o *scanner.Object) bool { return h.foreign[o] })
}
