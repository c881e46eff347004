package pack

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// run runs git in dir, away from the user's configuration, and returns what it
// prints.
func gitRun(t testing.TB, dir string, stdin []byte, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "GIT_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+dir,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return string(out)
}

// words that the histories below are full of, so that there is something to
// find, also across the seams of deltas.
var words = []string{"alpha", "beta", "gammagamma", "aaaa", "arn:aws:kms:", "x", "=", "\"", "longest-of-all-literals", " ", "\n", "\t", "ab", "abab"}

// history returns a fast-import stream of commits with many similar versions
// of a few files: lines are inserted, removed, moved and doubled.
func history(commits, files, lines int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	line := func() string {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			b.WriteString(words[r.IntN(len(words))])
			if r.IntN(3) == 0 {
				fmt.Fprint(&b, r.Uint32())
			}
		}
		return b.String() + "\n"
	}
	texts := make([][]string, files)
	for i := range texts {
		for range lines {
			texts[i] = append(texts[i], line())
		}
	}
	var out bytes.Buffer
	for c := range commits {
		fmt.Fprintf(&out, "commit refs/heads/main\nmark :%d\ncommitter A <a@example.com> %d +0000\ndata 7\nmessage\n", c+1, 1_500_000_000+c)
		if c > 20 && c%17 == 0 {
			fmt.Fprintf(&out, "merge :%d\n", c-10)
		}
		for i := range texts {
			if c > 0 && r.IntN(3) > 0 {
				continue
			}
			t := texts[i]
			for range 1 + r.IntN(3) {
				at, n := r.IntN(len(t)), 1+r.IntN(5)
				piece := append([]string(nil), t[at:min(at+n, len(t))]...)
				rest := append(append([]string(nil), t[:at]...), t[min(at+n, len(t)):]...)
				switch to := r.IntN(len(rest) + 1); r.IntN(4) {
				case 0: // move
					t = append(append(append([]string(nil), rest[:to]...), piece...), rest[to:]...)
				case 1: // double
					t = append(append(append([]string(nil), t[:at]...), piece...), t[at:]...)
				case 2:
					t = append(append(append([]string(nil), t[:at]...), line()), t[at:]...)
				default:
					if len(rest) > lines/2 {
						t = rest
					}
				}
			}
			texts[i] = t
			text := strings.Join(t, "")
			fmt.Fprintf(&out, "M 100644 inline dir%d/file%d\ndata %d\n%s\n", i%3, i, len(text), text)
		}
	}
	out.WriteString("tag v1\nfrom :1\ntagger A <a@example.com> 1500000000 +0000\ndata 3\ntag\n")
	return out.Bytes()
}

// newRepo returns the object folder of a repository with such a history,
// packed in long chains.
func newRepo(t testing.TB, commits, files, lines int, format string) (repo, objects string) {
	t.Helper()
	repo = t.TempDir()
	gitRun(t, repo, nil, "init", "-q", "--bare", "--object-format="+format, ".")
	gitRun(t, repo, history(commits, files, lines, 7), "fast-import", "--quiet")
	gitRun(t, repo, nil, "-c", "pack.threads=1", "repack", "-adfq", "--depth=250", "--window=20")
	return repo, filepath.Join(repo, "objects")
}

// object is what git says of an object.
type object struct {
	kind Kind
	size int64
}

// listed returns all objects of repo as git lists them.
func listed(t testing.TB, repo string) map[ID]object {
	t.Helper()
	all := map[ID]object{}
	lines := bufio.NewScanner(strings.NewReader(gitRun(t, repo, nil, "cat-file", "--batch-check", "--batch-all-objects")))
	for lines.Scan() {
		var name, kind string
		var o object
		if _, err := fmt.Sscan(lines.Text(), &name, &kind, &o.size); err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		id, err := ParseID(name)
		if err != nil {
			t.Fatal(err)
		}
		o.kind = parseKind(kind)
		all[id] = o
	}
	return all
}

func openStore(t testing.TB, opts Options) *Store {
	t.Helper()
	s, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// naive is an Anchorer that compares every literal at every position.
type naive []string

func (n naive) LongestLiteral() (longest int) {
	for _, l := range n {
		longest = max(longest, len(l))
	}
	return longest
}

func (n naive) Anchors(dst []rules.Anchor, data []byte, from, to int) []rules.Anchor {
	for pos := from; pos < to; pos++ {
		for i, l := range n {
			if len(l) <= len(data)-pos && string(data[pos:pos+len(l)]) == l {
				dst = append(dst, rules.Anchor{Pos: pos, Literal: uint16(i)})
			}
		}
	}
	return dst
}

// literals overlap one another and themselves.
var literals = naive{"alpha", "amma", "aaa", "arn:aws:", "longest-of-all-literals", "ab", "abab\"", "x=\"", "\nx", "a"}

// sweepAll sweeps s and hands each object to f, one at a time.
func sweepAll(t testing.TB, s *Store, opts SweepOptions, f func(*Swept)) {
	t.Helper()
	var mu sync.Mutex
	if err := s.Sweep(context.Background(), opts, func(_ int, o *Swept) error {
		mu.Lock()
		defer mu.Unlock()
		f(o)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// packFiles returns the packs in folder objects.
func packFiles(t testing.TB, objects string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(objects, "pack", "pack-*.pack"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no packs in %s: %v", objects, err)
	}
	sort.Strings(all)
	return all
}
