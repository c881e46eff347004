package hooks

import (
	"slices"
	"strings"
	"testing"
)

const (
	idA = "1111111111111111111111111111111111111111"
	idB = "2222222222222222222222222222222222222222"
	id0 = "0000000000000000000000000000000000000000"
)

func TestReadUpdates(t *testing.T) {
	got, err := ReadPush(strings.NewReader("refs/heads/a " + idA + " refs/heads/b " + idB + "\n(delete) " + id0 + " refs/heads/c " + idA + "\n\nHEAD " + idA + " refs/heads/d " + id0))
	want := []Update{{"refs/heads/b", idB, idA}, {"refs/heads/c", idA, id0}, {"refs/heads/d", id0, idA}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got[0].Creates() || got[0].Deletes() || !got[1].Deletes() || !got[2].Creates() {
		t.Errorf("kinds of %v", got)
	}
	got, err = ReadReceive(strings.NewReader(idA + " " + idB + " refs/tags/ü\r\n"))
	if err != nil || !slices.Equal(got, []Update{{"refs/tags/ü", idA, idB}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{
		"x", idA + " " + idB, idA + " " + idB + " main", idA + " " + idB[1:] + " refs/heads/a", idA + "  " + idB + " refs/heads/a",
		idA + " " + strings.Repeat("0", 64) + " refs/heads/a", strings.Repeat("A", 40) + " " + idB + " refs/heads/a",
		idA + " " + idB + " refs/heads/" + strings.Repeat("a", maxUpdateLine),
	} {
		if got, err := ReadReceive(strings.NewReader(idA + " " + idB + " refs/heads/ok\n" + bad + "\n")); err == nil || len(got) > 0 {
			t.Errorf("%.80q: %v", bad, got)
		} else if !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%.80q: %v does not name the line", bad, err)
		}
	}
}

func FuzzReadUpdates(f *testing.F) {
	f.Add(idA + " " + idB + " refs/heads/a\n")
	f.Add("refs/heads/a " + idA + " refs/heads/b " + id0 + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func(string) ([]Update, error){
			func(s string) ([]Update, error) { return ReadPush(strings.NewReader(s)) },
			func(s string) ([]Update, error) { return ReadReceive(strings.NewReader(s)) },
		} {
			got, err := read(text)
			if err != nil {
				continue
			}
			// no line is lost
			lines := 0
			for line := range strings.Lines(text) {
				if strings.TrimRight(line, "\r\n") != "" {
					lines++
				}
			}
			if len(got) != lines {
				t.Fatalf("%d updates of %d lines", len(got), lines)
			}
			for _, u := range got {
				if !objectID(u.New) || !objectID(u.Old) || !strings.Contains(text, u.Ref) {
					t.Fatalf("update %+v", u)
				}
			}
		}
	})
}

func TestMessage(t *testing.T) {
	const cut = " ------------------------ >8 ------------------------\n"
	edited := func(mode, comment string) Cleanup { return Cleanup{Mode: mode, Comment: comment, Edited: true} }
	cases := []struct {
		name       string
		cleanup    Cleanup
		text, want string
	}{
		{"no editor", Cleanup{}, "a\n# b\n", "a\n# b\n"},
		{"comments", edited("", ""), "a\n# b\nc\n#d", "a\n\nc\n"},
		{"strip without an editor", Cleanup{Mode: "strip"}, "a\n# b\n", "a\n\n"},
		{"whitespace", edited("whitespace", ""), "a\n# b\n", "a\n# b\n"},
		{"verbatim", edited("verbatim", ""), "a\n# b\n", "a\n# b\n"},
		{"a string", edited("", "//"), "a\n// b\n/c\n# d\n", "a\n\n/c\n# d\n"},
		{"scissors", edited("", ""), "a\n# b\n#" + cut + "diff\n", "a\n\n"},
		{"scissors first", edited("", ""), "#" + cut + "diff\n", ""},
		{"scissors of another", edited("", ";"), "a\n#" + cut + "diff\n", "a\n#" + cut + "diff\n"},
		{"scissors inside a line", edited("", ""), "a #" + cut + "diff\n", "a #" + cut + "diff\n"},
		{"mode scissors", edited("scissors", ""), "a\n# b\n#" + cut + "diff\n", "a\n# b\n"},
		{"auto", edited("", "auto"), "# a\n\nb\n\n; c\n;\n; d\n\n", "# a\n\nb\n\n\n\n\n\n"},
		{"auto, scissors", edited("", "auto"), "# a\n; b\n;" + cut + "# diff\n", "# a\n\n"},
		{"auto, no comments", edited("", "auto"), "# a\n\nb\n", "# a\n\nb\n"},
		{"auto, empty", edited("", "auto"), "\n\n", "\n\n"},
	}
	for _, c := range cases {
		if got := c.cleanup.Message(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzMessage checks that cleaning up invents nothing and moves no line.
func FuzzMessage(f *testing.F) {
	f.Add("a\n# b\n", "", "#", true)
	f.Add("a\n; ------------------------ >8 ------------------------\nb", "scissors", "auto", true)
	f.Fuzz(func(t *testing.T, text, mode, comment string, edited bool) {
		got := strings.Split(Cleanup{Mode: mode, Comment: comment, Edited: edited}.Message(text), "\n")
		lines := strings.Split(text, "\n")
		if len(got) > len(lines) {
			t.Fatalf("%d lines of %d", len(got), len(lines))
		}
		for i, line := range got {
			if line != "" && line != lines[i] {
				t.Fatalf("line %d became %q", i+1, line)
			}
		}
	})
}

// TestEventAlone: what comes after the event would not be looked at.
func TestEventAlone(t *testing.T) {
	for text, fine := range map[string]bool{`{"a":"b"}`: true, "{\"a\":\"b\"}\n ": true, `{"a":"b"}{"c":"d"}`: false, `{"a":"b"} x`: false, `{"a":"b"}]`: false} {
		if _, err := ReadEvent(strings.NewReader(text)); (err == nil) != fine {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzReadEvent checks that no text of an event is lost but what an edit takes
// away, and that errors quote nothing.
func FuzzReadEvent(f *testing.F) {
	f.Add(`{"tool_name":"Write","tool_input":{"content":"CANARY","old_string":"CANARY"}}`)
	f.Add(`{"a":[{"b":"CANARY"},1,null,true],"a":"CANARY"}`)
	f.Add(`{"CANARY":{"x":"*** Begin Patch\n-CANARY\n+y"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		event, err := ReadEvent(strings.NewReader(text))
		if err != nil {
			if strings.Contains(err.Error(), "CANARY") {
				t.Fatalf("the error quotes the event: %v", err)
			}
			return
		}
		found := 0
		for _, in := range event.Inputs {
			found += strings.Count(in.Text, "CANARY")
			if strings.Contains(in.Name, "CANARY") && len(in.Name) > 200*33 {
				t.Fatal("a name is too long")
			}
		}
		// what is written without escapes and not to be replaced is there
		if n := strings.Count(text, "CANARY"); found < n && !strings.Contains(strings.ToLower(text), "old") && !strings.Contains(strings.ToLower(text), "search") {
			t.Fatalf("%d of %d texts", found, n)
		}
		for _, d := range []Dialect{Plain, PreToolUse, BeforeTool, Permission, ToolArgs, Cancel, ExitCode} {
			if _, exit := d.Answer("no"); exit != 0 && exit != 2 {
				t.Fatalf("exit code %d", exit)
			}
		}
	})
}

func FuzzParseScript(f *testing.F) {
	f.Add(script{event: "pre-push", program: "/it's/here", folders: 2}.text(), "x")
	f.Fuzz(func(t *testing.T, text, program string) {
		_, _, _ = parseScript(text)
		h := script{event: "pre-push", program: program, folders: 3, config: true}
		got, ours, edited := parseScript(h.text())
		if !ours || edited {
			t.Fatalf("ours %t, edited %t", ours, edited)
		}
		if !strings.ContainsAny(program, "\n\\") && got.program != program {
			t.Fatalf("program %q became %q", program, got.program)
		}
		if got.folders != 3 || !got.config || got.event != "pre-push" {
			t.Fatalf("%+v", got)
		}
		if _, _, edited := parseScript(strings.Replace(h.text(), "exit 2", "exit 0", 1)); !edited {
			t.Fatal("an edit went unnoticed")
		}
	})
}
