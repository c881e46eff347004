package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/notify"
)

const notifySecret = "a-made-up-secret-of-the-receiver"

// TestPeople follows an incident over the real program to a receiver of
// webhooks, the pages and the metrics, and its closing too.
func TestPeople(t *testing.T) {
	told := make(chan notify.Document, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || notify.Verify(notifySecret, r.Header, body, time.Now()) != nil {
			http.Error(w, "not signed", http.StatusUnauthorized)
			return
		}
		var d notify.Document
		if err := json.Unmarshal(body, &d); err != nil {
			http.Error(w, "not understood", http.StatusBadRequest)
			return
		}
		told <- d
	}))
	defer receiver.Close()
	s := newInstallation(t)
	f, err := os.OpenFile(filepath.Join(s.dir, "server.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("[[notify]]\nname = \"receiver\"\nkind = \"webhook\"\nto = \"" + receiver.URL + "\"\nsecret = { env = \"NOTIFY_SECRET\" }\n"); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "NOTIFY_SECRET="+notifySecret)
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Name(), append([]byte("url = \"http://127.0.0.1\"\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	commit := s.push("team/app", "keys.txt", key(1))
	s.start()
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := s.get(path); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	s.deliver("d1", "team/app", commit, webhookSecret)
	next := func() notify.Document {
		t.Helper()
		select {
		case d := <-told:
			return d
		case <-time.After(time.Minute):
			t.Fatal("nobody was told within a minute")
			return notify.Document{}
		}
	}
	d := next()
	if d.Event != notify.Opened || d.Incident == nil || d.Incident.Places[0].Path != "keys.txt" {
		t.Fatalf("told %+v", d)
	}
	if out, code := s.run("incident", "close", d.Incident.ID, "--reason", "seen"); code != 0 {
		t.Fatalf("incident close: %d\n%s", code, out)
	}
	if d := next(); d.Event != notify.Closed || d.Incident.Closed == nil || d.Incident.Closed.Reason != "seen" {
		t.Errorf("told %+v", d)
	}
	if code, body := s.get("/metrics"); code != http.StatusOK || !strings.Contains(body, `spillgate_webhook_deliveries_total{outcome="accepted",source="hub"} 1`) {
		t.Errorf("/metrics: %d\n%s", code, body)
	}
	if code, body := s.get("/"); code != http.StatusOK || strings.Contains(body, "keys.txt") || !strings.Contains(body, "<form") {
		t.Errorf("the pages without a login: %d\n%s", code, body)
	}
}

// get asks the server for a page.
func (s *installation) get(path string) (int, string) {
	s.t.Helper()
	answer, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}
