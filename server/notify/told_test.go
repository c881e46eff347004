package notify_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/notify"
)

// enrich writes what AWS says into the incident, as the live stage does.
func (b *box) enrich(t *testing.T, id, severity, status string) *incident.Incident {
	t.Helper()
	i, err := b.store.Advance(t.Context(), id, incident.Entry{Stage: incident.Enriched, Key: status + " " + severity}, func(i *incident.Incident) {
		i.Facts = json.RawMessage(fmt.Sprintf(`{"status":%q}`, status))
		i.Verdict = json.RawMessage(fmt.Sprintf(`{"severity":%q,"severity_before":"medium","reasons":[{"text":"because it is %s"}]}`, severity, severity))
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// waits returns how many messages wait in the outbox.
func (b *box) waits(t *testing.T) (n uint64) {
	t.Helper()
	all, err := b.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		n += w
	}
	return n
}

// TestEscalated shows that an incident which turns out to be graver is told once
// more over every channel, whoever says it how often, that the message says what
// changed, and that it belongs to the first one.
func TestEscalated(t *testing.T) {
	for kind := range channels(t, newReceiver(t)) {
		t.Run(kind, func(t *testing.T) {
			f, dir := newReceiver(t), t.TempDir()
			routes := []notify.Route{{Name: kind, Channel: channels(t, f)[kind]}}
			m := new(meter)
			b := openBox(t, dir, notify.Options{Meter: m, Routes: routes})
			i := b.found(t, numbered(1))
			b.tell(t, b.enrich(t, i.ID, "medium", "unknown"))
			eventually(t, "the opening", func() bool { return m.get(kind+" told") == 1 })
			for range 3 {
				b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
			}
			eventually(t, "the rise", func() bool { return m.get(kind+" told") == 2 })
			// What is less grave, or as grave as it was said to be, calls nobody; nor
			// does a restart.
			b.tell(t, b.enrich(t, i.ID, "medium", "unknown"))
			b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
			b.stop()
			b = openBox(t, dir, notify.Options{Meter: m, Routes: routes, Sweep: 10 * time.Millisecond})
			b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
			other := b.found(t, numbered(2)) // what comes after it has come
			b.tell(t, other)
			eventually(t, "another", func() bool { return m.get(kind+" told") == 3 })
			eventually(t, "nothing waits", func() bool { return b.waits(t) == 0 })
			got := f.got()
			if len(got) != 3 {
				t.Fatalf("%d messages, want the opening, the rise and the other incident", len(got))
			}
			said, first := got[1], got[0]
			if v, err := url.ParseQuery(said); err == nil && v.Has("blocks") {
				said = v.Get("text") + v.Get("blocks")
			} else if err == nil && v.Has("Message") {
				said = v.Get("Message")
			}
			for _, want := range []string{"critical", "medium", "enabled", "unknown", "because it is critical"} {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			belongs(t, kind, first, got[1])
		})
	}
}

// belongs holds that the second message is grouped with the first.
func belongs(t *testing.T, kind, first, second string) {
	t.Helper()
	form := func(body string) url.Values { v, _ := url.ParseQuery(body); return v }
	switch kind {
	case "slack-bot":
		if v := form(second); v.Get("thread_ts") != "1" || v.Get("reply_broadcast") != "true" || form(first).Has("thread_ts") {
			t.Errorf("it is no reply that all see: thread %q, shown to all %q", v.Get("thread_ts"), v.Get("reply_broadcast"))
		}
	case "pagerduty":
		var e [2]struct {
			Action  string                    `json:"event_action"`
			Key     string                    `json:"dedup_key"`
			Payload struct{ Severity string } `json:"payload"`
		}
		for n, body := range []string{first, second} {
			if err := json.Unmarshal([]byte(body), &e[n]); err != nil {
				t.Fatal(err)
			}
		}
		if e[0].Key != e[1].Key || e[1].Action != "trigger" || e[0].Payload.Severity != "warning" || e[1].Payload.Severity != "critical" {
			t.Errorf("the alerts %+v", e)
		}
	case "sns":
		a, b := form(first), form(second)
		if a.Get("MessageGroupId") != b.Get("MessageGroupId") || a.Get("MessageDeduplicationId") == b.Get("MessageDeduplicationId") {
			t.Errorf("groups %q and %q", a.Get("MessageGroupId"), b.Get("MessageGroupId"))
		}
		if strings.ContainsAny(b.Get("MessageDeduplicationId"), " ") {
			t.Errorf("SNS refuses the id %q", b.Get("MessageDeduplicationId"))
		}
	case "webhook":
		var d notify.Document
		if err := json.Unmarshal([]byte(second), &d); err != nil {
			t.Fatal(err)
		}
		if d.Event != notify.Escalated || d.Incident.Was == nil || *d.Incident.Was != (incident.Gravity{Severity: "medium", Status: "unknown"}) || d.Incident.Status != "enabled" {
			t.Errorf("the document says %s, was %+v, is %s", d.Event, d.Incident.Was, d.Incident.Status)
		}
	}
}

// TestEscalatedMeanwhile: what becomes graver while the opening is under way is
// told, though whoever found it out saw that nothing was told yet.
func TestEscalatedMeanwhile(t *testing.T) {
	f := newReceiver(t)
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{{Name: "hook", Channel: channels(t, f)["webhook"]}}})
	i := b.found(t, numbered(1))
	f.misbehave = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
		}
		return false
	}
	b.tell(t, b.enrich(t, i.ID, "medium", "unknown"))
	eventually(t, "the rise", func() bool { return m.get("hook told") == 2 })
	if got := f.got(); len(got) != 2 || !strings.Contains(got[1], string(notify.Escalated)) {
		t.Errorf("%d messages", len(got))
	}
}

