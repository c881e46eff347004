package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/fleet"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/table"
)

func newAPI(t *testing.T) *API {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	incidents, err := q.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	tokens := &access.Tokens{}
	for _, role := range []access.Role{access.Viewer, access.Closer, access.Manager} {
		tokens.Add("made-up-"+role.String(), access.Identity{Name: "a " + role.String(), Role: role})
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return &API{
		Tokens: tokens, Incidents: incident.NewStore(incidents), Queue: q, Log: log,
		Fleets: &fleet.Fleets{Records: q.Records(), Queue: q, Listers: map[string]fleet.Lister{"hub": nil}, Log: log}, Go: func(f func(context.Context)) { f(t.Context()) },
	}
}

// records returns the table with the API's incidents.
func records(t *testing.T, a *API) *table.Table {
	t.Helper()
	all, err := a.Queue.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// damage puts something in an incident's place that is none.
func damage(t *testing.T, a *API, id string) {
	t.Helper()
	if err := records(t, a).Put(t.Context(), id, []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
}

func ask(h http.Handler, method, path, token, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestRoles asks for everything with every role.
func TestRoles(t *testing.T) {
	h := newAPI(t).Handler()
	for _, tc := range []struct {
		method, path, body string
		least              access.Role
		code               int // for those who may
	}{
		{"GET", "/api/incidents", "", access.Viewer, 200},
		{"GET", "/api/incidents/none", "", access.Viewer, 404},
		{"POST", "/api/incidents/none/close", `{"reason":"x"}`, access.Closer, 404},
		{"GET", "/api/queue", "", access.Viewer, 200},
		{"GET", "/api/dead", "", access.Viewer, 200},
		{"POST", "/api/dead/9/replay", "", access.Manager, 404},
		{"POST", "/api/dead/9/forget", "", access.Manager, 404},
		{"POST", "/api/dead/x/forget", "", access.Manager, 400},
		{"POST", "/api/fleets", `{"source":"hub","repositories":["a/b"]}`, access.Manager, 200},
		{"POST", "/api/fleets", `{`, access.Manager, 400},
		{"GET", "/api/fleets", "", access.Viewer, 200},
		{"GET", "/api/fleets/0", "", access.Viewer, 404},
	} {
		if code, _ := ask(h, tc.method, tc.path, "", tc.body); code != 401 {
			t.Errorf("%s %s without a token: %d", tc.method, tc.path, code)
		}
		if code, _ := ask(h, tc.method, tc.path, "made-up", tc.body); code != 401 {
			t.Errorf("%s %s with a wrong token: %d", tc.method, tc.path, code)
		}
		for _, role := range []access.Role{access.Viewer, access.Closer, access.Manager} {
			want := 403
			if role >= tc.least {
				want = tc.code
			}
			if code, body := ask(h, tc.method, tc.path, "made-up-"+role.String(), tc.body); code != want {
				t.Errorf("%s %s as %s: %d %s, want %d", tc.method, tc.path, role, code, body, want)
			}
		}
	}
	if code, _ := ask(h, "GET", "/api/nothing", "", ""); code != 404 {
		t.Errorf("an unknown path: %d", code)
	}
}

func TestCloseIsRecorded(t *testing.T) {
	a := newAPI(t)
	found := incident.Incident{ID: "0123456789abcdef", Title: "AWS KMS key ARN", Severity: "medium"}
	if _, err := a.Incidents.Found(t.Context(), found, incident.Place{Repository: "a/b", Path: "c", Line: 1}, time.Now()); err != nil {
		t.Fatal(err)
	}
	h := a.Handler()
	if code, body := ask(h, "POST", "/api/incidents/0123/close", "made-up-closer", `{}`); code != 400 {
		t.Errorf("closing without a reason: %d %s", code, body)
	}
	code, body := ask(h, "POST", "/api/incidents/0123/close", "made-up-closer", `{"reason":"rotated by hand"}`)
	var i incident.Incident
	if err := json.Unmarshal([]byte(body), &i); code != 200 || err != nil || i.Open() {
		t.Fatalf("%d %s", code, body)
	}
	last := i.Timeline[len(i.Timeline)-1]
	if last.By != "a closer" || last.Note != "rotated by hand" {
		t.Errorf("the timeline ends with %+v", last)
	}
}
