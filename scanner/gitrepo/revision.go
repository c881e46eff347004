package gitrepo

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// fixShallow is the way out where a clone lacks commits.
const fixShallow = "run `git fetch --unshallow`; in CI set the checkout's depth to 0, on GitHub `fetch-depth: 0`"

// resolve returns the object that a revision names. Full ids, names of refs
// and the suffixes ~N, ^N and ^{commit} are understood here; anything else,
// such as an abbreviated id or @{upstream}, is asked of git.
func (r *Repo) resolve(ctx context.Context, rd reader, rev string) (oid, error) {
	if rev == "" || rev[0] == '-' {
		return oid{}, fmt.Errorf("%q is no revision", rev)
	}
	if id, err := parseOID(strings.ToLower(rev), r.hashLen); err == nil {
		return id, nil
	}
	base, suffix := rev, ""
	if i := strings.IndexAny(rev, "~^"); i > 0 {
		base, suffix = rev[:i], rev[i:]
	}
	if r.needGit == "" && !strings.ContainsAny(rev, "@:{") || rev == "@" {
		if id, ok, err := r.dwim(base); err != nil {
			return oid{}, fmt.Errorf("resolving %q: %w", rev, err)
		} else if ok {
			return r.follow(rd, id, suffix, rev)
		}
	}
	out, err := r.git.output(ctx, "rev-parse", "--verify", rev)
	if err != nil && strings.Contains(err.Error(), "Needed a single revision") {
		return oid{}, fmt.Errorf("resolving %q: this clone has no branch, tag or commit of that name; if the remote has one, fetch it first", rev)
	}
	if err != nil {
		return oid{}, fmt.Errorf("resolving %q: %w", rev, err)
	}
	return parseOID(strings.TrimSpace(string(out)), r.hashLen)
}

// dwim looks name up where git would, in that order
// (https://git-scm.com/docs/gitrevisions, "<refname>").
func (r *Repo) dwim(name string) (id oid, ok bool, err error) {
	if name == "@" {
		name = "HEAD"
	}
	for _, full := range [...]string{
		name, "refs/" + name, "refs/tags/" + name, "refs/heads/" + name,
		"refs/remotes/" + name, "refs/remotes/" + name + "/HEAD",
	} {
		if !refNameOK(full) {
			continue
		}
		if id, ok, err = r.lookup(full, 0); ok || err != nil {
			return id, ok, err
		}
	}
	return oid{}, false, nil
}

// follow applies suffixes such as ~2 or ^1 to id.
func (r *Repo) follow(rd reader, id oid, suffix, rev string) (oid, error) {
	for suffix != "" {
		op := suffix[0]
		end := 1 + len(suffix[1:]) - len(strings.TrimLeft(suffix[1:], "0123456789"))
		n, err := 1, error(nil)
		if end > 1 {
			if n, err = strconv.Atoi(suffix[1:end]); err != nil {
				return oid{}, fmt.Errorf("resolving %q: %w", rev, err)
			}
		}
		suffix = suffix[end:]
		steps, parent := n, 1
		if op == '^' {
			steps, parent = min(n, 1), n
		} else if op != '~' {
			return oid{}, fmt.Errorf("resolving %q: %q is no suffix", rev, op)
		}
		if id, _, err = r.peel(rd, id); err != nil {
			return oid{}, fmt.Errorf("resolving %q: %w", rev, err)
		}
		for range steps {
			c, err := r.readCommit(rd, id)
			if err != nil {
				return oid{}, fmt.Errorf("resolving %q: %w", rev, err)
			}
			if parent > len(c.parents) {
				return oid{}, fmt.Errorf("resolving %q: commit %s has %d parents", rev, r.hex(id), len(c.parents))
			}
			id = c.parents[parent-1]
		}
	}
	return id, nil
}

// A rangeSpec is what a range asks for: all that include reaches and exclude
// does not.
type rangeSpec struct {
	include, exclude []oid
	text             string // for people
}