// TestEscalatedTwice: of what rises twice before it can be told, one message says
// it all, in the same thread as the rise before; what falls again before is not told,
// and what is not known for once has not become unknown.
func TestEscalatedTwice(t *testing.T) {
	f := newReceiver(t)
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{{Name: "bot", Channel: channels(t, f)["slack-bot"], Burst: 100}}})
	i := b.found(t, numbered(1))
	told := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprint(n, " messages"), func() bool { return m.get("bot told") == n })
		eventually(t, "nothing waits", func() bool { return b.waits(t) == 0 })
		if got := f.got(); len(got) != n {
			t.Fatalf("%d messages, want %d", len(got), n)
		}
	}
	hold, free := make(chan struct{}), sync.OnceFunc(func() {})
	block := func() {
		hold = make(chan struct{})
		free = sync.OnceFunc(func() { close(hold) })
		held := hold
		f.mu.Lock()
		f.misbehave = func(int, http.ResponseWriter, *http.Request) bool { <-held; return false }
		f.mu.Unlock()
	}
	t.Cleanup(func() { free() })
	b.tell(t, b.enrich(t, i.ID, "low", "unknown"))
	told(1)
	other := b.found(t, numbered(2)) // keeps the channel busy
	block()
	b.tell(t, other)
	eventually(t, "the channel is busy", func() bool { return len(f.got()) == 2 })
	b.tell(t, b.enrich(t, i.ID, "medium", "enabled"))
	b.tell(t, b.enrich(t, i.ID, "high", "unknown"))
	free()
	told(3)
	b.tell(t, b.enrich(t, i.ID, "high", "enabled"))
	told(4) // for the message said that it is not known
	b.tell(t, b.enrich(t, i.ID, "critical", "unknown"))
	told(5)
	b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
	for n, body := range f.got() {
		if v, _ := url.ParseQuery(body); n > 1 && v.Get("thread_ts") != "1" {
			t.Errorf("message %d is in no thread", n)
		}
	}
	j := numbered(3)
	b.tell(t, b.enrich(t, b.found(t, j).ID, "low", "enabled"))
	told(6)
	block()
	b.tell(t, b.found(t, numbered(4)))
	eventually(t, "the channel is busy", func() bool { return len(f.got()) == 7 })
	b.tell(t, b.enrich(t, j.ID, "high", "enabled"))
	b.enrich(t, j.ID, "low", "enabled")
	free()
	told(7)
}

// TestEscalatedCrash: a process that dies before it says that an incident has
// become graver, or while it does, leaves that to the next.
func TestEscalatedCrash(t *testing.T) {
	f, dir := newReceiver(t), t.TempDir()
	route := []notify.Route{{Name: "hook", Channel: channels(t, f)["webhook"], Timeout: 500 * time.Millisecond}}
	m := new(meter)
	b := openBox(t, dir, notify.Options{Meter: m, Routes: route, AckWait: time.Second})
	i := b.found(t, numbered(1))
	b.tell(t, b.enrich(t, i.ID, "medium", "unknown"))
	eventually(t, "the opening", func() bool { return m.get("hook told") == 1 })
	b.enrich(t, i.ID, "high", "enabled") // and nobody is told
	b.stop()

	arrived, crashed := make(chan struct{}), make(chan struct{})
	f.misbehave = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 2 {
			close(arrived)
			<-crashed
		}
		return false
	}
	b = openBox(t, dir, notify.Options{Meter: m, Routes: route, AckWait: time.Second, Sweep: 10 * time.Millisecond})
	select {
	case <-arrived:
	case <-time.After(20 * time.Second):
		t.Error("the rise is not told by a sweep")
	}
	b.stop()
	close(crashed)
	b = openBox(t, dir, notify.Options{Meter: m, Routes: route, AckWait: time.Second, Sweep: 10 * time.Millisecond})
	eventually(t, "the rise after the crash", func() bool { return m.get("hook told") == 2 })
	eventually(t, "nothing waits", func() bool { return b.waits(t) == 0 })
	time.Sleep(100 * time.Millisecond) // for some sweeps
	if len(f.got()) != 3 || f.heads[1].Get(notify.HeaderID) != f.heads[2].Get(notify.HeaderID) {
		t.Errorf("%d messages, want the opening and the rise twice under one id", len(f.got()))
	}
	// Graver once more is another rise.
	b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
	eventually(t, "the second rise", func() bool { return m.get("hook told") == 3 })
}

