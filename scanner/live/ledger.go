package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A Ledger remembers what was going to be done and what came of it. An intent
// is on the disk before the call that it is about, so that a process which dies
// at any moment leaves either no call, or an intent that the next one resolves.
//
// It is one file of JSON lines in a folder of its own, which only grows, and a
// lock for as long as it is open. It is safe for concurrent use. What it says of
// an action is the last that was written of it:
//
//	intent --(AWS answers)--> receipt --(AWS shows the effect)--> outcome
type Ledger struct {
	lock    *os.File
	journal *journal

	mu      sync.Mutex
	entries []*Entry       // none is ever changed: another takes its place
	index   map[string]int // of the newest entry with an ID
}

var errLocked = errors.New("another process is using it")

// ErrDone says that the ledger holds the action already.
var ErrDone = errors.New("the ledger holds this action already")

// ledgerRecord is a line of the ledger.
type ledgerRecord struct {
	Version   int        `json:"v"`
	Type      string     `json:"type"` // intent, receipt, outcome
	ID        string     `json:"id"`
	At        time.Time  `json:"at"`
	Plan      string     `json:"plan,omitempty"`
	Action    *Action    `json:"action,omitempty"`
	RequestID string     `json:"request_id,omitempty"`
	State     EntryState `json:"state,omitempty"`
	Note      string     `json:"note,omitempty"`
}

const ledgerVersion = 1

// OpenLedger opens the ledger in the folder dir, or makes it. It fails if
// another process has it open, if the folder lies where a commit or another
// user could change it, or if a line of it is damaged: what was done is then
// not known, and nothing may be done.
func OpenLedger(dir string) (*Ledger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the ledger: %w", err)
	}
	inside, err := trustedPath(filepath.Join(dir, "."), "the ledger's folder")
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(inside)
	if err != nil {
		return nil, fmt.Errorf("looking at the ledger's folder: %w", err)
	}
	if err := ownersOnly(info); err != nil {
		return nil, fmt.Errorf("the ledger's folder %s %w", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(inside, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger's lock: %w", err)
	}
	l := &Ledger{lock: lock, index: map[string]int{}}
	if err := tryLock(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the ledger in %s: %w; one response runs at a time", dir, err), lock.Close())
	}
	path := filepath.Join(inside, "ledger.jsonl")
	l.journal, err = openJournal(path, func(n int, line []byte) error {
		if err := l.read(line); err != nil {
			return fmt.Errorf("%s:%d: %w; nothing is done while the ledger is damaged: mend it, or start another one once all keys were looked at", path, n, err)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return l, nil
}

// read takes in one line.
func (l *Ledger) read(line []byte) error {
	var r ledgerRecord
	if err := json.Unmarshal(line, &r); err != nil {
		return errors.New("no record")
	}
	if r.Version != ledgerVersion {
		return fmt.Errorf("a record of version %d; this program reads version %d", r.Version, ledgerVersion)
	}
	return l.apply(&r)
}

// apply changes the entries as the record says, or returns why it cannot be
// true.
func (l *Ledger) apply(r *ledgerRecord) error {
	i, known := l.index[r.ID]
	if r.Type == "intent" {
		switch {
		case r.Action == nil || r.ID == "" || r.ID != r.Action.ID():
			return errors.New("an intent that does not fit its action")
		case known && l.entries[i].State != Refused:
			return fmt.Errorf("%w: %s", ErrDone, l.entries[i].State)
		}
		l.index[r.ID] = len(l.entries)
		l.entries = append(l.entries, &Entry{ID: r.ID, Action: *r.Action, Plan: r.Plan, State: Intended, Intent: r.At})
		return nil
	}
	if !known {
		return fmt.Errorf("a %s without an intent", r.Type)
	}
	e := *l.entries[i]
	switch r.Type {
	case "receipt":
		if e.State != Intended {
			return fmt.Errorf("a receipt of what is %s", e.State)
		}
		e.State, e.RequestID, e.Note = Answered, r.RequestID, r.Note
	case "outcome":
		if e.State != Intended && e.State != Answered {
			return fmt.Errorf("an outcome of what is %s", e.State)
		}
		if !slices.Contains([]EntryState{Effective, Refused, Abandoned}, r.State) {
			return fmt.Errorf("the outcome %.20q", r.State)
		}
		e.State, e.Note = r.State, r.Note
	default:
		return fmt.Errorf("a record of the type %.20q", r.Type)
	}
	l.entries[i] = &e
	return nil
}

// write holds the record against the entries, writes it, and only then lets it
// count.
func (l *Ledger) write(r *ledgerRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Version, r.At = ledgerVersion, r.At.UTC()
	i, known := l.index[r.ID]
	if r.Type == "intent" {
		if known && l.entries[i].State != Refused {
			return fmt.Errorf("%w: %s", ErrDone, l.entries[i].State)
		}
	} else {
		trial := Ledger{index: map[string]int{}} // what the record would do to what it is about
		if known {
			trial.entries, trial.index[r.ID] = []*Entry{l.entries[i]}, 0
		}
		if err := trial.apply(r); err != nil {
			return fmt.Errorf("the ledger refuses %w", err)
		}
	}
	if err := l.journal.append(r); err != nil {
		return err
	}
	return l.apply(r)
}

// Intend writes that the action is about to be done. It is on the disk when
// Intend returns without an error; on an error the action must not be done.
// ErrDone says that it was intended before, and did not surely fail.
func (l *Ledger) Intend(a Action, plan string, at time.Time) error {
	return l.write(&ledgerRecord{Type: "intent", ID: a.ID(), At: at, Plan: plan, Action: &a})
}

// Receive writes that AWS accepted the action.
func (l *Ledger) Receive(a *Action, r Receipt) error {
	return l.write(&ledgerRecord{Type: "receipt", ID: a.ID(), At: r.At, RequestID: r.RequestID, Note: r.Note})
}

// Settle writes what came of the action: Effective, Refused or Abandoned.
func (l *Ledger) Settle(a *Action, state EntryState, note string, at time.Time) error {
	return l.write(&ledgerRecord{Type: "outcome", ID: a.ID(), At: at, State: state, Note: note})
}

// Entries returns what the ledger holds, the oldest first. The entries are
// shared: they must not be changed.
func (l *Ledger) Entries() []*Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// find returns the newest entry of an action, or nil.
func (l *Ledger) find(id string) *Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, ok := l.index[id]
	if !ok {
		return nil
	}
	return l.entries[i]
}

// Open returns the entries whose outcome is not known yet.
func (l *Ledger) Open() []*Entry {
	return slices.DeleteFunc(l.Entries(), func(e *Entry) bool { return e.State != Intended && e.State != Answered })
}

// Folder returns the folder of the ledger.
func (l *Ledger) Folder() string { return filepath.Dir(l.journal.path) }

// Close lets other processes use the ledger.
func (l *Ledger) Close() error {
	return errors.Join(l.journal.Close(), l.lock.Close())
}

// ReadLedger returns what the ledger in dir holds without opening it for
// writing: for dry runs. No ledger holds nothing.
func ReadLedger(dir string) ([]*Entry, error) {
	path := filepath.Join(dir, "ledger.jsonl")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	l := &Ledger{index: map[string]int{}}
	lines, torn := splitLines(text)
	if json.Valid(torn) {
		lines = append(lines, torn)
	}
	for i, line := range lines {
		if err := l.read(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return l.entries, nil
}