// parseRange reads the argument of Range.
func (r *Repo) parseRange(ctx context.Context, rd reader, spec string) (rangeSpec, error) {
	words := strings.Fields(spec)
	switch {
	case len(words) == 0:
		return r.currentBranch(ctx, rd)
	case len(words) == 1 && !strings.Contains(spec, "..") && words[0][0] != '-' && words[0][0] != '^':
		return r.oneRevision(ctx, rd, words[0])
	}
	s := rangeSpec{text: strings.Join(words, " ")}
	not := false
	for _, w := range words {
		if w == "--not" {
			not = !not
			continue
		}
		if err := r.addWord(ctx, rd, &s, w, not); err != nil {
			return s, r.rangeError(spec, err)
		}
	}
	return s, nil
}

// rangeError says that a range does not resolve, and what may help.
func (r *Repo) rangeError(spec string, err error) error {
	if cut, serr := r.shallow(); serr == nil && len(cut) > 0 {
		return fmt.Errorf("range %q: %w; the clone is shallow and may lack it: %s", spec, err, fixShallow)
	}
	return fmt.Errorf("range %q: %w", spec, err)
}

// addWord adds what one word of a range names.
func (r *Repo) addWord(ctx context.Context, rd reader, s *rangeSpec, w string, not bool) error {
	if strings.HasPrefix(w, "--") {
		return r.addRefs(ctx, s, w, not)
	}
	add := func(rev string, exclude bool) (id oid, err error) {
		if rev == "" {
			rev = "HEAD"
		}
		if id, err = r.resolve(ctx, rd, rev); err != nil || id.isZero() {
			return id, err
		}
		if exclude {
			s.exclude = append(s.exclude, id)
		} else {
			s.include = append(s.include, id)
		}
		return id, nil
	}
	if a, b, ok := strings.Cut(w, "..."); ok {
		ida, err := add(a, not)
		if err != nil {
			return err
		}
		idb, err := add(b, not)
		if err != nil {
			return err
		}
		bases, err := r.mergeBases(ctx, rd, ida, idb)
		s.exclude = append(s.exclude, bases...)
		return err
	}
	if a, b, ok := strings.Cut(w, ".."); ok {
		from, err := add(a, !not)
		if err != nil {
			return err
		}
		to, err := add(b, not)
		if err != nil || !from.isZero() || to.isZero() {
			return err
		}
		// A push names no old commit for a new branch but zeros: what it
		// brings is what the default branch lacks, or everything.
		if base, _ := r.defaultBase(b); base != "" {
			_, err = add(base, !not)
		}
		return err
	}
	if rev, ok := strings.CutPrefix(w, "^"); ok {
		_, err := add(rev, !not)
		return err
	}
	_, err := add(w, not)
	return err
}

// addRefs adds --all, --branches, --tags, --remotes or --remotes=NAME.
func (r *Repo) addRefs(ctx context.Context, s *rangeSpec, w string, not bool) error {
	name, pattern, _ := strings.Cut(w, "=")
	prefixes := map[string]string{"--all": "", "--branches": "refs/heads/", "--tags": "refs/tags/", "--remotes": "refs/remotes/"}
	prefix, ok := prefixes[name]
	if !ok || strings.ContainsAny(pattern, "*?[") || pattern != "" && name == "--all" {
		return fmt.Errorf("%q is not understood: use --all, --branches, --tags, --remotes or --remotes=NAME", w)
	}
	if pattern != "" {
		prefix += strings.TrimSuffix(pattern, "/") + "/"
	}
	t, err := r.allRefs(ctx)
	if err != nil {
		return err
	}
	for _, f := range t.refs {
		switch {
		case !strings.HasPrefix(f.name, prefix):
		case not:
			s.exclude = append(s.exclude, f.id)
		default:
			s.include = append(s.include, f.id)
		}
	}
	return nil
}

