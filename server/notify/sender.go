package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/telemetry/span"
)

// Bounds of a sender.
const (
	// maxDigest is how many messages one digest stands for.
	maxDigest = 100
	// maxRefusals is how often a message is tried that the receiver calls wrong
	// while it takes others. One that takes no others may have been given the
	// wrong key, which somebody will put right.
	maxRefusals = 5
	// maxRetryAfter bounds how long a receiver may ask to be left alone.
	maxRetryAfter = time.Hour
)

// A sender sends one channel's messages, one after the other.
type sender struct {
	Route
	box      *Outbox
	subject  string
	log      *slog.Logger
	js       jetstream.JetStream
	stream   jetstream.Stream
	consumer jetstream.Consumer
	bucket   bucket
	failures int // of the channel, in a row
	alone    int // messages to send singly, after a digest was refused
	success  time.Time
}

// A parcel is a message taken from the stream.
type parcel struct {
	letter
	msg      jetstream.Msg
	attempt  int
	incident *incident.Incident
	past     *record // of the opening, for what follows it
}

func (s *sender) run(ctx context.Context) {
	if err := s.box.options.Queue.Retake(ctx, s.stream, s.consumption()); err != nil {
		s.log.Warn("going on with what was cut off", "err", err) // it comes after AckWait
	}
	for ctx.Err() == nil {
		if err := s.step(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sending", "err", err)
			pause(ctx, s.backoff(1))
		}
	}
}

// step sends one message, or one digest of all that wait when the channel's
// burst is used up.
func (s *sender) step(ctx context.Context) error {
	n := 1
	if wait := s.bucket.wait(time.Now()); wait > 0 {
		if !pause(ctx, wait) {
			return nil
		}
		if s.alone == 0 {
			n = maxDigest
		}
	}
	parcels, err := s.fetch(ctx, n)
	if err != nil || len(parcels) == 0 {
		return err
	}
	s.alone = max(0, s.alone-1)
	sending, cancel := context.WithTimeout(ctx, s.Timeout)
	thread, err := s.send(sending, parcels)
	cancel()
	if ctx.Err() != nil {
		for i := range parcels {
			_ = parcels[i].msg.Nak() // at once to another process
		}
		return nil
	}
	if err != nil {
		return s.failed(ctx, parcels, err)
	}
	// Only what arrives counts: the pace of attempts is the backoff's.
	s.bucket.take(time.Now())
	s.failures, s.success = 0, time.Now()
	return s.sent(ctx, parcels, thread)
}

// send gives the messages to the channel and returns the thread of a single one.
func (s *sender) send(ctx context.Context, parcels []parcel) (thread string, err error) {
	messages := make([]Message, len(parcels))
	for i := range parcels {
		messages[i] = parcels[i].message(s.box.options.Pages)
	}
	ctx, end := span.Continue(ctx, s.box.options.Traces, parcels[0].Trace, "send", "channel", s.Name, "messages", fmt.Sprint(len(parcels)))
	defer func() { end(err) }()
	if len(messages) == 1 {
		err = s.Channel.Send(ctx, &messages[0])
		return messages[0].Thread, err
	}
	sum := sha256.New()
	for _, m := range messages {
		fmt.Fprintf(sum, "%s\n", m.ID)
	}
	return "", s.Channel.Digest(ctx, hex.EncodeToString(sum.Sum(nil)[:16]), messages)
}

// message is what the channel is to say.
func (p *parcel) message(pages string) Message {
	m := Message{ID: p.ID, Event: p.Event, Incident: Summarise(p.incident, pages)}
	if p.past == nil {
		return m
	}
	m.Thread, m.Alone = p.past.Thread, p.past.How == "told"
	if p.Event == Escalated {
		m.Incident.Was = p.past.Gravity
	}
	return m
}