// TestEscalatedBurst: rises keep to the pace of the channel like all messages.
func TestEscalatedBurst(t *testing.T) {
	for _, kind := range []string{"webhook", "pagerduty", "slack-bot"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := newReceiver(t)
			m := new(meter)
			b := openBox(t, t.TempDir(), notify.Options{Meter: m, Routes: []notify.Route{
				{Name: kind, Channel: channels(t, f)[kind], Burst: 2, Every: time.Second},
			}})
			told := func() int { return m.get(kind+" told") + m.get(kind+" digested") }
			for n := range 20 {
				b.tell(t, b.enrich(t, b.found(t, numbered(n)).ID, "medium", "unknown"))
			}
			eventually(t, "all openings", func() bool { return told() == 20 })
			before := len(f.got())
			for n := range 20 {
				b.tell(t, b.enrich(t, numbered(n).ID, "critical", "enabled"))
			}
			eventually(t, "all rises", func() bool { return told() == 40 })
			if n := len(f.got()) - before; n > 8 {
				t.Errorf("%d messages for 20 rises", n)
			}
		})
	}
}

// TestEscalatedElsewhere: a channel that was told of nothing is told of the
// opening; of what was closed meanwhile nobody hears that it has become graver.
func TestEscalatedElsewhere(t *testing.T) {
	f, all := newReceiver(t), newReceiver(t)
	m := new(meter)
	b := openBox(t, t.TempDir(), notify.Options{Meter: m, Sweep: 10 * time.Millisecond, Routes: []notify.Route{
		{Name: "grave", Channel: channels(t, f)["webhook"], MinSeverity: "critical"},
		{Name: "all", Channel: channels(t, all)["webhook"]},
	}})
	i := b.found(t, numbered(1))
	b.tell(t, b.enrich(t, i.ID, "medium", "unknown"))
	eventually(t, "the opening", func() bool { return m.get("all told") == 1 })
	b.tell(t, b.enrich(t, i.ID, "critical", "enabled"))
	eventually(t, "the rise", func() bool { return m.get("all told") == 2 && m.get("grave told") == 1 })
	if got := f.got(); len(got) != 1 || !strings.Contains(got[0], string(notify.Opened)) {
		t.Errorf("%d messages to the channel for what is critical", len(got))
	}

	closed := b.found(t, numbered(2))
	b.tell(t, b.enrich(t, closed.ID, "low", "unknown"))
	eventually(t, "the second opening", func() bool { return m.get("all told") == 3 })
	if _, err := b.store.Close(t.Context(), closed.ID, "ann", "seen"); err != nil {
		t.Fatal(err)
	}
	b.tell(t, b.enrich(t, closed.ID, "critical", "enabled"))
	eventually(t, "the closing, by the sweep", func() bool { return m.get("all told") == 4 })
	eventually(t, "nothing waits", func() bool { return b.waits(t) == 0 })
	if last := all.got()[3]; !strings.Contains(last, string(notify.Closed)) {
		t.Errorf("the last message is %s", last)
	}
}

// TestThreadGone: a bot whose thread was deleted says it in the channel.
func TestThreadGone(t *testing.T) {
	f := newReceiver(t)
	f.misbehave = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		body := f.got()[len(f.got())-1]
		if strings.Contains(body, "thread_ts") {
			fmt.Fprint(w, `{"ok":false,"error":"thread_not_found"}`)
			return true
		}
		return false
	}
	c := channels(t, f)["slack-bot"]
	m := notify.Message{ID: "1", Event: notify.Closed, Thread: "C0 7.7"}
	if err := c.Send(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	if got := f.got(); len(got) != 2 || !strings.Contains(got[0], "channel=C0") || !strings.Contains(got[1], "channel=C1") {
		t.Errorf("%d attempts", len(got))
	}
}
