package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands that scripts have beside those of testscript.

// cmdCode runs a program and demands its exit code:
//
//	code [-within=20s] CODE PROGRAM ARG...
//
// Whatever it prints must not hold a sample secret. -within bounds the time.
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	var limit time.Duration
	if len(args) > 0 && strings.HasPrefix(args[0], "-within=") {
		d, err := time.ParseDuration(strings.TrimPrefix(args[0], "-within="))
		ts.Check(err)
		limit, args = d, args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code [-within=DURATION] CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	start := time.Now()
	err = ts.Exec(args[1], args[2:]...)
	took := time.Since(start)
	got, err := exitCode(err)
	ts.Check(err)
	if names := leaked(ts.ReadFile("stdout") + ts.ReadFile("stderr")); len(names) > 0 {
		ts.Fatalf("the output holds %s", strings.Join(names, " and "))
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if limit > 0 && took > limit {
		ts.Fatalf("took %s, at most %s allowed", took.Round(time.Millisecond), limit)
	}
}

// exitCode tells the exit code of a finished process.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// cmdGit runs git, which must succeed, or with ! fail.
func cmdGit(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("git", args...)
	switch {
	case err == nil && neg:
		ts.Fatalf("git %s succeeded", args[0])
	case err != nil && !neg:
		ts.Fatalf("git %s: %v", args[0], err)
	}
}

// cmdPlant writes a file, and the folders above it:
//
//	plant [-a] [-n] [-crlf] [-enc=ENCODING] FILE LINE...
//
// Variables are expanded in the lines, quoted or not, and so are \t, \0, \e
// and \n. -a appends, -n leaves the last line open, ENCODING is utf-8-bom, or
// utf-16le or utf-16be with -bom or without, or some of those that encodeAll
// knows.
func cmdPlant(ts *testscript.TestScript, neg bool, args []string) {
	var add, open bool
	newline, encoding := "\n", ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch a := args[0]; {
		case a == "-a":
			add = true
		case a == "-n":
			open = true
		case a == "-crlf":
			newline = "\r\n"
		case strings.HasPrefix(a, "-enc="):
			encoding = strings.TrimPrefix(a, "-enc=")
		default:
			ts.Fatalf("plant: unknown option %s", a)
		}
		args = args[1:]
	}
	if neg || len(args) < 1 {
		ts.Fatalf("usage: plant [-a] [-n] [-crlf] [-enc=ENCODING] FILE LINE...")
	}
	escapes := strings.NewReplacer(`\t`, "\t", `\0`, "\x00", `\e`, "\x1b", `\n`, "\n")
	var lines []string
	for _, line := range args[1:] {
		lines = append(lines, escapes.Replace(os.Expand(line, ts.Getenv)))
	}
	text := strings.Join(lines, newline)
	if !open && len(lines) > 0 {
		text += newline
	}
	data, err := encode(text, encoding)
	ts.Check(err)
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o777))
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if add {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	f, err := os.OpenFile(file, flags, 0o666)
	ts.Check(err)
	_, err = f.Write(data)
	ts.Check(errors.Join(err, f.Close()))
}

// encode writes text as the name of an encoding says.
func encode(text, name string) ([]byte, error) {
	name, bom := strings.CutSuffix(name, "-bom")
	var out []byte
	switch name {
	case "", "utf-8":
		if bom {
			out = []byte{0xEF, 0xBB, 0xBF}
		}
		return append(out, text...), nil
	case "utf-16le", "utf-16be":
		units := utf16.Encode([]rune(text))
		if bom {
			units = append([]uint16{0xFEFF}, units...)
		}
		for _, u := range units {
			if name == "utf-16le" {
				out = append(out, byte(u), byte(u>>8))
			} else {
				out = append(out, byte(u>>8), byte(u))
			}
		}
		return out, nil
	}
	return encodeAll(text, name)
}

// cmdFill appends BYTES bytes of harmless text without a line break:
//
//	fill FILE BYTES
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill FILE BYTES")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b bytes.Buffer
	x := uint32(88172645)
	for b.Len() < n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		fmt.Fprintf(&b, "var v%d=f(%d);", x%9973, x%65521)
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	ts.Check(err)
	_, err = f.Write(b.Bytes()[:n])
	ts.Check(errors.Join(err, f.Close()))
}

