package live

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// marked returns the folder of a ledger that is long enough for a mark, and was
// opened once, so that it has one; with one open entry more, and its audit log.
func marked(t *testing.T) string {
	t.Helper()
	dir := longLedger(t, 1000)
	l := openLedger(t, dir)
	open := action("open")
	must(t, l.Intend(open, "p", now))
	must(t, l.Receive(&open, Receipt{RequestID: "r", At: now}))
	must(t, l.Close())
	must(t, os.Remove(filepath.Join(dir, "ledger.jsonl"+markSuffix))) // one that has the open entry, too
	must(t, openLedger(t, dir).Close())
	if m := readMark(filepath.Join(dir, "ledger.jsonl")); m == nil || m.lines != 3002 {
		t.Fatalf("the mark is %+v", m)
	}
	return dir
}

// whole returns all that a ledger holds in memory.
func whole(l *Ledger) any { return []any{l.records, l.index, l.open} }

// TestMark shows that a ledger which is opened by its mark is the one that is read
// from its beginning, also after it has grown.
func TestMark(t *testing.T) {
	dir := marked(t)
	path := filepath.Join(dir, "ledger.jsonl")
	l := openLedger(t, dir)
	must(t, l.Settle(&l.Open()[0].Action, Effective, "listed", now))
	must(t, l.Intend(action("late"), "p", now))
	must(t, l.Close())
	l = openLedger(t, dir)
	by := whole(l)
	must(t, l.Close())
	must(t, os.Remove(path+markSuffix))
	l = openLedger(t, dir)
	if !reflect.DeepEqual(by, whole(l)) {
		t.Error("by its mark it is another ledger than by its lines")
	}
	must(t, l.Close())
	// What the mark says is what is believed, or this test shows nothing.
	m := readMark(path)
	m.state = m.state[:recordSize]
	must(t, os.WriteFile(path+markSuffix, m.encode(), 0o600))
	if l = openLedger(t, dir); len(l.records) != 1 {
		t.Errorf("%d records: the mark was not read", len(l.records))
	}
}

// TestMarkOfOther shows that a mark is of no account once the lines that it was made of
// are others, or are not all there, and that what is wrong with them is found.
func TestMarkOfOther(t *testing.T) {
	dir := marked(t)
	path := filepath.Join(dir, "ledger.jsonl")
	text, err := os.ReadFile(path)
	must(t, err)
	for _, at := range []int{0, len(text) / 3, len(text) - 3} {
		damaged := bytes.Clone(text)
		damaged[at] = 'X'
		must(t, os.WriteFile(path, damaged, 0o600))
		if l, err := OpenLedger(dir); err == nil {
			_ = l.Close()
			t.Errorf("damaged at %d it was taken", at)
		}
	}
	half := bytes.LastIndexByte(text[:len(text)/2], '\n') + 1
	must(t, os.WriteFile(path, text[:half], 0o600))
	l := openLedger(t, dir)
	if n := bytes.Count(text[:half], []byte(`"type":"intent"`)); len(l.records) != n {
		t.Errorf("cut in half it has %d entries, want %d", len(l.records), n)
	}
	must(t, l.Close())
}

// TestMarkDamaged shows that a mark that is damaged anywhere is not read.
func TestMarkDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	m := mark{lines: 3, size: 70, state: []byte("what the owner keeps")}
	text := m.encode()
	must(t, os.WriteFile(path+markSuffix, text, 0o600))
	if got := readMark(path); !reflect.DeepEqual(got, &m) {
		t.Fatalf("read %+v, want %+v", got, m)
	}
	for at := range text {
		damaged := bytes.Clone(text)
		damaged[at] ^= 1
		for _, bad := range [][]byte{damaged, text[:at], append(bytes.Clone(text[:at]), text[at+1:]...)} {
			must(t, os.WriteFile(path+markSuffix, bad, 0o600))
			if got := readMark(path); got != nil {
				t.Fatalf("damaged at %d: %+v", at, got)
			}
		}
	}
}

// lineAfter returns the line of an audit log that says e and follows the chain.
func lineAfter(t *testing.T, c *chain, e *AuditEvent) []byte {
	t.Helper()
	body, err := json.Marshal(e)
	must(t, err)
	line := auditLine{N: c.count + 1, Prev: c.last, Body: body}
	line.Hash = line.sum()
	text, err := json.Marshal(&line)
	must(t, err)
	return text
}

// TestMarkOfAudit shows that an audit log with a mark is as well checked as one
// without: whatever is changed in it, it is not opened.
func TestMarkOfAudit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, dir)
	path := filepath.Join(dir, auditFile)
	var lines bytes.Buffer
	c := chain{}
	a := action("f")
	for lines.Len() < markAfter+1 {
		line := lineAfter(t, &c, &AuditEvent{At: now, Event: "intent", Action: &a, Note: strings.Repeat("n", 500)})
		must(t, c.take(c.count+1, 0, line))
		lines.Write(append(line, '\n'))
	}
	must(t, os.WriteFile(path, lines.Bytes(), 0o600))
	log := &AuditLog{head: filepath.Join(dir, headFile), count: c.count, last: c.last}
	must(t, log.writeHead())
	reopen := func() error {
		log, err := OpenAudit(l)
		if err != nil {
			return err
		}
		return log.Close()
	}
	must(t, reopen())
	if m := readMark(path); m == nil || m.lines != c.count {
		t.Fatalf("the mark is %+v", m)
	}
	must(t, reopen())
	marks := read(t, dir, headFile)
	log, err := OpenAudit(l)
	must(t, err)
	must(t, log.Write(&AuditEvent{At: time.Now(), Event: "confirmed"}))
	must(t, log.Close())
	if check := verify(t, dir, ""); check.Bad != 0 || check.Lines != c.count+1 {
		t.Fatalf("it does not verify: %+v", check)
	}
	head, err := os.ReadFile(filepath.Join(dir, headFile))
	must(t, err)
	good, err := os.ReadFile(path)
	must(t, err)
	second := bytes.IndexByte(good, '\n') + 1
	for name, bad := range map[string][]byte{
		"a changed byte":            bytes.Replace(good, []byte("nnn"), []byte("nmn"), 1),
		"a missing line":            good[second:],
		"a cut log":                 good[:second],
		"a log cut within its mark": good[:lines.Len()-1000],
	} {
		must(t, os.WriteFile(path, bad, 0o600))
		if err := reopen(); err == nil {
			t.Errorf("%s: it was opened", name)
		}
	}
	// The log as long as its mark, with a head that names another last line.
	must(t, os.WriteFile(path, good[:lines.Len()], 0o600))
	must(t, os.WriteFile(filepath.Join(dir, headFile), []byte(strings.Replace(marks, c.last, strings.Repeat("0", 64), 1)), 0o600))
	if err := reopen(); err == nil {
		t.Error("with a head of another log it was opened")
	}
	must(t, os.WriteFile(filepath.Join(dir, headFile), head, 0o600))
	must(t, os.WriteFile(path, good, 0o600))
	must(t, reopen())
	// A head of before the mark, and one of another log that is as long.
	for name, bad := range map[string]string{
		"an old head":  `{"count":1,"hash":"` + strings.Repeat("0", 64) + `"}`,
		"another head": strings.Replace(string(head), `"hash":"`, `"hash":"0`, 1),
	} {
		must(t, os.WriteFile(filepath.Join(dir, headFile), []byte(bad), 0o600))
		if err := reopen(); err == nil {
			t.Errorf("%s: it was opened", name)
		}
	}
}
