package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// An AuditLog is the account that a response gives of itself: who did what, by
// which plan, with which request, and how it was before and after. Each line
// holds the hash of the one before it, and a second file, the head, how many
// lines there are and the hash of the last. So a line that was changed, taken
// out, put in or moved is found, and so is a log that was cut.
//
// What it cannot find: that whoever can write both files wrote another history
// from the first line on, or cut the log and made the head fit. Keep the head's
// hash, which every notification carries, where that person cannot reach; then
// VerifyAudit finds that too.
type AuditLog struct {
	journal *journal
	head    string // path of the head file

	mu    sync.Mutex
	count int
	last  string // hash of the last line
}

// An AuditEvent is what a line of the log says.
type AuditEvent struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"` // planned, intent, answered, confirmed, not done, unresolved, stopped
	// Caller is the ARN under which AWS was called, User the account of the
	// operating system, and Plan the hash of the plan.
	Caller string `json:"caller,omitempty"`
	User   string `json:"user,omitempty"`
	Plan   string `json:"plan,omitempty"`
	// Approval says by what the plan was allowed to be carried out.
	Approval  string  `json:"approval,omitempty"`
	Action    *Action `json:"action,omitempty"`
	RequestID string  `json:"request_id,omitempty"`
	// Before and After describe the resource.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Note   string `json:"note,omitempty"`
}

type auditHead struct {
	Count int    `json:"count"`
	Hash  string `json:"hash"`
}

const (
	auditFile = "audit.jsonl"
	headFile  = "audit.head"
)

// OpenAudit opens the audit log in the folder of an open ledger, whose lock
// protects it too. A log that does not verify is an error: nothing is done that
// could not be accounted for.
func OpenAudit(l *Ledger) (*AuditLog, error) {
	dir := l.Folder()
	a := &AuditLog{head: filepath.Join(dir, headFile)}
	head, err := readHead(a.head)
	if err != nil {
		return nil, err
	}
	reading := chain{path: filepath.Join(dir, auditFile), head: head}
	if a.journal, err = openJournal(reading.path, &reading); err != nil {
		return nil, err
	}
	a.count, a.last = reading.count, reading.last
	err = a.whole(head)
	// A head that a crash left behind is set right before anything is written:
	// two crashes in a row would leave it two lines behind, as a forgery does.
	if err == nil && a.count > 0 && (head == nil || head.Count < a.count) {
		err = a.writeHead()
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// whole holds the number of lines against the head.
func (a *AuditLog) whole(head *auditHead) error {
	// A process that died between a line and the head leaves the head one
	// behind.
	at := 0
	if head != nil {
		at = head.Count
	}
	switch {
	case at > a.count:
		return fmt.Errorf("%s:%d: lines are missing: the head counts %d and the log has %d", a.journal.path, a.count+1, at, a.count)
	case at < a.count-1:
		return fmt.Errorf("%s:%d: the head counts %d and the log has %d: lines were added by something else, or the head was replaced", a.journal.path, at+1, at, a.count)
	}
	return nil
}

// auditNext reads the line after n lines, the last of which has the hash prev.
func auditNext(text []byte, n int, prev string) (*auditLine, error) {
	line, err := framed(text)
	if err != nil {
		if line, err = decoded(text); err != nil {
			return nil, err
		}
	}
	switch {
	case line.N != n+1:
		return nil, fmt.Errorf("it has the number %d; lines were taken out, put in or moved", line.N)
	case line.Prev != prev:
		return nil, errors.New("it does not follow the line before it, which was changed or exchanged")
	case line.Hash != line.sum():
		return nil, errors.New("its hash does not fit it: it was changed")
	}
	return line, nil
}

// readHead returns the head, or nil if there is none.
func readHead(path string) (*auditHead, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the head of the audit log: %w", err)
	}
	var h auditHead
	if err := json.Unmarshal(text, &h); err != nil || h.Count < 0 {
		return nil, fmt.Errorf("%s: it is no head of an audit log", path)
	}
	return &h, nil
}

// Write adds an event. It is on the disk when Write returns. It is safe for
// concurrent use.
func (a *AuditLog) Write(e *AuditEvent) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.At = e.At.UTC()
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing to the audit log: %w", err)
	}
	line := auditLine{N: a.count + 1, Prev: a.last, Body: body}
	line.Hash = line.sum()
	if _, err := a.journal.append(&line); err != nil {
		return err
	}
	a.count, a.last = line.N, line.Hash
	return a.writeHead()
}

