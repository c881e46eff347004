package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/mirror"
	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/worker"
)

// program is spillgate, built once for all tests of the package.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "spillgate")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "spillgate")
	build := exec.Command("go", "build", "-o", program, "./cmd/spillgate")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building spillgate: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// A host is a code host in a folder: one repository that a developer pushes
// to.
type host struct {
	t         *testing.T
	bare, dev string
}

func newHost(t *testing.T) *host {
	h := &host{t, filepath.Join(t.TempDir(), "host.git"), filepath.Join(t.TempDir(), "dev")}
	h.run("", "init", "-q", "--bare", "-b", "main", h.bare)
	h.run("", "-C", h.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
	h.run("", "clone", "-q", h.bare, h.dev)
	return h
}

func (h *host) run(stdin string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes a file and commits it on the branch.
func (h *host) commit(branch, path, text string) string {
	h.t.Helper()
	h.run("", "-C", h.dev, "checkout", "-q", "-B", branch)
	if err := os.WriteFile(filepath.Join(h.dev, path), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.run("", "-C", h.dev, "add", "-A")
	h.run("", "-C", h.dev, "commit", "-q", "-m", "change "+path)
	return h.run("", "-C", h.dev, "rev-parse", "HEAD")
}

func (h *host) push(args ...string) {
	h.t.Helper()
	h.run("", append([]string{"-C", h.dev, "push", "-q", "origin"}, args...)...)
}

// CloneURL makes the host a worker.Host.
func (h *host) CloneURL(context.Context, string) (string, mirror.Login, error) {
	return "file://" + h.bare, mirror.Login{}, nil
}

type outbox struct{ messages map[string]int }

func (o *outbox) Tell(_ context.Context, id string, _ *incident.Incident) error {
	o.messages[id]++
	return nil
}

func newWorker(t *testing.T, h *host) (*worker.Worker, *outbox) {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	kv, err := q.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	out := &outbox{map[string]int{}}
	return &worker.Worker{
		Hosts:     map[string]worker.Host{"test": h},
		Mirrors:   mirror.New(mirror.Options{Dir: t.TempDir(), Protocols: "file"}),
		Scanner:   &worker.Scanner{Program: program, Timeout: time.Minute},
		Incidents: incident.NewStore(kv),
		Teller:    out,
		Log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, out
}

// key returns a made-up key ARN that is no placeholder.
func key(n int) string {
	return "arn:aws:kms:eu-central-1:" + fmt.Sprintf("471938265017:key/5f0c7d1e-93ab-4e26-8d74-b1c60fa%05d", n)
}

func pushed(ref, before, after string) push.Push {
	return push.Push{Delivery: after + ref, Source: "test", Repository: "team/app", Ref: ref, Before: before, After: after, Received: time.Now()}
}

// incidents returns all incidents, the newest first.
func incidents(t *testing.T, w *worker.Worker) []*incident.Incident {
	t.Helper()
	var all []*incident.Incident
	err := w.Incidents.Each(t.Context(), func(i *incident.Incident) error { all = append(all, i); return nil })
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b *incident.Incident) int {
		at, _ := a.First(incident.Found)
		bt, _ := b.First(incident.Found)
		return bt.Compare(at)
	})
	return all
}

// paths lists the incidents' places.
func paths(t *testing.T, w *worker.Worker) string {
	t.Helper()
	var names []string
	for _, i := range incidents(t, w) {
		for _, p := range i.Places {
			names = append(names, fmt.Sprintf("%s:%d", p.Path, p.Line))
		}
	}
	return strings.Join(names, " ")
}

func work(t *testing.T, w *worker.Worker, p push.Push) {
	t.Helper()
	if err := w.Work(t.Context(), p, 1); err != nil {
		t.Fatal(err)
	}
}

func TestPushes(t *testing.T) {
	h := newHost(t)
	w, out := newWorker(t, h)

	first := h.commit("main", "a.txt", "nothing\n")
	h.push("main")
	work(t, w, pushed("refs/heads/main", "", first))
	if got := paths(t, w); got != "" {
		t.Fatalf("clean push: incidents in %s", got)
	}

	second := h.commit("main", "b.txt", "one\n"+key(1)+"\n")
	h.push("main")
	work(t, w, pushed("refs/heads/main", first, second))
	if got := paths(t, w); got != "b.txt:2" {
		t.Fatalf("a push with a key ARN: incidents in %q", got)
	}
	work(t, w, pushed("refs/heads/main", first, second))
	if got := paths(t, w); got != "b.txt:2" || len(out.messages) != 1 {
		t.Fatalf("the same push again: incidents in %q, messages %v", got, out.messages)
	}

	t.Run("a branch that no webhook announced", func(t *testing.T) {
		h.commit("silent", "c.txt", key(2)+"\n")
		h.push("silent")
		third := h.commit("main", "d.txt", "nothing\n")
		h.push("main")
		work(t, w, pushed("refs/heads/main", second, third))
		if got := paths(t, w); !strings.Contains(got, "c.txt:1") {
			t.Fatalf("incidents in %q", got)
		}
	})
	t.Run("pushed over before the worker came", func(t *testing.T) {
		lost := h.commit("topic", "e.txt", key(3)+"\n")
		h.push("topic")
		h.run("", "-C", h.dev, "reset", "-q", "--hard", "main")
		h.commit("topic", "f.txt", "nothing\n")
		h.push("--force", "topic")
		work(t, w, pushed("refs/heads/topic", "", lost))
		if got := paths(t, w); !strings.Contains(got, "e.txt:1") {
			t.Fatalf("incidents in %q", got)
		}
	})
	t.Run("pushed over, and nobody told of it", func(t *testing.T) {
		lost := h.commit("hasty", "h.txt", key(5)+"\n")
		h.push("hasty")
		h.run("", "-C", h.dev, "reset", "-q", "--hard", "main")
		after := h.commit("hasty", "i.txt", "nothing\n")
		h.push("--force", "hasty")
		work(t, w, pushed("refs/heads/hasty", lost, after))
		if got := paths(t, w); !strings.Contains(got, "h.txt:1") {
			t.Fatalf("incidents in %q", got)
		}
		// It goes back to what was scanned long ago, over what nobody told of.
		lost = h.commit("hasty", "j.txt", key(6)+"\n")
		h.push("hasty")
		h.run("", "-C", h.dev, "reset", "-q", "--hard", after)
		h.push("--force", "hasty")
		work(t, w, pushed("refs/heads/hasty", lost, after))
		if got := paths(t, w); !strings.Contains(got, "j.txt:1") {
			t.Fatalf("incidents in %q", got)
		}
		// The branch goes, and with it what nobody told of.
		lost = h.commit("hasty", "k.txt", key(7)+"\n")
		h.push("hasty")
		h.push("--delete", "hasty")
		work(t, w, pushed("refs/heads/hasty", lost, ""))
		if got := paths(t, w); !strings.Contains(got, "k.txt:1") {
			t.Fatalf("incidents in %q", got)
		}
		h.run("", "-C", h.dev, "checkout", "-q", "main")
	})
	t.Run("a deleted branch, and one whose name was a folder", func(t *testing.T) {
		h.push("--delete", "silent")
		h.run("", "-C", h.dev, "checkout", "-q", "main")
		h.run("", "-C", h.dev, "branch", "-q", "-D", "silent")
		deep := h.commit("silent/deep", "g.txt", key(4)+"\n")
		h.push("silent/deep")
		work(t, w, pushed("refs/heads/silent", deep, ""))
		if got := paths(t, w); !strings.Contains(got, "g.txt:1") {
			t.Fatalf("incidents in %q", got)
		}
	})
}

// TestNotTheRepositorysExcuses shows that a push cannot excuse itself.
func TestNotTheRepositorysExcuses(t *testing.T) {
	h := newHost(t)
	w, _ := newWorker(t, h)
	h.commit("main", ".spillgate.toml", "[[allow]]\npaths = [\"*\"]\nreason = \"mine\"\n")
	after := h.commit("main", "a.txt", key(5)+"\n")
	h.push("main")
	work(t, w, pushed("refs/heads/main", "", after))
	if got := paths(t, w); got != "a.txt:1" {
		t.Fatalf("incidents in %q", got)
	}
}

func TestTooLarge(t *testing.T) {
	h := newHost(t)
	w, _ := newWorker(t, h)
	w.Mirrors = mirror.New(mirror.Options{Dir: t.TempDir(), Protocols: "file", MaxBytes: 100})
	after := h.commit("main", "a.txt", "x\n")
	h.push("main")
	err := w.Work(t.Context(), pushed("refs/heads/main", "", after), 1)
	if hopeless := (*queue.Hopeless)(nil); !errors.As(err, &hopeless) || !strings.Contains(err.Error(), "limit") {
		t.Fatalf("got %v, want a hopeless error that names the limit", err)
	}
}

// TestNotThere shows that a repository that its host does not have is asked for a
// few times, and not for hours.
func TestNotThere(t *testing.T) {
	h := newHost(t)
	w, _ := newWorker(t, h)
	h.bare += "-gone"
	for attempt := 1; attempt <= 3; attempt++ {
		err := w.Work(t.Context(), pushed("refs/heads/main", "", strings.Repeat("1", 40)), attempt)
		if hopeless := (*queue.Hopeless)(nil); err == nil || errors.As(err, &hopeless) != (attempt == 3) {
			t.Errorf("attempt %d: %v", attempt, err)
		}
	}
}

// TestLookedAtFirst shows that a repository that cannot be mirrored is scanned
// as far as it can be: what was pushed is found, and the push is not done.
func TestLookedAtFirst(t *testing.T) {
	h := newHost(t)
	h.run("", "-C", h.bare, "config", "uploadpack.allowFilter", "true")
	w, out := newWorker(t, h)
	large := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(large)
	before := h.commit("main", "large.bin", string(large))
	after := h.commit("main", "a.txt", key(7)+"\n")
	h.push("main")
	w.Mirrors = mirror.New(mirror.Options{Dir: t.TempDir(), Protocols: "file", MaxBytes: 512 << 10})
	err := w.Work(t.Context(), pushed("refs/heads/main", before, after), 1)
	if hopeless := (*queue.Hopeless)(nil); !errors.As(err, &hopeless) || !strings.Contains(err.Error(), "limit") {
		t.Fatalf("got %v, want a hopeless error that names the limit", err)
	}
	if got := paths(t, w); got != "a.txt:1" || len(out.messages) != 1 {
		t.Fatalf("incidents in %q, messages %v", got, out.messages)
	}
	// Where there is room for all of it, it is told of once.
	w.Mirrors = mirror.New(mirror.Options{Dir: t.TempDir(), Protocols: "file"})
	work(t, w, pushed("refs/heads/main", before, after))
	if got := paths(t, w); got != "a.txt:1" || len(out.messages) != 1 {
		t.Fatalf("incidents in %q, messages %v", got, out.messages)
	}
}

// TestBrokenScan shows that a scan that did not see everything is no scan: the
// push comes again, and the mirror does not count it as scanned.
func TestBrokenScan(t *testing.T) {
	h := newHost(t)
	w, _ := newWorker(t, h)
	after := h.commit("main", "a.txt", key(6)+"\n")
	h.push("main")
	real := w.Scanner.Program
	fake := filepath.Join(t.TempDir(), "fake")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho '{\"type\":\"finding\",\"rule\":\"x\"}'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.Scanner.Program = fake
	if err := w.Work(t.Context(), pushed("refs/heads/main", "", after), 1); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Fatalf("got %v, want an error about a report that is cut off", err)
	}
	w.Scanner.Program = real
	work(t, w, pushed("refs/heads/main", "", after))
	if got := paths(t, w); got != "a.txt:1" {
		t.Fatalf("incidents in %q", got)
	}
}