// fetch takes up to n messages that are still to be told: it waits for the first
// for the queue's Patience.
func (s *sender) fetch(ctx context.Context, n int) ([]parcel, error) {
	waiting, cancel := context.WithTimeout(ctx, queue.Patience)
	defer cancel()
	asked := time.Now()
	first, err := s.consumer.Next(jetstream.FetchContext(waiting))
	if err != nil && (queue.Idle(err, asked) || ctx.Err() != nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("waiting for a message: %w", err)
	}
	all := []jetstream.Msg{first}
	if n > 1 {
		more, err := s.consumer.FetchNoWait(n - 1)
		if err != nil {
			return nil, fmt.Errorf("fetching messages: %w", err)
		}
		for m := range more.Messages() {
			all = append(all, m)
		}
	}
	var parcels []parcel
	for _, m := range all {
		p, err := s.open(ctx, m)
		if err != nil {
			s.log.Warn("a message", "err", err)
			_ = m.NakWithDelay(s.backoff(3))
			continue
		}
		if p != nil && slices.ContainsFunc(parcels, func(o parcel) bool { return o.subject() == p.subject() }) {
			_ = m.NakWithDelay(s.backoff(1)) // the first may make it stale
			continue
		}
		if p != nil {
			parcels = append(parcels, *p)
		}
	}
	return parcels, nil
}

// open reads a message and brings it up to date. It returns nil for one that
// was told before, or that time has passed over.
func (s *sender) open(ctx context.Context, m jetstream.Msg) (*parcel, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	p := &parcel{msg: m, attempt: int(meta.NumDelivered)}
	if err := json.Unmarshal(m.Data(), &p.letter); err != nil || p.Incident == nil {
		s.log.Error("a message in the outbox cannot be read", "seq", meta.Sequence.Stream)
		return nil, m.Term()
	}
	if past, err := s.past(ctx, p.ID); err != nil {
		return nil, err
	} else if past != nil {
		// Sent, and the process died before it could say so.
		return nil, s.finish(ctx, p)
	}
	if p.Event != Opened {
		if p.past, err = s.past(ctx, p.opening()); err != nil {
			return nil, err
		}
	}
	p.incident = p.Incident
	if store := s.box.options.Incidents; store != nil {
		latest, err := store.Get(ctx, p.Incident.ID)
		switch {
		case err == nil:
			p.incident = latest
		case !errors.Is(err, incident.ErrNotFound):
			return nil, err
		}
	}
	if p.Event == Escalated && (p.stale() || !p.graver()) {
		s.count("skipped", 0)
		return nil, m.DoubleAck(ctx) // nothing is remembered: it may rise once more
	}
	if p.stale() {
		s.count("skipped", 0)
		return nil, s.settle(ctx, p, "skipped", "")
	}
	return p, nil
}

// subject is what no two messages of a digest may have in common: a rise of one
// incident is told once, to whatever it is by then.
func (p *parcel) subject() string {
	if p.Event == Escalated {
		return string(p.Event) + " " + p.opening()
	}
	return p.ID
}

// stale reports that time has passed over the message: the incident is closed
// that it calls open, or is open again that it calls closed. The other message
// is on its way, and the two may not arrive in the wrong order: an alert that
// is opened after it was resolved stays open for ever.
func (p *parcel) stale() bool {
	if p.incident.Openings() > p.Openings {
		return true
	}
	return p.incident.Open() == (p.Event == Closed)
}

// graver reports whether the incident is still graver than it was said to be.
func (p *parcel) graver() bool {
	return p.past != nil && p.past.Gravity != nil && p.incident.Gravity().Over(*p.past.Gravity)
}

// settle remembers that the message is dealt with and takes it from the stream.
func (s *sender) settle(ctx context.Context, p *parcel, how, thread string) error {
	if err := s.remember(ctx, p, how, thread); err != nil {
		return errors.Join(err, p.msg.NakWithDelay(s.backoff(1)))
	}
	return s.finish(ctx, p)
}

// finish takes a message that is dealt with from the stream.
func (s *sender) finish(ctx context.Context, p *parcel) error {
	if err := s.escalateAgain(ctx, p); err != nil {
		return errors.Join(err, p.msg.NakWithDelay(s.backoff(1)))
	}
	return p.msg.DoubleAck(ctx)
}

