package rewrap_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// A world is what a plan's items really are, and who changes them. It outlives
// the runs, as AWS does.
type world struct {
	mu      sync.Mutex
	is      map[string]rewrap.Side
	changes map[string]int
	// before and after are called around a change.
	before, after func(place string) error
}

func (w *world) Change(_ context.Context, _ *rewrap.Plan, it *rewrap.Item, prepared func(string) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before != nil {
		if err := w.before(it.Place); err != nil {
			return err
		}
	}
	if err := prepared("new " + it.Place); err != nil {
		return err
	}
	w.is[it.Place] = rewrap.New
	w.changes[it.Place]++
	if w.after != nil {
		return w.after(it.Place)
	}
	return nil
}

func (w *world) Check(ctx context.Context, _ *rewrap.Plan, it *rewrap.Item, prepared string) (rewrap.Found, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return rewrap.Found{}, ctx.Err()
	}
	if w.is[it.Place] == rewrap.New && prepared != "new "+it.Place {
		return rewrap.Found{}, errors.New("the ledger does not know what was prepared")
	}
	return rewrap.Found{Is: w.is[it.Place], Evidence: "looked"}, nil
}

// begin makes a world of n items, and one that is left to be done by hand.
func begin(t *testing.T, n int) (*world, string) {
	t.Helper()
	w := &world{is: map[string]rewrap.Side{}, changes: map[string]int{}}
	items := []rewrap.Item{{Place: "hand", Kind: rewrap.Object, Action: rewrap.ByHand, Why: "a test"}}
	for i := range n {
		place := fmt.Sprintf("item-%02d", i)
		items = append(items, rewrap.Item{Place: place, Kind: rewrap.Object, Action: rewrap.CopyObject})
		w.is[place] = rewrap.Old
	}
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l := open(t, path)
	if err := l.Begin(rewrap.NewPlan(oldKey, newKey, nil, nil, items), "test"); err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	return w, path
}

