package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/table"
	"github.com/spillgate/spillgate/server/telemetry/span"
)

// toldTable remembers for ever which ids were told over which channel: a fleet
// scan may find an old incident again years later.
var toldTable = table.Options{Name: "told", Pages: 512}

// An Outbox keeps messages until they are sent. It implements the worker's
// Teller.
type Outbox struct {
	options Options
	told    *table.Table
	senders []*sender
}

// Open makes the streams of the routes. Nothing is sent before Run.
func Open(ctx context.Context, o Options) (*Outbox, error) {
	b := &Outbox{options: o.defaults()}
	var err error
	if b.told, err = o.Queue.Table(ctx, toldTable); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, r := range b.options.Routes {
		if err := r.check(); err != nil {
			return nil, err
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("two channels are named %s", r.Name)
		}
		seen[r.Name] = true
		s, err := b.open(ctx, r)
		if err != nil {
			return nil, err
		}
		b.senders = append(b.senders, s)
	}
	return b, nil
}

func (b *Outbox) open(ctx context.Context, r Route) (*sender, error) {
	s := &sender{Route: r, box: b, subject: "spillgate.tell." + r.Name, log: b.options.Log.With("channel", r.Name, "kind", r.Channel.Kind())}
	s.bucket = bucket{burst: r.Burst, every: r.Every}
	// Twice the age at which the sender gives up: it is to say so itself.
	js, stream, err := b.options.Queue.Beside(ctx, "SPILLGATE_TELL_"+r.Name, "messages for the channel "+r.Name, []string{s.subject}, 2*b.options.GiveUp)
	if err != nil {
		return nil, err
	}
	s.js, s.stream = js, stream
	if s.consumer, err = stream.CreateOrUpdateConsumer(ctx, s.consumption()); err != nil {
		return nil, fmt.Errorf("making the consumer of channel %s: %w", r.Name, err)
	}
	return s, nil
}

// consumption is the consumer of the channel's messages.
func (s *sender) consumption() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: "sender", AckPolicy: jetstream.AckExplicitPolicy, AckWait: max(s.box.options.AckWait, 2*s.Timeout), MaxDeliver: -1, MaxAckPending: 4096,
	}
}

// A letter is a message as it lies in a stream.
type letter struct {
	ID       string             `json:"id"`
	Event    Event              `json:"event"`
	Openings int                `json:"openings"`
	Pushed   time.Time          `json:"pushed,omitzero"`
	At       time.Time          `json:"at"`
	Trace    string             `json:"trace,omitempty"`
	Incident *incident.Incident `json:"incident"`
}