// cmdHook installs a shell script as a hook of the repository in the current
// folder, where git looks for it:
//
//	hook NAME LINE...
func cmdHook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: hook NAME LINE...")
	}
	ts.Check(ts.Exec("git", "rev-parse", "--git-path", "hooks/"+args[0]))
	file := ts.MkAbs(strings.TrimSpace(ts.ReadFile("stdout")))
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o777))
	ts.Check(os.WriteFile(file, []byte("#!/bin/sh\n"+strings.Join(args[1:], "\n")+"\n"), 0o777))
}

// cmdLet runs a program and keeps what it prints in a variable:
//
//	let NAME PROGRAM ARG...
func cmdLet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: let NAME PROGRAM ARG...")
	}
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// cmdNoSecret demands that files (or stdout, stderr) exist, are not empty and
// hold no sample secret.
func cmdNoSecret(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: nosecret FILE...")
	}
	for _, file := range args {
		text := ts.ReadFile(file)
		if text == "" {
			ts.Fatalf("%s is empty", file)
		}
		if names := leaked(text); len(names) > 0 {
			ts.Fatalf("%s holds %s", file, strings.Join(names, " and "))
		}
	}
}

// cmdSays demands that the last program wrote something that matches, or with !
// does not, to standard output or standard error: what was not scanned stands
// in the report where a person reads it, else beside it.
//
//	says PATTERN
func cmdSays(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: says PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	switch found := pattern.MatchString(ts.ReadFile("stdout") + "\n" + ts.ReadFile("stderr")); {
	case found && neg:
		ts.Fatalf("%q is in the output", args[0])
	case !found && !neg:
		ts.Fatalf("%q is not in the output", args[0])
	}
}

// cmdAtMost bounds the number of lines of a file (or stdout, stderr):
//
//	atmost LINES FILE
func cmdAtMost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: atmost LINES FILE")
	}
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n := strings.Count(ts.ReadFile(args[1]), "\n"); n > limit {
		ts.Fatalf("%s has %d lines, at most %d allowed", args[1], n, limit)
	}
}

// cmdEmpty demands that folders hold nothing.
func cmdEmpty(ts *testscript.TestScript, neg bool, args []string) {
	for _, dir := range args {
		entries, err := os.ReadDir(ts.MkAbs(dir))
		ts.Check(err)
		if (len(entries) == 0) == neg {
			ts.Fatalf("%s has %d entries", dir, len(entries))
		}
	}
}

// cmdDamage spoils a file, even a read-only one:
//
//	damage flip|truncate FILE...
//
// flip inverts a byte in the middle, truncate drops the second half.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: damage flip|truncate FILE...")
	}
	for _, name := range args[1:] {
		file := ts.MkAbs(name)
		data, err := os.ReadFile(file)
		ts.Check(err)
		ts.Check(os.Chmod(file, 0o666))
		switch args[0] {
		case "flip":
			data[len(data)/2] ^= 0xFF
		case "truncate":
			data = data[:len(data)/2]
		default:
			ts.Fatalf("unknown damage %q", args[0])
		}
		ts.Check(os.WriteFile(file, data, 0o666))
	}
}

// cmdInterrupt starts a program, feeds it input without an end until it reads,
// interrupts it while it waits for more and demands its exit code:
//
//	interrupt CODE PROGRAM ARG...
func cmdInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt CODE PROGRAM ARG...")
	}
	if runtime.GOOS == "windows" {
		return // has no SIGINT to send
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	program := findProgram(ts, args[1])
	c := exec.Command(program, args[2:]...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TERM"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	c.Stdout, c.Stderr = ts.Stdout(), ts.Stderr()
	in, err := c.StdinPipe()
	ts.Check(err)
	ts.Check(c.Start())
	done := make(chan error, 1)
	fed := make(chan error, 1)
	go func() {
		// More than a pipe holds: when it is gone, the program is reading.
		_, err := in.Write(bytes.Repeat([]byte("nothing to see here\n"), 50_000))
		fed <- err
	}()
	kill := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
	defer kill.Stop()
	ts.Check(<-fed)
	ts.Check(c.Process.Signal(os.Interrupt))
	go func() { done <- c.Wait() }()
	got, err := exitCode(<-done)
	_ = in.Close()
	ts.Check(err)
	if got != want {
		ts.Fatalf("exit code %d after an interrupt, want %d (-1: it did not end by itself)", got, want)
	}
}

// findProgram looks program up in the script's PATH.
func findProgram(ts *testscript.TestScript, program string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	ts.Fatalf("no %s in PATH", program)
	return ""
}
