package live

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// openLedger opens the ledger in dir for the length of a test.
func openLedger(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := OpenLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// action returns the action of the plain plan, for a finding.
func action(finding string) Action {
	a := planOf(nil).Actions[0]
	a.Finding = finding
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entriesOf returns what an open ledger holds, as its file says.
func entriesOf(t testing.TB, l *Ledger) Entries {
	t.Helper()
	all, err := ReadLedger(l.Folder())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestLedger(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "ledger")
	l := openLedger(t, dir)
	a, b := action("f1"), action("f2")
	must(t, l.Intend(a, "p1", now))
	if err := l.Intend(a, "p2", now); !errors.Is(err, ErrDone) {
		t.Errorf("a second intent: %v", err)
	}
	must(t, l.Receive(&a, Receipt{RequestID: "r1", At: now}))
	must(t, l.Intend(b, "p1", now))
	must(t, l.Settle(&b, Refused, "access denied", now))
	if open := l.Open(); len(open) != 1 || open[0].State != Answered || open[0].RequestID != "r1" {
		t.Errorf("open: %+v", open)
	}
	must(t, l.Settle(&a, Effective, "listed", now))
	must(t, l.Intend(b, "p2", now.Add(time.Hour)))
	for name, err := range map[string]error{
		"a second outcome": l.Settle(&a, Effective, "", now), "a late receipt": l.Receive(&a, Receipt{}),
		"a stranger": l.Settle(&Action{Finding: "f3"}, Effective, "", now), "an odd outcome": l.Settle(&b, Intended, "", now),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := OpenLedger(dir); !errors.Is(err, errLocked) {
		t.Errorf("opened twice: %v", err)
	}
	read, err := ReadLedger(dir)
	if got, _ := l.entries(func(*record) bool { return true }); err != nil || !reflect.DeepEqual(read, got) {
		t.Errorf("read %+v, %v, and the open one holds %+v", read, err, got)
	}
	must(t, l.Close())
	again := openLedger(t, dir)
	var states []EntryState
	for _, e := range entriesOf(t, again) {
		states = append(states, e.State)
	}
	if !slices.Equal(states, []EntryState{Effective, Refused, Intended}) || len(again.Open()) != 1 || !again.Open()[0].Intent.Equal(now.Add(time.Hour)) {
		t.Errorf("after reopening: %v", states)
	}
	if none, err := ReadLedger(t.TempDir()); err != nil || none != nil {
		t.Errorf("of no ledger: %v, %v", none, err)
	}
}

// A write that is cut off at any byte costs nothing that was relied on: what
// was written before it stays, and what it said is there in full or not at all.
func TestLedgerCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	a, b := action("f1"), action("f2")
	must(t, l.Intend(a, "p1", now))
	must(t, l.Receive(&a, Receipt{RequestID: "r1", At: now}))
	must(t, l.Intend(b, "p1", now))
	must(t, l.Settle(&b, Effective, "listed", now))
	must(t, l.Close())
	path := filepath.Join(dir, "ledger.jsonl")
	whole, err := os.ReadFile(path)
	must(t, err)
	ends := []int{0}
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i)
		}
	}
	want := []string{"", "intended", "answered", "answered intended", "answered confirmed"}
	for cut := range len(whole) + 1 {
		if near := slices.ContainsFunc(ends, func(end int) bool { return cut-end >= -2 && cut-end <= 2 }); !near && cut%41 != 0 {
			continue // each cut writes to the disk; those around line ends are the ones that differ
		}
		for _, zeros := range []int{0, 7} { // a file system may leave zeros where data was to be
			must(t, os.WriteFile(path, append(slices.Clone(whole[:cut]), make([]byte, zeros)...), 0o600))
			l, err := OpenLedger(dir)
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			var states []string
			for _, e := range entriesOf(t, l) {
				states = append(states, string(e.State))
			}
			n := 0
			for n+1 < len(ends) && (cut > ends[n+1] || cut == ends[n+1] && zeros == 0) {
				n++
			}
			if got := strings.Join(states, " "); got != want[n] {
				t.Errorf("cut at %d: %q, want %q", cut, got, want[n])
			}
			c := action("f3")
			must(t, l.Intend(c, "p2", now)) // and it goes on
			must(t, l.Close())
			back, err := ReadLedger(dir)
			if err != nil || len(back) == 0 || back[len(back)-1].ID != c.ID() {
				t.Fatalf("cut at %d: after going on: %v", cut, err)
			}
		}
	}
}

func TestLedgerRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"garbage":            "hello\n",
		"a newer version":    `{"v":2,"type":"intent"}` + "\n",
		"no intent":          `{"v":1,"type":"receipt","id":"x"}` + "\n",
		"no action":          `{"v":1,"type":"intent","id":"x"}` + "\n",
		"another's id":       `{"v":1,"type":"intent","id":"x","action":{"kind":"rotate-on-demand"}}` + "\n",
		"damage before more": "{\"v\":1,\n" + `{"v":1,"type":"receipt","id":"x"}` + "\n",
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "ledger.jsonl"), []byte(text), 0o600))
		if l, err := OpenLedger(dir); err == nil {
			_ = l.Close()
			t.Errorf("%s was taken", name)
		} else if !strings.Contains(err.Error(), "ledger.jsonl:1: ") {
			t.Errorf("%s: the error names no line: %v", name, err)
		}
		if _, err := ReadLedger(dir); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	// A ledger that somebody has put together of two: the same intent twice.
	dir := t.TempDir()
	l := openLedger(t, dir)
	must(t, l.Intend(action("f1"), "p1", now))
	must(t, l.Close())
	line := read(t, dir, "ledger.jsonl")
	must(t, os.WriteFile(filepath.Join(dir, "ledger.jsonl"), []byte(line+line), 0o600))
	if _, err := OpenLedger(dir); err == nil || !strings.Contains(err.Error(), "ledger.jsonl:2: ") {
		t.Errorf("the same intent twice: %v", err)
	}
	repo := t.TempDir()
	must(t, os.Mkdir(filepath.Join(repo, ".git"), 0o755))
	if _, err := OpenLedger(filepath.Join(repo, "ledger")); err == nil || !strings.Contains(err.Error(), "git work tree") {
		t.Errorf("a ledger in a repository: %v", err)
	}
}

func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"v":1,"type":"intent","id":"x","action":{"target":""}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := newLedger(bytes.NewReader(text))
		lines, _ := splitLines(text)
		at := int64(0)
		for _, line := range lines {
			if l.read(at, line) != nil {
				return
			}
			at += int64(len(line)) + 1
		}
		all, err := l.entries(func(*record) bool { return true })
		if err != nil {
			t.Fatalf("what was read once cannot be read again: %v", err)
		}
		open := map[string]bool{}
		for _, e := range all {
			if open[e.ID] {
				t.Errorf("two entries of one action count: %s", e.ID)
			}
			open[e.ID] = e.State != Refused
		}
	})
}
