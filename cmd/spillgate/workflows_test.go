package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A runStep is the shell text of a step of action.yml or of a workflow.
type runStep struct {
	line int // of its first line
	text string
}

var runKey = regexp.MustCompile(`^( *)(- )?run: (.*)$`)

// runSteps returns the run steps of a YAML file in the layout that ours have:
// `run: |` and a block below, or all in one line.
func runSteps(text string) []runStep {
	var steps []runStep
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		m := runKey.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		if m[3] != "|" {
			steps = append(steps, runStep{i + 1, m[3] + "\n"})
			continue
		}
		indent := strings.Repeat(" ", len(m[1])+len(m[2])+2)
		step := runStep{line: i + 2}
		for ; i+1 < len(lines) && (lines[i+1] == "" || strings.HasPrefix(lines[i+1], indent)); i++ {
			step.text += strings.TrimPrefix(lines[i+1], indent) + "\n"
		}
		steps = append(steps, step)
	}
	return steps
}

// TestRunSteps: no expression stands in a shell command of the Action or of a
// workflow, where what it expands to would be run
// (https://docs.github.com/actions/concepts/security/script-injections), and
// shellcheck has nothing to say.
func TestRunSteps(t *testing.T) {
	shellcheck, _ := exec.LookPath("shellcheck")
	files := append(workflows(t), filepath.Join(moduleRoot, "action.yml"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		steps := runSteps(string(text))
		if n := bytes.Count(text, []byte("run: ")); len(steps) != n || n == 0 {
			t.Errorf("%s: read %d run steps of %d", file, len(steps), n)
		}
		for _, step := range steps {
			if strings.Contains(step.text, "${{") {
				t.Errorf("%s:%d: an expression in a shell command: pass it in env", file, step.line)
			}
			if shellcheck == "" {
				continue
			}
			check := exec.Command(shellcheck, "--shell=bash", "--severity=style", "-")
			check.Stdin = strings.NewReader(step.text)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s:%d: shellcheck: %v\n%s", file, step.line, err, out)
			}
		}
	}
	if shellcheck == "" {
		t.Skip("shellcheck is not installed: apt-get install shellcheck")
	}
	for _, file := range []string{".ci/run", ".ci/clients", "cmd/spillgate/internal/cli/completion/spillgate.bash"} {
		if out, err := exec.Command(shellcheck, "--shell=bash", filepath.Join(moduleRoot, filepath.FromSlash(file))).CombinedOutput(); err != nil {
			t.Errorf("%s: shellcheck: %v\n%s", file, err, out)
		}
	}
}

func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleRoot, ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the workflows are somewhere else: %v, %v", files, err)
	}
	return files
}

// TestActionlint checks the workflows with actionlint.
func TestActionlint(t *testing.T) {
	actionlint, err := exec.LookPath("actionlint")
	if err != nil {
		t.Skip("actionlint is not installed: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")
	}
	if out, err := exec.Command(actionlint, workflows(t)...).CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
}

var pinned = regexp.MustCompile(`^\s*(?:- )?uses: (\S+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)

// TestActionsArePinned: the workflows take other people's actions by commit, so
// that a tag that is moved changes nothing here.
func TestActionsArePinned(t *testing.T) {
	for _, file := range workflows(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "uses: ") && !strings.Contains(line, "uses: ./") && !pinned.MatchString(line) {
				t.Errorf("%s:%d: pin it to a commit and name the version: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}
