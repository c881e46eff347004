package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spillgate/spillgate/server/incident"
)

// What was told is the past of a message over one channel. That of an opening
// also says how bad it was said to be, so that what has become graver since is
// told once, and by whichever process finds it out: there is no list of rises
// that a crash could lose. The comparison is made where a push was looked into
// again, where a message has just been sent (its incident may have changed while
// it was under way), and by the sweep.
type record struct {
	// How is what became of the message: told, digested, skipped or given up.
	How string `json:"how"`
	// Gravity is the gravest that the incident was said to be.
	Gravity *incident.Gravity `json:"gravity,omitempty"`
	// Thread is the channel's own; see Message.
	Thread string `json:"thread,omitempty"`
}

// reached reports whether people got the message.
func (r *record) reached() bool { return r != nil && (r.How == "told" || r.How == "digested") }

// past returns what became of the message with the id; nil where it is not told
// yet.
func (s *sender) past(ctx context.Context, id string) (*record, error) {
	known, err := s.box.told.Get(ctx, s.key(id))
	if err != nil {
		return nil, fmt.Errorf("asking whether %s was told over %s: %w", id, s.Name, err)
	}
	if known == nil {
		return nil, nil
	}
	r := new(record)
	if json.Unmarshal(known.Value, r) != nil {
		return &record{How: string(known.Value)}, nil // of an earlier version: the word alone
	}
	return r, nil
}

// remember writes down what became of a message. That something has become
// graver belongs to its opening, whose thread goes on.
func (s *sender) remember(ctx context.Context, p *parcel, how, thread string) error {
	r := record{How: how, Thread: thread}
	id := p.ID
	switch p.Event {
	case Opened:
		g := p.incident.Gravity()
		r.Gravity = &g
	case Escalated:
		id = p.opening()
		if p.past != nil {
			r.How, r.Thread = p.past.How, p.past.Thread
		}
		g := p.incident.Gravity()
		if p.past != nil && p.past.Gravity != nil && p.past.Gravity.Status == alive {
			g.Status = alive // whatever was not to be known this time
		}
		r.Gravity = &g
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := s.box.told.Put(ctx, s.key(id), body); err != nil {
		return fmt.Errorf("noting that %s was %s: %w", p.ID, how, err)
	}
	return nil
}

// alive is the status of a key or a credential that can be used.
const alive = "enabled"

// opening is the id of the message that told that the incident was opened.
func (l *letter) opening() string { return incident.OpeningID(l.Incident.ID, l.Openings) }

// escalate puts a message where the incident is graver than it was said to be.
func (s *sender) escalate(ctx context.Context, i *incident.Incident, past *record) error {
	now := i.Gravity()
	if past == nil || past.Gravity == nil || !now.Over(*past.Gravity) || !i.Open() || !s.wants(i) {
		return nil
	}
	// Of the same rise there is one id, by whomever it is noticed.
	id := fmt.Sprintf("%s-graver-%s-%s-%s-%s", incident.OpenedID(i), past.Gravity.Severity, past.Gravity.Status, now.Severity, now.Status)
	l := s.box.letter(ctx, strings.ReplaceAll(id, " ", "-"), i) // SNS takes no spaces
	l.Event = Escalated
	return s.post(ctx, l)
}

// escalateAgain looks whether the incident of a message that was just sent has
// become graver meanwhile: who found that out may have seen that nothing was
// told yet.
func (s *sender) escalateAgain(ctx context.Context, p *parcel) error {
	store := s.box.options.Incidents
	if store == nil || p.Event != Opened && p.Event != Escalated {
		return nil
	}
	latest, err := store.Get(ctx, p.Incident.ID)
	if errors.Is(err, incident.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	past, err := s.past(ctx, p.opening())
	if err != nil {
		return err
	}
	if latest.Openings() != p.Openings {
		return nil // it is told anew
	}
	return s.escalate(ctx, latest, past)
}

// wants reports whether the channel is told of incidents as grave as this one.
func (s *sender) wants(i *incident.Incident) bool {
	severity := rank(i.Judgement().Severity)
	return s.MinSeverity == "" || severity < 0 || severity >= rank(s.MinSeverity)
}
