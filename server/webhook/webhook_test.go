package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/push"
)

// memory is a queue for tests.
type memory struct {
	pushes []push.Push
	err    error
}

func (m *memory) Put(_ context.Context, p push.Push) (bool, error) {
	if m.err != nil {
		return false, m.err
	}
	for _, o := range m.pushes {
		if o.ID() == p.ID() {
			return true, nil
		}
	}
	m.pushes = append(m.pushes, p)
	return false, nil
}

type outcomes map[string]int

func (o outcomes) Delivered(_, outcome string, _ time.Duration) { o[outcome]++ }

const (
	older = "1111111111111111111111111111111111111111"
	newer = "2222222222222222222222222222222222222222"
	none  = "0000000000000000000000000000000000000000"
)

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// deliver posts a body with headers given as "Name: value" lines.
func deliver(h http.Handler, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func handler(kind Kind, q Queue, c Counter) *Handler {
	return &Handler{
		Source: Source{Name: "host", Kind: kind, Secrets: []string{"old-one", "new-one"}},
		Queue:  q, Counter: c, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

const githubBody = `{"ref":"refs/heads/main","before":"` + older + `","after":"` + newer + `","forced":true,` +
	`"repository":{"full_name":"team/app","size":12},"pusher":{"name":"ann"}}`

func TestGitHub(t *testing.T) {
	q, c := &memory{}, outcomes{}
	h := handler(GitHub, q, c)
	signed := func(body string) []string {
		return []string{"X-GitHub-Event: push", "X-GitHub-Delivery: d1", "Content-Type: application/json", "X-Hub-Signature-256: " + sign("new-one", body)}
	}
	w := deliver(h, githubBody, signed(githubBody)...)
	if w.Code != http.StatusAccepted || len(q.pushes) != 1 {
		t.Fatalf("a signed push: %d %s, %d pushes", w.Code, w.Body, len(q.pushes))
	}
	p := q.pushes[0]
	p.Received = time.Time{}
	want := push.Push{Delivery: "d1", Source: "host", Repository: "team/app", Ref: "refs/heads/main", Before: older, After: newer, Forced: true, Size: 12 << 10, Pusher: "ann"}
	if p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
	if w := deliver(h, githubBody, signed(githubBody)...); w.Code != http.StatusAccepted || len(q.pushes) != 1 {
		t.Errorf("the same delivery again: %d, %d pushes", w.Code, len(q.pushes))
	}
	old := append(signed(githubBody), "X-GitHub-Delivery: d2", "X-Hub-Signature-256: "+sign("old-one", githubBody))
	if w := deliver(h, githubBody, old...); w.Code != http.StatusAccepted {
		t.Errorf("signed with the older secret: %d", w.Code)
	}
	deleted := strings.Replace(githubBody, newer, none, 1)
	deliver(h, deleted, append(signed(deleted), "X-GitHub-Delivery: d3")...)
	if last := q.pushes[len(q.pushes)-1]; !last.Deleted() {
		t.Errorf("a deleted branch: %+v", last)
	}
	if fmt.Sprint(c) != "map[accepted:3 duplicate:1]" {
		t.Errorf("outcomes %v", c)
	}
}

func TestRefusals(t *testing.T) {
	push := "X-GitHub-Event: push"
	id := "X-GitHub-Delivery: d1"
	for _, tc := range []struct {
		name, body string
		headers    []string
		err        error
		code       int
		outcome    string
	}{
		{"no signature", githubBody, []string{push, id}, nil, 401, "unsigned"},
		{"another secret", githubBody, []string{push, id, "X-Hub-Signature-256: " + sign("guess", githubBody)}, nil, 401, "unsigned"},
		{"the empty secret", githubBody, []string{push, id, "X-Hub-Signature-256: " + sign("", githubBody)}, nil, 401, "unsigned"},
		{"another body", githubBody + " ", []string{push, id, "X-Hub-Signature-256: " + sign("new-one", githubBody)}, nil, 401, "unsigned"},
		{"the old SHA-1 header", githubBody, []string{push, id, "X-Hub-Signature: " + sign("new-one", githubBody)}, nil, 401, "unsigned"},
		{"no JSON", "{", []string{push, id, "X-Hub-Signature-256: " + sign("new-one", "{")}, nil, 400, "malformed"},
		{"no delivery id", githubBody, []string{push, "X-Hub-Signature-256: " + sign("new-one", githubBody)}, nil, 400, "malformed"},
		{"a form", githubBody, []string{push, id, "Content-Type: application/x-www-form-urlencoded", "X-Hub-Signature-256: " + sign("new-one", githubBody)}, nil, 400, "malformed"},
		{"a path as name", strings.Replace(githubBody, "team/app", "team/../../etc", 1), []string{push, id}, nil, 400, "malformed"},
		{"an option as name", strings.Replace(githubBody, "team/app", "--upload-pack=x/app", 1), []string{push, id}, nil, 400, "malformed"},
		{"no object id", strings.Replace(githubBody, newer, "HEAD", 1), []string{push, id}, nil, 400, "malformed"},
		{"a ref with a line break", strings.Replace(githubBody, "heads/main", `heads/a\nb`, 1), []string{push, id}, nil, 400, "malformed"},
		{"ping", `{}`, []string{"X-GitHub-Event: ping", "X-Hub-Signature-256: " + sign("new-one", `{}`)}, nil, 200, "ping"},
		{"another event", `{}`, []string{"X-GitHub-Event: issues", "X-Hub-Signature-256: " + sign("new-one", `{}`)}, nil, 200, "ignored"},
		{"full", githubBody, []string{push, id}, ErrFull, 503, "full"},
		{"disk", githubBody, []string{push, id}, errors.New("disk"), 503, "failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, c := &memory{err: tc.err}, outcomes{}
			headers := tc.headers
			if len(headers) == 2 && tc.name != "no signature" && !strings.Contains(strings.Join(headers, " "), "Signature") {
				headers = append(headers, "X-Hub-Signature-256: "+sign("new-one", tc.body))
			}
			w := deliver(handler(GitHub, q, c), tc.body, headers...)
			if w.Code != tc.code || c[tc.outcome] != 1 || len(q.pushes) != 0 {
				t.Errorf("got %d %v and %d pushes, want %d %s and none", w.Code, c, len(q.pushes), tc.code, tc.outcome)
			}
			if tc.code == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
	big := deliver(handler(GitHub, &memory{}, nil), strings.Repeat(" ", MaxBody+1))
	if big.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit: %d", big.Code)
	}
	r := httptest.NewRecorder()
	handler(GitHub, &memory{}, nil).ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
	if r.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", r.Code)
	}
}

func TestGitLab(t *testing.T) {
	body := `{"object_kind":"push","event_name":"push","ref":"refs/heads/main","before":"` + none + `","after":"` + newer +
		`","user_username":"bob","project":{"path_with_namespace":"group/sub/app"}}`
	q := &memory{}
	h := handler(GitLab, q, nil)
	w := deliver(h, body, "X-Gitlab-Event: Push Hook", "X-Gitlab-Token: new-one", "Idempotency-Key: k1")
	if w.Code != http.StatusAccepted || len(q.pushes) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if p := q.pushes[0]; p.Delivery != "k1" || p.Repository != "group/sub/app" || p.Before != "" || p.After != newer || p.Pusher != "bob" {
		t.Errorf("got %+v", p)
	}
	for _, token := range []string{"", "new-on", "new-one "} {
		if w := deliver(h, body, "X-Gitlab-Event: Push Hook", "X-Gitlab-Token: "+token); w.Code != http.StatusUnauthorized && token != "new-one " {
			t.Errorf("token %q: %d", token, w.Code)
		}
	}
	// Without any id the body itself is the delivery.
	deliver(h, body, "X-Gitlab-Event: Push Hook", "X-Gitlab-Token: new-one")
	deliver(h, body, "X-Gitlab-Event: Push Hook", "X-Gitlab-Token: new-one")
	if len(q.pushes) != 2 {
		t.Errorf("%d pushes, want 2", len(q.pushes))
	}
	if w := deliver(h, `{"object_kind":"note"}`, "X-Gitlab-Event: Note Hook", "X-Gitlab-Token: new-one"); w.Code != http.StatusOK {
		t.Errorf("a note: %d", w.Code)
	}
}

func TestBitbucket(t *testing.T) {
	cloud := `{"actor":{"nickname":"cy"},"repository":{"full_name":"ws/app"},"push":{"changes":[
		{"old":{"type":"branch","name":"main","target":{"hash":"` + older + `"}},"new":{"type":"branch","name":"main","target":{"hash":"` + newer + `"}},"forced":false},
		{"old":null,"new":{"type":"tag","name":"v1","target":{"hash":"` + newer + `"}}},
		{"old":{"type":"branch","name":"gone","target":{"hash":"` + older + `"}},"new":null}]}}`
	q := &memory{}
	h := handler(Bitbucket, q, nil)
	if w := deliver(h, cloud, "X-Event-Key: repo:push", "X-Request-UUID: u1", "X-Hub-Signature: "+sign("old-one", cloud)); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got []string
	for _, p := range q.pushes {
		got = append(got, fmt.Sprintf("%s %.1s>%.1s", p.Ref, p.Before, p.After))
	}
	if s := strings.Join(got, ", "); s != "refs/heads/main 1>2, refs/tags/v1 >2, refs/heads/gone 1>" {
		t.Errorf("got %s", s)
	}
	server := `{"actor":{"name":"dee"},"repository":{"slug":"app","project":{"key":"TEAM"}},"changes":[
		{"refId":"refs/heads/x","fromHash":"` + none + `","toHash":"` + newer + `","type":"ADD"}]}`
	if w := deliver(h, server, "X-Event-Key: repo:refs_changed", "X-Request-Id: u2", "X-Hub-Signature: "+sign("old-one", server)); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if p := q.pushes[3]; p.Repository != "TEAM/app" || p.Before != "" || p.After != newer {
		t.Errorf("got %+v", p)
	}
	if w := deliver(h, `{}`, "X-Event-Key: diagnostics:ping", "X-Hub-Signature: "+sign("old-one", `{}`)); w.Code != http.StatusOK {
		t.Errorf("ping: %d", w.Code)
	}
}

func TestGeneric(t *testing.T) {
	body := `{"delivery":"g1","repository":"app","ref":"refs/heads/main","after":"` + newer + `"}`
	q := &memory{}
	if w := deliver(handler(Generic, q, nil), body, "X-Spillgate-Signature-256: "+sign("new-one", body)); w.Code != http.StatusAccepted || len(q.pushes) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// FuzzDelivery holds that whatever a signed body says, the handler answers,
// and what it puts into the queue is fit to be worked on.
func FuzzDelivery(f *testing.F) {
	f.Add(0, "push", "d", githubBody)
	f.Add(1, "Push Hook", "d", `{"object_kind":"push","ref":"refs/heads/a","after":"`+newer+`","project":{"path_with_namespace":"a/b"}}`)
	f.Add(2, "repo:push", "d", `{"push":{"changes":[{"new":{"type":"branch","name":"a","target":{"hash":"`+newer+`"}}}]},"repository":{"full_name":"a/b"}}`)
	f.Add(2, "repo:refs_changed", "d", `{"changes":[{"refId":"refs/heads/a"}]}`)
	f.Add(3, "", "", `{"delivery":"x"}`)
	kinds := []Kind{GitHub, GitLab, Bitbucket, Generic}
	f.Fuzz(func(t *testing.T, kind int, event, id, body string) {
		q := &memory{}
		h := handler(kinds[uint(kind)%4], q, nil)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		for _, name := range []string{"X-GitHub-Event", "X-Gitlab-Event", "X-Event-Key"} {
			r.Header[name] = []string{event}
		}
		r.Header["X-Github-Event"] = []string{event}
		for _, name := range []string{"X-Github-Delivery", "Idempotency-Key", "X-Request-Uuid"} {
			r.Header[name] = []string{id}
		}
		r.Header.Set("X-Gitlab-Token", "new-one")
		for _, name := range []string{"X-Hub-Signature-256", "X-Hub-Signature", "X-Spillgate-Signature-256"} {
			r.Header.Set(name, sign("new-one", body))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest:
			if len(q.pushes) != 0 && w.Code == http.StatusOK {
				t.Fatalf("%d with %d pushes", w.Code, len(q.pushes))
			}
		case http.StatusAccepted:
			if len(q.pushes) == 0 {
				t.Fatal("accepted and nothing queued")
			}
		default:
			t.Fatalf("answered %d", w.Code)
		}
		for _, p := range q.pushes {
			if err := p.Check(); err != nil {
				t.Fatalf("queued %+v: %v", p, err)
			}
			if strings.Contains(p.Repository, "..") || strings.HasPrefix(p.Repository, "-") || strings.HasPrefix(p.Repository, "/") {
				t.Fatalf("queued the repository %q", p.Repository)
			}
		}
	})
}
