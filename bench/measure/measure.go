// Package measure runs programs and says what they cost: CPU time of the whole
// process tree and the memory of its largest process, as the kernel counted
// them.
//
// Two things make that less than obvious. The CPU time that wait4 reports
// covers a process and those of its descendants that were waited for, which is
// what is wanted: a scanner that starts `git log` pays for it. The peak memory
// that it reports never falls below that of the process which started it: a
// child shares its parent's memory until it calls exec, and Linux keeps the
// high-water mark of both. So every program is started by a small process of its own,
// this package's Serve, and not by one that has just held a history in memory.
//
// Programs to be compared run in turn, A B A B, never AA BB: a machine that
// slows down half-way then slows both.
package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// A Command is a program to run.
type Command struct {
	// Name is what tables call it.
	Name string
	Args []string
	Dir  string
	// Stdin and Stdout are files; "" is the null device.
	Stdin, Stdout string
	// Env replaces the environment if not nil.
	Env []string
	// Exit lists the exit codes that are as they should be; nil is 0 alone.
	Exit []int
	// MaxRuns bounds how often Compare runs it; 0 is no bound. One that may
	// run only once gets no warm-up either.
	MaxRuns int
}

// A Usage is what one run cost.
type Usage struct {
	User, System, Wall time.Duration
	// Peak is the largest resident memory of any one process of the tree, in
	// bytes, but not less than that of the process that starts it (7 MB or so).
	// Mapped files count as far as they were touched.
	Peak int64
	Exit int
}

// CPU is the time that all processors spent.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// serveArg is the first argument that makes a program call Serve.
const serveArg = "measure-one"

// Serve runs a single command and ends the process, if the program was started
// by Run to do so; else it returns at once. Every program that calls Run calls
// it first thing in main.
func Serve() {
	if len(os.Args) != 2 || os.Args[1] != serveArg {
		return
	}
	var c Command
	err := json.NewDecoder(os.Stdin).Decode(&c)
	if err == nil {
		var u Usage
		if u, err = c.run(); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(u)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Run runs c in a process of its own and measures it. It is an error if it
// cannot be started or ends with an exit code that c does not list; the error
// holds the end of what it wrote to standard error.
func Run(ctx context.Context, c Command) (Usage, error) {
	self, err := os.Executable()
	if err != nil {
		return Usage{}, fmt.Errorf("finding the running program: %w", err)
	}
	in, err := json.Marshal(c)
	if err != nil {
		return Usage{}, err
	}
	p := exec.CommandContext(ctx, self, serveArg)
	p.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	p.Stderr = &stderr
	out, err := p.Output()
	if err != nil {
		return Usage{}, fmt.Errorf("measuring %s: %w: %s", c.Name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	var u Usage
	if err := json.Unmarshal(out, &u); err != nil {
		return Usage{}, fmt.Errorf("measuring %s: %w", c.Name, err)
	}
	return u, nil
}

// run starts the program, waits for it and reads the kernel's account.
func (c *Command) run() (Usage, error) {
	p := exec.Command(c.Args[0], c.Args[1:]...)
	p.Dir, p.Env = c.Dir, c.Env
	if c.Stdin != "" {
		f, err := os.Open(c.Stdin)
		if err != nil {
			return Usage{}, err
		}
		defer f.Close()
		p.Stdin = f
	}
	if c.Stdout != "" {
		f, err := os.Create(c.Stdout)
		if err != nil {
			return Usage{}, err
		}
		defer f.Close()
		p.Stdout = f
	}
	stderr, err := os.CreateTemp("", "measure-*.stderr") // a pipe would need a thread to read it
	if err != nil {
		return Usage{}, err
	}
	defer os.Remove(stderr.Name())
	defer stderr.Close()
	p.Stderr = stderr
	start := time.Now()
	err = p.Run()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Usage{}, fmt.Errorf("starting %s: %w", c.Args[0], err)
	}
	u := Usage{
		User: p.ProcessState.UserTime(), System: p.ProcessState.SystemTime(), Wall: wall,
		Peak: peak(p.ProcessState), Exit: p.ProcessState.ExitCode(),
	}
	if want := c.Exit; !slices.Contains(want, u.Exit) && (want != nil || u.Exit != 0) {
		return Usage{}, fmt.Errorf("%q ended with exit code %d: %s", c.Args, u.Exit, tail(stderr))
	}
	return u, nil
}

// tail returns the last 500 bytes of f.
func tail(f *os.File) []byte {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	b := make([]byte, min(size, 500))
	_, _ = f.ReadAt(b, size-int64(len(b)))
	return bytes.TrimSpace(b)
}
