package incident

import "time"

// A Waiting says that something about an incident could not be found out, or not
// be done, and when the server asks again by itself. It is a part of the incident,
// so that whichever server is there after a crash goes on with it.
type Waiting struct {
	// Why says what is not known, or what could not be begun.
	Why string `json:"why"`
	// Since is when it came to that with the last push that brought the secret.
	Since time.Time `json:"since"`
	// Next is when it is asked again at the earliest, and Times how often it was,
	// or was about to be.
	Next  time.Time `json:"next"`
	Times int       `json:"times,omitempty"`
	// Ended says that nobody asks any more: it took too long.
	Ended bool `json:"ended,omitempty"`
}

// Waits returns what the incident waits for; nil for one that is closed, that
// waits for nothing, or no longer. What an earlier opening waited for does not
// count.
func (i *Incident) Waits() *Waiting {
	if w := i.Waiting; w != nil && !w.Ended && i.Open() && !w.Since.Before(i.Opened()) {
		return w
	}
	return nil
}

// Opened returns when the incident was last opened.
func (i *Incident) Opened() time.Time {
	var at time.Time
	for _, e := range i.Timeline {
		if e.Stage == Found {
			at = e.At
		}
	}
	return at
}

// RespondedSince reports whether anything was done about the incident at or after
// the moment.
func (i *Incident) RespondedSince(at time.Time) bool {
	for _, e := range i.Timeline {
		if e.Stage == Responded && !e.At.Before(at) {
			return true
		}
	}
	return false
}
