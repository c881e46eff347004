package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// workflow is what the test runs on every event.
const workflow = `on: [pull_request, pull_request_target, push, merge_group, schedule, workflow_dispatch, release]
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.spillgate
        id: gate
        with:
          upload-sarif: "true"
          deepen: "DEEPEN"
          version: "VERSION"
          sha256: "SHA256"
          verify: "VERIFY"
          live: "LIVE"
          operator: "OPERATOR"
          ledger: "LEDGER"
          approve: "APPROVE"
          format: "FORMAT"
      - if: always()
        shell: bash
        env:
          OUTPUTS: ${{ toJSON(steps.gate.outputs) }}
        run: printf 'outputs:%s\n' "$(tr -d '\n' <<<"$OUTPUTS")"
`

// A stage is a remote, a shallow clone of it that holds the action, and the
// REST interface of the forge.
type stage struct {
	t          *testing.T
	act        string
	dir, clone string
	forge      string            // URL of its stand-in
	ids        map[string]string // commits by name
	status     int               // of answers to what writes
	version    string            // input of the action
	sha256     string            // input of the action
	archive    []byte            // what the forge gives as a release
	sums       string            // and as its checksums
	verify     string            // input of the action
	live       string            // input of the action
	format     string            // input of the action
	operator   string            // input of the action
	ledger     string            // input of the action
	approve    string            // input of the action
	env        []string          // of the runner, NAME=VALUE
	token      string            // the claims of the job's OIDC token, as JSON
	aws        []string          // what AWS was asked
	comments   []map[string]any
	uploads    int
}

