package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spillgate/spillgate/server/incident"
)

// hostile is what somebody may name a file or a repository, and more.
const hostile = "<!channel> @here <@U1> <https://evil.example|ok> & *b* `c` \u202egnp.exe\u2066\u0000\x1b[31m\r\nX"

// hostileIncident has the text in every field that comes from outside.
func hostileIncident() *incident.Incident {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &incident.Incident{
		ID: "f1", Rule: hostile, Title: hostile, Severity: "high", Match: hostile, Why: hostile, Fix: hostile, ARN: hostile,
		Places: []incident.Place{{Repository: hostile, Ref: hostile, Path: hostile, Line: 1, Commit: hostile, Pusher: hostile}}, Occurrences: 9,
		Timeline: []incident.Entry{{Stage: incident.Found, At: at}},
		Leaves:   []string{hostile}, Verdict: json.RawMessage(`{"severity":"high","reasons":[{"text":"<!here> @Everyone &"}]}`),
	}
}

// send returns what a channel sends of the message and of a digest with it.
func send(t *testing.T, m Message, open func(url string) (Channel, error)) []string {
	t.Helper()
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		fmt.Fprint(w, `{"ok":true}`)
	}))
	defer s.Close()
	c, err := open(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	if err := c.Digest(t.Context(), "d", []Message{m, m}); err != nil {
		t.Fatal(err)
	}
	return bodies
}

// texts returns all strings of a JSON value.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, x := range v {
			all = append(all, texts(x)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, x := range v {
			all = append(all, texts(x)...)
		}
		return all
	}
	return nil
}

// TestSlackMarkup shows that no text of an incident becomes markup, calls a
// channel or makes a link, by either way to Slack.
func TestSlackMarkup(t *testing.T) {
	i := hostileIncident()
	closed := *i
	closed.Timeline = append(closed.Timeline, incident.Entry{Stage: incident.Closed, By: hostile, Note: hostile})
	worse := Summarise(i, "https://spillgate.example")
	worse.Was = &incident.Gravity{Severity: "low", Status: "unknown"}
	for _, m := range []Message{
		{ID: "1", Event: Opened, Incident: Summarise(i, "https://spillgate.example")},
		{ID: "2", Event: Closed, Incident: Summarise(&closed, "https://spillgate.example")},
		{ID: "3", Event: Escalated, Incident: worse, Thread: "C1 1"},
	} {
		bodies := send(t, m, func(u string) (Channel, error) { return NewSlackWebhook(u) })
		for _, form := range send(t, m, func(u string) (Channel, error) { return NewSlackBot("xoxb-"+"made-up", "C1", u) }) {
			v, err := url.ParseQuery(form)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(v.Get("text"))
			bodies = append(bodies, fmt.Sprintf(`{"blocks":%s,"text":%s}`, v.Get("blocks"), text))
		}
		for _, body := range bodies {
			var v any
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			for _, s := range texts(v) {
				links := strings.Count(s, "<https://spillgate.example/incidents/f1|")
				lower := strings.ToLower(s)
				switch {
				case strings.Count(s, "<") != links:
					t.Errorf("markup: %q", s)
				case strings.Contains(lower, "@here"), strings.Contains(lower, "@channel"), strings.Contains(lower, "@everyone"):
					t.Errorf("calls a channel: %q", s)
				case strings.ContainsAny(s, "\x00\x1b\r\u202e\u2066"):
					t.Errorf("invisible characters: %q", s)
				}
			}
		}
	}
}

// TestSlackClip shows that no section is longer than Slack takes, in the
// largest way of counting.
func TestSlackClip(t *testing.T) {
	for _, c := range []string{"a", "ü", "😀", "&amp;"} {
		for _, n := range []int{1, 2999, 3000, 3001, 9000} {
			text := strings.Repeat(c, n)
			got := slackClip(text)
			units := len(utf16.Encode([]rune(got)))
			whole := len(utf16.Encode([]rune(text))) <= maxSection
			if units > maxSection || whole && got != text || !whole && units < maxSection-10 || !whole && strings.HasSuffix(strings.TrimSuffix(got, "…"), "&am") {
				t.Errorf("%d times %q: cut to %d units", n, c, units)
			}
		}
	}
}

