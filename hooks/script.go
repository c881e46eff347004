package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// A script is an installed hook.
type script struct {
	event   string
	program string
	// global means that it stands in the user's hooks folder and calls the
	// hooks of each repository.
	global bool
	// folders is how many folders installing made for it; config that it made
	// the user's configuration file.
	folders int
	config  bool
}

// before is what the hook that was there is called while ours is installed.
func before(event string) string { return event + ".before-spillgate" }

const (
	markPrefix = "# spillgate-hook 1 "
	sumPrefix  = "# spillgate-sum "
)

// quote returns s as one word for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unquote undoes quote.
func unquote(s string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, "'"), "'"), `'\''`, "'")
}

// guards reports whether the script scans, or only passes a call on.
func (s script) guards() bool {
	for _, e := range Client() {
		if e == s.event {
			return true
		}
	}
	return !s.global
}

// text returns the script. It is for any POSIX shell, also the one that comes
// with Git for Windows.
func (s script) text() string {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# Installed by Spillgate. "spillgate hook uninstall" takes it away and puts back
# what was here before. Do not edit it: it is replaced as a whole.
`)
	fmt.Fprintf(&b, "%sevent=%s folders=%d config=%t\n", markPrefix, s.event, s.folders, s.config)
	if s.global {
		fmt.Fprintf(&b, "before=$(git rev-parse --git-common-dir)/hooks/%s\n", s.event)
	} else {
		b.WriteString("case $0 in */*) here=${0%/*} ;; *) here=. ;; esac\n")
		fmt.Fprintf(&b, "before=$here/%s\n", before(s.event))
	}
	if !s.guards() {
		b.WriteString("[ -f \"$before\" ] && [ -x \"$before\" ] || exit 0\nexec \"$before\" \"$@\"\n")
		return sealed(b.String())
	}
	b.WriteString(findProgram(s.program, s.event, "exit"))
	pipe := ""
	if readsInput(s.event) {
		// both read the same input; the dot keeps the last line feed
		b.WriteString("input=$(cat && echo .)\n")
		pipe = `printf '%s' "${input%.}" | `
	}
	fmt.Fprintf(&b, "status=0\nif [ -f \"$before\" ] && [ -x \"$before\" ]; then\n\t%s\"$before\" \"$@\" || status=$?\nfi\n", pipe)
	fmt.Fprintf(&b, "%s\"$program\" hook run %s -- \"$@\" || exit\nexit \"$status\"\n", pipe, s.event)
	return sealed(b.String())
}

// findProgram returns the lines that set $program, or leave by the command
// leave. They name what is missing and the way out.
func findProgram(program, event, leave string) string {
	return "program=" + quote(filepath.ToSlash(program)) + "\n" +
		`[ -x "$program" ] || {
	echo "spillgate: $program is gone" >&2
	program=$(command -v spillgate) || {
		echo "spillgate: and there is no spillgate on PATH: nothing was scanned, so the ` + event + ` hook refuses." >&2
		echo "spillgate: put the program on PATH, or install it again and type: spillgate hook install" >&2
		` + leave + ` 2
	}
}
`
}

// sealed appends a checksum, by which an edited script is known.
func sealed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return text + sumPrefix + hex.EncodeToString(sum[:]) + "\n"
}

// parseScript reads what text says of itself. ours is false for somebody
// else's hook, edited true for one of ours that was changed.
func parseScript(text string) (s script, ours, edited bool) {
	_, rest, ok := strings.Cut(text, "\n"+markPrefix)
	if !ok {
		return s, false, false
	}
	line, _, _ := strings.Cut(rest, "\n")
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "event":
			s.event = value
		case "folders":
			s.folders, _ = strconv.Atoi(value)
		case "config":
			s.config = value == "true"
		}
	}
	if _, p, ok := strings.Cut(rest, "\nprogram="); ok {
		p, _, _ = strings.Cut(p, "\n")
		s.program = unquote(p)
	}
	s.global = strings.Contains(rest, "\nbefore=$(git ")
	i := strings.LastIndex(text, sumPrefix)
	return s, true, i < 0 || sealed(text[:i]) != text
}
