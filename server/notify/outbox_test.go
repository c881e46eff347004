package notify_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/notify"
	"github.com/spillgate/spillgate/server/queue"
)

// TestChannels sends one incident over each kind of channel to receivers that
// behave badly at first. Each gets it once more and no more than that.
func TestChannels(t *testing.T) {
	status := func(code int, retryAfter string) func(int, http.ResponseWriter, *http.Request) bool {
		return func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				return false
			}
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(code)
			return true
		}
	}
	for name, c := range map[string]struct {
		misbehave func(int, http.ResponseWriter, *http.Request) bool
		attempts  int
		gap       time.Duration
	}{
		"well":        {nil, 1, 0},
		"limited":     {status(http.StatusTooManyRequests, "1"), 2, time.Second},
		"broken":      {status(http.StatusInternalServerError, ""), 2, 0},
		"moved":       {status(http.StatusTemporaryRedirect, ""), 2, 0},
		"not allowed": {status(http.StatusForbidden, ""), 2, 0},
		"slow": {func(n int, _ http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				return false
			}
			<-r.Context().Done()
			return true
		}, 2, 0},
		"cut": {func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				return false
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return true
		}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			receivers := map[string]*receiver{}
			var routes []notify.Route
			for kind := range channels(t, newReceiver(t)) {
				f := newReceiver(t)
				f.misbehave = c.misbehave
				receivers[kind] = f
				routes = append(routes, notify.Route{Name: kind, Channel: channels(t, f)[kind], Timeout: 500 * time.Millisecond})
			}
			m := new(meter)
			b := openBox(t, t.TempDir(), notify.Options{Routes: routes, Meter: m})
			i := b.found(t, numbered(1))
			b.tell(t, i)
			for kind, f := range receivers {
				eventually(t, kind+" is told", func() bool { return m.get(kind+" told") == 1 })
				if n := len(f.got()); n != c.attempts {
					t.Errorf("%s: %d attempts, want %d", kind, n, c.attempts)
				}
				if last := f.times[len(f.times)-1].Sub(f.times[0]); last < c.gap {
					t.Errorf("%s: tried again after %v, was asked to wait %v", kind, last, c.gap)
				}
				if n := m.get(kind + " retried"); n != c.attempts-1 {
					t.Errorf("%s: counted %d retries", kind, n)
				}
			}
			notes := ""
			eventually(t, "notes on the timeline", func() bool {
				notes = b.notes(t, i.ID)
				return strings.Count(notes, ": told") == len(receivers)
			})
			if n := strings.Count(notes, "not told yet"); n != (c.attempts-1)*len(receivers) {
				t.Errorf("%d failures on the timeline:\n%s", n, notes)
			}
			for _, secret := range []string{webhookSecret, routingKey, botToken, hookPath} {
				if strings.Contains(notes, secret) {
					t.Error("a channel's secret stands on the timeline")
				}
			}
			if m.since < 3*time.Second || m.since > time.Minute {
				t.Errorf("told %v after the push", m.since)
			}
			waiting, err := b.Waiting(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for kind, n := range waiting {
				if n != 0 {
					t.Errorf("%s: %d messages wait", kind, n)
				}
			}
		})
	}
}

// TestOnce shows that a message is told once, however often it is put, also
// after a restart.
func TestOnce(t *testing.T) {
	f, dir := newReceiver(t), t.TempDir()
	route := []notify.Route{{Name: "hook", Channel: channels(t, f)["webhook"]}}
	m := new(meter)
	b := openBox(t, dir, notify.Options{Routes: route, Meter: m})
	i := b.found(t, numbered(1))
	b.tell(t, i)
	b.tell(t, i)
	eventually(t, "told", func() bool { return m.get("hook told") == 1 })
	b.tell(t, i)
	b.stop()
	b = openBox(t, dir, notify.Options{Routes: route, Meter: m})
	b.tell(t, i)
	other := b.found(t, numbered(2))
	b.tell(t, other)
	eventually(t, "the other told", func() bool { return m.get("hook told") == 2 })
	if got := f.got(); len(got) != 2 || !strings.Contains(got[1], other.ID) {
		t.Errorf("%d messages", len(got))
	}
}

// TestCrash shows what a crash between the receiver's answer and our note does:
// the message is sent again, under the same id.
func TestCrash(t *testing.T) {
	f, dir := newReceiver(t), t.TempDir()
	route := []notify.Route{{Name: "hook", Channel: channels(t, f)["webhook"], Timeout: 500 * time.Millisecond}}
	arrived, crashed := make(chan struct{}), make(chan struct{})
	f.misbehave = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			close(arrived)
			<-crashed
		}
		return false
	}
	b := openBox(t, dir, notify.Options{Routes: route, AckWait: time.Second})
	b.tell(t, b.found(t, numbered(1)))
	<-arrived
	b.stop()
	close(crashed)
	m := new(meter)
	openBox(t, dir, notify.Options{Routes: route, Meter: m, AckWait: time.Second})
	eventually(t, "told after the crash", func() bool { return m.get("hook told") == 1 })
	if len(f.got()) != 2 || f.heads[0].Get(notify.HeaderID) != f.heads[1].Get(notify.HeaderID) || f.heads[0].Get(notify.HeaderID) == "" {
		t.Errorf("%d messages", len(f.got()))
	}
}

