package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/iac"
)

var updateDocs = flag.Bool("update-docs", false, "write what the commands of the documentation print")

// A doc is a page whose sessions are executed. A session is a block
//
//	```console
//	$ command
//	what it prints
//	[exit code 1]
//	```
//
// The last line stands for an exit code that is not 0. A comment that begins
// with <!-- setup holds commands that the reader does not need to see. All of a
// page run one after the other in one folder, with bash. Of a ```yaml or
// ```groovy block the lines that call `spillgate ci` are run, and must not fail
// with wrong usage. Blocks of data are left alone; there must be none of any
// other kind, so that no command is passed over.
type doc struct {
	t     *testing.T
	dir   string // of the page's scratch files
	lines []string
	out   []string
}

// TestDocs runs every session of the documentation and compares what it prints.
func TestDocs(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("the documentation's commands are for bash")
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 5 {
		t.Fatalf("only %d pages: the documentation is somewhere else", len(pages))
	}
	for _, page := range append(pages, "../../README.md") {
		t.Run(filepath.Base(page), func(t *testing.T) {
			old, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			d := &doc{t: t, dir: t.TempDir(), lines: strings.SplitAfter(string(old), "\n")}
			d.prepare()
			text := d.run()
			if text == string(old) {
				return
			}
			if *updateDocs {
				if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			now := strings.SplitAfter(text, "\n")
			for i := range now {
				if i >= len(d.lines) || now[i] != d.lines[i] {
					t.Fatalf("line %d differs; go test ./cmd/spillgate -run TestDocs -update-docs writes what is printed now:\n%s", i+1, now[i])
				}
			}
			t.Fatal("the page has lines that nothing prints")
		})
	}
}

// prepare makes a home for the page.
func (d *doc) prepare() {
	d.t.Helper()
	config := "[init]\n\tdefaultBranch = main\n[user]\n\tname = Ann\n\temail = ann@example.org\n[protocol \"file\"]\n\tallow = always\n[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n"
	state := "declare -x HOME=" + d.dir + "\n"
	for _, s := range samples() {
		state += "declare -x " + s.name + "='" + s.text + "'\n"
	}
	for name, text := range map[string]string{".gitconfig": config, ".state": state, ".cwd": d.dir} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

// run runs the page's blocks and returns the page with what they print.
func (d *doc) run() string {
	for i := 0; i < len(d.lines); {
		line := strings.TrimRight(d.lines[i], "\r\n")
		block := func(end string) []string {
			from := i + 1
			for i++; i < len(d.lines) && strings.TrimRight(d.lines[i], "\r\n") != end; i++ {
			}
			if i == len(d.lines) {
				d.t.Fatalf("line %d: the block has no end", from)
			}
			i++
			return d.lines[from : i-1]
		}
		switch {
		case line == "<!-- setup":
			body := block("-->")
			if out, code := d.bash(strings.Join(body, "")); code != 0 {
				d.t.Fatalf("setup: exit code %d: %s", code, out)
			}
			d.keep(line, body, "-->")
		case line == "```console":
			d.keep(line, d.session(block("```")), "```")
		case line == "```yaml" || line == "```groovy":
			body := block("```")
			d.snippet(body)
			d.keep(line, body, "```")
		case strings.HasPrefix(line, "```"):
			if !slices.Contains(dataBlocks, line) {
				d.t.Errorf("line %d: a block of the kind %q, which no test runs: make it a ```console session, or say in dataBlocks that it is data", i+1, line)
			}
			d.keep(line, block("```"), "```")
		default:
			d.out = append(d.out, d.lines[i])
			i++
		}
	}
	return strings.Join(d.out, "")
}

func (d *doc) keep(first string, body []string, last string) {
	d.out = append(append(append(d.out, first+"\n"), body...), last+"\n")
}

// session runs the commands of a block and returns it with what they print.
func (d *doc) session(body []string) []string {
	d.t.Helper()
	var now []string
	for i := 0; i < len(body); i++ {
		command, ok := strings.CutPrefix(body[i], "$ ")
		if !ok {
			continue
		}
		now = append(now, body[i])
		for strings.HasSuffix(strings.TrimRight(command, "\n"), "\\") && i+1 < len(body) {
			i++
			command += body[i]
			now = append(now, body[i])
		}
		out, code := d.bash(command)
		if names := leaked(out); len(names) > 0 {
			d.t.Fatalf("%q prints %v", command, names)
		}
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		if code != 0 {
			out += fmt.Sprintf("[exit code %d]\n", code)
		}
		now = append(now, d.normal(out))
	}
	return now
}

// dataBlocks are the kinds of blocks that hold no commands.
var dataBlocks = []string{"```json", "```toml", "```terraform", "```go", "```console live"} // the last are run by the test of spillgate-live

var ciCall = regexp.MustCompile(`(?:^|[\s'"])(spillgate ci\b[^'"\n]*)`)

// snippet runs the calls in the configuration of a CI system.
func (d *doc) snippet(body []string) {
	d.t.Helper()
	for _, line := range body {
		m := ciCall.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		call := strings.NewReplacer("<< pipeline.git.base_revision >>", "HEAD~1").Replace(m[1])
		if out, code := d.bash(call); code != 0 && code != 1 {
			d.t.Errorf("%q: exit code %d: %s", call, code, out)
		}
	}
}

// bash runs a command where and with the variables with which the last one
// ended.
func (d *doc) bash(command string) (string, int) {
	d.t.Helper()
	file := filepath.Join(d.dir, ".command")
	if err := os.WriteFile(file, []byte(command), 0o600); err != nil {
		d.t.Fatal(err)
	}
	script := `. "$0/.state"; cd "$(cat "$0/.cwd")" && trap 'code=$?; pwd >"$0/.cwd"; export -p >"$0/.state"; exit $code' EXIT; . "$0/.command"`
	c := exec.Command("bash", "-c", script, d.dir)
	c.Dir = d.dir
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TERM=dumb", "TZ=UTC", "GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(d.dir),
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z",
	}
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState.ExitCode() < 0 {
		d.t.Fatalf("%q: %v", command, err)
	}
	return string(out), c.ProcessState.ExitCode()
}

var (
	took  = regexp.MustCompile(`in (?:under )?[0-9.]+ m?s\b`)
	token = regexp.MustCompile(`spillgate-[A-Z2-7]{26}`)
	stamp = regexp.MustCompile(`\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z| UTC)?`)
	today = regexp.MustCompile(`("added": ?")20\d\d-\d\d-\d\d`)
)

// normal takes out of what a command prints what differs from run to run.
func (d *doc) normal(out string) string {
	out = strings.ReplaceAll(out, d.dir, "/home/ann")
	out = took.ReplaceAllString(out, "in 1 ms")
	out = token.ReplaceAllString(out, "spillgate-TOKEN")
	out = stamp.ReplaceAllString(out, "2026-01-02T03:04:05Z")
	return today.ReplaceAllString(out, "${1}2026-01-02")
}

var (
	// A command of ours in the text: in backquotes, or in an indented line.
	inText   = regexp.MustCompile("`(spillgate [^`]+)`")
	indented = regexp.MustCompile(`(?m)^(?:    |\t).*?\b(spillgate [a-z][^\n]*)$`)
	docFlag  = regexp.MustCompile(`(?:^|\s)(--?[a-z][a-z-]*)`)
)

// TestDocsCommands checks the commands that the documentation names outside of
// sessions: they and their flags must be there.
func TestDocsCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	help := map[string]string{}
	checked := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		prose := withoutBlocks(string(text))
		for _, m := range append(inText.FindAllStringSubmatch(prose, -1), indented.FindAllStringSubmatch(prose, -1)...) {
			checked++
			if problem := checkCommand(help, m[1]); problem != "" {
				t.Errorf("%s: `%s`: %s", filepath.Base(page), m[1], problem)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d commands were found", checked)
	}
}

// withoutBlocks returns a page without fenced blocks.
func withoutBlocks(page string) string {
	parts := strings.Split("\n"+page, "\n```")
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		b.WriteString(parts[i] + "\n")
	}
	return b.String()
}

