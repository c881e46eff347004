package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
//
// In memory there is of each entry what decides whether another action may be
// done (a record, some hundred bytes); what was done is read from the file again
// when somebody asks. Only open entries, of which there are few, are there in full.
type Ledger struct {
	lock    *os.File
	path    string
	journal *journal
	source  io.ReaderAt // the journal's file

	mu      sync.Mutex
	records []record
	index   map[entryID]int // of the newest record with an ID
	open    map[int]*Entry  // without an outcome; none is ever changed: another takes its place
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
	l := newLedger(nil)
	l.lock = lock
	if err := tryLock(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the ledger in %s: %w; one response runs at a time", dir, err), lock.Close())
	}
	l.path = filepath.Join(inside, "ledger.jsonl")
	l.journal, err = openJournal(l.path, l)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l.source = l.journal.file
	return l, nil
}

// take takes in a line of the ledger's own file.
func (l *Ledger) take(n int, at int64, line []byte) error {
	if err := l.read(at, line); err != nil {
		return fmt.Errorf("%s:%d: %w; nothing is done while the ledger is damaged: mend it, or start another one once all keys were looked at", l.path, n, err)
	}
	return nil
}

func newLedger(source io.ReaderAt) *Ledger {
	return &Ledger{source: source, index: map[entryID]int{}, open: map[int]*Entry{}}
}

// read takes in the line that begins at the byte at.
func (l *Ledger) read(at int64, line []byte) error {
	var r ledgerRecord
	if err := json.Unmarshal(line, &r); err != nil {
		return errors.New("no record")
	}
	if r.Version != ledgerVersion {
		return fmt.Errorf("a record of version %d; this program reads version %d", r.Version, ledgerVersion)
	}
	return l.apply(&r, at)
}

// next returns the state that a record brings an action to which is in the state
// was, empty for none; or why it cannot be true.
func next(was EntryState, r *ledgerRecord) (EntryState, error) {
	if r.Type == "intent" {
		switch {
		case r.Action == nil || r.ID == "" || r.ID != r.Action.ID():
			return "", errors.New("an intent that does not fit its action")
		case was != "" && was != Refused:
			return "", fmt.Errorf("%w: %s", ErrDone, was)
		}
		return Intended, nil
	}
	if was == "" {
		return "", fmt.Errorf("a %s without an intent", r.Type)
	}
	switch r.Type {
	case "receipt":
		if was != Intended {
			return "", fmt.Errorf("a receipt of what is %s", was)
		}
		return Answered, nil
	case "outcome":
		if was != Intended && was != Answered {
			return "", fmt.Errorf("an outcome of what is %s", was)
		}
		if !slices.Contains([]EntryState{Effective, Refused, Abandoned}, r.State) {
			return "", fmt.Errorf("the outcome %.20q", r.State)
		}
		return r.State, nil
	}
	return "", fmt.Errorf("a record of the type %.20q", r.Type)
}

// stateOf returns that of the newest entry of an action; empty if there is none.
func (l *Ledger) stateOf(id string) EntryState {
	if i, known := l.index[idOf(id)]; known {
		return l.records[i].entryState()
	}
	return ""
}

// apply changes the entries as the record says whose line begins at the byte at,
// or returns why it cannot be true.
func (l *Ledger) apply(r *ledgerRecord, at int64) error {
	state, err := next(l.stateOf(r.ID), r)
	if err != nil {
		return err
	}
	if r.Type == "intent" {
		i := len(l.records)
		l.records = append(l.records, newRecord(r, at))
		l.index[idOf(r.ID)] = i
		l.open[i] = &Entry{ID: r.ID, Action: *r.Action, Plan: r.Plan, State: state, Intent: r.At}
		return nil
	}
	i := l.index[idOf(r.ID)]
	l.records[i].advance(r.Type, state, at)
	if state != Answered {
		delete(l.open, i)
		return nil
	}
	e := *l.open[i]
	e.State, e.RequestID, e.Note = state, r.RequestID, r.Note
	l.open[i] = &e
	return nil
}

// write holds the record against the entries, writes it, and only then lets it
// count.
func (l *Ledger) write(r *ledgerRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Version, r.At = ledgerVersion, r.At.UTC()
	if _, err := next(l.stateOf(r.ID), r); errors.Is(err, ErrDone) {
		return err
	} else if err != nil {
		return fmt.Errorf("the ledger refuses %w", err)
	}
	at, err := l.journal.append(r)
	if err != nil {
		return err
	}
	return l.apply(r, at)
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

// Folder returns the folder of the ledger.
func (l *Ledger) Folder() string { return filepath.Dir(l.path) }

// Close lets other processes use the ledger.
func (l *Ledger) Close() error {
	return errors.Join(l.journal.Close(), l.lock.Close())
}

// ReadLedger returns what the ledger in dir holds without opening it for
// writing: for dry runs. No ledger holds nothing.
func ReadLedger(dir string) (Entries, error) {
	path := filepath.Join(dir, "ledger.jsonl")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	l := newLedger(bytes.NewReader(text))
	lines, torn := splitLines(text)
	if json.Valid(torn) {
		lines = append(lines, torn)
	}
	at := int64(0)
	for i, line := range lines {
		if err := l.read(at, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		at += int64(len(line)) + 1
	}
	return l.entries(func(*record) bool { return true })
}
