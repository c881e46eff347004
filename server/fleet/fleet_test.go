package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/fleet"
	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/queue"
)

// pages is a lister with pages of two names; it can be told to fail.
type pages struct {
	names []string
	fail  map[string]error // by the cursor, once
	again bool             // and not only once
	asked []string
}

func (p *pages) Page(_ context.Context, _, cursor string) ([]string, string, error) {
	p.asked = append(p.asked, cursor)
	if err := p.fail[cursor]; err != nil {
		if !p.again {
			delete(p.fail, cursor)
		}
		return nil, "", err
	}
	start := 0
	if cursor != "" {
		_, _ = fmt.Sscan(cursor, &start)
	}
	end := min(start+2, len(p.names))
	if end == len(p.names) {
		return p.names[start:], "", nil
	}
	return p.names[start:end], fmt.Sprint(end), nil
}

type queued struct {
	mu     sync.Mutex
	pushes map[string]push.Push
}

func (q *queued) Put(_ context.Context, p push.Push) (bool, error) {
	if err := p.Check(); err != nil {
		return false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	_, again := q.pushes[p.ID()]
	q.pushes[p.ID()] = p
	return again, nil
}

func newFleets(t *testing.T, l fleet.Lister) (*fleet.Fleets, *queued) {
	t.Helper()
	js, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(js.Close)
	q := &queued{pushes: map[string]push.Push{}}
	return &fleet.Fleets{Records: js.Records(), Queue: q, Listers: map[string]fleet.Lister{"hub": l}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Backoff: time.Millisecond}, q
}

func TestFleet(t *testing.T) {
	l := &pages{
		names: []string{"acme/a", "acme/b", "acme/c", "acme/d", "acme/e"},
		fail:  map[string]error{"2": errors.New("the host is down"), "4": &fleet.Limit{Until: time.Now().Add(50 * time.Millisecond)}},
	}
	f, q := newFleets(t, l)
	p, err := f.Start(t.Context(), "hub", "acme", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.Status(t.Context(), p.ID); err != nil || s.Complete {
		t.Errorf("a fleet of which nothing is listed: complete %v, %v", s.Complete, err)
	}
	if err := f.Run(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(l.asked, ","); got != ",2,2,4,4" {
		t.Errorf("pages asked for: %q; no page that was listed may be listed again", got)
	}
	if len(q.pushes) != 5 {
		t.Fatalf("%d queued, want 5", len(q.pushes))
	}
	n := 0
	for _, push := range q.pushes {
		n++
		if err := f.Report(t.Context(), &push, n != 1, 1, json.RawMessage(`[]`), ""); err != nil {
			t.Fatal(err)
		}
	}
	s, err := f.Status(t.Context(), p.ID)
	if err != nil || s.Complete || s.Scanned != 4 || s.Total != 5 || s.Findings != 5 {
		t.Fatalf("one scanned partly: %+v, %v", s, err)
	}
	for _, push := range q.pushes {
		if err := f.Report(t.Context(), &push, true, 1, json.RawMessage(`[]`), ""); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := f.Status(t.Context(), p.ID); err != nil || !s.Complete {
		t.Errorf("all scanned: %+v, %v", s, err)
	}
}

// TestListingEnds: a host that refuses, or never answers, ends the listing, the
// status says why, and the next start goes on where it was; other fleets go on.
func TestListingEnds(t *testing.T) {
	for name, why := range map[string]error{
		"refused": &fleet.Refused{Err: errors.New("404: no such organisation")}, "down": errors.New("the host is down"),
	} {
		l := &pages{names: []string{"acme/a", "acme/b", "acme/c"}, fail: map[string]error{"2": why}, again: true}
		f, q := newFleets(t, l)
		p, err := f.Start(t.Context(), "hub", "acme", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Run(t.Context(), p.ID); !errors.Is(err, why) {
			t.Fatalf("%s: got %v", name, err)
		}
		if n := len(l.asked); name == "refused" && n != 2 || name == "down" && n < 5 {
			t.Errorf("%s: %d pages asked for: %q", name, n, l.asked)
		}
		s, err := f.Status(t.Context(), p.ID)
		if err != nil || s.Complete || !strings.Contains(s.Failed, why.Error()) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		named, err := f.Start(t.Context(), "hub", "", []string{"acme/z"})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Resume(t.Context()); !errors.Is(err, why) || len(q.pushes) != 1 {
			t.Errorf("%s: %d queued of the other fleet, %v", name, len(q.pushes), err)
		}
		l.fail = nil
		if err := f.Resume(t.Context()); err != nil || len(q.pushes) != 4 {
			t.Errorf("%s: %d queued, want 4, %v", name, len(q.pushes), err)
		}
		for _, id := range []string{p.ID, named.ID} {
			if s, err := f.Status(t.Context(), id); err != nil || s.Failed != "" || !s.Listed {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
		}
	}
}

func TestFleetRefuses(t *testing.T) {
	f, _ := newFleets(t, &pages{names: []string{"../../etc"}})
	if _, err := f.Start(t.Context(), "hub", "", nil); err == nil {
		t.Error("a fleet of nothing was started")
	}
	if _, err := f.Start(t.Context(), "nowhere", "acme", nil); err == nil {
		t.Error("a source that lists nothing was accepted")
	}
	if _, err := f.Start(t.Context(), "nowhere", "", []string{"acme/a"}); err == nil || !strings.Contains(err.Error(), "no source") {
		t.Errorf("a list of a source that there is not was taken: %v", err)
	}
	if _, err := f.Start(t.Context(), "hub", "", []string{"a/../b"}); err == nil {
		t.Error("a path was accepted as a name")
	}
	p, err := f.Start(t.Context(), "hub", "acme", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context(), p.ID); err == nil {
		t.Error("a path from the host was accepted as a name")
	}
	if _, err := f.Status(t.Context(), "plan.*"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("got %v, want %v", err, fleet.ErrNotFound)
	}
}

func TestGitHubPages(t *testing.T) {
	var tokens []string
	limited := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		if r.URL.Path != "/api/v3/orgs/acme/repos" {
			http.NotFound(w, r)
			return
		}
		if limited {
			limited = false
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(-time.Second).Unix()))
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"API rate limit exceeded"}`)
			return
		}
		if r.URL.Query().Get("page") == "1" {
			w.Header().Set("Link", `<http://`+r.Host+r.URL.Path+`?page=2>; rel="next"`)
			_, _ = io.WriteString(w, `[{"full_name":"acme/a"},{"full_name":"acme/b"}]`)
			return
		}
		_, _ = io.WriteString(w, `[{"full_name":"acme/c"}]`)
	}))
	defer s.Close()
	g := &fleet.GitHub{API: s.URL + "/api/v3", Token: func(context.Context) (string, error) { return "made-up", nil }}
	var limit *fleet.Limit
	if _, _, err := g.Page(t.Context(), "acme", ""); !errors.As(err, &limit) {
		t.Fatalf("got %v, want a limit", err)
	}
	names, next, err := g.Page(t.Context(), "acme", "")
	if err != nil || strings.Join(names, " ") != "acme/a acme/b" || next != "2" {
		t.Fatalf("first page %v, next %q, %v", names, next, err)
	}
	names, next, err = g.Page(t.Context(), "acme", next)
	if err != nil || strings.Join(names, " ") != "acme/c" || next != "" {
		t.Fatalf("last page %v, next %q, %v", names, next, err)
	}
	if tokens[0] != "Bearer made-up" {
		t.Error("the request was not authenticated")
	}
}

