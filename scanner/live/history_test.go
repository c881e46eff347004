package live

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// longLedger writes the lines of n actions that took effect, as a ledger writes
// them, and returns the folder. The actions are those of action("0") and on, each
// on a key of its own.
func longLedger(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.OpenFile(filepath.Join(dir, "ledger.jsonl"), os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	to := json.NewEncoder(f)
	plain := action("")
	for i := range n {
		a := plain
		a.Finding = fmt.Sprint(i)
		a.Target.Resource = fmt.Sprintf("key/%d", i)
		for _, r := range []ledgerRecord{
			{Type: "intent", Plan: strings.Repeat("p", 64), Action: &a, At: now.Add(time.Duration(i) * time.Minute)},
			{Type: "receipt", RequestID: fmt.Sprintf("request-%d", i), Note: "it was started; it takes effect some time later"},
			{Type: "outcome", State: Effective, Note: "KMS lists a rotation at 2026-01-02T03:04:05Z"},
		} {
			r.Version, r.ID = ledgerVersion, a.ID()
			must(t, to.Encode(&r))
		}
	}
	must(t, f.Close())
	return dir
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one found unreachable and had to wait for
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestLedgerInMemory shows that an action whose outcome is known takes little of
// it, whatever it was, and that all of it can be had all the same.
func TestLedgerInMemory(t *testing.T) {
	const n = 5000
	dir := longLedger(t, n)
	before := heap()
	l := openLedger(t, dir)
	if each := (int64(heap()) - int64(before)) / n; each > 200 {
		t.Errorf("each of %d entries takes %d bytes, of the 1,500 in its lines", n, each)
	}
	all, err := l.Answers("17")
	must(t, err)
	if len(all) != 1 || all[0].Action.Target.Resource != "key/17" || all[0].State != Effective || all[0].RequestID != "request-17" ||
		!strings.HasPrefix(all[0].Note, "KMS lists") || all[0].Action.Call == "" || len(all[0].Action.Leaves) == 0 || !all[0].Intent.Equal(now.Add(17*time.Minute)) {
		t.Errorf("of the finding 17 it says %+v", all)
	}
	about, err := l.About(&all[0].Action)
	if must(t, err); len(about) != 1 || about[0].ID != all[0].ID {
		t.Errorf("about the action: %+v", about)
	}
	if err := l.Intend(all[0].Action, "p2", now); err == nil {
		t.Error("it takes the action again")
	}
	if got := l.Recent(now.Add((n - 10) * time.Minute)); got != 10 {
		t.Errorf("%d since the tenth from the end", got)
	}
	runtime.KeepAlive(l)
}

// TestHistories holds the ledger against its own entries: whatever is asked, both
// say the same.
func TestHistories(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	var asked []Action
	for i, state := range []EntryState{Intended, Answered, Effective, Refused, Abandoned} {
		for _, key := range []string{"key/a", "key/b"} {
			a := action(fmt.Sprint("f", i))
			a.Target.Resource = key
			asked = append(asked, a)
			must(t, l.Intend(a, "p", now.Add(time.Duration(i)*time.Hour)))
			if state == Answered {
				must(t, l.Receive(&a, Receipt{RequestID: "r", At: now}))
			} else if state != Intended {
				must(t, l.Settle(&a, state, string(state), now))
			}
		}
	}
	again := asked[6] // what was surely not done may be begun again
	must(t, l.Intend(again, "p2", now.Add(9*time.Hour)))
	plain := entriesOf(t, l)
	both := Histories{l, plain}
	for h := range 12 {
		since := now.Add(time.Duration(h) * time.Hour).Add(-time.Minute)
		if got, want := l.Recent(since), plain.Recent(since); got != want || both.Recent(since) != 2*want {
			t.Errorf("since hour %d: %d, want %d", h, got, want)
		}
	}
	for _, a := range append(asked, action("unknown")) {
		got, err := l.About(&a)
		must(t, err)
		want, _ := plain.About(&a)
		same := func(x, y *Entry) bool {
			return x.ID == y.ID && x.State == y.State && x.Intent.Equal(y.Intent) && x.Note == y.Note
		}
		if !slices.EqualFunc(got, want, same) {
			t.Errorf("about %s of %s: %+v, want %+v", a.Finding, a.Target, got, want)
		}
		if all, _ := both.About(&a); len(all) != 2*len(want) {
			t.Errorf("together %d entries, want %d", len(all), 2*len(want))
		}
	}
}

// TestLedgerChangedUnderneath shows that nothing is planned or done while it
// cannot be read again what was done.
func TestLedgerChangedUnderneath(t *testing.T) {
	b := newBench(t)
	p := b.plan()
	b.run(t, p)
	a := p.Actions[0]
	file := filepath.Join(b.Ledger.Folder(), "ledger.jsonl")
	text := read(t, b.Ledger.Folder(), "ledger.jsonl")
	must(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, a.ID(), strings.Repeat("0", len(a.ID())))), 0o600))
	if _, err := NewPlan([]*Facts{keyFacts()}, b.Operator, b.Ledger, now); err == nil || !strings.Contains(err.Error(), "may have been changed") {
		t.Errorf("planned: %v", err)
	}
	approval, err := ApproveHash(p, p.Hash)
	must(t, err)
	if _, err := b.Run(t.Context(), p, approval); err == nil {
		t.Error("ran")
	}
	if n := b.aws.rotations(&a); n != 1 {
		t.Errorf("rotated %d times", n)
	}
}

// TestFramed holds the reading of lines as they are written against that of any
// JSON, for a line that was changed at each of its bytes.
func TestFramed(t *testing.T) {
	l := auditLine{N: 12, Prev: strings.Repeat("ab", 32), Body: json.RawMessage(`{"at":"2026-01-02T03:04:05Z","event":"intent","note":"a \"b\" {"}`)}
	l.Hash = l.sum()
	text, err := json.Marshal(&l)
	must(t, err)
	if got, err := framed(text); err != nil || got.sum() != l.Hash || got.Hash != l.Hash {
		t.Fatalf("of an unchanged line: %+v, %v", got, err)
	}
	check := func(changed string) {
		fast, err := framed([]byte(changed))
		if err != nil {
			return
		}
		slow, err := decoded([]byte(changed))
		if err != nil || slow.N != fast.N || slow.Prev != fast.Prev || string(slow.Body) != string(fast.Body) || slow.Hash != fast.Hash {
			t.Errorf("%s: %+v by its frame, %+v (%v) by its JSON", changed, fast, slow, err)
		}
	}
	for i := range text {
		for _, with := range []string{"", "0", "a", `"`, "{", "}", ",", " ", `\`, "\n", `,"n":1`, `,"body":{}`, `","body":{}`, `"}`} {
			check(string(text[:i]) + with + string(text[i+1:]))
			check(string(text[:i]) + with + string(text[i:]))
			check(string(text[:i]) + with)
		}
	}
	if _, err := hex.DecodeString(l.Hash); err != nil {
		t.Error(err)
	}
}
