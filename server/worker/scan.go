package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/child"
	"github.com/spillgate/spillgate/server/mirror"
)

// A Scanner runs spillgate on a mirror. It is another process on purpose: what
// reads text that anyone may push has no socket, no credentials and no more
// memory than it is given, and its end is not this program's.
type Scanner struct {
	// Program is the file of spillgate.
	Program string
	// Config is the operator's configuration of the rules; empty for the
	// built-in rules alone. The scanned repository's own is not read: a push
	// must not excuse itself.
	Config string
	// MemoryLimit is given to the scan, such as "1G"; empty for none.
	MemoryLimit string
	// Timeout ends a scan; 0 for an hour.
	Timeout time.Duration
}

// A Finding is a line of the scanner's JSONL report.
type Finding struct {
	Type        string `json:"type"`
	Rule        string `json:"rule"`
	Title       string `json:"title"`
	Severity    string `json:"severity"`
	Confidence  string `json:"confidence"`
	Blocking    bool   `json:"blocking"`
	Match       string `json:"match"`
	Why         string `json:"why"`
	Fix         string `json:"fix"`
	Fingerprint string `json:"fingerprint"`
	Fields      []struct{ Name, Value string }
	Location    Location   `json:"location"`
	More        []Location `json:"more_locations"`
}

// A Location is a place in the report.
type Location struct {
	Kind      string `json:"kind"`
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	Commit    struct {
		ID string `json:"id"`
	} `json:"commit"`
}

// Field returns the finding's field of the name, or the empty string.
func (f *Finding) Field(name string) string {
	for _, field := range f.Fields {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}

// A Report is what a scan found and whether it saw everything.
type Report struct {
	Findings []Finding
	// Lines is the JSONL report as it was, for what reads such reports.
	Lines []byte
	// Coverage is the report's own account of what was read.
	Coverage json.RawMessage
	// Complete is false where something could not be scanned; Why says what.
	Complete bool
	Why      string
}

// maxReport bounds the report that is kept in memory, in bytes.
const maxReport = 64 << 20

// Scan scans what the tips reach and the scanned refs of the repository in dir
// do not. lock keeps the repository from others until the scan has ended, even
// if this process ends before it; it may be nil.
func (s *Scanner) Scan(ctx context.Context, dir string, lock *os.File, tips []mirror.Tip) (*Report, error) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// The mirror is to spillgate what a local clone is to git push: it scans
	// what the remote named "scanned" lacks.
	args := []string{"hook", "run", "pre-push", "-C", dir, "--trust-repo", "--format", "jsonl", "--config", s.Config, "--quiet"}
	if s.Config == "" {
		args[9] = os.DevNull
	}
	if s.MemoryLimit != "" {
		args = append(args, "--memory-limit", s.MemoryLimit)
	}
	args = append(args, "--", "scanned", "spillgate-server")
	cmd := exec.CommandContext(ctx, s.Program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}
	cmd.Stdin = pushLines(tips)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if lock != nil {
		cmd.ExtraFiles = []*os.File{lock}
	}
	stdout, stderr := &limited{max: maxReport}, &limited{max: 4 << 10}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := child.Run(cmd)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the scan did not end in time: %w", ctx.Err())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("running %s: %w", s.Program, err)
	}
	if stdout.over {
		return nil, fmt.Errorf("the scan's report has more than %d MB", maxReport>>20)
	}
	code := cmd.ProcessState.ExitCode()
	if code != 0 && code != 1 && code != 2 {
		return nil, fmt.Errorf("%s ended with code %d: %s", s.Program, code, strings.TrimSpace(stderr.String()))
	}
	return readReport(stdout.Bytes(), code, stderr.String())
}

// pushLines are the lines that git gives to a pre-push hook.
func pushLines(tips []mirror.Tip) io.Reader {
	var b bytes.Buffer
	for _, t := range tips {
		old := t.Scanned
		if old == "" {
			old = strings.Repeat("0", len(t.ID))
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", t.Ref, t.ID, t.Ref, old)
	}
	return &b
}

// readReport reads a JSONL report. One without its last line, the coverage, is
// cut off and no evidence of anything.
func readReport(lines []byte, code int, stderr string) (*Report, error) {
	r := &Report{Lines: lines, Complete: code != 2}
	covered := false
	in := bufio.NewScanner(bytes.NewReader(lines))
	in.Buffer(nil, maxReport)
	for in.Scan() {
		var f Finding
		if err := json.Unmarshal(in.Bytes(), &f); err != nil {
			return nil, fmt.Errorf("reading the scan's report: %w", err)
		}
		switch f.Type {
		case "finding":
			r.Findings = append(r.Findings, f)
		case "coverage":
			var c struct {
				Summary  struct{ Complete bool }
				Coverage json.RawMessage
			}
			if err := json.Unmarshal(in.Bytes(), &c); err != nil {
				return nil, fmt.Errorf("reading the scan's coverage: %w", err)
			}
			covered, r.Coverage = true, c.Coverage
			r.Complete = r.Complete && c.Summary.Complete
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("reading the scan's report: %w", err)
	}
	if !covered {
		return nil, fmt.Errorf("the scan's report is cut off: %s", strings.TrimSpace(stderr))
	}
	if !r.Complete {
		r.Why = strings.TrimSpace(stderr)
	}
	return r, nil
}

// limited is a buffer that drops what is over its bound, and says so.
type limited struct {
	bytes.Buffer
	max  int
	over bool
}

// Write keeps what fits.
func (l *limited) Write(p []byte) (int, error) {
	if room := l.max - l.Len(); len(p) > room {
		l.over = true
		_, _ = l.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}