func TestGitLabPages(t *testing.T) {
	limited := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if limited {
			limited = false
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if r.URL.EscapedPath() != "/groups/acme%2Fteam/projects" || r.Header.Get("PRIVATE-TOKEN") != "made-up" {
			http.NotFound(w, r)
			return
		}
		if r.URL.Query().Get("page") == "1" {
			w.Header().Set("X-Next-Page", "2")
		}
		_, _ = io.WriteString(w, `[{"path_with_namespace":"acme/team/`+r.URL.Query().Get("page")+`"}]`)
	}))
	defer s.Close()
	g := &fleet.GitLab{API: s.URL, Token: "made-up"}
	var limit *fleet.Limit
	if _, _, err := g.Page(t.Context(), "acme/team", ""); !errors.As(err, &limit) || time.Until(limit.Until) < 5*time.Second {
		t.Fatalf("got %v, want a limit of 7 s", err)
	}
	var all []string
	for cursor, first := "", true; first || cursor != ""; first = false {
		names, next, err := g.Page(t.Context(), "acme/team", cursor)
		if err != nil {
			t.Fatal(err)
		}
		all, cursor = append(all, names...), next
	}
	if strings.Join(all, " ") != "acme/team/1 acme/team/2" {
		t.Errorf("got %v", all)
	}
}

