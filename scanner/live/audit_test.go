package live

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// auditOf makes a ledger's folder with an audit log of n lines.
func auditOf(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	l := openLedger(t, dir)
	a, err := OpenAudit(l)
	must(t, err)
	act := action("f1")
	for i := range n {
		must(t, a.Write(&AuditEvent{At: now.Add(time.Duration(i) * time.Second), Event: "intent", User: "jo", Plan: "p", Action: &act, Note: fmt.Sprint(i)}))
	}
	must(t, a.Close())
	must(t, l.Close())
	return dir
}

func verify(t *testing.T, dir, known string) *AuditCheck {
	t.Helper()
	c, err := VerifyAudit(dir, known)
	must(t, err)
	return c
}

// A line of another log fits itself, and not the line before it.
func TestRule10ForeignLine(t *testing.T) {
	dir, other := auditOf(t, 3), t.TempDir()
	l := openLedger(t, other)
	a, err := OpenAudit(l)
	must(t, err)
	for range 3 {
		must(t, a.Write(&AuditEvent{At: now, Event: "intent", User: "al"}))
	}
	must(t, a.Close())
	lines, others := strings.SplitAfter(read(t, dir, auditFile), "\n"), strings.SplitAfter(read(t, other, auditFile), "\n")
	lines[1] = others[1]
	must(t, os.WriteFile(filepath.Join(dir, auditFile), []byte(strings.Join(lines, "")), 0o600))
	if c := verify(t, dir, ""); c.Bad != 2 || !strings.Contains(c.Why, "does not follow") {
		t.Errorf("got %+v", c)
	}
}

// TestRule10AuditChain: each way of changing the log after the fact names the
// first line that is wrong, and nothing is done on top of it.
func TestRule10AuditChain(t *testing.T) {
	good := auditOf(t, 5)
	c := verify(t, good, "")
	if c.Bad != 0 || c.Lines != 5 || !c.First.Equal(now) || !c.Last.Equal(now.Add(4*time.Second)) || len(c.Notes) != 0 {
		t.Fatalf("a good log: %+v", c)
	}
	second := strings.SplitAfter(read(t, good, auditFile), "\n")[1]
	hash := second[strings.Index(second, `"hash":"`)+8:][:64]
	if c := verify(t, good, strings.ToUpper(hash)); c.Bad != 0 {
		t.Errorf("a line's hash that was kept elsewhere: %+v", c)
	}
	if c := verify(t, good, strings.Repeat("0", 64)); c.Bad != 6 {
		t.Errorf("another log's hash: %+v", c)
	}
	for name, tt := range map[string]struct {
		change func(lines []string) []string
		bad    int
	}{
		"changed":      {func(l []string) []string { l[2] = strings.Replace(l[2], `"jo"`, `"al"`, 1); return l }, 3},
		"taken out":    {func(l []string) []string { return append(l[:2:2], l[3:]...) }, 3},
		"first gone":   {func(l []string) []string { return l[1:] }, 1},
		"moved":        {func(l []string) []string { l[1], l[3] = l[3], l[1]; return l }, 2},
		"doubled":      {func(l []string) []string { return append(l[:3:3], l[2:]...) }, 4},
		"cut":          {func(l []string) []string { return l[:4] }, 5},
		"cut to one":   {func(l []string) []string { return l[:1] }, 2},
		"emptied":      {func([]string) []string { return nil }, 1},
		"garbage":      {func(l []string) []string { l[3] = "{}\n"; return l }, 4},
		"more in line": {func(l []string) []string { l[3] = strings.Replace(l[3], `{"n"`, `{"x":1,"n"`, 1); return l }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			dir := auditOf(t, 5)
			lines := strings.SplitAfter(strings.TrimSuffix(read(t, dir, auditFile), "\n"), "\n")
			lines[len(lines)-1] += "\n"
			must(t, os.WriteFile(filepath.Join(dir, auditFile), []byte(strings.Join(tt.change(lines), "")), 0o600))
			if c := verify(t, dir, ""); c.Bad != tt.bad || c.Why == "" {
				t.Errorf("got %+v, want line %d", c, tt.bad)
			}
			if a, err := OpenAudit(openLedger(t, dir)); err == nil {
				_ = a.Close()
				t.Error("it was opened to be written on")
			}
		})
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return string(text)
}

func TestRule10AuditHead(t *testing.T) {
	dir, other := auditOf(t, 5), auditOf(t, 3)
	must(t, os.WriteFile(filepath.Join(dir, headFile), []byte(read(t, other, headFile)), 0o600))
	if c := verify(t, dir, ""); c.Bad != 4 {
		t.Errorf("an older head: %+v", c)
	}
	must(t, os.Remove(filepath.Join(dir, headFile)))
	if c := verify(t, dir, ""); c.Bad == 0 {
		t.Errorf("no head: %+v", c)
	}
	// A log that was written anew, with a good chain, against the old head.
	dir = auditOf(t, 5)
	anew := auditOf(t, 2)
	l := openLedger(t, anew)
	a, err := OpenAudit(l)
	must(t, err)
	for range 3 {
		must(t, a.Write(&AuditEvent{At: now, Event: "intent", Note: "never happened"}))
	}
	must(t, a.Close())
	must(t, os.WriteFile(filepath.Join(dir, auditFile), []byte(read(t, anew, auditFile)), 0o600))
	if c := verify(t, dir, ""); c.Bad != 5 {
		t.Errorf("written anew: %+v", c)
	}
}

// A crash at any byte of a line, or before the head is renewed, is no forgery,
// and the next run mends it.
func TestAuditCutAnywhere(t *testing.T) {
	dir := auditOf(t, 2)
	head := read(t, dir, headFile)
	l := openLedger(t, dir)
	a, err := OpenAudit(l)
	must(t, err)
	must(t, a.Write(&AuditEvent{At: now, Event: "confirmed"}))
	must(t, a.Close())
	must(t, l.Close())
	whole := []byte(read(t, dir, auditFile))
	from := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := from; cut <= len(whole); cut++ {
		if cut > from+2 && cut < len(whole)-2 && cut%23 != 0 {
			continue // each cut writes to the disk
		}
		must(t, os.WriteFile(filepath.Join(dir, auditFile), whole[:cut], 0o600))
		must(t, os.WriteFile(filepath.Join(dir, headFile), []byte(head), 0o600))
		if c := verify(t, dir, ""); c.Bad != 0 {
			t.Fatalf("cut at %d: %+v", cut, c)
		}
		l, err := OpenLedger(dir)
		must(t, err)
		a, err := OpenAudit(l)
		must(t, err)
		if c := verify(t, dir, ""); c.Bad != 0 || len(c.Notes) != 0 {
			t.Errorf("cut at %d and opened: %+v", cut, c)
		}
		must(t, a.Write(&AuditEvent{At: now, Event: "intent"}))
		must(t, a.Close())
		must(t, l.Close())
		if c := verify(t, dir, ""); c.Bad != 0 || len(c.Notes) != 0 {
			t.Fatalf("cut at %d and mended: %+v", cut, c)
		}
	}
}

func FuzzAuditLine(f *testing.F) {
	l := auditLine{N: 1, Body: []byte(`{"event":"intent"}`)}
	f.Add([]byte(`{"n":1,"prev":"","body":{"event":"intent"},"hash":"`+l.sum()+`"}`), 0, "")
	f.Fuzz(func(t *testing.T, text []byte, n int, prev string) {
		line, err := auditNext(text, n, prev)
		if err == nil && (line.N != n+1 || line.Prev != prev || line.Hash != line.sum()) {
			t.Errorf("taken: %q", text)
		}
	})
}