// TestAction runs action.yml as a runner does, on the host, with the program
// act (https://github.com/nektos/act, from PATH or SPILLGATE_ACT): on made
// events of every kind, in a shallow clone, against a stand-in for the REST
// interface.
func TestAction(t *testing.T) {
	act := os.Getenv("SPILLGATE_ACT")
	if act == "" {
		path, err := exec.LookPath("act")
		if err != nil {
			t.Skip("there is no act: go install github.com/nektos/act@v0.2.82, or set SPILLGATE_ACT")
		}
		act = path
	}
	for _, c := range []struct {
		name, event, payload string
		deepen               string
		want                 []string // in the log
		outputs              string   // the start of the outputs as JSON: code, findings, range
	}{
		{"pull request", "pull_request", `{"number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":"MAIN"},"head":{"ref":"topic","sha":"TOPIC"}},REPO}`, "true",
			[]string{"what pull request #7 adds to main", "::error file=leak.tf,line=1,endLine=1,col=7", "Spillgate: 1 finding blocks"}, "1 1 MAIN..TOPIC"},
		{"pull request without fetching", "pull_request", `{"number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":"MAIN"},"head":{"ref":"topic","sha":"TOPIC"}},REPO}`, "false",
			[]string{"fetch-depth: 0", "::error title=Spillgate scanned nothing::"}, "2  "},
		{"push of a new branch", "push", `{"ref":"refs/heads/topic","before":"ZERO","after":"TOPIC","created":true,REPO}`, "true",
			[]string{"what the default branch lacks"}, "1 1 MAIN..TOPIC"},
		{"force push", "push", `{"ref":"refs/heads/topic","before":"GONE","after":"TOPIC","forced":true,REPO}`, "true",
			[]string{"is gone, even from the remote"}, "1 1 MAIN..TOPIC"},
		{"push of nothing new", "push", `{"ref":"refs/heads/main","before":"MAIN","after":"MAIN",REPO}`, "true",
			[]string{"0 new commits, proven"}, "0 0 MAIN..MAIN"},
		{"deleted branch", "push", `{"ref":"refs/heads/old","before":"OLD","after":"ZERO","deleted":true,REPO}`, "true",
			[]string{"the ref was deleted"}, "0 0 nothing"},
		{"merge queue", "merge_group", `{"action":"checks_requested","merge_group":{"base_sha":"MAIN","head_sha":"TOPIC","head_ref":"refs/heads/topic","base_ref":"refs/heads/main"},REPO}`, "true",
			[]string{"what the merge queue is about to merge"}, "1 1 MAIN..TOPIC"},
		{"schedule", "schedule", `{"schedule":"0 4 * * 1",REPO}`, "true",
			[]string{"a schedule run checks the whole history"}, "1 1 everything that any ref reaches"},
		{"by hand", "workflow_dispatch", `{"ref":"refs/heads/main",REPO}`, "true",
			[]string{"a workflow_dispatch run checks the whole history"}, "1 1 everything that any ref reaches"},
		{"release", "release", `{"action":"published","release":{"tag_name":"v1"},REPO}`, "true",
			[]string{"a release publishes the whole history"}, "1 1 everything that any ref reaches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, act)
			log := s.run(c.event, c.payload, c.deepen)
			for _, want := range c.want {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %q", want)
				}
			}
			if got := s.outputs(log); got != s.expand(c.outputs) {
				t.Errorf("outputs %q, want %q", got, s.expand(c.outputs))
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
	t.Run("one comment, kept up to date", func(t *testing.T) { testComment(t, newStage(t, act)) })
	t.Run("asking AWS", func(t *testing.T) { testLive(t, newStage(t, act)) })
	t.Run("rotating a key", func(t *testing.T) { testRotate(t, newStage(t, act)) })
	t.Run("format of the report", func(t *testing.T) { testFormat(t, newStage(t, act)) })
	t.Run("release pinned by its checksum", func(t *testing.T) { testRelease(t, newStage(t, act)) })
}

var reportFile = regexp.MustCompile(`"report-file": *"([^"]*)"`)

// testFormat: the report is written in the format that is asked for.
func testFormat(t *testing.T, s *stage) {
	const payload = `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC",REPO}`
	s.format = "junit"
	log := s.run("push", payload, "true")
	if m := reportFile.FindStringSubmatch(log); s.outputs(log) != s.expand("1 1 MAIN..TOPIC") || m == nil || !strings.HasSuffix(m[1], "/report.xml") {
		t.Errorf("junit: %q\n%s", m, log)
	}
	s.format = "tap"
	if log := s.run("push", payload, "true"); !strings.Contains(log, "The input format is json,") || !strings.HasPrefix(s.outputs(log), " ") {
		t.Errorf("an unknown format is taken:\n%s", log)
	}
}

// testComment: the second run changes the comment of the first, and a token
// that may not write changes nothing of the result.
func testComment(t *testing.T, s *stage) {
	const payload = `{"number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":"MAIN"},"head":{"ref":"topic","sha":"TOPIC"}},REPO}`
	s.run("pull_request", payload, "true")
	log := s.run("pull_request", payload, "true")
	if len(s.comments) != 1 || s.uploads != 2 {
		t.Fatalf("%d comments and %d SARIF uploads after two runs, want 1 and 2\n%s", len(s.comments), s.uploads, log)
	}
	if body := s.comments[0]["body"].(string); !strings.HasPrefix(body, "<!-- spillgate -->\n### Spillgate: 1 finding blocks") {
		t.Errorf("the comment is %.80q", body)
	}
	s.status, s.comments = http.StatusForbidden, nil
	log = s.run("pull_request", payload, "true")
	if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") || !strings.Contains(log, "No comment: writing it was answered with status 403") ||
		!strings.Contains(log, "The SARIF report was not uploaded: the answer was status 403") {
		t.Errorf("with a token that may only read: outputs %q\n%s", got, log)
	}
}

// newStage makes the remote, the clone and the forge.
func newStage(t *testing.T, act string) *stage {
	t.Helper()
	s := &stage{t: t, act: act, dir: t.TempDir(), status: http.StatusCreated, live: "false", verify: "auto", format: "json", ids: map[string]string{"GONE": strings.Repeat("d", 40), "ZERO": strings.Repeat("0", 40)}}
	s.clone = filepath.Join(s.dir, "clone")
	remote := filepath.Join(s.dir, "remote")
	s.git(s.dir, "init", "-q", "-b", "main", remote)
	commit := func(name, file, text string) {
		if err := os.WriteFile(filepath.Join(remote, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.git(remote, "add", ".")
		s.git(remote, "commit", "-q", "-m", name)
		s.ids[name] = s.git(remote, "rev-parse", "HEAD")
	}
	commit("OLD", "a.txt", "one\n")
	commit("MAIN", "a.txt", "two\n")
	s.git(remote, "checkout", "-q", "-b", "topic")
	for _, sample := range samples() {
		if sample.name == "KMSARN" {
			commit("TOPIC", "leak.tf", "key = "+sample.text+"\n")
		}
	}
	s.git(s.dir, "clone", "-q", "--depth=1", "--no-single-branch", "--branch=main", "file://"+remote, s.clone)
	s.install()
	forge := httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(forge.Close)
	s.forge = forge.URL
	real, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("the action needs curl for its comment")
	}
	s.write("bin/curl", "#!/bin/bash\nshopt -s extglob\nexec "+real+` "${@/https:\/\/*(api.)github.com/`+strings.ReplaceAll(forge.URL, "/", `\/`)+"}\"\n", 0o755)
	return s
}

// install puts the action into the clone, as a checkout of it would lie there.
func (s *stage) install() {
	s.t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		s.t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "-z", "-c", "-o", "--exclude-standard", "action.yml", "go.mod", "go.sum", "cmd", "scanner", "rules", "hooks")
	list.Dir = top
	files, err := list.Output()
	if err != nil {
		s.t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(files), "\x00"), "\x00") {
		if strings.Contains(name, "testdata/") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(top, name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.write("clone/.spillgate/"+name, string(text), 0o644)
	}
}

func (s *stage) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) git(dir string, args ...string) string {
	s.t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"}, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := c.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// answer stands in for the REST interface.
func (s *stage) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	const download = "/spillgate/spillgate/releases/download/v1.2.3/"
	switch {
	case strings.HasPrefix(r.URL.Path, download+"spillgate_1.2.3_") && s.archive != nil:
		_, _ = w.Write(s.archive)
		return
	case strings.HasPrefix(r.URL.Path, download+"checksums.txt"):
		_, _ = io.WriteString(w, s.sums)
		return
	}
	if r.URL.Path == "/token" && r.Header.Get("Authorization") == "Bearer of the runner" && r.URL.Query().Get("audience") == "spillgate" {
		claims := base64.RawURLEncoding.EncodeToString([]byte(s.token))
		_ = json.NewEncoder(w).Encode(map[string]string{"value": "e30." + claims + ".signature"})
		return
	}
	if r.Header.Get("Authorization") != "Bearer made-up" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(w).Encode(append([]map[string]any{}, s.comments...))
		return
	}
	w.WriteHeader(s.status)
	var comment map[string]any
	if s.status >= 300 || json.Unmarshal(body, &comment) != nil {
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/code-scanning/sarifs"):
		s.uploads++
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issues/7/comments"):
		comment["id"] = 41 + len(s.comments)
		s.comments = append(s.comments, comment)
	case r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/issues/comments/41"):
		s.comments[0]["body"] = comment["body"]
	}
}

