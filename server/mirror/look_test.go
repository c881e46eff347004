package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A hub is a code host that gives repositories over HTTP, by git's own
// http-backend, and counts what it sends.
type hub struct {
	t    *testing.T
	root string
	url  string
	sent atomic.Int64
}

func newHub(t *testing.T) *hub {
	t.Helper()
	where, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{t: t, root: t.TempDir()}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(where)), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + h.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
			"PATH=" + os.Getenv("PATH"), // so that safe.directory is not asked of another user
		},
		InheritEnv: []string{"HOME"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.Header.Get("Git-Protocol"); p != "" {
			r.Header.Set("Git-Protocol", p)
		}
		backend.ServeHTTP(&counted{w, &h.sent}, r)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

func (h *hub) git(stdin io.Reader, args ...string) string {
	h.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = h.root, stdin
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository makes team/app.git with n commits, each of which changes one of
// the same eight files to other random bytes, and returns their ids.
func (h *hub) repository(n, size int) []string {
	h.t.Helper()
	h.git(nil, "init", "-q", "--bare", "-b", "main", "team/app.git")
	for _, name := range []string{"allowFilter", "allowAnySHA1InWant"} {
		h.git(nil, "-C", "team/app.git", "config", "uploadpack."+name, "true")
	}
	seeded := rand.NewChaCha8([32]byte{7})
	var in strings.Builder
	data := make([]byte, size)
	for i := range n {
		_, _ = seeded.Read(data)
		fmt.Fprintf(&in, "commit refs/heads/main\nmark :%d\ncommitter a <a@localhost> %d +0000\ndata 6\nchange\nM 100644 inline files/%d.bin\ndata %d\n%s\n",
			i+1, 1700000000+i, i%8, len(data), data)
	}
	marks := filepath.Join(h.root, "marks")
	h.git(strings.NewReader(in.String()), "-C", "team/app.git", "fast-import", "--quiet", "--export-marks="+marks)
	text, err := os.ReadFile(marks)
	if err != nil {
		h.t.Fatal(err)
	}
	ids := make([]string, n)
	for line := range strings.Lines(string(text)) {
		var i int
		var id string
		if _, err := fmt.Sscanf(line, ":%d %s", &i, &id); err != nil {
			h.t.Fatal(err)
		}
		ids[i-1] = id
	}
	return ids
}

func (h *hub) open(m *Mirrors) *Mirror {
	h.t.Helper()
	r, err := m.Open(h.t.Context(), "hub", "team/app", h.url+"/team/app.git", Login{})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// missing lists what a scan of the look would not find.
func missing(t *testing.T, l *Look) string {
	t.Helper()
	out, err := l.m.git(t.Context(), nil, "rev-list", "--objects", "--missing=print", l.Tip.ID, "--not", l.Tip.Scanned)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "?") {
			names = append(names, line)
		}
	}
	return strings.Join(names, "")
}

// TestLook measures what is fetched before the first answer: the pushed files
// alone, and nothing of the history's.
func TestLook(t *testing.T) {
	h := newHub(t)
	ids := h.repository(40, 256<<10)
	r := h.open(New(Options{Dir: t.TempDir(), Protocols: "http"}))
	defer r.Unlock()
	l, err := r.Look(t.Context(), ids[37], ids[39])
	if err != nil || l == nil {
		t.Fatalf("no look: %v", err)
	}
	looked := h.sent.Swap(0)
	if got := missing(t, l); got != "" {
		t.Errorf("missing of what was pushed: %s", got)
	}
	if got := h.sent.Load(); got != 0 {
		t.Errorf("looking at what is here fetched %d bytes one by one", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.Dir()); err == nil {
		t.Error("the look's repository is still there")
	}
	tips, here, err := r.Fetch(t.Context(), ids[39], "")
	if err != nil || !here || len(tips) != 1 || tips[0].Scanned != "" {
		t.Fatalf("after a look, the fetch gives %v, %v, %v", tips, here, err)
	}
	all := h.sent.Swap(0)
	t.Logf("a look of 2 commits fetched %d KB, all 40 are %d KB", looked>>10, all>>10)
	// Two new files of 256 KB and their two former contents.
	if looked > 4*256<<10+64<<10 || all < 40*256<<10 {
		t.Errorf("a look fetched %d bytes, all of it %d", looked, all)
	}
	if out, err := r.git(t.Context(), nil, "fsck", "--connectivity-only"); err != nil {
		t.Errorf("the mirror is not whole after a look: %v %s", err, out)
	}
	// Once something was scanned, there is nothing to hurry for.
	if err := r.Scanned(t.Context(), tips); err != nil {
		t.Fatal(err)
	}
	if l, err := r.Look(t.Context(), ids[37], ids[39]); l != nil || err != nil {
		t.Errorf("a look at what was scanned: %v, %v", l, err)
	}
}

// TestLookMerges fetches what a merge brings that none of its parents has, and
// a new branch as far as the default branch lacks it.
func TestLookMerges(t *testing.T) {
	h := newHub(t)
	ids := h.repository(10, 1<<10)
	in := fmt.Sprintf("commit refs/heads/topic\nmark :1\ncommitter a <a@localhost> 1800000000 +0000\ndata 1\nx\nfrom %s\nM 100644 inline topic.txt\ndata 6\ntopic\n\n"+
		"commit refs/heads/topic\nmark :2\ncommitter a <a@localhost> 1800000001 +0000\ndata 1\nx\nfrom :1\nmerge %s\nM 100644 inline evil.txt\ndata 5\nevil\n\n", ids[3], ids[9])
	h.git(strings.NewReader(in), "-C", "team/app.git", "fast-import", "--quiet")
	after := h.git(nil, "-C", "team/app.git", "rev-parse", "topic")
	r := h.open(New(Options{Dir: t.TempDir(), Protocols: "http"}))
	defer r.Unlock()
	l, err := r.Look(t.Context(), strings.Repeat("0", 40), after)
	if err != nil || l == nil {
		t.Fatalf("no look: %v", err)
	}
	defer l.Close()
	if l.Tip.Scanned != ids[9] {
		t.Errorf("a new branch is compared with %s, not with the default branch %s", l.Tip.Scanned, ids[9])
	}
	if got := missing(t, l); got != "" {
		t.Errorf("missing: %s", got)
	}
}

// TestNoLook leaves out what would fetch the same twice.
func TestNoLook(t *testing.T) {
	h := newHub(t)
	ids := h.repository(4, 1<<10)
	m := New(Options{Dir: t.TempDir(), Protocols: "http"})
	r := h.open(m)
	defer r.Unlock()
	if l, err := r.Look(t.Context(), "", ids[3]); l != nil || err != nil {
		t.Errorf("the push is all of the repository: %v, %v", l, err)
	}
	h.git(nil, "-C", "team/app.git", "symbolic-ref", "HEAD", "refs/heads/none")
	if l, err := r.Look(t.Context(), "", ids[3]); l != nil || err != nil {
		t.Errorf("there is no default branch: %v, %v", l, err)
	}
	h.git(nil, "-C", "team/app.git", "symbolic-ref", "HEAD", "refs/heads/main")
	h.git(nil, "-C", "team/app.git", "config", "uploadpack.allowFilter", "false")
	if l, err := r.Look(t.Context(), ids[2], ids[3]); l != nil || err != nil {
		t.Errorf("the host has no partial clones: %v, %v", l, err)
	}
	h.sent.Store(0)
	if l, err := r.Look(t.Context(), ids[2], ids[3]); l != nil || err != nil || h.sent.Load() > 0 {
		t.Errorf("asked again: %v, %v, %d bytes", l, err, h.sent.Load())
	}
	if left, _ := filepath.Glob(filepath.Join(m.options.Dir, "*.look")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestTooLargeEndsTheFetch measures while git writes: the disk does not fill up
// before the limit is noticed.
func TestTooLargeEndsTheFetch(t *testing.T) {
	h := newHub(t)
	h.repository(40, 256<<10)
	m := New(Options{Dir: t.TempDir(), Protocols: "http", MaxBytes: 1 << 20})
	r := h.open(m)
	defer r.Unlock()
	_, _, err := r.Fetch(t.Context(), "", "")
	var large *TooLarge
	if !errors.As(err, &large) || large.Limit != 1<<20 {
		t.Fatalf("got %v", err)
	}
	if size, err := sizeOf(m.options.Dir); err != nil || size > 1<<20 {
		t.Errorf("%d bytes are left, %v", size, err)
	}
}

// TestRoom empties the mirror that was not used for the longest time, and
// remembers what was scanned of it.
func TestRoom(t *testing.T) {
	h := newHub(t)
	ids := h.repository(8, 64<<10)
	m := New(Options{Dir: t.TempDir(), Protocols: "http", TotalBytes: 900 << 10})
	fetch := func(name string) []Tip {
		t.Helper()
		r, err := m.Open(t.Context(), "hub", name, h.url+"/team/app.git", Login{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Unlock()
		tips, _, err := r.Fetch(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Scanned(t.Context(), tips); err != nil {
			t.Fatal(err)
		}
		return tips
	}
	for _, name := range []string{"team/one", "team/two", "team/three"} {
		if tips := fetch(name); len(tips) != 1 {
			t.Fatalf("%s: %v", name, tips)
		}
	}
	total, err := m.total()
	whole, _ := filepath.Glob(filepath.Join(m.options.Dir, "*.git"))
	kept, _ := filepath.Glob(filepath.Join(m.options.Dir, "*.scanned"))
	if err != nil || len(whole) != 2 || len(kept) != 1 {
		t.Fatalf("%d mirrors of %d bytes, %d emptied, %v", len(whole), total, len(kept), err)
	}
	// Emptied, and as if it had never been: nothing is scanned twice.
	if tips := fetch("team/one"); len(tips) != 0 {
		t.Errorf("after it was emptied: %v", tips)
	}
	h.git(nil, "-C", "team/app.git", "update-ref", "refs/heads/main", ids[3])
	h.git(nil, "-C", "team/app.git", "update-ref", "refs/heads/old", ids[5])
	if tips := fetch("team/two"); len(tips) != 2 {
		t.Errorf("the host's refs have changed while the mirror was empty: %v", tips)
	}
}

// TestLeftovers goes on after git was killed in the middle.
func TestLeftovers(t *testing.T) {
	h := newHub(t)
	h.repository(2, 1<<10)
	h.git(nil, "-C", "team/app.git", "update-ref", "refs/heads/tmp_branch", "main")
	m := New(Options{Dir: t.TempDir(), Protocols: "http"})
	r := h.open(m)
	tips, _, err := r.Fetch(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"packed-refs.lock", "objects/pack/tmp_pack_x", scannedRef(tips[0].Ref) + ".lock"} {
		name = filepath.Join(r.Dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	r.Unlock()
	r = h.open(m)
	defer r.Unlock()
	if err := r.Scanned(t.Context(), tips); err != nil {
		t.Error(err)
	}
	if tips, _, err := r.Fetch(t.Context(), "", ""); err != nil || len(tips) != 0 {
		t.Errorf("%v, %v", tips, err)
	}
}

// TestPushedOver holds that a commit which only the push over it names stays to be
// scanned until it was, also by a process that starts after another was killed.
func TestPushedOver(t *testing.T) {
	h := newHub(t)
	ids := h.repository(4, 1<<10)
	h.git(nil, "-C", "team/app.git", "update-ref", "refs/heads/main", ids[1])
	m := New(Options{Dir: t.TempDir(), Protocols: "http"})
	fetch := func(before string) (*Mirror, []Tip) {
		t.Helper()
		r := h.open(m)
		tips, _, err := r.Fetch(t.Context(), ids[1], before)
		if err != nil {
			t.Fatal(err)
		}
		return r, tips
	}
	r, tips := fetch("")
	if err := r.Scanned(t.Context(), tips); err != nil || !r.Covers(t.Context(), ids[1], ids[0]) || r.Covers(t.Context(), ids[1], ids[3]) {
		t.Errorf("%v; what was scanned is not told from what was not", err)
	}
	r.Unlock()
	for _, before := range []string{ids[3], ids[3], ""} { // the first two are killed
		r, tips = fetch(before)
		if len(tips) != 1 || tips[0].ID != ids[3] || !tips[0].Pushed || r.Covers(t.Context(), ids[1], ids[3]) {
			t.Fatalf("the tips are %v", tips)
		}
		r.Unlock()
	}
	r = h.open(m)
	if err := r.Scanned(t.Context(), tips); err != nil || !r.Covers(t.Context(), ids[1], ids[3]) {
		t.Errorf("%v; what was scanned is not covered", err)
	}
	r.Unlock()
	r, tips = fetch(ids[3])
	defer r.Unlock()
	if len(tips) != 0 {
		t.Errorf("scanned again: %v", tips)
	}
}

// TestOrphan shows that a mirror waits for a process that a killed server has
// left at work in it.
func TestOrphan(t *testing.T) {
	h := newHub(t)
	h.repository(1, 1<<10)
	m := New(Options{Dir: t.TempDir(), Protocols: "http"})
	r := h.open(m)
	child := exec.Command("sleep", "600")
	child.ExtraFiles = []*os.File{r.Lock}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	r.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error)
	go func() {
		r, err := New(Options{Dir: m.options.Dir, Protocols: "http"}).Open(ctx, "hub", "team/app", h.url+"/team/app.git", Login{})
		if err == nil {
			r.Unlock()
		}
		got <- err
	}()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("a locked mirror was opened: %v", err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	h.open(m).Unlock()
}

// TestMaintain joins what many fetches left, and loses nothing.
func TestMaintain(t *testing.T) {
	h := newHub(t)
	ids := h.repository(maxPacks*2+4, 256)
	m := New(Options{Dir: t.TempDir(), Protocols: "http"})
	r := h.open(m)
	defer r.Unlock()
	r.config = [][2]string{{"fetch.unpackLimit", "1"}} // a pack for each fetch, as large pushes make
	did := 0
	for i, id := range ids {
		h.git(nil, "-C", "team/app.git", "update-ref", "refs/heads/main", id)
		tips, _, err := r.Fetch(t.Context(), "", "")
		if err != nil || len(tips) != 1 || tips[0].ID != id {
			t.Fatalf("push %d: %v, %v", i, tips, err)
		}
		if err := r.Scanned(t.Context(), tips); err != nil {
			t.Fatal(err)
		}
		ok, err := r.Maintain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			did++
		}
	}
	packs, _ := filepath.Glob(filepath.Join(r.Dir, "objects", "pack", "*.pack"))
	if did == 0 || did > 4 || len(packs) > maxPacks {
		t.Errorf("put in order %d times, %d packs are left", did, len(packs))
	}
	if _, err := r.git(t.Context(), nil, "fsck", "--full"); err != nil {
		t.Error(err)
	}
	if out, err := r.git(t.Context(), nil, "rev-list", "--count", ids[len(ids)-1]); err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(len(ids)) {
		t.Errorf("%s commits, %v", out, err)
	}
}