// TestBurst shows that after the first few, what comes at once is told at once.
func TestBurst(t *testing.T) {
	for kind := range channels(t, newReceiver(t)) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := newReceiver(t)
			m := new(meter)
			b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{
				{Name: kind, Channel: channels(t, f)[kind], Burst: 3, Every: 2 * time.Second},
			}})
			for n := range 30 {
				b.tell(t, b.found(t, numbered(n)))
			}
			eventually(t, "all are told", func() bool { return m.get(kind+" told")+m.get(kind+" digested") == 30 })
			got := f.got()
			if len(got) > 6 || m.get(kind+" digested") < 20 {
				t.Errorf("%d messages, %d incidents in digests", len(got), m.get(kind+" digested"))
			}
			for _, body := range got {
				if len(body) > 100<<10 {
					t.Errorf("a message of %d bytes", len(body))
				}
			}
		})
	}
}

// TestDead shows that a dead channel holds up nobody: not the teller, not the
// other channels. In the end its messages are given up, which can be seen.
func TestDead(t *testing.T) {
	f, gone := newReceiver(t), newReceiver(t)
	dead := channels(t, gone)["slack-hook"]
	gone.Close()
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, GiveUp: 3 * time.Second, Routes: []notify.Route{
		{Name: "dead", Channel: dead}, {Name: "hook", Channel: channels(t, f)["webhook"]},
	}})
	i := b.found(t, numbered(1))
	start := time.Now()
	b.tell(t, i)
	eventually(t, "the other channel", func() bool { return m.get("hook told") == 1 })
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("told after %v", took)
	}
	eventually(t, "given up", func() bool { return m.get("dead given_up") == 1 })
	eventually(t, "the note", func() bool { return strings.Contains(b.notes(t, i.ID), "given up") })
	if notes := b.notes(t, i.ID); strings.Contains(notes, hookPath) || strings.Count(notes, "\n") != 2 {
		t.Errorf("want three notes without the webhook's URL, got\n%s", notes)
	}
}

// TestRefused shows that a message which its receiver calls wrong does not
// keep others from passing, alone or in a digest.
func TestRefused(t *testing.T) {
	f := newReceiver(t)
	bad := numbered(7)
	f.misbehave = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if strings.Contains(f.bodies[len(f.bodies)-1], bad.ID) {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	}
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{
		{Name: "hook", Channel: channels(t, f)["webhook"], Burst: 1, Every: 50 * time.Millisecond},
	}})
	for n := range 10 {
		b.tell(t, b.found(t, numbered(n)))
	}
	eventually(t, "nine are told", func() bool { return m.get("hook told")+m.get("hook digested") == 9 })
	eventually(t, "one is given up", func() bool { return m.get("hook given_up") == 1 })
	if !strings.Contains(b.notes(t, bad.ID), "given up") {
		t.Error("its timeline does not say so")
	}
}

// TestWrongKey shows that a channel which takes nothing loses nothing: when its
// key is put right, the messages come.
func TestWrongKey(t *testing.T) {
	f := newReceiver(t)
	f.misbehave = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n < 12 {
			w.WriteHeader(http.StatusBadRequest)
		}
		return n < 12
	}
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{{Name: "pager", Channel: channels(t, f)["pagerduty"]}}})
	b.tell(t, b.found(t, numbered(1)))
	eventually(t, "told in the end", func() bool { return m.get("pager told") == 1 })
	if m.get("pager refused") != 11 || m.get("pager given_up") != 0 {
		t.Errorf("refused %d times, given up %d times", m.get("pager refused"), m.get("pager given_up"))
	}
}

