package suppress

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

func secret(s string) scanner.Secret { return scanner.NewSecret([]byte(s)) }

func TestBaseline(t *testing.T) {
	b := NewBaseline("base.jsonl")
	entry := func(key string, e Entry) Entry {
		e.Rule, e.Fingerprint = "key-rule", b.Fingerprint("key-rule", secret(key))
		return e
	}
	b.Entries = []Entry{
		entry("KEY1", Entry{Reason: "revoked", Owner: "ops", Until: "2026-06-15"}),
		entry("KEY2", Entry{Reason: "old", Until: "2026-06-14"}),
		entry("KEY3", Entry{Path: "src/*.go", Reason: "here only"}),
		entry("KEY4", Entry{}),
		entry("KEY5", Entry{Reason: "never seen", Seen: "x/y"}),
	}
	b, err := ParseBaseline("base.jsonl", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	all := []doc{{path: "a", text: "KEY1 KEY2 KEY3 KEY4 KEY6"}, {path: "src/x.go", text: "KEY3"}}
	r := scan(t, Options{Baseline: b, BaselineAudit: true}, all...)
	if got := left(r); got != "KEY2 KEY3 KEY6" {
		t.Errorf("left %q", got)
	}
	got := notices(r)
	if !strings.Contains(got, "expired base.jsonl: the entry "+b.Fingerprint("key-rule", secret("KEY2"))[:8]+" for key-rule expired on 2026-06-14") ||
		!strings.Contains(got, "in x/y excuses nothing") || strings.Count(got, "\n") != 1 {
		t.Errorf("notices %q", got)
	}
	if s := r.Suppressed[0].Suppression; s.By != "baseline" || s.Reason != "revoked, owner ops, until 2026-06-15" {
		t.Errorf("suppressed by %+v", s)
	}
	r = scan(t, Options{Baseline: b, RequireReason: true}, all...)
	if got := left(r); got != "KEY2 KEY3 KEY4 KEY6" || !strings.Contains(notices(r), "gives no reason") {
		t.Errorf("left %q, notices %q", got, notices(r))
	}
}

func TestBaselineIsKeyed(t *testing.T) {
	a, b := NewBaseline("a"), NewBaseline("b")
	print := scanner.Fingerprinter{}.Fingerprint("key-rule", secret("KEY1"))
	pa, pb := a.Fingerprint("key-rule", secret("KEY1")), b.Fingerprint("key-rule", secret("KEY1"))
	if pa == pb || pa == print || len(pa) != printLen {
		t.Error("two baselines, or a baseline and the reports, have a fingerprint in common")
	}
	again, err := ParseBaseline("a", a.Bytes())
	if err != nil || again.Fingerprint("key-rule", secret("KEY1")) != pa {
		t.Errorf("the salt is not kept: %v", err)
	}
}

const head = `{"spillgate_baseline":1,"salt":"00112233445566778899aabbccddeeff"}` + "\n"

func line(print, rest string) string {
	return `{"fingerprint":"` + strings.Repeat(print, 32) + `","rule":"key-rule"` + rest + "}\n"
}

// TestBaselineMerges: whatever order and doubles a union merge leaves behind,
// the file reads the same.
func TestBaselineMerges(t *testing.T) {
	want, err := ParseBaseline("b", []byte(head+line("a", "")+line("b", `,"reason":"r","until":"2026-01-01"`)+line("c", "")))
	if err != nil {
		t.Fatal(err)
	}
	merged := line("c", "") + line("b", `,"reason":"r","until":"2027-01-01"`) + head + line("a", "") + line("b", `,"reason":"r","until":"2026-01-01"`) + head + line("a", "") + "\n" + line("b", `,"reason":"r"`)
	got, err := ParseBaseline("b", []byte(merged))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want.Bytes())
	}
	if bytes.Count(got.Bytes(), []byte("\n")) != 4 {
		t.Errorf("not a line per entry:\n%s", got.Bytes())
	}
}

func TestBaselineErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "b: the first line"},
		{line("a", ""), "b: the first line"},
		{head + "<<<<<<< HEAD\n", "b:2: a merge left a conflict"},
		{head + "nonsense\n", "b:2: this is no JSON object"},
		{head + line("a", `,"line":3`), `b:2: unknown field "line"`},
		{head + line("x", ""), "b:2: the fingerprint must be"},
		{head + line("A", ""), "b:2: the fingerprint must be"},
		{head + strings.Replace(line("a", ""), "key-rule", "*", 1), "b:2: the rule"},
		{head + line("a", `,"until":"soon"`), `b:2: the date "soon"`},
		{head + strings.TrimSuffix(line("a", ""), "\n") + line("b", ""), "b:2: more than one"},
		{head + strings.Replace(head, "00", "01", 1), "b:2: two baselines were merged"},
		{strings.Replace(head, ":1", ":2", 1), "b:1: version 2"},
		{strings.Replace(head, "00", "", 1), "b:1: the salt"},
		{head + `{"reason":"` + strings.Repeat("x", maxBaselineLine) + "\"}\n", "b:2: the line has over"},
	} {
		_, err := ParseBaseline("b", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.60q: error %v, want %s", c.text, err, c.want)
		}
	}
}

func FuzzBaseline(f *testing.F) {
	f.Add(head + line("a", `,"reason":"r","owner":"o","until":"2027-01-31","path":"a/**","seen":"é"`))
	f.Add("\xef\xbb\xbf" + head + "\r\n")
	f.Add(line("b", "") + head)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBaseline("b", []byte(text))
		if err != nil {
			return
		}
		once := b.Bytes()
		again, err := ParseBaseline("b", once)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if !bytes.Equal(again.Bytes(), once) {
			t.Error("writing is not stable")
		}
		scan(t, Options{Baseline: b, BaselineAudit: true}, doc{path: "a/b", text: "KEY1"})
	})
}