// Tell puts a message for every channel into the outbox and returns when it is
// on disk. Another with the same id is the same message; but where a channel was
// told of the opening, and the incident is graver than it said, the message says
// that. An id of incident.ClosedID or AnsweredID tells that. A channel whose
// stream is full loses the message, which its incident's timeline then says: that
// nobody reads messages must not stop the scans.
func (b *Outbox) Tell(ctx context.Context, id string, i *incident.Incident) error {
	l := b.letter(ctx, id, i)
	for _, s := range b.senders {
		if !s.wants(i) {
			continue
		}
		past, err := s.put(ctx, l)
		if err == nil && l.Event == Opened {
			err = s.escalate(ctx, i, past)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Outbox) letter(ctx context.Context, id string, i *incident.Incident) *letter {
	l := &letter{ID: id, Event: Opened, Openings: i.Openings(), At: time.Now().UTC(), Trace: span.Carry(ctx), Incident: b.trim(i)}
	switch n := len(i.Places); {
	case strings.HasSuffix(id, incident.ClosedSuffix):
		l.Event = Closed
	case strings.HasSuffix(id, incident.AnsweredSuffix):
		l.Event = Answered
	case n > 0:
		l.Pushed = i.Places[n-1].At
	}
	return l
}

// put puts a letter into the stream unless it was told, and returns what is known
// of that.
func (s *sender) put(ctx context.Context, l *letter) (*record, error) {
	past, err := s.past(ctx, l.ID)
	if err != nil || past != nil {
		return past, err
	}
	return nil, s.post(ctx, l)
}

// post puts a letter into the stream.
func (s *sender) post(ctx context.Context, l *letter) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = s.js.Publish(ctx, s.subject, body, jetstream.WithMsgID(s.key(l.ID)))
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == streamFull {
		s.count("overflowed", 0)
		s.log.Error("the outbox of the channel is full", "incident", l.Incident.ID)
		s.note(ctx, l, "overflowed", "not told: too many messages wait for this channel")
		return nil
	}
	if err != nil {
		return fmt.Errorf("putting a message for channel %s: %w", s.Name, err)
	}
	return nil
}

// streamFull is JetStream's code for a stream that takes no more messages
// (JSStreamStoreFailedF).
const streamFull = 10077

// trim returns what of the incident is kept with the message: everything but what
// no channel shows, or where there is a store, which is asked when the message is
// sent, what it is.
func (b *Outbox) trim(i *incident.Incident) *incident.Incident {
	if b.options.Incidents != nil {
		return &incident.Incident{ID: i.ID, Rule: i.Rule, Title: i.Title, Severity: i.Severity, Match: i.Match}
	}
	t := *i
	t.Facts = nil
	t.Places = t.Places[:min(len(t.Places), maxPlaces)]
	return &t
}

func (s *sender) key(id string) string {
	sum := sha256.Sum256([]byte(s.Name + "\x00" + id))
	return hex.EncodeToString(sum[:16])
}

// Run sends until ctx ends.
func (b *Outbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	if b.options.Incidents != nil {
		wg.Go(func() {
			// Not at once: a server that starts has more urgent things to do than
			// to read all incidents.
			for pause(ctx, min(b.options.Sweep, time.Minute)); ctx.Err() == nil; pause(ctx, b.options.Sweep) {
				if err := b.sweep(ctx); err != nil && ctx.Err() == nil {
					b.options.Log.Warn("looking for what nobody was told of", "err", err)
				}
			}
		})
	}
	for _, s := range b.senders {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
	return ctx.Err()
}

// sweepAge is how old a closing may be to be told by a sweep: long enough for a
// weekend, and not news from last year. enrichedAge is the same for what was found
// out about an open incident, of which there are more.
const (
	sweepAge    = 72 * time.Hour
	enrichedAge = 3 * time.Hour
)

// sweep tells of closings that were not told, over the channels that said the
// incident is open: an alert that nobody resolves calls somebody for nothing. And
// it tells of what has become graver and went by unnoticed, as a node of a cluster
// may answer with what was there a moment ago.
func (b *Outbox) sweep(ctx context.Context) error {
	return b.options.Incidents.Each(ctx, func(i *incident.Incident) error {
		open := i.Open()
		if !open && time.Since(last(i, incident.Closed)) > sweepAge || open && time.Since(last(i, incident.Enriched)) > enrichedAge {
			return nil
		}
		var closed *letter
		if !open {
			closed = b.letter(ctx, incident.ClosedID(i), i)
		}
		for _, s := range b.senders {
			past, err := s.past(ctx, incident.OpenedID(i))
			switch {
			case err != nil:
			case open:
				err = s.escalate(ctx, i, past)
			case past.reached():
				_, err = s.put(ctx, closed)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// last returns when the incident last reached the stage.
func last(i *incident.Incident, stage incident.Stage) time.Time {
	var at time.Time
	for _, e := range i.Timeline {
		if e.Stage == stage {
			at = e.At
		}
	}
	return at
}

// Waiting returns how many messages wait, by channel.
func (b *Outbox) Waiting(ctx context.Context) (map[string]uint64, error) {
	waiting := map[string]uint64{}
	for _, s := range b.senders {
		i, err := s.stream.Info(ctx)
		if err != nil {
			return nil, fmt.Errorf("asking how many messages wait for channel %s: %w", s.Name, err)
		}
		waiting[s.Name] = i.State.Msgs
	}
	return waiting, nil
}
