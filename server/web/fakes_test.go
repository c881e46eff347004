package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/web"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var _ web.Incidents = (*incident.Store)(nil)

const base = "https://spillgate.example"

// Made-up tokens.
var (
	viewerToken = "viewer-" + "token-0123456789"
	closerToken = "closer-" + "token-0123456789"
)

// memory is a store of incidents.
type memory struct {
	mu  sync.Mutex
	all []*incident.Incident
	err error
	// got are the ids that were asked for, gone those that are in the index
	// and not there any more.
	got  []string
	gone map[string]bool
}

func (m *memory) Index(ctx context.Context, _ time.Duration) (*incident.Index, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return incident.NewIndex(ctx, func(_ context.Context, f func(*incident.Incident) error) error {
		for _, i := range m.all {
			if err := f(i); err != nil {
				return err
			}
		}
		return m.err
	})
}

func (m *memory) Get(_ context.Context, id string) (*incident.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, id)
	for _, i := range m.all {
		if i.ID == id && !m.gone[id] {
			return i, m.err
		}
	}
	return nil, fmt.Errorf("%w: %q", incident.ErrNotFound, id)
}

func (m *memory) Close(ctx context.Context, id, by, reason string) (*incident.Incident, error) {
	i, err := m.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i.Timeline = append(i.Timeline, incident.Entry{Stage: incident.Closed, At: time.Now(), By: by, Note: reason})
	return i, nil
}

// start is when everything in the tests began.
var start = time.Now().UTC().Add(-40 * time.Minute).Truncate(time.Second)

// sample makes an incident; stages are reached one after the other.
func sample(n int, severity, title, repository, path string, stages ...incident.Stage) *incident.Incident {
	i := &incident.Incident{
		ID: fmt.Sprintf("f%039d", n), Rule: "aws-access-key", Title: title, Severity: severity, Match: "AKIA****************", Occurrences: 1,
		Fix:    "Deactivate the access key, check CloudTrail for its use, then delete it.",
		Places: []incident.Place{{Source: "github", Repository: repository, Ref: "refs/heads/main", Path: path, Line: 12 + n, Commit: strings.Repeat("9fb1", 10), Pusher: "ann", At: start}},
	}
	at := start.Add(time.Duration(n) * time.Minute)
	for k, s := range append([]incident.Stage{incident.Pushed, incident.Found}, stages...) {
		i.Timeline = append(i.Timeline, incident.Entry{Stage: s, At: at.Add(time.Duration(k*k) * 2300 * time.Millisecond), By: "spillgate-server", Note: "a note of " + string(s)})
	}
	return i
}

// full is an incident with everything on it.
func full() *incident.Incident {
	i := sample(1, "medium", "AWS KMS key ARN", "platform/payments", "deploy/prod.tf", incident.Enriched, incident.Planned, incident.Responded)
	i.Rule, i.ARN = "aws-kms-key-arn", "arn:aws:kms:eu-central-1:"+"471938265017:key/5f0c7d1e-93ab-4e26-8d74-b1c60fa00001"
	i.Match, i.Occurrences = i.ARN, 4
	i.Places = append(i.Places, incident.Place{Source: "github", Repository: "platform/ledger", Ref: "refs/heads/fix", Path: "terraform/modules/kms/main.tf", Line: 3, Commit: strings.Repeat("0d1c", 10), Pusher: "bo", At: start})
	i.Fix = "Rotate the key on demand; the ARN itself is an identifier and may stay."
	i.Why = "The ARN names a live key."
	i.Verdict = json.RawMessage(`{"severity":"critical","severity_before":"medium","reasons":[{"severity":"critical","text":"the key policy lets anybody use kms:Decrypt, without a condition"},
		{"severity":"high","text":"a grant to account 220000000001, which is not yours"}],"unknowns":["last use: no access to CloudTrail"]}`)
	i.Facts = json.RawMessage(`{"Status":"enabled","Key":{"KeySpec":{"value":"SYMMETRIC_DEFAULT"},"Rotation":{"value":{"enabled":true,"period_in_days":365}},"Grants":{"unknown":"no access"},"Aliases":{"value":["alias/payments"]}}}`)
	i.Plan = json.RawMessage(`[{"kind":"rotate-on-demand","target":"x","call":"aws kms rotate-key-on-demand --key-id 5f0c7d1e-93ab-4e26-8d74-b1c60fa00001 --region eu-central-1","reason":"New data is encrypted with new key material.","undo":"Cannot be undone; older material stays usable for decryption.","leaves":["Old ciphertext stays readable with the old key material.","The key policy still lets anybody decrypt."]}]`)
	i.Leaves = []string{"Data keys that were already handed out keep working.", "The ARN stays in the git history."}
	i.Waiting = &incident.Waiting{Why: "cloudtrail:LookupEvents: throttled", Since: start.Add(2 * time.Minute), Next: start.Add(7 * time.Minute)}
	i.Timeline = append(i.Timeline, incident.Entry{Stage: incident.Noted, At: start.Add(2 * time.Minute), By: "slack", Note: "slack: told"})
	return i
}

// A site is a web.Site with its store.
type site struct {
	*httptest.Server
	store  *memory
	closed []string
	now    time.Time
	t      *testing.T
}

// newSite serves the pages of the incidents. change may change the options.
func newSite(t *testing.T, change func(*web.Options), all ...*incident.Incident) *site {
	t.Helper()
	s := &site{store: &memory{all: all}, now: time.Now(), t: t}
	tokens := new(access.Tokens)
	tokens.Add(viewerToken, access.Identity{Name: "vic", Role: access.Viewer})
	tokens.Add(closerToken, access.Identity{Name: "cleo", Role: access.Closer})
	o := web.Options{Incidents: s.store, Tokens: tokens, URL: base, Log: quiet, Now: func() time.Time { return s.now },
		Closed: func(_ context.Context, i *incident.Incident) error { s.closed = append(s.closed, i.ID); return nil }}
	if change != nil {
		change(&o)
	}
	w, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(w.Handler())
	t.Cleanup(s.Server.Close)
	return s
}

// A visitor is a browser, as far as cookies and forms go.
type visitor struct {
	*site
	cookies map[string]*http.Cookie
	header  http.Header // of every request
}

func (s *site) visitor() *visitor {
	return &visitor{s, map[string]*http.Cookie{}, http.Header{}}
}

// do sends a request and returns the answer and its body. It follows nothing.
func (v *visitor) do(method, path string, form url.Values, header ...string) (*http.Response, string) {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, v.URL+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header = v.header.Clone()
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", base)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	for _, c := range v.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c
		}
	}
	return resp, string(text)
}

// formToken reads the token of a page's form.
func (v *visitor) formToken(path string) string {
	v.t.Helper()
	_, text := v.do(http.MethodGet, path, nil)
	m := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(text)
	if m == nil {
		v.t.Fatalf("no form at %s", path)
	}
	return m[1]
}

// login logs in and returns the code of the answer.
func (v *visitor) login(token string) int {
	v.t.Helper()
	resp, _ := v.do(http.MethodPost, "/login", url.Values{"token": {v.formToken("/login")}, "secret": {token}, "next": {"/incidents"}})
	return resp.StatusCode
}

func prefix(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