// TestClosing shows that an alert is resolved when its incident is closed, and
// never opened after that, whatever comes late.
func TestClosing(t *testing.T) {
	f := newReceiver(t)
	f.misbehave = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 2 { // the second incident's trigger
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return n == 2
	}
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{{Name: "pager", Channel: channels(t, f)["pagerduty"]}}})
	end := func(i *incident.Incident) {
		closed, err := b.store.Close(t.Context(), i.ID, "ann", "key deleted")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Tell(t.Context(), incident.ClosedID(closed), closed); err != nil {
			t.Fatal(err)
		}
	}
	first := b.found(t, numbered(1))
	b.tell(t, first)
	eventually(t, "the first told", func() bool { return m.get("pager told") == 1 })
	end(first)
	eventually(t, "the first resolved", func() bool { return m.get("pager told") == 2 || len(f.got()) == 2 })
	eventually(t, "the first resolved", func() bool { return m.get("pager told") == 2 })

	second := b.found(t, numbered(2))
	b.tell(t, second)
	end(second)
	eventually(t, "the second resolved, or never triggered", func() bool { return m.get("pager told")+m.get("pager skipped") >= 4 })
	var actions []string
	for _, body := range f.got() {
		var e struct {
			Action string `json:"event_action"`
			Key    string `json:"dedup_key"`
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		actions = append(actions, e.Action+" "+e.Key)
	}
	if last := actions[len(actions)-1]; last != "resolve "+second.ID || actions[0] != "trigger "+first.ID {
		t.Errorf("events %q", actions)
	}
}

// TestSweep shows that a closing is told which nobody put into the outbox, once,
// and only where the opening was told.
func TestSweep(t *testing.T) {
	f, grave := newReceiver(t), newReceiver(t)
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Sweep: 20 * time.Millisecond, Routes: []notify.Route{
		{Name: "pager", Channel: channels(t, f)["pagerduty"]},
		{Name: "grave", Channel: channels(t, grave)["pagerduty"], MinSeverity: "critical"},
	}})
	first, untold := b.found(t, numbered(1)), b.found(t, numbered(2))
	b.tell(t, first)
	eventually(t, "the first told", func() bool { return m.get("pager told") == 1 })
	for _, i := range []*incident.Incident{first, untold} {
		if _, err := b.store.Close(t.Context(), i.ID, "ann", "key deleted"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the first resolved", func() bool { return m.get("pager told") == 2 })
	time.Sleep(100 * time.Millisecond)
	if got := f.got(); len(got) != 2 || !strings.Contains(got[1], `"resolve"`) || !strings.Contains(got[1], first.ID) {
		t.Errorf("%d events", len(got))
	}
	if n := len(grave.got()); n != 0 {
		t.Errorf("%d events to a channel that was told of nothing", n)
	}
}

// TestMinSeverity shows that a channel is told only of what is grave enough,
// after enrichment.
func TestMinSeverity(t *testing.T) {
	f := newReceiver(t)
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{
		{Name: "hook", Channel: channels(t, f)["webhook"], MinSeverity: "critical"},
	}})
	low, raised := numbered(1), numbered(2)
	raised.Verdict = json.RawMessage(`{"severity":"critical","reasons":[{"text":"anybody may use the key"}]}`)
	b.tell(t, b.found(t, low))
	b.tell(t, b.found(t, raised))
	eventually(t, "the critical one", func() bool { return m.get("hook told") == 1 })
	if got := f.got(); len(got) != 1 || !strings.Contains(got[0], "anybody may use the key") || !strings.Contains(got[0], raised.ID) {
		t.Errorf("%d messages", len(got))
	}
}

func TestRoutesRefused(t *testing.T) {
	q, err := queue.Open(t.Context(), queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	c := channels(t, newReceiver(t))["webhook"]
	for want, routes := range map[string][]notify.Route{
		"no name of a channel": {{Name: "a b", Channel: c}},
		"of no kind":           {{Name: "a"}},
		"unknown severity":     {{Name: "a", Channel: c, MinSeverity: "grave"}},
		"two channels":         {{Name: "a", Channel: c}, {Name: "a", Channel: c}},
		"not negative":         {{Name: "a", Channel: c, Burst: -1}},
	} {
		if _, err := notify.Open(t.Context(), notify.Options{Queue: q, Log: quiet, Routes: routes}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// TestAnswered tells what was done, and does not call anybody a second time.
func TestAnswered(t *testing.T) {
	f := newReceiver(t)
	i := &incident.Incident{ID: "fp1", Rule: "aws-kms-key-arn", Title: "AWS KMS key ARN", Severity: "high", Timeline: []incident.Entry{
		{Stage: incident.Found, At: time.Now()}, {Stage: incident.Responded, At: time.Now(), Note: "rotate-on-demand of a key: answered"},
	}}
	for kind, c := range channels(t, f) {
		before := len(f.got())
		m := notify.Message{ID: incident.AnsweredID(i), Event: notify.Answered, Incident: notify.Summarise(i, "")}
		if err := c.Send(t.Context(), &m); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		said := strings.Join(f.got()[before:], "")
		if c.Kind() == "pagerduty" {
			if said != "" {
				t.Errorf("pagerduty was asked again: %s", said)
			}
			continue
		}
		if !strings.Contains(said, "rotate-on-demand") {
			t.Errorf("%s does not say what was done: %s", kind, said)
		}
	}
}
