package ci

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A lab is a remote, and a shallow or whole clone of it as a CI system makes
// it.
type lab struct {
	t      *testing.T
	dir    string
	remote string
	notes  []string
}

// git runs git in dir and returns what it prints.
func (l *lab) git(dir string, args ...string) string {
	l.t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		l.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// newLab makes a remote with 160 commits on main and 3 on topic, which left
// main before its last one.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir()}
	l.remote = filepath.Join(l.dir, "remote")
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(l.dir, "gitconfig"))
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		t.Setenv(name, "")
		_ = os.Unsetenv(name)
	}
	config := "[user]\n\tname = T\n\temail = t@example.org\n[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n"
	if err := os.WriteFile(filepath.Join(l.dir, "gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	l.git(l.dir, "init", "-q", l.remote)
	l.commits("refs/heads/main", "", 160)
	l.commits("refs/heads/topic", "main~1", 3)
	l.git(l.remote, "checkout", "-q", "main")
	return l
}

// commits adds n commits to a ref.
func (l *lab) commits(ref, from string, n int) string {
	l.t.Helper()
	var b strings.Builder
	for i := range n {
		b.WriteString("commit " + ref + "\ncommitter T <t@example.org> 1700000000 +0000\ndata 1\nm\n")
		if i == 0 && from != "" {
			b.WriteString("from " + l.git(l.remote, "rev-parse", from) + "\n")
		}
		b.WriteString("M 644 inline " + filepath.Base(ref) + "\ndata 4\n" + string([]byte{'a' + byte(i%26), 'a' + byte(i/26), byte('0' + n%10), '\n'}) + "\n")
	}
	c := exec.Command("git", "fast-import", "--quiet", "--force")
	c.Dir, c.Stdin = l.remote, strings.NewReader(b.String())
	if out, err := c.CombinedOutput(); err != nil {
		l.t.Fatalf("git fast-import: %v: %s", err, out)
	}
	return l.git(l.remote, "rev-parse", ref)
}

// clone makes a clone.
func (l *lab) clone(args ...string) *Clone {
	l.t.Helper()
	dir := filepath.Join(l.dir, "clone")
	l.git(l.dir, append(append([]string{"clone", "-q"}, args...), "file://"+l.remote, dir)...)
	l.notes = nil
	return &Clone{Dir: dir, Note: func(s string) { l.notes = append(l.notes, s) }}
}

// count returns how many commits r has in clone c.
func (l *lab) count(c *Clone, r *Range) string {
	l.t.Helper()
	if r.Everything {
		return l.git(c.Dir, "rev-list", "--count", "--all")
	}
	return l.git(c.Dir, append([]string{"rev-list", "--count"}, strings.Fields(r.Spec)...)...)
}

func (l *lab) rev(name string) string { return l.git(l.remote, "rev-parse", name) }

func TestPrepare(t *testing.T) {
	shallow := []string{"--depth=1"}
	for _, c := range []struct {
		name  string
		clone []string
		plan  func(l *lab) *Plan
		want  string // commits
		note  string // a note, or part of it
	}{
		{"pull request, whole clone", nil, func(l *lab) *Plan {
			return &Plan{Head: l.rev("topic"), Bases: []string{l.rev("main")}, PullRequest: true}
		}, "3", ""},
		{"pull request, shallow clone of the target", shallow, func(l *lab) *Plan {
			return &Plan{Head: l.rev("topic"), Bases: []string{l.rev("main")}, PullRequest: true}
		}, "3", "fetched "},
		{"pull request, shallow clone of its branch", []string{"--depth=1", "--branch=topic"}, func(l *lab) *Plan {
			return &Plan{Head: l.rev("topic"), Targets: []string{"main"}, PullRequest: true}
		}, "3", "fetched the branch main"},
		{"push of many commits, shallow clone", shallow, func(l *lab) *Plan {
			return &Plan{Head: l.rev("main"), Bases: []string{l.rev("main~120")}, Branch: "main", Default: "main"}
		}, "120", "--deepen=100"},
		{"push of nothing", shallow, func(l *lab) *Plan {
			return &Plan{Head: l.rev("main"), Bases: []string{l.rev("main")}}
		}, "0", ""},
		{"new branch, shallow clone", []string{"--depth=1", "--branch=topic"}, func(l *lab) *Plan {
			return &Plan{Scope: NewRef, Head: l.rev("topic"), Branch: "topic", Default: "main"}
		}, "3", "fetched the branch main"},
		{"new branch, the default branch unknown", []string{"--depth=1", "--branch=topic"}, func(l *lab) *Plan {
			return &Plan{Scope: NewRef, Head: "HEAD", Branch: "topic"}
		}, "3", "fetched the branch main"},
		{"the default branch itself, unknown", nil, func(l *lab) *Plan {
			return &Plan{Scope: NewRef, Head: "HEAD", Branch: "main"}
		}, "163", "everything is scanned"},
		{"a fork's branch called as the default branch", nil, func(l *lab) *Plan {
			return &Plan{Scope: NewRef, Head: l.rev("topic"), Branch: "main", Default: "main", PullRequest: true}
		}, "3", ""},
		{"force push whose old commit the remote still has", []string{"--branch=topic"}, func(l *lab) *Plan {
			old := l.rev("topic")
			head := l.commits("refs/heads/topic", "main~1", 2)
			l.git(filepath.Join(l.dir, "clone"), "fetch", "-q", "origin", "+topic:refs/remotes/origin/topic")
			return &Plan{Head: head, Bases: []string{old}, Branch: "topic", Default: "main"}
		}, "2", ""},
		{"force push whose old commit is gone", nil, func(l *lab) *Plan {
			return &Plan{Head: l.rev("topic"), Bases: []string{idBase}, Branch: "topic", Default: "main"}
		}, "3", "is gone"},
		{"force push of the default branch", nil, func(l *lab) *Plan {
			return &Plan{Head: l.rev("main"), Bases: []string{idBase}, Branch: "main", Default: "main"}
		}, "163", "everything is scanned"},
		{"schedule, shallow clone", shallow, func(l *lab) *Plan { return &Plan{Scope: Everything} }, "160", "fetched the whole history"},
		{"head that only its ref leads to", shallow, func(l *lab) *Plan {
			l.git(l.remote, "update-ref", "refs/pull/7/head", "topic")
			l.git(l.remote, "branch", "-q", "-D", "topic")
			return &Plan{Head: l.rev("refs/pull/7/head"), HeadRef: "refs/pull/7/head", Bases: []string{l.rev("main")}, PullRequest: true}
		}, "3", "fetched "},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			clone := l.clone(c.clone...)
			r, err := clone.Prepare(context.Background(), c.plan(l))
			if err != nil {
				t.Fatal(err)
			}
			if got := l.count(clone, r); got != c.want {
				t.Errorf("%s: %s commits, want %s", r, got, c.want)
			}
			if notes := strings.Join(l.notes, "\n"); !strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// TestPrepareWithoutFetching: what is missing is an error that says what to
// change, and nothing is fetched.
func TestPrepareWithoutFetching(t *testing.T) {
	l := newLab(t)
	clone := l.clone("--depth=1")
	clone.NoFetch = true
	before := l.git(clone.Dir, "count-objects", "-v")
	for name, p := range map[string]*Plan{
		"head":   {Head: l.rev("topic"), Bases: []string{l.rev("main")}},
		"base":   {Head: "HEAD", Bases: []string{l.rev("main~1")}},
		"target": {Head: "HEAD", Targets: []string{"topic"}},
		"new":    {Scope: NewRef, Head: "HEAD", Branch: "x", Default: "topic"},
		"all":    {Scope: Everything},
	} {
		if r, err := clone.Prepare(context.Background(), p); err == nil || !strings.Contains(err.Error(), "git fetch --unshallow") {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	if after := l.git(clone.Dir, "count-objects", "-v"); after != before {
		t.Errorf("something was fetched: %s, before %s", after, before)
	}
	// A cut inside the range, both ends of which are here.
	l.git(clone.Dir, "fetch", "-q", "--depth=1", "origin", "topic")
	p := &Plan{Head: l.rev("topic"), Bases: []string{l.rev("main")}}
	if r, err := clone.Prepare(context.Background(), p); err == nil || !strings.Contains(err.Error(), "is shallow and cut at") {
		t.Errorf("%v, %v", r, err)
	}
}

// TestPrepareWithoutRemote: a remote that is away is an error, not less.
func TestPrepareWithoutRemote(t *testing.T) {
	l := newLab(t)
	clone := l.clone("--depth=1")
	p := &Plan{Head: "HEAD", Bases: []string{l.rev("main~5")}, Branch: "main", Default: "main"}
	if err := os.Rename(l.remote, l.remote+"2"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Plan{p, {Scope: Everything}, {Head: "HEAD", Targets: []string{"topic"}}} {
		if r, err := clone.Prepare(context.Background(), p); err == nil || !strings.Contains(err.Error(), "git fetch --unshallow") {
			t.Errorf("%v, %v", r, err)
		}
	}
}

func TestReasonHidesCredentials(t *testing.T) {
	in := "x\nfatal: unable to access 'https://user:" + "word@git.example.com/o/r/': nothing"
	if got := reason(in); got != "fatal: unable to access 'https://git.example.com/o/r/': nothing" {
		t.Error("the line holds a credential or lost its text")
	}
	for _, s := range []string{"", "fatal: a@b", "see https://example.com/a@b"} {
		if reason(s) != s {
			t.Errorf("%q became %q", s, reason(s))
		}
	}
}
