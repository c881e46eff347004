package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/cmd/internal/frame"
	"github.com/spillgate/spillgate/scanner"
)

// TestAloneAsBelowTheRoot: a command that runs by itself, which is faster,
// does and says what it does below the root.
func TestAloneAsBelowTheRoot(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.txt", []byte("password = \"hunter2hunter2\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	alone := 0
	for _, line := range []string{
		"version", "version --json", "version extra", "version --nonsense", "dir .", "dir a.txt --quiet", "dir . -f json --fail-on low", "dir -- a.txt",
		"dir . --jobs x", "dir . --jobs 2000", "dir . --report nothing", "dir . --output", "dir nowhere", "dir . -qv", "dir help", "dir .  --exit-code=7",
		"stdin --name x", "stdin x", "stdin --decode-depth=99", "staged --repo nowhere", "staged x", "staged --format", "range", "range nothing --repo nowhere",
		"history --backend none", "explain aws-access-key-id", "explain nothing-like-it", "rules", "doctor x y", "ci --nonsense", "plan", "hook", "baseline", "config show --nonsense",
		"dir --help", "dir . -h", "staged --help=false", "version -h", "dir -nonsense", "dir --h", "hook run -h", "nonsense",
	} {
		args := append([]string{"spillgate"}, strings.Fields(line)...)
		quick, below := runAs(args, true), runAs(args, false)
		if quick.out != below.out || quick.err != below.err || quick.exit != below.exit {
			t.Errorf("spillgate %s: alone exit code %d\n%s%s\nbelow the root exit code %d\n%s%s", line, quick.exit, quick.out, quick.err, below.exit, below.out, below.err)
		}
		if quick.alone {
			alone++
		}
	}
	if alone < 20 {
		t.Errorf("only %d command lines ran alone", alone)
	}
}

type ran struct {
	out, err string
	exit     int
	alone    bool
}

// runAs runs args the quick way, if there is one, or through the root. Times
// are cut off what it prints.
func runAs(args []string, quick bool) ran {
	var out, errs bytes.Buffer
	_, signals := interruptible()
	defer signals.stop()
	a := &app{Process: Process{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}, signals: signals}
	command, rest := a.root(), args
	if quick {
		command, rest = a.command()
	}
	err := command.Run(context.Background(), rest)
	r := ran{exit: a.exit, alone: len(rest) < len(args)}
	if err != nil {
		r.exit = frame.ExitCode(err)
		errs.WriteString(err.Error())
		if r.exit == scanner.ExitClean {
			r.exit = -1
		}
	}
	r.out, r.err = timeless(out.String()), timeless(errs.String())
	return r
}

// timeless returns text without what differs from run to run.
func timeless(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if i := strings.Index(line, ", in "); i >= 0 {
			line = line[:i]
		}
		if strings.Contains(line, `"started"`) || strings.Contains(line, `_ms"`) || strings.Contains(line, `"took`) || strings.Contains(line, `"seconds"`) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}
