package rewrap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
)

// A Ledger is the file of one plan: the plan as it was approved, and what has
// come of each item. Going on after an interruption needs nothing else.
//
//	plan
//	intent(item) --> prepared(item, digest of the new file) --> done(item) | failed(item) | changed(item)
type Ledger struct {
	mu    sync.Mutex
	lines *live.Lines
	path  string
	plan  *Plan
	by    string
	state []progress
	now   func() time.Time
}

type progress struct {
	State    State
	Prepared string
	Note     string
}

// A State is how far an item is.
type State string

// The states. An item that is Intended may or may not have been changed: the
// next run looks. One that has Failed is tried again by the next run; one that
// was found Changed by somebody else is not.
const (
	Waiting  State = ""
	Intended State = "intended"
	Done     State = "done"
	Failed   State = "failed"
	Changed  State = "changed meanwhile"
)

type record struct {
	Version  int       `json:"v"`
	Type     string    `json:"type"` // plan, intent, prepared, done, failed, changed
	At       time.Time `json:"at"`
	Plan     *Plan     `json:"plan,omitempty"`
	By       string    `json:"by,omitempty"`
	Item     int       `json:"item,omitempty"` // from 1
	Prepared string    `json:"sha256,omitempty"`
	Note     string    `json:"note,omitempty"`
}

const ledgerVersion = 1

// OpenLedger opens the ledger in the file path, or makes it. A line that cannot
// be true is an error: what has been done is then not known.
func OpenLedger(path string) (*Ledger, error) {
	lines, all, err := live.OpenLines(path)
	if err != nil {
		return nil, err
	}
	l := &Ledger{lines: lines, path: path, now: time.Now}
	if err := l.readAll(all); err != nil {
		return nil, errors.Join(err, lines.Close())
	}
	return l, nil
}

// ReadLedger returns what the ledger in path holds without opening it for
// writing; no file is an empty ledger.
func ReadLedger(path string) (*Ledger, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	l := &Ledger{path: path, now: time.Now}
	all := bytes.Split(text, []byte("\n"))
	return l, l.readAll(all[:len(all)-1])
}

func (l *Ledger) readAll(all [][]byte) error {
	for i, line := range all {
		var r record
		err := json.Unmarshal(line, &r)
		if err != nil {
			err = errors.New("no record")
		} else {
			err = l.apply(&r)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w; nothing is changed while the ledger is damaged: mend it, or begin another one with a new plan", l.path, i+1, err)
		}
	}
	return nil
}

// apply changes the state as the record says, or returns why it cannot be true.
func (l *Ledger) apply(r *record) error {
	switch {
	case r.Version != ledgerVersion:
		return fmt.Errorf("a record of version %d; this program reads version %d", r.Version, ledgerVersion)
	case r.Type == "plan" && l.plan != nil:
		return errors.New("a second plan")
	case r.Type == "plan" && (r.Plan == nil || r.Plan.Hash != r.Plan.digest()):
		return errors.New("a plan that is not what its hash says")
	case r.Type == "plan":
		l.plan, l.by, l.state = r.Plan, r.By, make([]progress, len(r.Plan.Items))
		return nil
	case l.plan == nil || r.Item < 1 || r.Item > len(l.state):
		return errors.New("a record of an item that is in no plan")
	}
	s := &l.state[r.Item-1]
	switch {
	case r.Type == "intent" && s.State != Done && s.State != Changed:
		*s = progress{State: Intended, Prepared: s.Prepared}
	case r.Type == "prepared" && s.State == Intended:
		s.Prepared = r.Prepared
	case r.Type == "done" && s.State == Intended:
		s.State, s.Note = Done, r.Note
	case r.Type == "failed" && s.State == Intended:
		s.State, s.Note = Failed, r.Note
	case r.Type == "changed" && s.State == Intended:
		s.State, s.Note = Changed, r.Note
	default:
		return fmt.Errorf("the record %.20q of an item that is %q", r.Type, s.State)
	}
	return nil
}

func (l *Ledger) write(r record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		return fmt.Errorf("the ledger %s was opened for reading", l.path)
	}
	r.Version, r.At = ledgerVersion, l.now().UTC()
	if err := l.lines.Append(&r); err != nil {
		return err
	}
	return l.apply(&r)
}

// Begin writes the plan that was approved, and by what.
func (l *Ledger) Begin(p *Plan, by string) error {
	if l.plan != nil {
		return fmt.Errorf("the ledger %s is that of the plan %.16s", l.path, l.plan.Hash)
	}
	return l.write(record{Type: "plan", Plan: p, By: by})
}

// Plan returns the plan of the ledger, or nil.
func (l *Ledger) Plan() *Plan { return l.plan }

// State returns how far the item i of the plan is, and what is said of it.
func (l *Ledger) State(i int) (State, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state[i].State, l.state[i].Note
}

// Finished reports whether nothing is left that Run would change.
func (l *Ledger) Finished() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.state {
		if s := l.state[i].State; l.plan.Items[i].Action != ByHand && s != Done && s != Changed {
			return false
		}
	}
	return l.plan != nil
}

func (l *Ledger) prepared(i int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state[i].Prepared
}

// Close lets other processes use the ledger.
func (l *Ledger) Close() error {
	if l.lines == nil {
		return nil
	}
	return l.lines.Close()
}