func open(t *testing.T, path string) *rewrap.Ledger {
	t.Helper()
	l, err := rewrap.OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closed(t *testing.T, l *rewrap.Ledger) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRunGoesOn(t *testing.T) {
	const n = 20
	w, path := begin(t, n)
	ctx, cancel := context.WithCancel(context.Background())
	w.after = func(place string) error { // the change was made, and the run ends before it is known
		if place == "item-07" {
			cancel()
		}
		return nil
	}
	l := open(t, path)
	if _, err := rewrap.OpenLedger(path); err == nil {
		t.Error("two processes have the ledger")
	}
	r, err := rewrap.Run(ctx, l, w, rewrap.Options{Jobs: 1})
	if !errors.Is(err, context.Canceled) || r.Left == 0 || r.Complete() {
		t.Fatalf("interrupted: %+v, %v", r, err)
	}
	closed(t, l)
	// What the crash cut off, of a record that nobody relied on.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(`{"v":1,"type":"do`)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	w.after = nil
	l = open(t, path)
	r, err = rewrap.Run(context.Background(), l, w, rewrap.Options{Jobs: 3})
	if err != nil || r.Done != n || r.ByHand != 1 || !r.Complete() {
		t.Fatalf("gone on: %+v, %v", r, err)
	}
	if r, err = rewrap.Run(context.Background(), l, w, rewrap.Options{}); err != nil || r.Done != n {
		t.Fatalf("again: %+v, %v", r, err)
	}
	closed(t, l)
	for place, times := range w.changes {
		if times != 1 {
			t.Errorf("%s was changed %d times", place, times)
		}
	}
	if len(w.changes) != n {
		t.Errorf("%d items changed", len(w.changes))
	}
}

func TestRunOutcomes(t *testing.T) {
	w, path := begin(t, 4)
	w.before = func(place string) error {
		switch place {
		case "item-00":
			return errors.New("denied")
		case "item-01":
			return fmt.Errorf("%w: by a test", rewrap.ErrChanged)
		}
		return nil
	}
	w.after = func(place string) error {
		if place == "item-02" {
			return errors.New("the answer was lost")
		}
		return nil
	}
	l := open(t, path)
	defer l.Close()
	seen := map[string]rewrap.State{}
	r, err := rewrap.Run(context.Background(), l, w, rewrap.Options{Each: func(o rewrap.Outcome) { seen[o.Place] = o.State }})
	if err != nil || r.Done != 2 || r.Failed != 1 || r.Changed != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if seen["item-00"] != rewrap.Failed || seen["item-01"] != rewrap.Changed || seen["item-02"] != rewrap.Done || seen["item-03"] != rewrap.Done {
		t.Errorf("%v", seen)
	}
	w.before = nil
	if r, err = rewrap.Run(context.Background(), l, w, rewrap.Options{}); err != nil || r.Done != 3 || r.Changed != 1 || w.changes["item-01"] != 0 {
		t.Errorf("what failed is tried again, what somebody changed is not: %+v, %v", r, err)
	}
}

func TestRunStops(t *testing.T) {
	w, path := begin(t, 30)
	w.before = func(string) error { return errors.New("denied") }
	l := open(t, path)
	defer l.Close()
	r, err := rewrap.Run(context.Background(), l, w, rewrap.Options{Jobs: 1, Failures: 3})
	if err != nil || r.Failed != 3 || r.Left != 27 || !strings.Contains(r.Stopped, "denied") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLedgerRefuses(t *testing.T) {
	_, path := begin(t, 2)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]string{
		"no record":           "hello\n",
		"another version":     `{"v":2,"type":"intent","item":1}` + "\n",
		"no such item":        `{"v":1,"type":"intent","item":9}` + "\n",
		"done without intent": `{"v":1,"type":"done","item":1}` + "\n",
		"a second plan":       string(text),
	} {
		if err := os.WriteFile(path, append(append([]byte{}, text...), more...), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := rewrap.OpenLedger(path); err == nil {
			closed(t, l)
			t.Errorf("%s: opened", name)
		}
		if _, err := rewrap.ReadLedger(path); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "item-01", "item-91", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := rewrap.OpenLedger(path); err == nil {
		closed(t, l)
		t.Error("a plan that was altered after it was approved is carried out")
	}
}

func TestPlanIsApprovedByItsHash(t *testing.T) {
	items := []rewrap.Item{{Place: "b", Action: rewrap.ReEncrypt}, {Place: "a", Action: rewrap.CopyObject}}
	p := rewrap.NewPlan(oldKey, newKey, nil, nil, items)
	if again := rewrap.NewPlan(oldKey, newKey, nil, nil, []rewrap.Item{items[1], items[0]}); again.Hash != p.Hash {
		t.Error("the order of finding changes the hash")
	}
	items[0].ETag = "x"
	if other := rewrap.NewPlan(oldKey, newKey, nil, nil, items); other.Approved(p.Hash) == nil {
		t.Error("another object, the same approval")
	}
	if p.Approved(p.Hash[:16]) != nil || p.Approved(p.Hash[:15]) == nil || p.Approved("") == nil {
		t.Error("16 digits approve, fewer do not")
	}
	if all := p.Leaves(); len(all) != 3 || !strings.Contains(all[0], "same data key") {
		t.Errorf("%q", all)
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for want, age := range map[string]rewrap.Age{
		"at least 10 days (the file's date: 2026-11-13)":    rewrap.AgeOfFile(now.AddDate(0, 0, -10), now),
		"unknown: the file's date cannot be true":           rewrap.AgeOfFile(now.Add(time.Hour), now),
		"1 day (the object's Last-Modified: 2026-11-22)":    rewrap.AgeOfObject(now.AddDate(0, 0, -1), now),
		"unknown: S3 gave no date that can be true":         rewrap.AgeOfObject(time.Time{}, now),
		"400 days (the object's Last-Modified: 2025-10-19)": rewrap.AgeOfObject(now.AddDate(0, 0, -400), now),
		"0 days (the object's Last-Modified: 2026-11-23)":   rewrap.AgeOfObject(now.Add(time.Minute), now),
		"at least 0 days (the file's date: 2026-11-23)":     rewrap.AgeOfFile(now, now),
	} {
		if got := age.Text(now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