// currentBranch is the range of no argument: what the current branch has and
// its upstream, or else the default branch, lacks.
func (r *Repo) currentBranch(ctx context.Context, rd reader) (rangeSpec, error) {
	head, branch, err := r.head(ctx)
	if err != nil {
		return rangeSpec{}, err
	}
	if head.isZero() {
		return rangeSpec{text: "the unborn branch " + strings.TrimPrefix(branch, "refs/heads/")}, nil
	}
	short := strings.TrimPrefix(branch, "refs/heads/")
	base := ""
	if up := r.config.upstream(short); branch != "" && up != "" && r.refExists(ctx, up) {
		base = up
	}
	if base == "" {
		base, err = r.defaultBase(first(branch, "HEAD"))
		if err != nil {
			return rangeSpec{}, err
		}
	}
	id, err := r.resolve(ctx, rd, base)
	if err != nil {
		return rangeSpec{}, r.rangeError(base+"..HEAD", err)
	}
	return rangeSpec{include: []oid{head}, exclude: []oid{id}, text: shortRef(base) + "..HEAD"}, nil
}

// oneRevision is the range of a single revision: what it has and the default
// branch lacks.
func (r *Repo) oneRevision(ctx context.Context, rd reader, rev string) (rangeSpec, error) {
	id, err := r.resolve(ctx, rd, rev)
	if err != nil {
		return rangeSpec{}, r.rangeError(rev, err)
	}
	base, err := r.defaultBase(rev)
	if err != nil {
		return rangeSpec{}, err
	}
	from, err := r.resolve(ctx, rd, base)
	if err != nil {
		return rangeSpec{}, r.rangeError(base+".."+rev, err)
	}
	return rangeSpec{include: []oid{id}, exclude: []oid{from}, text: shortRef(base) + ".." + rev}, nil
}

func shortRef(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "refs/heads/"), "refs/remotes/")
}

// defaultBase returns the full name of the ref that new commits are measured
// against when nobody says: origin/HEAD, or a branch called main, master or
// what init.defaultBranch says, of origin or local; but never rev itself,
// against which nothing would ever be new.
func (r *Repo) defaultBase(rev string) (string, error) {
	ctx := context.Background()
	names := []string{"main", "master"}
	c := &config{}
	for _, f := range userConfigFiles(r.env) {
		_ = c.load(f) // one that cannot be read names no branch
	}
	c.settings = append(c.settings, r.config.settings...)
	if n, ok := c.get("init.defaultbranch"); ok && refNameOK("refs/heads/"+n) {
		names = append(names, n)
	}
	candidates := []string{"refs/remotes/origin/HEAD"}
	for _, n := range names {
		candidates = append(candidates, "refs/remotes/origin/"+n)
	}
	for _, n := range names {
		candidates = append(candidates, "refs/heads/"+n)
	}
	self := rev
	if rev == "HEAD" || rev == "@" || rev == "" {
		if _, branch, err := r.head(ctx); err == nil {
			self = branch
		}
	}
	for _, c := range candidates {
		if c == self || strings.HasPrefix(c, "refs/heads/") && c == "refs/heads/"+self || strings.TrimPrefix(c, "refs/remotes/") == self {
			continue
		}
		if r.refExists(ctx, c) {
			return c, nil
		}
	}
	return "", &scanner.UsageError{
		What: fmt.Sprintf("cannot tell what the new commits of %s are: it follows no upstream and there is no other default branch", first(shortRef(self), "HEAD")),
		Fix:  "type `spillgate range BASE..HEAD` with the commit to start after, or `spillgate history` to scan everything",
	}
}

// refExists reports whether the ref called exactly name points to something.
func (r *Repo) refExists(ctx context.Context, name string) bool {
	if r.needGit != "" {
		_, err := r.git.output(ctx, "rev-parse", "--verify", "--quiet", name)
		return err == nil
	}
	_, ok, err := r.lookup(name, 0)
	return ok && err == nil
}