// writeHead puts the number of lines and the last hash into the head file.
func (a *AuditLog) writeHead() error {
	head, err := json.Marshal(auditHead{a.count, a.last})
	if err != nil {
		return fmt.Errorf("writing the head of the audit log: %w", err)
	}
	return replaceFile(a.head, append(head, '\n'))
}

// Head returns the hash of the last line.
func (a *AuditLog) Head() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// Close closes the log.
func (a *AuditLog) Close() error { return a.journal.Close() }

// An AuditCheck is what VerifyAudit found.
type AuditCheck struct {
	Lines int    `json:"lines"`
	Head  string `json:"head"`
	// Bad is the first line that is wrong, from 1, and Why what is wrong with
	// it. Bad is 0 for a log that verifies.
	Bad int    `json:"bad_line,omitempty"`
	Why string `json:"why,omitempty"`
	// Notes are oddities that a crash explains.
	Notes []string `json:"notes,omitempty"`
	// Times are those of the first and the last event.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// VerifyAudit checks the audit log in the folder dir without changing it.
// Known is the hash of a line that was kept elsewhere, such as the head that a
// notification named; empty if there is none. The error is for what could not
// be read, not for a bad log.
func VerifyAudit(dir, known string) (*AuditCheck, error) {
	path := filepath.Join(dir, auditFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	head, err := readHead(filepath.Join(dir, headFile))
	if err != nil {
		return nil, err
	}
	c := &AuditCheck{}
	lines, torn := splitLines(text)
	if len(torn) > 0 {
		if _, err := auditNext(torn, len(lines), lastHash(lines)); err == nil {
			lines = append(lines, torn)
			c.Notes = append(c.Notes, "the last line lacks its end, as a crash leaves it; the next run completes it")
		} else {
			c.Notes = append(c.Notes, "a torn line follows the last one, as a crash leaves it; the next run takes it away")
		}
	}
	c.follow(lines, head, strings.ToLower(strings.TrimSpace(known)))
	return c, nil
}

func lastHash(lines [][]byte) string {
	if len(lines) == 0 {
		return ""
	}
	var l auditLine
	if json.Unmarshal(lines[len(lines)-1], &l) != nil {
		return ""
	}
	return l.Hash
}

// follow checks the lines in their order.
func (c *AuditCheck) follow(lines [][]byte, head *auditHead, known string) {
	seen := known == ""
	bad := func(n int, why string) { c.Bad, c.Why = n, why }
	for i, text := range lines {
		line, err := auditNext(text, i, c.Head)
		if err != nil {
			bad(i+1, err.Error())
			return
		}
		c.Lines, c.Head = line.N, line.Hash
		seen = seen || line.Hash == known
		var e AuditEvent
		if json.Unmarshal(line.Body, &e) == nil {
			if c.First.IsZero() {
				c.First = e.At
			}
			c.Last = e.At
		}
		if head != nil && head.Count == line.N && head.Hash != line.Hash {
			bad(line.N, "the head names another line here: the log was written anew")
			return
		}
	}
	switch {
	case head == nil && c.Lines > 1:
		bad(c.Lines, "the head file is missing, so that nobody can tell whether lines are")
	case head != nil && head.Count > c.Lines:
		bad(c.Lines+1, fmt.Sprintf("lines are missing at the end: the head counts %d", head.Count))
	case head != nil && head.Count < c.Lines-1:
		bad(head.Count+1, "the head counts fewer lines: some were added by something else, or the head was replaced")
	case !seen:
		bad(c.Lines+1, "no line has the hash that was kept elsewhere: the log was cut or written anew")
	case head == nil && c.Lines == 1 || head != nil && head.Count < c.Lines:
		c.Notes = append(c.Notes, "the head is one line behind, as a crash leaves it; the next run sets it right")
	}
}