// expand puts the ids of commits for their names.
func (s *stage) expand(text string) string {
	for name, id := range s.ids {
		text = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(text, id)
	}
	return text
}

// run runs the workflow on an event and returns the log.
func (s *stage) run(event, payload, deepen string) string {
	s.t.Helper()
	s.write("clone/.github/workflows/gate.yml", strings.NewReplacer("DEEPEN", deepen, "VERSION", s.version, "SHA256", s.sha256, "VERIFY", s.verify, "LIVE", s.live,
		"OPERATOR", s.operator, "LEDGER", s.ledger, "APPROVE", s.approve, "FORMAT", s.format).Replace(workflow), 0o644)
	s.write("event.json", s.expand(strings.Replace(payload, "REPO", `"repository":{"default_branch":"main","full_name":"acme/shop"}`, 1)), 0o644)
	var goEnv []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			s.t.Fatal(err)
		}
		goEnv = append(goEnv, "--env", name+"="+strings.TrimSpace(string(value)))
	}
	for _, kv := range s.env {
		goEnv = append(goEnv, "--env", kv)
	}
	c := exec.Command(s.act, append([]string{event, "-P", "ubuntu-latest=-self-hosted", "-e", filepath.Join(s.dir, "event.json"),
		"-W", ".github/workflows/gate.yml", "--no-cache-server", "--pull=false", "-s", "GITHUB_TOKEN=made-up",
		"--env", "PATH=" + filepath.Join(s.dir, "bin") + ":" + os.Getenv("PATH"), "--env", "NO_COLOR=1"}, goEnv...)...)
	c.Dir = s.clone
	c.Env = append(os.Environ(), "HOME="+filepath.Join(s.dir, "home"), "XDG_CACHE_HOME="+filepath.Join(s.dir, "home"), "DOCKER_HOST=")
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState.ExitCode() != 1 {
		s.t.Fatalf("act: %v\n%s", err, out)
	}
	return string(out)
}

// outputs returns exit code, findings and range of the action.
func (s *stage) outputs(log string) string {
	s.t.Helper()
	_, rest, ok := strings.Cut(log, "| outputs:")
	line, _, _ := strings.Cut(rest, "\n")
	var o map[string]string
	if err := json.Unmarshal([]byte(strings.TrimSpace(line)), &o); !ok || err != nil {
		s.t.Fatalf("no outputs (%v) in\n%s", err, log)
	}
	return fmt.Sprintf("%s %s %s", o["exit-code"], o["findings"], o["range"])
}
