// Package notify tells people of incidents, over channels that may be slow,
// full or dead.
//
//	worker --Tell--> one stream per channel --Run--> Slack, SNS, PagerDuty, webhook
//
// Telling ends when the message is on disk: a scan never waits for Slack. Every
// channel has a stream and a sender of its own, so that a dead one holds up
// nobody else. A message is an incident with all its places, never a finding;
// when many incidents come at once, a channel gets the first few one by one and
// the rest as a digest, since the twentieth message of a minute is read by
// nobody.
//
// A message id is told once: a bucket remembers for ever what was told, also
// over restarts. Between a channel's answer and that note lies a moment; a crash
// in it means that the message is sent again. So it is at least once, and the
// id goes along for receivers that can tell: as dedup_key to PagerDuty, as
// MessageDeduplicationId to SNS FIFO topics, as a header to webhooks. Slack has
// no such key.
//
// An incident that turns out to be graver than it was said to be is told once
// more, saying what changed: once for each rise over each channel, and grouped
// with its opening (a thread of Slack, the same alert of PagerDuty). What is told
// is what the incident is by then; see told.go for how that happens once.
//
// What is sent is a Summary: chosen fields of the incident, clipped and
// cleaned of control characters, the match masked as the scan's report has it.
// Raw facts are never sent, and the channels' own secrets stand in no error.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
)

// An Event is what a message tells of.
type Event string

// The events.
const (
	Opened    Event = "incident.opened"
	Escalated Event = "incident.escalated" // it is graver than it was said to be
	Answered  Event = "incident.answered"  // what the operator's policy allowed was done
	Closed    Event = "incident.closed"
	Several   Event = "incidents" // a digest
)

// A Message is what a channel is to say.
type Message struct {
	// ID is the same at every attempt.
	ID    string
	Event Event
	// Incident is the incident as it is when the message is sent.
	Incident Summary
	// Thread is where the channel told of the opening, in its own words, for what
	// follows it. A channel that has threads sets it when it sends an opening.
	Thread string
	// Alone says that the opening was told by itself and not in a digest.
	Alone bool
}

// A Channel is a way to tell people. Its errors hold none of its secrets. They
// may be a *Failure; any other is tried again.
type Channel interface {
	// Kind is a word for logs, such as slack.
	Kind() string
	// Send says one thing.
	Send(ctx context.Context, m *Message) error
	// Digest says several things at once. The id is the same at every attempt
	// with the same messages.
	Digest(ctx context.Context, id string, messages []Message) error
}

// A Failure says how to go on after an error.
type Failure struct {
	Err error
	// After is how long the receiver asked to be left alone; 0 for unsaid.
	After time.Duration
	// Refused means that this message is at fault and not the channel: others
	// may pass.
	Refused bool
}

// Error is that of Err.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the error.
func (f *Failure) Unwrap() error { return f.Err }

// A Route is a channel and what goes over it.
type Route struct {
	// Name is unique among the routes: letters, digits, - and _. It names the
	// stream, so a renamed route begins with nothing.
	Name    string
	Channel Channel
	// MinSeverity is the lowest severity that is told of; empty for all.
	MinSeverity string
	// Burst is how many messages may follow each other at once; 0 for 5. Every
	// is how long it takes until one more may; 0 for a minute. What comes
	// faster is gathered into digests.
	Burst int
	Every time.Duration
	// Timeout ends an attempt; 0 for 15 s.
	Timeout time.Duration
}

// A Meter counts what became of messages: told, digested, retried, refused,
// given_up, skipped and overflowed. since is the time from the push to the
// message's arrival, and 0 for outcomes other than told and digested.
type Meter interface {
	Told(channel, outcome string, since time.Duration)
}

// Options say who is told, and how. Queue and Log must be set.
type Options struct {
	Queue *queue.Queue
	// Incidents are asked for what is new since the message was put; messages
	// that do or do not arrive are noted on their timelines. Nil for neither.
	Incidents *incident.Store
	Routes    []Route
	// Pages is the URL of the web pages, such as https://spillgate.example:
	// messages link to PAGES/incidents/ID. Empty for no links.
	Pages string
	Meter Meter // may be nil
	// Traces records sending as a part of the delivery's trace; may be nil.
	Traces trace.TracerProvider
	Log    *slog.Logger
	// GiveUp is the age at which a message is given up; 0 for three days.
	GiveUp time.Duration
	// Backoff is the wait after the first failure of a channel; it doubles up
	// to MaxBackoff. 0 for 2 s and 10 min.
	Backoff, MaxBackoff time.Duration
	// Sweep is how often the incidents are looked through for closings of which
	// nobody told the outbox, by a crash or a program that knows none; 0 for ten
	// minutes.
	Sweep time.Duration
	// AckWait is how long after a crash a message is sent by another process;
	// 0 for 20 seconds.
	AckWait time.Duration
}

func (o Options) defaults() Options {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.GiveUp, 72*time.Hour)
	def(&o.Backoff, 2*time.Second)
	def(&o.MaxBackoff, 10*time.Minute)
	def(&o.AckWait, 20*time.Second)
	def(&o.Sweep, 10*time.Minute)
	routes := make([]Route, len(o.Routes))
	for i, r := range o.Routes {
		def(&r.Every, time.Minute)
		def(&r.Timeout, 15*time.Second)
		if r.Burst == 0 {
			r.Burst = 5
		}
		routes[i] = r
	}
	o.Routes = routes
	return o
}

// check reports what keeps a route from working.
func (r *Route) check() error {
	if r.Name == "" || len(r.Name) > 64 || strings.ContainsFunc(r.Name, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	}) {
		return fmt.Errorf("%.80q is no name of a channel: use letters, digits, - and _", r.Name)
	}
	if r.Channel == nil {
		return fmt.Errorf("channel %s is of no kind", r.Name)
	}
	if r.MinSeverity != "" && rank(r.MinSeverity) < 0 {
		return fmt.Errorf("channel %s: unknown severity %.40q: use info, low, medium, high or critical", r.Name, r.MinSeverity)
	}
	if r.Burst < 0 || r.Every < 0 || r.Timeout < 0 {
		return fmt.Errorf("channel %s: burst, every and timeout are not negative", r.Name)
	}
	return nil
}

// rank orders severities; -1 for a word that is none.
func rank(severity string) int {
	for i, s := range []string{"info", "low", "medium", "high", "critical"} {
		if s == severity {
			return i
		}
	}
	return -1
}
