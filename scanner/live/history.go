package live

import (
	"slices"
	"time"
)

// A History is what is known of earlier actions, as far as a plan depends on it.
// A Ledger is one.
type History interface {
	// Recent counts the actions that were intended after the time and may have
	// changed something.
	Recent(since time.Time) int
	// About returns the entries of the same action, and of any action on the same
	// target, the oldest first. On an error nothing may be done: what was done is
	// not known.
	About(a *Action) ([]*Entry, error)
}

// Entries is a history of entries that are at hand, the oldest first.
type Entries []*Entry

// Recent is that of History.
func (h Entries) Recent(since time.Time) int {
	n := 0
	for _, e := range h {
		if e.State != Refused && e.Intent.After(since) {
			n++
		}
	}
	return n
}

// About is that of History; it returns no error.
func (h Entries) About(a *Action) ([]*Entry, error) {
	id := a.ID() // once: a history has tens of thousands of entries
	return slices.DeleteFunc(slices.Clone(h), func(e *Entry) bool { return !e.about(id, a.Target) }), nil
}

// Histories are several that together are one, such as this server's ledger and
// what other servers did.
type Histories []History

// Recent is that of History.
func (h Histories) Recent(since time.Time) int {
	n := 0
	for _, one := range h {
		n += one.Recent(since)
	}
	return n
}

// About is that of History.
func (h Histories) About(a *Action) ([]*Entry, error) {
	var all []*Entry
	for _, one := range h {
		some, err := one.About(a)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// about reports whether the entry is of the action with the id, or of one on the
// target.
func (e *Entry) about(id string, target ARN) bool { return e.ID == id || e.Action.Target == target }

// day is how long an action counts for the cap of a day.
const day = 24 * time.Hour
