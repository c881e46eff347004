package notify_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/notify"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/worker"
)

var _ worker.Teller = (*notify.Outbox)(nil)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A receiver is a fake of all receivers: what distinguishes them is how they
// say that all is well.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	heads  []http.Header
	times  []time.Time
	// misbehave, if not nil, is asked at every attempt (from 1) and answers
	// itself by returning true.
	misbehave func(attempt int, w http.ResponseWriter, r *http.Request) bool
}

func newReceiver(t *testing.T) *receiver {
	f := &receiver{}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.bodies, f.heads, f.times = append(f.bodies, string(body)), append(f.heads, r.Header), append(f.times, time.Now())
	attempt := len(f.bodies)
	misbehave := f.misbehave
	f.mu.Unlock()
	if misbehave != nil && misbehave(attempt, w, r) {
		return
	}
	switch {
	case strings.Contains(r.URL.Path, "chat.postMessage"):
		fmt.Fprint(w, `{"ok":true,"channel":"C1","ts":"1"}`)
	case strings.Contains(string(body), "Action=Publish"):
		fmt.Fprint(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	case strings.Contains(string(body), "routing_key"):
		w.WriteHeader(http.StatusAccepted)
	default:
		fmt.Fprint(w, "ok")
	}
}

// got returns the bodies received so far.
func (f *receiver) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.bodies...)
}

// Made-up credentials, which must turn up nowhere.
var (
	webhookSecret = "hunter2hunter2" + "-signing"
	routingKey    = "0123456789abcdef" + "fedcba9876543210"
	botToken      = "xoxb-" + "0-made-up-token"
	hookPath      = "/services/T0/B0/" + "secretpath"
)

// channels returns one channel of each kind, all to the receiver.
func channels(t *testing.T, f *receiver) map[string]notify.Channel {
	t.Helper()
	all := map[string]notify.Channel{}
	add := func(name string, c notify.Channel, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all[name] = c
	}
	hook, err := notify.NewSlackWebhook(f.URL + hookPath)
	add("slack-hook", hook, err)
	bot, err := notify.NewSlackBot(botToken, "C1", f.URL+"/api")
	add("slack-bot", bot, err)
	topic, err := notify.NewSNS(t.Context(), notify.SNSOptions{
		Topic: "arn:aws:sns:eu-central-1:471938265017:alerts.fifo", Endpoint: f.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIA"+"MADEUPMADEUPMADE", "made"+"up", ""),
	})
	add("sns", topic, err)
	pager, err := notify.NewPagerDuty(routingKey, f.URL)
	add("pagerduty", pager, err)
	generic, err := notify.NewWebhook(f.URL+"/hook", webhookSecret)
	add("webhook", generic, err)
	return all
}

// A box is an outbox in a folder, with a store of incidents.
type box struct {
	*notify.Outbox
	queue *queue.Queue
	store *incident.Store
	stop  func()
}

func openBox(t *testing.T, dir string, o notify.Options) *box {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	kv, err := q.Table(t.Context(), incident.Table)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{queue: q, store: incident.NewStore(kv)}
	o.Queue, o.Incidents, o.Log = q, b.store, quiet
	if o.Backoff == 0 {
		o.Backoff, o.MaxBackoff = 5*time.Millisecond, 20*time.Millisecond
	}
	o.Pages = "https://spillgate.example"
	if b.Outbox, err = notify.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = b.Run(ctx) })
	b.stop = sync.OnceFunc(func() { cancel(); wg.Wait(); q.Close() })
	t.Cleanup(b.stop)
	return b
}

// found puts an incident into the store.
func (b *box) found(t *testing.T, i incident.Incident) *incident.Incident {
	t.Helper()
	var latest *incident.Incident
	for _, p := range i.Places {
		var err error
		if latest, err = b.store.Found(t.Context(), i, p, time.Now().Add(-3*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return latest
}

func numbered(n int) incident.Incident {
	return incident.Incident{
		ID: fmt.Sprintf("f%039d", n), Rule: "aws-access-key", Title: fmt.Sprintf("AWS access key number %d", n), Severity: "high",
		Match: "AKIA****************", Fix: "Deactivate the key, then delete it.",
		Places: []incident.Place{
			{Source: "test", Repository: "team/app", Ref: "refs/heads/main", Path: "a.txt", Line: 3, Commit: strings.Repeat("1", 40), Pusher: "dev", At: time.Now().Add(-3 * time.Second)},
			{Source: "test", Repository: "team/app", Ref: "refs/heads/main", Path: "b.txt", Line: 4, Commit: strings.Repeat("2", 40), Pusher: "dev", At: time.Now().Add(-3 * time.Second)},
		},
	}
}

func (b *box) tell(t *testing.T, i *incident.Incident) {
	t.Helper()
	if err := b.Tell(t.Context(), fmt.Sprintf("%s-%d", i.ID, i.Openings()), i); err != nil {
		t.Fatal(err)
	}
}

// notes returns the notes of an incident's timeline.
func (b *box) notes(t *testing.T, id string) string {
	t.Helper()
	i, err := b.store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range i.Timeline {
		if e.Stage == incident.Noted {
			all = append(all, e.Note)
		}
	}
	return strings.Join(all, "\n")
}

// eventually waits until done returns true, at most 20 s.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// meter counts outcomes.
type meter struct {
	mu    sync.Mutex
	count map[string]int
	since time.Duration
}

func (m *meter) Told(channel, outcome string, since time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count == nil {
		m.count = map[string]int{}
	}
	m.count[channel+" "+outcome]++
	m.since = max(m.since, since)
}

func (m *meter) get(key string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count[key]
}
