package ci

import (
	"context"
	"os"
	"strings"
	"testing"
)

// partial makes a remote that gives single objects, and a partial clone of it.
func partial(t *testing.T, filter string) (*lab, *Clone) {
	l := newLab(t)
	l.git(l.remote, "config", "uploadpack.allowFilter", "true")
	l.git(l.remote, "config", "uploadpack.allowAnySHA1InWant", "true")
	return l, l.clone("--no-checkout", "--filter="+filter)
}

// lacking counts what the clone lacks of the objects that revs reach.
func (l *lab) lacking(c *Clone, revs ...string) int {
	l.t.Helper()
	return strings.Count("\n"+l.git(c.Dir, append([]string{"rev-list", "--objects", "--missing=print"}, revs...)...), "\n?")
}

// TestPreparePartial: what the scan reads is fetched, at once and no more of
// it: the blobs of the range, those that they replace, or all.
func TestPreparePartial(t *testing.T) {
	for _, filter := range []string{"blob:none", "blob:limit=1", "tree:0"} {
		t.Run(filter, func(t *testing.T) {
			l, c := partial(t, filter)
			all := l.lacking(c, "--all")
			p := &Plan{Head: l.rev("main"), Bases: []string{l.rev("main~20")}, PullRequest: true}
			r, err := c.Prepare(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			if n := l.lacking(c, strings.Fields(r.Spec)...); n != 0 {
				t.Errorf("%d objects of the range are missing", n)
			}
			// the blob before the range's first, by which new lines are told
			if _, err := c.gitInput(context.Background(), "", offline(), "cat-file", "-e", l.rev("main~20:main")); err != nil {
				t.Errorf("what the range replaces is missing: %v", err)
			}
			if len(l.notes) != 1 || !strings.HasPrefix(l.notes[0], "fetched ") || !strings.HasSuffix(l.notes[0], " objects, which the partial clone lacked") {
				t.Errorf("notes %q", l.notes)
			}
			if n := l.lacking(c, "main~30"); n == 0 || n >= all {
				t.Errorf("%d objects before the range are missing, at first %d: all of them were fetched", n, all)
			}
			if _, err := c.Prepare(context.Background(), p); err != nil || len(l.notes) != 1 && filter != "tree:0" {
				t.Errorf("again: %v, notes %q", err, l.notes)
			}
			if _, err := c.Prepare(context.Background(), &Plan{Scope: Everything}); err != nil {
				t.Fatal(err)
			}
			if n := l.lacking(c, "--all"); n != 0 {
				t.Errorf("%d objects of the history are missing", n)
			}
		})
	}
}

// TestPreparePartialFails: nothing is fetched where that is forbidden, and a
// remote that gives nothing is an error with a way out.
func TestPreparePartialFails(t *testing.T) {
	l, c := partial(t, "blob:none")
	p := &Plan{Head: l.rev("main"), Bases: []string{l.rev("main~3")}}
	before := l.lacking(c, "--all")
	c.NoFetch = true
	if _, err := c.Prepare(context.Background(), p); err != nil || l.lacking(c, "--all") != before || len(l.notes) > 0 {
		t.Errorf("%v, notes %q", err, l.notes)
	}
	c.NoFetch = false
	if err := os.Rename(l.remote, l.remote+"2"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Plan{p, {Scope: Everything}} {
		if r, err := c.Prepare(context.Background(), p); err == nil || !strings.Contains(err.Error(), "git fetch: exit status 128: fatal: ") || !strings.Contains(err.Error(), wholeClone) {
			t.Errorf("%v, %v", r, err)
		}
	}
}

// TestWholeHistory: each system's own line is named where commits are missing.
func TestWholeHistory(t *testing.T) {
	seen := map[string]bool{}
	for _, system := range append(Systems(), "") {
		line := wholeHistory(system)
		if !strings.HasSuffix(line, "or run `git fetch --unshallow` before") || seen[line] {
			t.Errorf("%s: %q", system, line)
		}
		seen[line] = true
	}
	l := newLab(t)
	c := l.clone("--depth=1")
	c.NoFetch = true
	_, err := c.Prepare(context.Background(), &Plan{System: "GitLab CI", Scope: Everything})
	if err == nil || !strings.Contains(err.Error(), "GIT_DEPTH: 0") || strings.Contains(err.Error(), "fetch-depth") {
		t.Error(err)
	}
}
