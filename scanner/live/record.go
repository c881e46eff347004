package live

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"time"
)

// An entryID is an action's ID, in half the room.
type entryID [16]byte

// idOf returns the ID that the text says; that of no action where it says none.
func idOf(text string) (id entryID) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) || hex.EncodeToString(raw) != text {
		return id
	}
	return entryID(raw)
}

// A record is what the ledger keeps in memory, and in its mark, of an entry: enough to say whether
// another action may be done, and where the rest stands.
type record struct {
	ID entryID
	// Intent is when it was intended, in seconds since 1970.
	Intent int64
	// Lines are where the lines of intent, receipt and outcome begin, by one more;
	// 0 for none. A journal is smaller than 4 GiB.
	Lines [3]uint32
	// Target and Finding are hashes: others may have the same.
	Target, Finding uint32
	State           uint8 // of states
}

// states are all states; a record names one by its place.
var states = [...]EntryState{Intended, Answered, Effective, Refused, Abandoned}

func newRecord(r *ledgerRecord, at int64) record {
	return record{
		ID: idOf(r.ID), Intent: r.At.Unix(), Lines: [3]uint32{uint32(at + 1)},
		Target: hash32(r.Action.Target.String()), Finding: hash32(r.Action.Finding),
	}
}

func hash32(text string) uint32 {
	h := fnv.New32a()
	_, _ = io.WriteString(h, text)
	return h.Sum32()
}

func (c *record) entryState() EntryState { return states[c.State] }

// advance notes a receipt or an outcome.
func (c *record) advance(what string, state EntryState, at int64) {
	place := 1
	if what == "outcome" {
		place = 2
	}
	c.Lines[place] = uint32(at + 1)
	c.State = uint8(slices.Index(states[:], state))
}

// Recent is that of History. Times are held against each other by the second.
func (l *Ledger) Recent(since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for i := range l.records {
		if c := &l.records[i]; c.entryState() != Refused && c.Intent >= since.Unix() {
			n++
		}
	}
	return n
}

// About is that of History. The entries are shared: they must not be changed.
func (l *Ledger) About(a *Action) ([]*Entry, error) {
	id, target := a.ID(), hash32(a.Target.String())
	short := idOf(id)
	all, err := l.entries(func(c *record) bool { return c.ID == short || c.Target == target })
	return slices.DeleteFunc(all, func(e *Entry) bool { return !e.about(id, a.Target) }), err
}

// Answers returns the entries of actions that answer the finding, the oldest
// first. They are shared: they must not be changed.
func (l *Ledger) Answers(finding string) ([]*Entry, error) {
	hash := hash32(finding)
	all, err := l.entries(func(c *record) bool { return c.Finding == hash })
	return slices.DeleteFunc(all, func(e *Entry) bool { return e.Action.Finding != finding }), err
}

// Open returns the entries whose outcome is not known yet, the oldest first. They
// are shared: they must not be changed.
func (l *Ledger) Open() []*Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var order []int
	for i := range l.open {
		order = append(order, i)
	}
	slices.Sort(order)
	var all []*Entry
	for _, i := range order {
		all = append(all, l.open[i])
	}
	return all
}

// find returns the newest entry of an action, or nil.
func (l *Ledger) find(id string) (*Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, known := l.index[idOf(id)]
	if !known {
		return nil, nil
	}
	return l.entry(i)
}

// entries returns those whose record is wanted, the oldest first.
func (l *Ledger) entries(want func(*record) bool) (Entries, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*Entry
	for i := range l.records {
		if !want(&l.records[i]) {
			continue
		}
		e, err := l.entry(i)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// entry returns an entry in full. l.mu is held.
func (l *Ledger) entry(i int) (*Entry, error) {
	if e := l.open[i]; e != nil {
		return e, nil
	}
	c := &l.records[i]
	e := &Entry{ID: hex.EncodeToString(c.ID[:]), State: c.entryState()}
	for n, at := range c.Lines {
		if at == 0 {
			continue
		}
		r, err := l.line(int64(at - 1))
		if err == nil && (r.ID != e.ID || n == 0 && r.Action == nil) {
			err = fmt.Errorf("it is not about %s any more", e.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the ledger again at byte %d, where it may have been changed: %w", at-1, err)
		}
		switch n {
		case 0:
			e.Action, e.Plan, e.Intent = *r.Action, r.Plan, r.At
		case 1:
			e.RequestID, e.Note = r.RequestID, r.Note
		case 2:
			e.Note = r.Note
		}
	}
	return e, nil
}

// line reads a line again.
func (l *Ledger) line(at int64) (*ledgerRecord, error) {
	text, err := bufio.NewReaderSize(io.NewSectionReader(l.source, at, maxJournal), 2<<10).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return nil, err
	}
	var r ledgerRecord
	return &r, json.Unmarshal(text, &r)
}

// recordSize is how long a record is in a mark, in bytes.
var recordSize = binary.Size(record{})

// state is that of owner: the records, one after the other.
func (l *Ledger) state() []byte {
	text, err := binary.Append(nil, binary.BigEndian, l.records)
	if err != nil {
		return nil // never: records have a fixed size
	}
	return text
}

// restore is that of owner. What is open is read in full.
func (l *Ledger) restore(state []byte, file io.ReaderAt) bool {
	records := make([]record, len(state)/recordSize)
	if len(records) == 0 {
		return false
	}
	if n, err := binary.Decode(state, binary.BigEndian, records); err != nil || n != len(state) {
		return false
	}
	all := newLedger(file)
	all.records = records
	for i := range records {
		c := &records[i]
		if int(c.State) >= len(states) {
			return false
		}
		all.index[c.ID] = i
		if s := c.entryState(); s != Intended && s != Answered {
			continue
		}
		e, err := all.entry(i)
		if err != nil {
			return false
		}
		all.open[i] = e
	}
	l.records, l.index, l.open = all.records, all.index, all.open
	return true
}
