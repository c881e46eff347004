package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// TestWatchOnce: --once compares with the state of the last run.
func TestWatchOnce(t *testing.T) {
	m := &kmsfake.Model{Home: homeAccount, Keys: []*kmsfake.Key{{ARN: keyARN, RotationOn: true}, {ARN: openARN}}}
	server := kmsfake.New(t, m)
	dir := t.TempDir()
	list := filepath.Join(dir, "keys")
	if err := os.WriteFile(list, []byte("# ours\n"+openARN+"  # payroll\n\n"+keyARN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"watch", "--once", "--state", filepath.Join(dir, "state"), "--keys", list, keyARN}
	if out, stderr, code := run(t, server, "", args...); code != 0 || out != "" {
		t.Fatalf("first: exit code %d: %s%s", code, out, stderr)
	}
	m.Change(func() { m.Keys[0].RotationOn = false; m.Keys[1].Policy = openPolicy })
	notified := filepath.Join(dir, "notified")
	if runtime.GOOS != "windows" {
		program := filepath.Join(dir, "notify")
		if err := os.WriteFile(program, []byte("#!/bin/sh\ncat >>'"+notified+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		args = append(args[:1:1], append([]string{"--notify", program}, args[1:]...)...)
	}
	out, stderr, code := run(t, server, "", args...)
	if code != 1 || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"kind":"rotation-off","severity":"high"`) ||
		!strings.Contains(out, `"kind":"policy-opened","severity":"critical"`) {
		t.Errorf("second: exit code %d: %s%s", code, out, stderr)
	}
	if runtime.GOOS != "windows" {
		if got, err := os.ReadFile(notified); err != nil || string(got) != out {
			t.Errorf("%v: --notify was given %q, want %q", err, got, out)
		}
	}
	if out, _, code := run(t, server, "", args...); code != 0 || out != "" {
		t.Errorf("third: exit code %d: %s", code, out)
	}
	server.Inject(kmsfake.Fault{Action: "kms:DescribeKey", Code: "AccessDeniedException"})
	if out, _, code := run(t, server, "", args...); code != 2 || strings.Count(out, `"type":"lost-sight"`) != 2 {
		t.Errorf("blind: exit code %d: %s", code, out)
	}
}

func TestWatchUsage(t *testing.T) {
	server := kmsfake.New(t, twoKeys())
	for _, args := range [][]string{
		{"watch"}, {"watch", "arn:aws:kms:eu-west-1:" + homeAccount + ":alias/x"}, {"watch", "--keys", "/nonexistent/keys"},
		{"watch", keyARN, "--interval", "0s"}, {"watch", keyARN, "--once", "--listen", "nowhere:port"}, {"watch", keyARN, "--state", os.TempDir()},
	} {
		if _, stderr, code := run(t, server, "", args...); code != 3 || stderr == "" {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
}

// lockedBuffer is a buffer that one goroutine writes and another reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestWatchServes: the watch notices a change within an interval, counts it,
// and is healthy while its rounds end.
func TestWatchServes(t *testing.T) {
	m := &kmsfake.Model{Home: homeAccount, Keys: []*kmsfake.Key{{ARN: keyARN, RotationOn: true}}}
	server := kmsfake.New(t, m)
	for name, value := range server.Env() {
		t.Setenv(name, value)
	}
	var out, errs lockedBuffer
	a := &app{Process: Process{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- a.root().Run(ctx, []string{"spillgate-live", "watch", "--interval", "50ms", "--listen", "127.0.0.1:0", keyARN})
	}()
	address := waitFor(t, func() string {
		m := regexp.MustCompile(`http://\S+/`).FindString(errs.String())
		return m
	})
	waitFor(t, func() string { return fetch(address + "healthz")[:2] })
	m.Change(func() {
		m.Keys[0].RotationOn = false
		m.Keys[0].Grants = []kmsfake.Grant{{ID: "g1", Operations: []string{"Decrypt"}, Grantee: "arn:aws:iam::" + otherAccount + ":root"}}
	})
	waitFor(t, func() string {
		if strings.Count(out.String(), "\n") >= 3 {
			return "seen"
		}
		return ""
	})
	metrics := waitFor(t, func() string {
		if s := fetch(address + "metrics"); strings.Contains(s, `spillgate_watch_changes_total{kind="rotation-off"} 1`) {
			return s
		}
		return ""
	})
	labels := `{key="` + keyARN + `",account="` + homeAccount + `",region="eu-west-1"}`
	for _, want := range []string{
		"spillgate_kms_key_enabled" + labels + " 1\n", "spillgate_kms_key_rotation_enabled" + labels + " 0\n",
		"spillgate_kms_key_exposures" + labels + " 1\n", "spillgate_kms_key_grants" + labels + " 1\n", "# TYPE spillgate_kms_key_enabled gauge",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q in\n%s", want, metrics)
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the watch ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the watch does not end")
	}
	for line := range strings.Lines(out.String()) {
		var l watchLine
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Type != "change" || l.Key != keyARN {
			t.Errorf("%v: %s", err, line)
		}
	}
}

func fetch(url string) string {
	r, err := http.Get(url)
	if err != nil {
		return "  "
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		return "  "
	}
	return string(body)
}

// waitFor polls until get gives something.
func waitFor(t *testing.T, get func() string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s := strings.TrimSpace(get()); s != "" {
			return s
		}
	}
	t.Fatal("it did not come")
	return ""
}

// TestUnhealthy: no round, or none for long, is not healthy.
func TestUnhealthy(t *testing.T) {
	w := &watcher{interval: time.Minute, keys: []live.ARN{}}
	for name, round := range map[string]time.Time{"never": {}, "long ago": time.Now().Add(-time.Hour)} {
		w.round = round
		r := &recorder{header: http.Header{}}
		w.health(r, nil)
		if r.code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, r.code)
		}
	}
}

type recorder struct {
	header http.Header
	code   int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(code int)        { r.code = code }