func (s *sender) sent(ctx context.Context, parcels []parcel, thread string) error {
	outcome, how := "told", "told"
	if len(parcels) > 1 {
		outcome, how = "digested", fmt.Sprintf("told, in a digest of %d", len(parcels))
	}
	var errs []error
	for i := range parcels {
		p := &parcels[i]
		if err := s.settle(ctx, p, outcome, thread); err != nil {
			errs = append(errs, err)
			continue
		}
		since := time.Duration(0)
		if !p.Pushed.IsZero() {
			since = time.Since(p.Pushed)
		}
		s.count(outcome, since)
		s.note(ctx, &p.letter, "told", how)
	}
	s.log.Info("told", "messages", len(parcels))
	return errors.Join(errs...)
}

// failed puts the messages back, gives up those that are too old or were
// refused too often, and leaves the channel alone for a while where the
// channel is at fault.
func (s *sender) failed(ctx context.Context, parcels []parcel, why error) error {
	var f *Failure
	if !errors.As(why, &f) {
		f = &Failure{Err: why}
	}
	after := min(f.After, maxRetryAfter)
	outcome := "retried"
	if f.Refused {
		outcome = "refused"
		if len(parcels) > 1 {
			s.alone = len(parcels) // one of them spoils the digest
		}
	} else {
		s.failures++
		after = max(after, s.backoff(s.failures))
	}
	s.log.Warn("telling failed", "messages", len(parcels), "outcome", outcome, "again", after.Round(time.Second), "err", why)
	for i := range parcels {
		p := &parcels[i]
		hopeless := f.Refused && len(parcels) == 1 && p.attempt >= maxRefusals && s.success.After(p.At)
		if hopeless || time.Since(p.At) > s.box.options.GiveUp {
			s.count("given_up", 0)
			s.note(ctx, &p.letter, "given up", "not told, given up: "+clean(why.Error(), maxWord))
			if err := s.settle(ctx, p, "given up", ""); err != nil {
				s.log.Warn("giving up a message", "err", err)
			}
			continue
		}
		s.count(outcome, 0)
		s.note(ctx, &p.letter, "failed", "not told yet, tried again: "+clean(why.Error(), maxWord))
		if err := p.msg.NakWithDelay(max(after, s.backoff(p.attempt))); err != nil {
			s.log.Warn("putting a message back", "err", err)
		}
	}
	if !f.Refused {
		pause(ctx, after)
	}
	return nil
}

// backoff returns how long to wait after n failures: doubled each time, and a
// random part of it, so that many do not come back at once.
func (s *sender) backoff(n int) time.Duration {
	d, most := s.box.options.Backoff, s.box.options.MaxBackoff
	for range min(n, 30) - 1 {
		if d >= most {
			break
		}
		d *= 2
	}
	d = min(d, most)
	return d/2 + rand.N(d/2+1)
}

func (s *sender) count(outcome string, since time.Duration) {
	if m := s.box.options.Meter; m != nil {
		m.Told(s.Name, outcome, since)
	}
}

// note writes to the incident's timeline, once for the message and what became
// of it. A note that cannot be written is not worth a message told twice.
func (s *sender) note(ctx context.Context, l *letter, what, text string) {
	store := s.box.options.Incidents
	if store == nil {
		return
	}
	e := incident.Entry{Stage: incident.Noted, Key: what + " " + s.Name + " " + l.ID, By: s.Name, Note: s.Name + ": " + text}
	if _, err := store.Advance(ctx, l.Incident.ID, e, nil); err != nil && ctx.Err() == nil {
		s.log.Warn("noting on the timeline", "incident", l.Incident.ID, "err", err)
	}
}

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// A bucket lets burst messages through at once, and then one in every.
type bucket struct {
	burst int
	every time.Duration
	// free is when the bucket is full again.
	free time.Time
}

// wait returns how long it is until a message may go.
func (b *bucket) wait(now time.Time) time.Duration {
	return max(0, b.free.Add(-time.Duration(b.burst-1)*b.every).Sub(now))
}

// take counts a message that goes.
func (b *bucket) take(now time.Time) {
	if b.free.Before(now) {
		b.free = now
	}
	b.free = b.free.Add(b.every)
}
