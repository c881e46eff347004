// Package incident keeps what became of each found secret, from the push that
// brought it to the day somebody closes it.
//
// One incident is one secret of one rule: the fingerprint is its id. The same
// secret in three repositories and forty commits is one incident with several
// places, one response and one conversation. Incidents lie in a table of
// JetStream, where every change of one is atomic, so two workers never overwrite
// each other, and a worker that does its work again after a crash adds nothing
// twice.
package incident

import (
	"encoding/json"
	"slices"
	"time"
)

// A Stage is a step of an incident's life. They happen in this order; enriched
// to confirmed only where there is something to ask AWS about or to do.
type Stage string

// The stages.
const (
	Pushed    Stage = "pushed"
	Found     Stage = "found"
	Enriched  Stage = "enriched"
	Planned   Stage = "planned"
	Responded Stage = "responded"
	Confirmed Stage = "confirmed"
	Closed    Stage = "closed"
)

// Noted is an entry that moves nothing: that somebody was told, or could not
// be.
const Noted Stage = "noted"

// Stages are all stages in their order.
func Stages() []Stage {
	return []Stage{Pushed, Found, Enriched, Planned, Responded, Confirmed, Closed}
}

// MaxPlaces bounds how many places an incident lists; Occurrences goes on
// counting.
const MaxPlaces = 200

// A Place is where the secret stands.
type Place struct {
	Source     string    `json:"source"`
	Repository string    `json:"repository"`
	Ref        string    `json:"ref"`
	Path       string    `json:"path"`
	Line       int       `json:"line"`
	Commit     string    `json:"commit,omitempty"`
	Pusher     string    `json:"pusher,omitempty"`
	At         time.Time `json:"at"`
}

// same reports whether two places are one, whenever they were seen.
func (p *Place) same(o *Place) bool {
	return p.Source == o.Source && p.Repository == o.Repository && p.Path == o.Path && p.Line == o.Line && p.Commit == o.Commit
}

// An Entry is one line of the timeline.
type Entry struct {
	Stage Stage     `json:"stage"`
	At    time.Time `json:"at"`
	// Key makes an entry happen once: another with the same stage and key is
	// not added. A place, an action, a day.
	Key string `json:"key,omitempty"`
	// By is the person or program.
	By   string `json:"by,omitempty"`
	Note string `json:"note,omitempty"`
}

// An Incident is one found secret and its history. It never holds the secret.
type Incident struct {
	// ID is the finding's fingerprint.
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	// Match is what may be shown: an identifier, or a masked secret.
	Match string `json:"match"`
	Why   string `json:"why,omitempty"`
	Fix   string `json:"fix,omitempty"`
	// ARN is the resource that the finding names, where it names one.
	ARN         string  `json:"arn,omitempty"`
	Places      []Place `json:"places"`
	Occurrences int     `json:"occurrences"`
	Timeline    []Entry `json:"timeline"`
	// Facts and Verdict are the enricher's, as spillgate-live writes them.
	Facts   json.RawMessage `json:"facts,omitempty"`
	Verdict json.RawMessage `json:"verdict,omitempty"`
	Plan    json.RawMessage `json:"plan,omitempty"`
	// Leaves says what the response did not fix.
	Leaves []string `json:"leaves,omitempty"`
	// Waiting is set while the server itself asks about the incident again.
	Waiting *Waiting `json:"waiting,omitempty"`
}

// Open reports whether nobody has closed the incident since it was last found.
func (i *Incident) Open() bool { return i.Stage() != Closed }

// Openings returns how often the incident was opened: 1 and once more each
// time that it was found after it was closed.
func (i *Incident) Openings() int {
	n := 0
	for _, e := range i.Timeline {
		if e.Stage == Found {
			n++
		}
	}
	return n
}

// AnsweredSuffix and ClosedSuffix end the ids of messages that tell of an
// answer and of a closing; any other id tells that an incident was opened
// (OpenedID).
const (
	AnsweredSuffix = "-answered"
	ClosedSuffix   = "-closed"
)

// AnsweredID is the id under which it is told that the incident was answered:
// once for each time that it was opened.
func AnsweredID(i *Incident) string {
	return OpenedID(i) + AnsweredSuffix
}

// ClosedID is the id under which the closing of the incident is told: once for
// each time that it was opened.
func ClosedID(i *Incident) string { return OpenedID(i) + ClosedSuffix }

// Stage returns the newest stage; a note is none. What is confirmed after
// somebody closed the incident does not open it: only its secret found again
// does.
func (i *Incident) Stage() Stage {
	stage := Found
	for _, e := range i.Timeline {
		if e.Stage != Noted && (stage != Closed || e.Stage == Found) {
			stage = e.Stage
		}
	}
	return stage
}

// First returns when the incident first reached the stage.
func (i *Incident) First(s Stage) (time.Time, bool) {
	for _, e := range i.Timeline {
		if e.Stage == s {
			return e.At, true
		}
	}
	return time.Time{}, false
}

// Answered reports whether something was done, and all of it is confirmed.
func (i *Incident) Answered() bool {
	did := false
	for _, e := range i.Timeline {
		if e.Stage != Responded {
			continue
		}
		did = true
		if !slices.ContainsFunc(i.Timeline, func(o Entry) bool { return o.Stage == Confirmed && o.Key == e.Key }) {
			return false
		}
	}
	return did
}

// AnsweredSince reports whether the incident was opened once, and all that was
// done about it was confirmed after the moment.
func (i *Incident) AnsweredSince(at time.Time) bool {
	return i.Openings() == 1 && i.Answered() && !slices.ContainsFunc(i.Timeline, func(e Entry) bool {
		return e.Stage == Confirmed && !e.At.After(at)
	})
}

// Unanswered is the error for an incident that cannot be answered for now: AWS
// is down, something is not known, a call failed. It is worth another attempt.
type Unanswered struct{ Err error }

// Error is that of Err.
func (u *Unanswered) Error() string { return u.Err.Error() }

// Unwrap returns the error.
func (u *Unanswered) Unwrap() error { return u.Err }

// add puts an entry on the timeline unless it is there.
func (i *Incident) add(e Entry) bool {
	if slices.ContainsFunc(i.Timeline, func(o Entry) bool { return o.Stage == e.Stage && o.Key == e.Key }) {
		return false
	}
	i.Timeline = append(i.Timeline, e)
	return true
}

// addPlace counts the place, and lists it where there is room.
func (i *Incident) addPlace(p Place) bool {
	if slices.ContainsFunc(i.Places, func(o Place) bool { return o.same(&p) }) {
		return false
	}
	if len(i.Places) < MaxPlaces {
		i.Places = append(i.Places, p)
	}
	i.Occurrences++
	return true
}
