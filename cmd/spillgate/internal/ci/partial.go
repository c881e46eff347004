package ci

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A partial clone (git clone --filter) leaves out blobs or trees, and git
// fetches each when it is needed: a request an object. The scan fetches
// nothing, so what it will read is fetched here in as few requests as there are
// layers of what is missing.

// offline keeps git from fetching objects one by one. Versions before 2.45 know
// only the second.
func offline() []string { return []string{"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none"} }

// maxRounds bounds how often what is missing is looked for and fetched. A clone
// without trees needs two rounds, and another one to see that nothing is left.
const maxRounds = 20

// fill fetches the objects of r that a partial clone lacks, and those that its
// changes are compared with.
func (c *Clone) fill(ctx context.Context, r *Range) error {
	filter, partial := c.filter(ctx)
	if !partial || r.Nothing {
		return nil
	}
	fetched, reach := 0, []string{"--all", "HEAD"}
	if !r.Everything {
		reach = strings.Fields(r.Spec)
		if !strings.HasPrefix(filter, "blob:") {
			n, err := c.fillTrees(ctx, reach)
			if err != nil {
				return err
			}
			fetched += n
		}
	}
	for range maxRounds {
		missing, err := c.missing(ctx, "", reach...)
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			if err := c.fetchObjects(ctx, missing); err != nil {
				return err
			}
			fetched += len(missing)
			continue
		}
		if !r.Everything {
			n, err := c.fillOld(ctx, reach)
			if err != nil {
				return err
			}
			fetched += n
		}
		if fetched > 0 {
			c.note("fetched %d objects, which the partial clone lacked", fetched)
		}
		return nil
	}
	return fmt.Errorf("the clone is partial, and the remote does not give what it lacks: %s", wholeClone)
}

// wholeClone is the way out where a remote gives no single objects.
const wholeClone = "clone without a filter, or run `git fetch --refetch --no-filter` before"

// filter returns what the clone leaves out, and whether it leaves out anything
// (https://git-scm.com/docs/partial-clone).
func (c *Clone) filter(ctx context.Context) (string, bool) {
	key := "remote." + c.remote() + "."
	promisor, _ := c.git(ctx, "config", "--type=bool", "--get", key+"promisor")
	old, _ := c.git(ctx, "config", "--get", "extensions.partialClone")
	filter, _ := c.git(ctx, "config", "--get", key+"partialclonefilter")
	return strings.TrimSpace(filter), strings.TrimSpace(promisor) == "true" || strings.TrimSpace(old) != ""
}

// words returns the words that a command of git prints, without fetching.
func (c *Clone) words(ctx context.Context, input string, args ...string) (map[string]bool, error) {
	out, err := c.gitInput(ctx, input, offline(), args...)
	if err != nil {
		return nil, fmt.Errorf("listing what the partial clone needs: %w", err)
	}
	words := map[string]bool{}
	for word := range strings.FieldsSeq(out) {
		words[word] = true
	}
	return words, nil
}

// lines returns ids as the input of a command, in an order that does not change.
func lines(ids map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(ids)), "\n") + "\n"
}

// missing returns the ids of objects that are reached and not here.
func (c *Clone) missing(ctx context.Context, input string, reach ...string) (map[string]bool, error) {
	out, err := c.gitInput(ctx, input, offline(), append([]string{"rev-list", "--objects", "--missing=print"}, reach...)...)
	if err != nil {
		return nil, fmt.Errorf("listing what the partial clone lacks: %w; %s", err, wholeClone)
	}
	ids := map[string]bool{}
	for line := range strings.Lines(out) {
		if id, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "?"); ok {
			ids[id] = true
		}
	}
	return ids, nil
}

// fetchObjects fetches objects by their ids in one request. It is the call that
// git makes for one object; trees bring those below them.
func (c *Clone) fetchObjects(ctx context.Context, ids map[string]bool) error {
	_, err := c.gitInput(ctx, lines(ids), nil, "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet",
		"--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin", c.remote())
	if err != nil {
		return fmt.Errorf("fetching %d objects that the partial clone lacks: %w; %s", len(ids), err, wholeClone)
	}
	return nil
}

// fillTrees fetches the trees of the commits of spec and of their parents,
// without which nothing tells what changed, and returns how many commits that
// were.
func (c *Clone) fillTrees(ctx context.Context, spec []string) (int, error) {
	commits, err := c.words(ctx, "", append([]string{"rev-list", "--parents"}, spec...)...)
	if err != nil || len(commits) == 0 {
		return 0, err
	}
	roots, err := c.words(ctx, lines(commits), "log", "--no-walk=unsorted", "--format=%T", "--stdin")
	if err != nil {
		return 0, err
	}
	return len(roots), c.fetchObjects(ctx, roots)
}

// fillOld fetches the blobs that the commits of spec replace, by which new lines
// are told from old ones, and returns how many they were.
func (c *Clone) fillOld(ctx context.Context, spec []string) (int, error) {
	parents, err := c.words(ctx, "", append([]string{"log", "--format=%P"}, spec...)...)
	if err != nil || len(parents) == 0 {
		return 0, err
	}
	raw, err := c.gitInput(ctx, "", offline(), append([]string{"log", "--raw", "-m", "--no-abbrev", "--no-renames", "--no-ext-diff", "--format=", "-z"}, spec...)...)
	if err != nil {
		return 0, fmt.Errorf("listing the changes to scan: %w; %s", err, wholeClone)
	}
	missing, err := c.missing(ctx, lines(parents), "--no-walk=unsorted", "--stdin")
	if err != nil {
		return 0, err
	}
	old := map[string]bool{}
	for field := range strings.SplitSeq(raw, "\x00") {
		// :old mode, new mode, old id, new id, status; the path is a field of its own
		if words := strings.Fields(field); len(words) == 5 && words[0][0] == ':' && missing[words[2]] {
			old[words[2]] = true
		}
	}
	if len(old) == 0 {
		return 0, nil
	}
	return len(old), c.fetchObjects(ctx, old)
}
