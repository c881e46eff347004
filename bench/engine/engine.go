// Package engine measures the parts of Spillgate that need no process of their
// own: the rule program over text in memory, and what more rules cost.
//
// Everything is a ratio of two things done in turn in one run, because the
// speed of a machine changes by a quarter from one minute to the next. The
// benchmarks beside this file measure the rest of the pipeline in the same way.
package engine

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/rules"
)

// Corpus returns size bytes of source text of the Go installation at goroot.
func Corpus(goroot string, size int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(size))
	err := history.Text(&b, goroot, size)
	return b.Bytes(), err
}

// Extra returns n rules more, none of which Spillgate has: tokens with a prefix
// of their own, half of them in a context that only a regular expression
// matches, some without regard to case. None of them occurs in source text.
func Extra(n int) ([]rules.Rule, error) {
	var b bytes.Buffer
	b.WriteString("provider = \"Example\"\n")
	for i := range n {
		word := name(i)
		fmt.Fprintf(&b, "\n[[rule]]\nid = \"example-%s-token\"\ntitle = \"%s token\"\nwhy = \"It opens the example service.\"\n", word, word)
		b.WriteString("severity = \"high\"\nconfidence = \"high\"\nfix = \"Revoke it.\"\nreferences = [\"https://example.com/\"]\n")
		switch i % 4 {
		case 0, 1:
			fmt.Fprintf(&b, "pattern = '''\\b%s_[A-Za-z0-9]{32}\\b'''\n", word)
			fmt.Fprintf(&b, "match = [\"%s_abcdefghijklmnop\" , \"%s_0123456789abcdefghijklmnopABCDEF\"]\n", word, word)
		case 2:
			fmt.Fprintf(&b, "pattern = '''(?i)\\b%s[_-]?key[ \\t]{0,5}[:=][ \\t]{0,5}[\"']?([0-9a-f]{40})\\b'''\n", word)
			fmt.Fprintf(&b, "match = [\"%s_key = 0123456789abcdef0123456789abcdef01234567\"]\n", word)
		case 3:
			fmt.Fprintf(&b, "pattern = '''\\b%s-(?:live|test)-[0-9]{8,12}-[a-z0-9]{24}\\b'''\n", word)
			fmt.Fprintf(&b, "match = [\"%s-live-12345678-abcdefghijklmnopqrstuvwx\"]\n", word)
		}
		b.WriteString("clean = [\"nothing\", \"to see\"]\n")
	}
	all, err := rules.Parse("extra.toml", b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("parsing %d made-up rules: %w", n, err)
	}
	return all, nil
}

// name makes a word of five to seven letters that is no English word.
func name(i int) string {
	const consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"
	b := []byte{}
	x := uint32(i)*2654435761 + 12345
	for j := range 5 + i%3 {
		set := consonants
		if j%2 == 1 {
			set = vowels
		}
		b = append(b, set[x%uint32(len(set))])
		x = x*1664525 + 1013904223
		x ^= x >> 13
	}
	return fmt.Sprintf("%s%c%c", b, 'a'+i/26%26, 'a'+i%26)
}

// WithExtra compiles the built-in rules and n more.
func WithExtra(n int) (*rules.Program, error) {
	if n == 0 {
		return rules.Builtin(), nil
	}
	more, err := Extra(n)
	if err != nil {
		return nil, err
	}
	p, err := rules.Compile(append(slices.Clone(rules.Builtin().Rules), more...))
	if err != nil {
		return nil, fmt.Errorf("compiling the built-in rules and %d more: %w", n, err)
	}
	return p, nil
}

// A Cost is what one rule set costs.
type Cost struct {
	Rules   int
	Compile time.Duration // 0 for the built-in program, which is not compiled
	Scan    time.Duration // median, of the whole text
	Matches int
}

// RuleCosts scans text with the built-in rules and each number of further rules
// in turn, rounds times, on one thread.
func RuleCosts(text []byte, rounds int, extra ...int) ([]Cost, error) {
	costs := make([]Cost, len(extra))
	programs := make([]*rules.Program, len(extra))
	for i, n := range extra {
		start := time.Now()
		p, err := WithExtra(n)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			costs[i].Compile = time.Since(start)
		}
		programs[i], costs[i].Rules = p, len(p.Rules)
		costs[i].Matches = Scan(p, text) // also compiles what compiles on first use
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	times := make([][]time.Duration, len(extra))
	for range rounds {
		for i, p := range programs {
			start := threadTime()
			Scan(p, text)
			times[i] = append(times[i], threadTime()-start)
		}
	}
	for i := range costs {
		slices.Sort(times[i])
		costs[i].Scan = times[i][len(times[i])/2]
	}
	return costs, nil
}

// pieceLen is the size in bytes of the pieces in which Scan reads a text:
// about that of a source file.
const pieceLen = 64 << 10

// Scan scans text in pieces and returns how many matches there are.
func Scan(p *rules.Program, text []byte) int {
	n := 0
	count := func(*rules.Match) { n++ }
	for len(text) > 0 {
		piece := text[:min(pieceLen, len(text))]
		text = text[len(piece):]
		p.Scan(piece, 0, len(piece), false, count)
	}
	return n
}

// Anchors runs the prefilter alone and returns how many anchors there are.
func Anchors(p *rules.Program, text []byte) int {
	n := 0
	var anchors []rules.Anchor
	for len(text) > 0 {
		piece := text[:min(pieceLen, len(text))]
		text = text[len(piece):]
		anchors = p.Anchors(anchors[:0], piece, 0, len(piece))
		n += len(anchors)
	}
	return n
}

// Lines reads text once, byte by byte, and counts its lines: the reference of
// the benchmarks, which no scanner in plain Go can beat by much.
func Lines(text []byte) int {
	n := 0
	for _, c := range text {
		if c == '\n' {
			n++
		}
	}
	return n
}

// onlyReader hides all other methods of a reader, so that a Feeder reads it as
// it reads a pipe.
type onlyReader struct{ io.Reader }
