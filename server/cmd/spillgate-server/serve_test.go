package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// The programs, built once.
var serverProgram, scanProgram string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "spillgate-server")
	if err != nil {
		panic(err)
	}
	serverProgram, scanProgram = filepath.Join(dir, "spillgate-server"), filepath.Join(dir, "spillgate")
	for program, where := range map[string]string{serverProgram: ".", scanProgram: "../../../cmd/spillgate"} {
		build := exec.Command("go", "build", "-o", program, ".")
		build.Dir = where
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", where, err, out)
			os.Exit(1)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const (
	webhookSecret = "a-made-up-webhook-secret"
	apiToken      = "a-made-up-token-of-the-api"
)

// An installation is a folder with a server's configuration and repositories.
type installation struct {
	t    *testing.T
	dir  string
	url  string
	proc *exec.Cmd
	env  []string // more for the server
}

func newInstallation(t *testing.T) *installation {
	s := &installation{t: t, dir: t.TempDir()}
	text := fmt.Sprintf(`listen = "127.0.0.1:0"
data = "data"
workers = 2
[queue]
ack-wait = "2s"
max-attempts = 1000
[scan]
program = %q
[mirror]
protocols = "file"
[[source]]
name = "hub"
kind = "github"
clone = "file://%s/{repository}.git"
[[source.secret]]
env = "WEBHOOK_SECRET"
[[token]]
name = "tests"
role = "manager"
token = { env = "API_TOKEN" }
`, scanProgram, s.dir)
	if err := os.WriteFile(filepath.Join(s.dir, "server.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}

// start runs the server and waits until it listens.
func (s *installation) start() {
	s.t.Helper()
	cmd := exec.Command(serverProgram, "serve", "--config", filepath.Join(s.dir, "server.toml"))
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+webhookSecret, "API_TOKEN="+apiToken)
	cmd.Env = append(cmd.Env, s.env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.proc = cmd
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		s.t.Fatalf("the server did not start: %v\n%s", err, text)
	}
	s.url = "http://" + strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
}

// kill ends the server as a crash would.
func (s *installation) kill() {
	if s.proc != nil {
		_ = s.proc.Process.Kill()
		_ = s.proc.Wait()
		s.proc = nil
	}
}

// git runs git and returns what it prints.
func (s *installation) git(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits a file in the repository and returns the commit.
func (s *installation) push(repository, path, text string) string {
	s.t.Helper()
	bare, dev := filepath.Join(s.dir, repository+".git"), filepath.Join(s.dir, "dev", repository)
	if _, err := os.Stat(bare); err != nil {
		s.git("init", "-q", "--bare", bare)
		s.git("clone", "-q", bare, dev)
	}
	if err := os.WriteFile(filepath.Join(dev, path), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.git("-C", dev, "add", "-A")
	s.git("-C", dev, "commit", "-q", "-m", "change")
	s.git("-C", dev, "push", "-q", "origin", "HEAD:main")
	return s.git("-C", dev, "rev-parse", "HEAD")
}

// deliver posts a webhook and returns the status; 0 where there was no answer.
func (s *installation) deliver(id, repository, after, secret string) int {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": after, "repository": map[string]string{"full_name": repository},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/webhooks/hub", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// run runs spillgate-server as a client of the server.
func (s *installation) run(args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command(serverProgram, args...)
	cmd.Env = append(os.Environ(), "SPILLGATE_SERVER="+s.url, "SPILLGATE_SERVER_TOKEN="+apiToken)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// incidents asks until there are n, at most a minute.
func (s *installation) incidents(n int) []incident.Incident {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for {
		out, code := s.run("incident", "list", "--json", "--all")
		var all []incident.Incident
		if code == 0 {
			if err := json.Unmarshal([]byte(out), &all); err != nil {
				s.t.Fatal(err)
			}
		}
		if len(all) >= n {
			return all
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("%d incidents after a minute, want %d\n%s", len(all), n, log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// key returns a made-up key ARN that is no placeholder.
func key(n int) string {
	return "arn:aws:kms:eu-central-1:" + fmt.Sprintf("471938265017:key/5f0c7d1e-93ab-4e26-8d74-b1c60fa%05d\n", n)
}

func TestFromPushToClosed(t *testing.T) {
	s := newInstallation(t)
	commit := s.push("team/app", "keys.txt", key(1))
	s.start()
	if code := s.deliver("d1", "team/app", commit, "another secret"); code != http.StatusUnauthorized {
		t.Errorf("a wrong signature: %d", code)
	}
	if code := s.deliver("d1", "team/app", commit, webhookSecret); code != http.StatusAccepted {
		t.Fatalf("a signed delivery: %d", code)
	}
	all := s.incidents(1)
	if len(all) != 1 || all[0].Places[0].Path != "keys.txt" || all[0].Places[0].Commit != commit {
		t.Fatalf("incidents %+v", all)
	}
	out, code := s.run("incident", "show", all[0].ID[:8])
	if code != 0 || !strings.Contains(out, "team/app keys.txt:1") || !strings.Contains(out, "found") {
		t.Errorf("incident show: %d\n%s", code, out)
	}
	for _, reason := range []string{"seen", "another reason, too late"} {
		if out, code := s.run("incident", "close", all[0].ID, "--reason", reason); code != 0 || !strings.Contains(out, "was closed by tests at") || !strings.HasSuffix(out, ": seen\n") {
			t.Fatalf("incident close: %d\n%s", code, out)
		}
	}
	if answer, err := http.Post(s.url+"/webhooks/other", "application/json", nil); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("a webhook to a source that is not there: %v %v", answer, err)
	} else if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), "no source") {
		t.Errorf("a webhook to a source that is not there: %s", body)
	}
	if out, _ := s.run("incident", "list"); out != "" {
		t.Errorf("open incidents after the close:\n%s", out)
	}
	// The same secret in a new place opens it again.
	commit = s.push("team/app", "again.txt", key(1))
	s.deliver("d2", "team/app", commit, webhookSecret)
	deadline := time.Now().Add(time.Minute)
	for out := ""; !strings.Contains(out, "and 1 more"); out, _ = s.run("incident", "list") {
		if time.Now().After(deadline) {
			t.Fatal("the closed incident was not opened again")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestKilled sends deliveries to a server that is killed again and again:
// every delivery that was answered 202 is scanned in the end.
func TestKilled(t *testing.T) {
	s := newInstallation(t)
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	n := 0
	for round := range rounds {
		s.start()
		for i := range 3 {
			n++
			commit := s.push(fmt.Sprint("team/app", i), "keys.txt", key(n))
			if code := s.deliver(fmt.Sprint("d", n), fmt.Sprint("team/app", i), commit, webhookSecret); code != http.StatusAccepted {
				t.Fatalf("delivery %d: %d", n, code)
			}
		}
		time.Sleep(time.Duration(round) * 100 * time.Millisecond) // at another step each time
		s.kill()
	}
	s.start()
	if all := s.incidents(n); len(all) != n {
		t.Errorf("%d incidents, want %d", len(all), n)
	}
	if out, _ := s.run("queue", "dead"); out != "" {
		t.Errorf("dead pushes:\n%s", out)
	}
}

func TestUsage(t *testing.T) {
	s := newInstallation(t)
	for _, tc := range []struct {
		config string
		want   string
		code   int
	}{
		{"data = 1", "server.toml:1:8", 3},
		{"data = \"x\"\nworkerz = 3", "server.toml:2:1: unknown key \"workerz\"", 3},
		{"data = \"x\"", "[[source]]", 3},
		{"data = \"x\"\n[[source]]\nname = \"a\"\nkind = \"svn\"", "kind = \"svn\"", 3},
		{"data = \"x\"\n[[source]]\nname = \"a\"\nkind = \"github\"\nclone = \"https://u:p@h/{repository}\"", "credentials", 3},
	} {
		if err := os.WriteFile(filepath.Join(s.dir, "server.toml"), []byte(tc.config), 0o600); err != nil {
			t.Fatal(err)
		}
		out, code := s.run("config", "validate", "--config", filepath.Join(s.dir, "server.toml"))
		if code != tc.code || !strings.Contains(out, tc.want) {
			t.Errorf("%q: %d %s, want %d and %q", tc.config, code, out, tc.code, tc.want)
		}
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if out, code := s.run(args...); code != 0 || !strings.HasPrefix(out, "spillgate-server ") || strings.Count(out, "\n") != 1 {
			t.Errorf("%v: %d %s", args, code, out)
		}
	}
	if out, code := s.run("version", "x"); code != 3 {
		t.Errorf("version x: %d %s", code, out)
	}
	if out, code := s.run("incidents"); code != 3 || !strings.Contains(out, "unknown command") {
		t.Errorf("an unknown command: %d %s", code, out)
	}
	if out, code := s.run("incident", "list", "--server", "http://127.0.0.1:1"); code != 2 {
		t.Errorf("no server: %d %s", code, out)
	}
}

// TestFleet scans a list of repositories, of which one is not there.
func TestFleet(t *testing.T) {
	s := newInstallation(t)
	for i := range 3 {
		s.push(fmt.Sprint("team/app", i), "keys.txt", key(100+i))
	}
	s.start()
	list := filepath.Join(s.dir, "list")
	if err := os.WriteFile(list, []byte("# ours\nteam/app0\nteam/app1\n\nteam/app2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := s.run("fleet", "scan", "--source", "hub", "--repositories", list, "--wait")
	if code != 0 || !strings.Contains(out, "3 of 3 repositories scanned, 3 new findings") {
		t.Fatalf("fleet scan: %d\n%s", code, out)
	}
	if all := s.incidents(3); len(all) != 3 {
		t.Errorf("%d incidents", len(all))
	}
	if err := os.WriteFile(list, []byte("team/app0\nteam/gone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code = s.run("fleet", "scan", "--source", "hub", "--repositories", list)
	if code != 0 {
		t.Fatalf("fleet scan: %d\n%s", code, out)
	}
	id := strings.TrimSpace(out)
	deadline := time.Now().Add(time.Minute)
	for out = ""; !strings.Contains(out, "1 of 2 repositories scanned") || !strings.Contains(out, "partly scanned"); {
		if time.Now().After(deadline) {
			t.Fatalf("fleet status:\n%s", out)
		}
		time.Sleep(50 * time.Millisecond)
		if out, code = s.run("fleet", "status", id); code != 2 {
			t.Fatalf("fleet status of a fleet with a missing repository: %d\n%s", code, out)
		}
	}
	if !strings.Contains(out, "team/gone") || strings.Contains(out, "team/app0") || !strings.Contains(out, "0 new findings") {
		t.Errorf("fleet status:\n%s", out)
	}
}