// TestGivenUp shows that a repository which is not tried again ends the waiting and
// not the proof, that what was found of it stays, and that a scan of a replayed push
// takes it back.
func TestGivenUp(t *testing.T) {
	f, q := newFleets(t, &pages{})
	p, err := f.Start(t.Context(), "hub", "", []string{"acme/a", "acme/b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	status := func(scanned, givenUp, findings int, complete bool) {
		t.Helper()
		s, err := f.Status(t.Context(), p.ID)
		if err != nil || s.Scanned != scanned || s.GivenUp != givenUp || s.Findings != findings || s.Complete != complete {
			t.Errorf("%d scanned, %d given up, %d findings, complete %v, %v", s.Scanned, s.GivenUp, s.Findings, s.Complete, err)
		}
	}
	of := map[string]push.Push{}
	for _, push := range q.pushes {
		of[push.Repository] = push
	}
	a, b := of["acme/a"], of["acme/b"]
	other := b
	other.Fleet = ""
	for _, err := range []error{
		f.Report(t.Context(), &a, true, 2, nil, ""), f.Report(t.Context(), &b, false, 2, nil, "cut off"),
		f.GiveUp(t.Context(), other, "of no fleet"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	status(1, 0, 4, false)
	if err := f.GiveUp(t.Context(), b, "it cannot be read"); err != nil {
		t.Fatal(err)
	}
	status(1, 1, 4, false)
	if err := f.TakeUp(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	status(1, 0, 4, false) // so that it is waited for again
	if err := f.Report(t.Context(), &b, true, 3, nil, ""); err != nil {
		t.Fatal(err)
	}
	status(2, 0, 5, true)
}

// TestListedTwice: a repository that is listed again, as when others are made
// meanwhile and it moves to the next page, stays what it is by then.
func TestListedTwice(t *testing.T) {
	l := &pages{names: []string{"acme/a", "acme/b", "acme/a", "acme/c"}, fail: map[string]error{"2": errors.New("the host is down")}}
	f, _ := newFleets(t, l)
	p, err := f.Start(t.Context(), "hub", "acme", nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Listers["hub"] = listerFunc(func(ctx context.Context, organization, cursor string) ([]string, string, error) {
		if cursor == "2" {
			if err := f.Report(ctx, &push.Push{Fleet: p.ID, Repository: "acme/a"}, true, 1, nil, ""); err != nil {
				t.Error(err)
			}
		}
		return l.Page(ctx, organization, cursor)
	})
	if err := f.Run(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	s, err := f.Status(t.Context(), p.ID)
	if err != nil || s.Total != 3 || s.Scanned != 1 || s.Entries[0].State != fleet.Scanned || s.Entries[0].Findings != 1 {
		t.Errorf("it is %+v, %v", s, err)
	}
}

type listerFunc func(ctx context.Context, organization, cursor string) ([]string, string, error)

func (f listerFunc) Page(ctx context.Context, organization, cursor string) ([]string, string, error) {
	return f(ctx, organization, cursor)
}

// TestAdopt: a fleet that an earlier version began is gone on with.
func TestAdopt(t *testing.T) {
	ctx := t.Context()
	q, err := queue.Open(ctx, queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	js, _, err := q.Beside(ctx, "BESIDE", "", []string{"beside"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	old, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "SPILLGATE_FLEETS"})
	if err != nil {
		t.Fatal(err)
	}
	const id = "20261129-0a1b2c3d4e"
	for key, value := range map[string]string{
		"plan." + id:               `{"id":"` + id + `","source":"hub","organization":"acme","listed":true,"started":"2026-11-29T10:00:00Z"}`,
		"entry." + id + ".8d1b2c":  `{"repository":"acme/a","state":"scanned","findings":2}`,
		"entry." + id + ".17ffe0":  `{"repository":"acme/b","state":"planned"}`,
		"entry.20261129-00.17ffe0": `{"repository":"acme/c","state":"planned"}`,
	} {
		if _, err := old.Put(ctx, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	f, queued := newFleets(t, nil)
	f.Records = q.Records()
	for range 2 {
		if err := f.Adopt(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	s, err := f.Status(ctx, id)
	if err != nil || s.Total != 2 || s.Scanned != 1 || s.Findings != 2 || s.Complete || s.Entries[1].Repository != "acme/b" {
		t.Errorf("it is %+v, %v", s, err)
	}
	if err := f.Resume(ctx); err != nil || len(queued.pushes) != 1 {
		t.Errorf("queued are %v, %v", queued.pushes, err)
	}
}
