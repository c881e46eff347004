package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// TestFold checks that prose is folded at the width of the terminal and loses
// nothing, and that what is to be copied stays on one line.
func TestFold(t *testing.T) {
	const text = "Take it out: `git restore --staged -- deploy/main.tf`, then edit the file; it names one key, its account and its Region."
	for width, want := range map[int]int{0: 1, minWidth - 1: 1, 60: 3, 200: 1} {
		w := &textWriter{options: Options{Width: width}}
		lines := w.fold("  1. ", "     ", text)
		if len(lines) != want {
			t.Errorf("width %d: %d lines, want %d: %q", width, len(lines), want, lines)
		}
		if joined := strings.Join(strings.Fields(strings.Join(lines, " ")), " "); joined != "1. "+text {
			t.Errorf("width %d: the text became %q", width, joined)
		}
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "`git restore --staged -- deploy/main.tf`") }) {
			t.Errorf("width %d: the command is torn: %q", width, lines)
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); width >= minWidth && n > width && !strings.Contains(line, "`") {
				t.Errorf("width %d: a line of %d: %q", width, n, line)
			}
		}
	}
}

// TestHeight: lines that a terminal breaks count as often as it breaks them,
// and colours have no width.
func TestHeight(t *testing.T) {
	w := &textWriter{options: Options{Width: 50, Color: true}}
	if got := w.height([]string{strings.Repeat("x", 50), strings.Repeat("x", 51), w.style(bold, strings.Repeat("é", 50)), ""}); got != 5 {
		t.Errorf("%d lines, want 5", got)
	}
}

// TestTerminalReportIsShort: on the usual terminal the report of many findings
// takes at most 20 lines, whatever is folded.
func TestTerminalReportIsShort(t *testing.T) {
	for name, r := range map[string]*scanner.Result{"many": many(), "hostile": hostile()} {
		text := render(t, "text", Options{Width: 80, FailOn: rules.Medium, Allow: "add a line comment `gate:allow REASON`, or list the file in the file that it belongs into."}, r)
		w := &textWriter{options: Options{Width: 80}}
		if n := w.height(strings.Split(strings.TrimSuffix(text, "\n"), "\n")); n > 20 {
			t.Errorf("%s takes %d lines:\n%s", name, n, text)
		}
	}
}