// checkCommand says what is wrong with a command, or "".
func checkCommand(help map[string]string, command string) string {
	command, _, _ = strings.Cut(command, "#")
	words := strings.Fields(strings.NewReplacer("[", "", "]", "", "...", "", "…", "").Replace(command))
	at, text := []string{}, ""
	for _, word := range words[1:] {
		if !regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(word) || text != "" && !strings.Contains(text, "\nCOMMANDS:") {
			break
		}
		at = append(at, word)
		key := strings.Join(at, " ")
		if help[key] == "" {
			out, err := exec.Command("spillgate", append(at, "--help")...).Output()
			if err != nil || !strings.Contains(string(out), "spillgate "+key+" ") {
				return "there is no such command"
			}
			help[key] = string(out)
		}
		text = help[key]
	}
	if len(at) == 0 {
		return ""
	}
	for _, m := range docFlag.FindAllStringSubmatch(strings.Join(words[1:], " "), -1) {
		if !regexp.MustCompile(`(?m)(?:^|[\s,])` + m[1] + `(?:[\s,]|$)`).MatchString(text) {
			return "it has no flag " + m[1]
		}
	}
	return ""
}

// TestRulesPage keeps docs/rules.md, the catalogue of the rules, current.
func TestRulesPage(t *testing.T) {
	var b strings.Builder
	all := append(slices.Clone(rules.Builtin().Rules), iac.Rules()...)
	fmt.Fprintf(&b, "# Rules\n\nAll %d rules, by provider. `spillgate explain RULE` says why a rule matters and what to do. This page is written by\n"+
		"`go test ./cmd/spillgate -run TestRulesPage -update-docs`.\n", len(all))
	provider := ""
	for _, r := range all {
		if r.Provider != provider {
			provider = r.Provider
			fmt.Fprintf(&b, "\n## %s\n\n| rule | finds | severity | confidence |\n|---|---|---|---|\n", provider)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, strings.ReplaceAll(r.Title, "|", `\|`), r.Severity, r.Confidence)
	}
	const page = "../../docs/rules.md"
	if *updateDocs {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(old) != b.String() {
		t.Error("docs/rules.md is old: go test ./cmd/spillgate -run TestRulesPage -update-docs")
	}
}
