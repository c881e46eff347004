package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/notify"
)

// A pager takes signed messages.
type pager struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []notify.Document
}

func newPager(t *testing.T) *pager {
	p := &pager{}
	p.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var d notify.Document
		if err := json.Unmarshal(body, &d); err != nil {
			t.Errorf("a message that is no document: %v", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got = append(p.got, d)
	}))
	t.Cleanup(p.server.Close)
	return p
}

// events returns the ids of the messages of one kind, each once: a server that
// was killed may say one again.
func (p *pager) events(e notify.Event) map[string]notify.Document {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]notify.Document{}
	for _, d := range p.got {
		if d.Event == e {
			all[d.ID] = d
		}
	}
	return all
}

// TestEscalated: an ARN is pushed while AWS is down, and people are told what is
// known. When AWS is back, it turns out that everybody may use the key: they are
// told once more, with what changed, however often the server is killed meanwhile.
func TestEscalated(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for another attempt")
	}
	s := newInstallation(t)
	fake, m := withAWS(t, s, 1)
	arn := strings.TrimSpace(key(1))
	m.Keys[0].Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}`
	fake.Inject(kmsfake.Fault{Key: arn, Status: 500, Code: "KMSInternalException"})
	p := newPager(t)
	s.env = append(s.env, "PAGER_SECRET=a-made-up-secret-to-sign-with")
	f, err := os.OpenFile(filepath.Join(s.dir, "server.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("[[notify]]\nname = \"pager\"\nkind = \"webhook\"\nto = \"" + p.server.URL + "\"\nsecret = { env = \"PAGER_SECRET\" }\n"); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	s.start()
	commit := s.push("team/app", "keys.txt", key(1))
	s.deliver("d1", "team/app", commit, webhookSecret)
	wait := func(e notify.Event, n int) map[string]notify.Document {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
			all := p.events(e)
			if len(all) >= n {
				return all
			}
			if time.Now().After(deadline) {
				log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
				t.Fatalf("%d messages %s, want %d\n%s", len(all), e, n, log)
			}
		}
	}
	for _, d := range wait(notify.Opened, 1) {
		if d.Incident.Severity != "medium" || d.Incident.Status != "unknown" {
			t.Errorf("first it is %s and %s", d.Incident.Severity, d.Incident.Status)
		}
	}
	fake.Heal()
	for range 5 {
		time.Sleep(700 * time.Millisecond)
		s.kill()
		fake.Forgive()
		s.start()
	}
	for _, d := range wait(notify.Escalated, 1) {
		i := d.Incident
		if i.Severity != "critical" || i.Status != "enabled" || i.Was == nil || *i.Was != (incident.Gravity{Severity: "medium", Status: "unknown"}) {
			t.Errorf("then it is %s and %s, and was %+v", i.Severity, i.Status, i.Was)
		}
	}
	s.confirmed(1)
	if out, _ := s.run("incident", "show", s.incidents(1)[0].ID); !strings.Contains(out, "\nWhy it is critical\n") {
		t.Errorf("incident show does not say why:\n%s", out)
	}
	wait(notify.Answered, 1)
	// The same again, in another place, is no news.
	commit = s.push("team/app", "again.txt", key(1))
	s.deliver("d2", "team/app", commit, webhookSecret)
	for deadline := time.Now().Add(time.Minute); s.incidents(1)[0].Occurrences < 2 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	if o, e := len(p.events(notify.Opened)), len(p.events(notify.Escalated)); o != 1 || e != 1 {
		t.Errorf("%d openings and %d rises were told", o, e)
	}
}
