package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
          live: "LIVE"
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
	ids        map[string]string // commits by name
	status     int               // of answers to what writes
	version    string            // input of the action
	sha256     string            // input of the action
	archive    []byte            // what the forge gives as a release
	live       string            // input of the action
	format     string            // input of the action
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
	t.Run("format of the report", func(t *testing.T) { testFormat(t, newStage(t, act)) })
	t.Run("release pinned by its checksum", func(t *testing.T) { testRelease(t, newStage(t, act)) })
}

// testLive: AWS is asked about what a push brought, and what it says is not
// obeyed; for a pull request and in a fork it is not asked.
func testLive(t *testing.T, s *stage) {
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.aws = append(s.aws, r.Header.Get("X-Amz-Target"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"NotFoundException","message":"x\n::error::obeyed"}`)
	}))
	t.Cleanup(cloud.Close)
	for _, kv := range [][2]string{
		{"AWS_ENDPOINT_URL", cloud.URL}, {"AWS_REGION", "eu-west-1"}, {"AWS_ACCESS_KEY_ID", "made"}, {"AWS_SECRET_ACCESS_KEY", "up"},
		{"AWS_CONFIG_FILE", os.DevNull}, {"AWS_SHARED_CREDENTIALS_FILE", os.DevNull}, {"AWS_EC2_METADATA_DISABLED", "true"},
	} {
		t.Setenv(kv[0], kv[1])
	}
	const push = `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC",REPO}`
	s.live = "read"
	log := s.run("push", push, "true")
	if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") || !slices.Contains(s.aws, "TrentService.DescribeKey") || !strings.Contains(log, "AWS knows no such key in eu-west-1") {
		t.Errorf("a push: outputs %q, AWS was asked %q\n%s", got, s.aws, log)
	}
	if strings.Contains(log, "❗  ::error::obeyed") || strings.Contains(log, "| ::error::obeyed") {
		t.Errorf("what AWS says is obeyed\n%s", log)
	}
	for name, c := range map[string][3]string{
		"a pull request": {"pull_request_target", `{"number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":"MAIN"},"head":{"ref":"topic","sha":"TOPIC"}},REPO}`, "AWS is not asked for the event pull_request_target"},
		"a fork":         {"push", `{"ref":"refs/heads/topic","before":"MAIN","after":"TOPIC","repository":{"default_branch":"main","full_name":"acme/shop","fork":true}}`, "AWS is not asked: this is a fork"},
	} {
		s.aws = nil
		log := s.run(c[0], c[1], "true")
		if got := s.outputs(log); got != s.expand("1 1 MAIN..TOPIC") || len(s.aws) > 0 || !strings.Contains(log, c[2]) {
			t.Errorf("%s: outputs %q, AWS was asked %q\n%s", name, got, s.aws, log)
		}
	}
	s.live = "rotate"
	if log := s.run("push", push, "true"); s.outputs(log) != "  " || !strings.Contains(log, "The input live is false or read") {
		t.Errorf("an unknown value is taken:\n%s", log)
	}
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

// testRelease: the archive with the right checksum is run, and no other.
func testRelease(t *testing.T, s *stage) {
	const payload = `{"ref":"refs/heads/main","before":"MAIN","after":"MAIN",REPO}`
	exe, err := exec.LookPath("spillgate")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "spillgate", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	s.archive = b.Bytes()
	s.version, s.sha256 = "v1.2.3", fmt.Sprintf("%x", sha256.Sum256(s.archive))
	if log := s.run("push", payload, "true"); s.outputs(log) != s.expand("0 0 MAIN..MAIN") {
		t.Errorf("the release does not run:\n%s", log)
	}
	s.archive = append(s.archive, 0)
	if log := s.run("push", payload, "true"); s.outputs(log) != "  " || !strings.Contains(log, "not the pinned one") {
		t.Errorf("another archive than the pinned one is run:\n%s", log)
	}
	s.sha256 = ""
	if log := s.run("push", payload, "true"); s.outputs(log) != "  " || !strings.Contains(log, "pinned by sha256") {
		t.Errorf("a release without a checksum is run:\n%s", log)
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
	s := &stage{t: t, act: act, dir: t.TempDir(), status: http.StatusCreated, live: "false", format: "json", ids: map[string]string{"GONE": strings.Repeat("d", 40), "ZERO": strings.Repeat("0", 40)}}
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
	if strings.HasPrefix(r.URL.Path, "/spillgate/spillgate/releases/download/v1.2.3/spillgate_1.2.3_") {
		_, _ = w.Write(s.archive)
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
	s.write("clone/.github/workflows/gate.yml", strings.NewReplacer("DEEPEN", deepen, "VERSION", s.version, "SHA256", s.sha256, "LIVE", s.live, "FORMAT", s.format).Replace(workflow), 0o644)
	s.write("event.json", s.expand(strings.Replace(payload, "REPO", `"repository":{"default_branch":"main","full_name":"acme/shop"}`, 1)), 0o644)
	var goEnv []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			s.t.Fatal(err)
		}
		goEnv = append(goEnv, "--env", name+"="+strings.TrimSpace(string(value)))
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
