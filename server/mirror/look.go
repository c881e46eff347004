package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// partialRemote is the name of the remote of a partial clone. Its URL is in
// git's environment, as credentials are.
const partialRemote = "host"

// Look fetches what a push brought and little else, into a repository beside
// the mirror that Close removes: all commits and trees, and of the files those
// that the pushed commits changed, in one batch. It is for a repository that
// has no mirror yet, whose history may take hours: what was just pushed is
// looked at first, and the people told, and then all of it.
//
// A look proves nothing: it never says that something was scanned, and the
// mirror is fetched and scanned as a whole after it. Where the host has no
// partial clones, the repository is not new, or the push is all of it, there is
// no look: it is nil.
func (r *Mirror) Look(ctx context.Context, before, after string) (*Look, error) {
	host := hostOf(r.url)
	r.mirrors.mu.Lock()
	no := r.mirrors.noLook[host]
	r.mirrors.mu.Unlock()
	if r.options.NoLook || no || after == "" || !r.isNew(ctx) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	l := &Look{m: &Mirror{
		Dir: strings.TrimSuffix(r.Dir, ".git") + ".look", Lock: r.Lock, mirrors: r.mirrors, options: r.options, url: r.url, login: r.login,
		config: [][2]string{
			{"remote." + partialRemote + ".url", r.url}, {"remote." + partialRemote + ".promisor", "true"},
			{"remote." + partialRemote + ".partialclonefilter", "blob:none"},
			// What was left out is asked for by name, and not bargained about.
			{"fetch.negotiationAlgorithm", "noop"},
		},
	}}
	watched, stop := l.m.watch(ctx)
	defer stop()
	err := l.fetch(watched, before, after)
	if errors.Is(err, errNoFilter) {
		r.mirrors.mu.Lock()
		r.mirrors.noLook[host] = true
		r.mirrors.mu.Unlock()
		err = nil
	} else if err == nil && l.Tip.ID != "" {
		return l, nil
	}
	return nil, errors.Join(err, l.Close())
}

// A Look is a partial clone of what a push brought. Close it.
type Look struct {
	// Tip is what was pushed and what the host had before.
	Tip Tip
	m   *Mirror
}

// Dir is the bare repository.
func (l *Look) Dir() string { return l.m.Dir }

// Close removes the repository.
func (l *Look) Close() error { return os.RemoveAll(l.m.Dir) }

// isNew reports whether nothing of the repository was scanned yet.
func (r *Mirror) isNew(ctx context.Context) bool {
	if _, err := os.Stat(scannedFile(r.Dir)); err == nil {
		return true // emptied: its history has to be fetched again
	}
	out, err := r.git(ctx, nil, "for-each-ref", "--count=1", scanned)
	return err == nil && len(out) == 0
}

var errNoFilter = errors.New("the host has no partial clones")

// fetch brings the commits, finds which files they changed, and brings those.
func (l *Look) fetch(ctx context.Context, before, after string) error {
	if err := os.RemoveAll(l.m.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(l.m.Dir, 0o700); err != nil {
		return err
	}
	if _, err := l.m.git(ctx, nil, "init", "--quiet", "--bare", "--template=", "."); err != nil {
		return err
	}
	if strings.Trim(before, "0") == "" {
		before = "HEAD" // a new branch: what the default branch lacks
	}
	const base = scanned + "base"
	refs := []string{"+" + after + ":" + incoming + "pushed", "+" + before + ":" + base}
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--filter=blob:none", partialRemote}
	_, warned, err := l.m.run(ctx, nil, append(args, refs...)...)
	switch {
	case err != nil && before == "HEAD" && strings.Contains(err.Error(), "couldn't find remote ref HEAD"):
		return nil // there is no default branch yet: the push is all that there is
	case err != nil:
		return err
	case strings.Contains(warned, "filtering not recognized"):
		return errNoFilter
	}
	tip, err := l.m.git(ctx, nil, "rev-parse", "--verify", base)
	if err != nil {
		return err
	}
	need, err := l.changed(ctx, after)
	if err != nil || need.Len() == 0 {
		return err
	}
	if _, err := l.m.git(ctx, need, append(args[:len(args)-1], "--stdin", partialRemote)...); err != nil {
		return err
	}
	l.Tip = Tip{ID: after, Scanned: strings.TrimSpace(string(tip)), Pushed: true}
	return nil
}

// changed lists the files that the pushed commits brought, and what each was
// before: a scan compares them.
func (l *Look) changed(ctx context.Context, after string) (*bytes.Buffer, error) {
	commits, err := l.m.git(ctx, nil, "rev-list", after, "--not", "--glob="+scanned+"*")
	if err != nil {
		return nil, err
	}
	if len(commits) == 0 {
		return new(bytes.Buffer), nil
	}
	// -c lists of a merge what is in none of its parents.
	raw, err := l.m.git(ctx, bytes.NewBuffer(commits), "diff-tree", "--stdin", "--root", "-c", "-r", "--raw", "--no-abbrev", "--no-renames", "-z", "--no-commit-id")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	out := new(bytes.Buffer)
	for field := range strings.SplitSeq(string(raw), "\x00") {
		modes, ok := strings.CutPrefix(field, ":")
		if !ok {
			continue // a path
		}
		// Modes, then ids, of each parent and of the commit.
		words := strings.Fields(strings.TrimLeft(modes, ":"))
		half := len(words) / 2
		for i, id := range words[half:max(half, len(words)-1)] {
			if words[i] == "160000" || strings.Trim(id, "0") == "" || seen[id] {
				continue
			}
			seen[id] = true
			fmt.Fprintln(out, id)
		}
	}
	return out, nil
}
