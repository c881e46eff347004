package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

var updateDocs = flag.Bool("update-docs", false, "write what the commands of the documentation print")

// TestDocs runs the sessions of the pages about spillgate-live against the AWS
// of the scripts. They stand in blocks
//
//	```console live
//	$ command
//	what it prints
//	[exit code 1]
//	```
//
// which the documentation test of spillgate leaves alone. A comment that begins
// with <!-- setup live holds commands that the reader does not need to see.
func TestDocs(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("the documentation's commands are for bash")
	}
	spillgate, err := buildSpillgate()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	sessions := 0
	for _, page := range pages {
		old, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(old), "```console live") {
			continue
		}
		sessions++
		d := newDoc(t, filepath.Dir(spillgate))
		now := d.page(string(old))
		switch {
		case now == string(old):
		case *updateDocs:
			if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s differs; go test ./cmd/spillgate-live -run TestDocs -update-docs writes what is printed now:\n%s", page, firstDifference(string(old), now))
		}
	}
	if sessions == 0 {
		t.Error("no page has a session: the documentation is somewhere else")
	}
}

// A doc runs the sessions of one page, in one folder.
type doc struct {
	t   *testing.T
	dir string
	env []string
}

func newDoc(t *testing.T, bin string) *doc {
	t.Helper()
	d := &doc{t: t, dir: t.TempDir()}
	server := kmsfake.New(t, world())
	config := "[init]\n\tdefaultBranch = main\n[user]\n\tname = Ann\n\temail = ann@example.org\n"
	state := "declare -x KEY=" + keyARN + " OPEN=" + openARN + " KEPT=" + keptARN + " ACCOUNT=" + account + " STRANGER=" + stranger + "\n"
	for name, text := range map[string]string{".gitconfig": config, ".state": state, ".cwd": d.dir} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.env = []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + d.dir, "LC_ALL=C.UTF-8", "TERM=dumb", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z",
	}
	for name, value := range server.Env() {
		d.env = append(d.env, name+"="+value)
	}
	return d
}

// page returns the page with what its sessions print.
func (d *doc) page(text string) string {
	var out strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i])
		end := map[string]string{"<!-- setup live": "-->", "```console live": "```"}[strings.TrimRight(lines[i], "\n")]
		if end == "" {
			continue
		}
		var body []string
		for i++; i < len(lines) && strings.TrimRight(lines[i], "\n") != end; i++ {
			body = append(body, lines[i])
		}
		if end == "-->" {
			if printed, code := d.bash(strings.Join(body, "")); code != 0 {
				d.t.Fatalf("setup: exit code %d: %s", code, printed)
			}
			out.WriteString(strings.Join(body, ""))
		} else {
			out.WriteString(d.session(body))
		}
		if i < len(lines) {
			out.WriteString(lines[i])
		}
	}
	return out.String()
}

// session runs the commands of a block and returns it with what they print.
func (d *doc) session(body []string) string {
	var out strings.Builder
	for i := 0; i < len(body); i++ {
		command, ok := strings.CutPrefix(body[i], "$ ")
		if !ok {
			continue
		}
		out.WriteString(body[i])
		for strings.HasSuffix(command, "\\\n") && i+1 < len(body) {
			i++
			command += body[i]
			out.WriteString(body[i])
		}
		printed, code := d.bash(command)
		if printed != "" && !strings.HasSuffix(printed, "\n") {
			printed += "\n"
		}
		if code != 0 {
			printed += fmt.Sprintf("[exit code %d]\n", code)
		}
		out.WriteString(d.normal(printed))
	}
	return out.String()
}

// bash runs a command where and with the variables with which the last one
// ended.
func (d *doc) bash(command string) (string, int) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, ".command"), []byte(command), 0o600); err != nil {
		d.t.Fatal(err)
	}
	script := `. "$0/.state"; cd "$(cat "$0/.cwd")" && trap 'code=$?; pwd >"$0/.cwd"; export -p >"$0/.state"; exit $code' EXIT; . "$0/.command"`
	c := exec.Command("bash", "-c", script, d.dir)
	c.Dir, c.Env = d.dir, d.env
	printed, err := c.CombinedOutput()
	if err != nil && c.ProcessState.ExitCode() < 0 {
		d.t.Fatalf("%q: %v", command, err)
	}
	return string(printed), c.ProcessState.ExitCode()
}

var (
	docTook  = regexp.MustCompile(`in (?:under )?[0-9.]+ m?s\b`)
	docStamp = regexp.MustCompile(`\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?`)
	docClock = regexp.MustCompile(`\b\d\d:\d\d:\d\d\.\d+Z +\+ *[0-9.]+ s`)
	docID    = regexp.MustCompile(`fake-request-\d+`)
	docHash  = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
)

// normal takes out of what a command prints what differs from run to run.
func (d *doc) normal(s string) string {
	s = strings.ReplaceAll(s, d.dir, "/home/ann")
	s = docTook.ReplaceAllString(s, "in 1 ms")
	s = docStamp.ReplaceAllString(s, "2026-01-02T03:04:05Z")
	s = docClock.ReplaceAllString(s, "03:04:05.000Z   +0.10 s")
	s = docHash.ReplaceAllString(s, strings.Repeat("3f1c9a52", 8))
	return docID.ReplaceAllString(s, "fake-request-1")
}

func firstDifference(old, now string) string {
	a, b := strings.SplitAfter(old, "\n"), strings.SplitAfter(now, "\n")
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			return fmt.Sprintf("line %d: %s", i+1, b[i])
		}
	}
	return "the page has lines that nothing prints"
}