// TestNothingInvisible holds what the other channels send to the same.
func TestNothingInvisible(t *testing.T) {
	m := Message{ID: "1", Event: Opened, Incident: Summarise(hostileIncident(), "https://spillgate.example")}
	key := strings.Repeat("0", 32)
	for _, body := range append(
		send(t, m, func(u string) (Channel, error) { return NewPagerDuty(key, u) }),
		send(t, m, func(u string) (Channel, error) { return NewWebhook(u, "sixteen characters") })...) {
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		for _, s := range texts(v) {
			if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Errorf("invisible characters: %q", s)
			}
		}
	}
}

// TestErrors shows that an error names no secret of its channel.
func TestErrors(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	token := "xoxb-" + "made-up"
	m := Message{ID: "1", Event: Opened, Incident: Summarise(hostileIncident(), "")}
	hook, _ := NewSlackWebhook(dead.URL + "/services/secret" + "path")
	bot, _ := NewSlackBot(token, "C1", dead.URL)
	generic, _ := NewWebhook(dead.URL+"/secret"+"path", "sixteen characters")
	for _, c := range []Channel{hook, bot, generic} {
		err := c.Send(context.Background(), &m)
		if err == nil || strings.Contains(err.Error(), "secret"+"path") || strings.Contains(err.Error(), token) {
			t.Errorf("%s: want an error without secrets, got one of %d characters", c.Kind(), len(fmt.Sprint(err)))
		}
	}
}

func TestRefusedConfiguration(t *testing.T) {
	for name, try := range map[string]func() error{
		"https://":         func() error { _, err := NewWebhook("http://receiver.example/x", "sixteen characters"); return err },
		"16 characters":    func() error { _, err := NewWebhook("https://receiver.example/x", "short"); return err },
		"needs a secret":   func() error { _, err := NewWebhook("https://receiver.example/x"); return err },
		"slack: url":       func() error { _, err := NewSlackWebhook("hooks.slack.example"); return err },
		"token and a chan": func() error { _, err := NewSlackBot("", "C1", ""); return err },
		"slack: api":       func() error { _, err := NewSlackBot("x", "C1", "http://a.example"); return err },
		"32 characters":    func() error { _, err := NewPagerDuty("short", ""); return err },
		"no topic's ARN":   func() error { _, err := NewSNS(t.Context(), SNSOptions{Topic: "arn:aws:s3:::x"}); return err },
		"sns: endpoint": func() error {
			_, err := NewSNS(t.Context(), SNSOptions{Topic: "arn:aws:sns:a:1:t", Endpoint: "ftp://x"})
			return err
		},
		"pagerduty: url: i": func() error { _, err := NewPagerDuty(strings.Repeat("0", 32), "x"); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error with %q", err, name)
		}
	}
}

func TestBucket(t *testing.T) {
	now := time.Unix(1000, 0)
	b := bucket{burst: 3, every: time.Minute}
	for n := range 3 {
		if w := b.wait(now); w != 0 {
			t.Fatalf("message %d waits %v", n+1, w)
		}
		b.take(now)
	}
	if w := b.wait(now); w != time.Minute {
		t.Errorf("the fourth waits %v", w)
	}
	if w := b.wait(now.Add(time.Minute)); w != 0 {
		t.Errorf("a minute later it waits %v", w)
	}
	now = now.Add(time.Hour)
	for range 3 {
		b.take(now)
	}
	if w := b.wait(now); w != time.Minute {
		t.Errorf("an hour saved up more than a burst: %v", w)
	}
}

func TestSeconds(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "999999999": maxRetryAfter,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := seconds(in, now); got != want {
			t.Errorf("Retry-After %q: %v, want %v", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add(hostile, 10)
	f.Add("a\xffb", 2)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = 1 + int(uint(most)%500)
		got := clean(text, most)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > most+1 {
			t.Errorf("clean(%q, %d) = %q", text, most, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("clean(%q) kept %U", text, r)
			}
		}
		shown := slackText(got)
		if strings.ContainsAny(shown, "<>`*") {
			t.Errorf("slackText(%q) = %q", got, shown)
		}
	})
}
