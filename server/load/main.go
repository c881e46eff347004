// Load sends signed deliveries to a spillgate-server that it starts, and kills
// again and again with SIGKILL, and then asks: was every pushed commit
// scanned, was anything recorded twice, how long did it take from the push to
// the incident, how much memory did the server use? It prints the answers as
// the tables of RESULTS.md.
//
//	go run ./load -deliveries 10000 -repositories 50 -kill-every 4s
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

const (
	webhookSecret = "a-made-up-webhook-secret"
	apiToken      = "a-made-up-token-of-the-api"
)

type load struct {
	dir, server, scanner string
	deliveries, repos    int
	killEvery            time.Duration
	senders, rate        int
	commits              [][]string // by repository
	mu                   sync.Mutex
	url                  string
	proc                 *exec.Cmd
	kills                int
	peak                 int64 // KB, of any server process
	firstPeak, lastPeak  int64
	answers              []time.Duration
	resends              int
}

func main() {
	var l load
	flag.IntVar(&l.deliveries, "deliveries", 10000, "how many deliveries")
	flag.IntVar(&l.repos, "repositories", 50, "in how many repositories")
	flag.DurationVar(&l.killEvery, "kill-every", 4*time.Second, "kill the server after this time, again and again; 0 for never")
	flag.IntVar(&l.rate, "rate", 0, "how many deliveries are sent a second; 0 for as many as are answered")
	flag.IntVar(&l.senders, "senders", 4, "how many deliveries are sent at a time")
	flag.Parse()
	if err := l.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func (l *load) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "spillgate-load")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l.dir = dir
	if err := l.build(); err != nil {
		return err
	}
	if err := l.history(); err != nil {
		return err
	}
	if err := l.configure(); err != nil {
		return err
	}
	start := time.Now()
	if err := l.start(); err != nil {
		return err
	}
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() { l.killAgainAndAgain(stop) })
	l.sendAll(ctx)
	sent := time.Since(start)
	err = l.wait(ctx)
	took := time.Since(start)
	close(stop)
	killer.Wait()
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.sample() // before all incidents are asked for at once
	l.mu.Unlock()
	var all []incident.Incident
	if err := l.get(ctx, "/api/incidents", &all); err != nil {
		return err
	}
	l.mu.Lock()
	_ = l.proc.Process.Signal(syscall.SIGTERM)
	_ = l.proc.Wait()
	l.mu.Unlock()
	return l.report(all, sent, took)
}

// build makes both programs.
func (l *load) build() error {
	l.server, l.scanner = filepath.Join(l.dir, "spillgate-server"), filepath.Join(l.dir, "spillgate")
	for program, where := range map[string]string{l.server: "./cmd/spillgate-server", l.scanner: "../cmd/spillgate"} {
		cmd := exec.Command("go", "build", "-o", program, ".")
		cmd.Dir = where
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", where, err, out)
		}
	}
	return nil
}

// key returns a made-up key ARN that is no placeholder.
func key(n int) string {
	return "arn:aws:kms:eu-central-1:" + fmt.Sprintf("471938265017:key/5f0c7d1e-93ab-4e26-8d74-b1c6%08x", n)
}

// history makes the repositories: each commit adds one file with one key ARN
// that is nowhere else. Their branch is moved on, commit by commit, as they
// are pushed.
func (l *load) history() error {
	l.commits = make([][]string, l.repos)
	each := (l.deliveries + l.repos - 1) / l.repos
	n := 0
	for r := range l.repos {
		bare := filepath.Join(l.dir, "hub", fmt.Sprintf("team/app%d.git", r))
		if out, err := exec.Command("git", "init", "-q", "--bare", bare).CombinedOutput(); err != nil {
			return fmt.Errorf("git init: %w\n%s", err, out)
		}
		var in bytes.Buffer
		for c := range each {
			n++
			text := fmt.Sprintf("# settings %d\nkey = %q\n", n, key(n))
			fmt.Fprintf(&in, "commit refs/load/main\nmark :%d\ncommitter a <a@localhost> %d +0000\ndata 6\nchange\n", c+1, 1700000000+n)
			fmt.Fprintf(&in, "M 100644 inline keys/%d.toml\ndata %d\n%s\n", n, len(text), text)
		}
		marks := filepath.Join(bare, "load-marks")
		cmd := exec.Command("git", "-C", bare, "fast-import", "--quiet", "--export-marks="+marks)
		cmd.Stdin = &in
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git fast-import: %w\n%s", err, out)
		}
		text, err := os.ReadFile(marks)
		if err != nil {
			return err
		}
		l.commits[r] = make([]string, each)
		for line := range strings.Lines(string(text)) {
			mark, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			c, err := strconv.Atoi(strings.TrimPrefix(mark, ":"))
			if err != nil || c < 1 || c > each {
				return fmt.Errorf("git fast-import wrote the mark %q", line)
			}
			l.commits[r][c-1] = id
		}
	}
	return nil
}

func (l *load) configure() error {
	text := fmt.Sprintf(`listen = "127.0.0.1:0"
data = "data"
workers = 2
[scan]
program = %q
[mirror]
protocols = "file"
[[source]]
name = "hub"
kind = "github"
clone = "file://%s/hub/{repository}.git"
[[source.secret]]
env = "WEBHOOK_SECRET"
[[token]]
name = "load"
role = "manager"
token = { env = "API_TOKEN" }
`, l.scanner, l.dir)
	return os.WriteFile(filepath.Join(l.dir, "server.toml"), []byte(text), 0o600)
}

// start runs the server. The caller holds mu, or is alone.
func (l *load) start() error {
	cmd := exec.Command(l.server, "serve", "--config", filepath.Join(l.dir, "server.toml"))
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+webhookSecret, "API_TOKEN="+apiToken)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(l.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("the server did not start: %w\n%s", err, text[max(0, len(text)-2000):])
	}
	l.proc, l.url = cmd, "http://"+strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	return nil
}

// sample notes the peak memory of the running server.
func (l *load) sample() {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.proc.Process.Pid))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			l.peak, l.lastPeak = max(l.peak, kb), kb
			if l.firstPeak == 0 {
				l.firstPeak = kb
			}
		}
	}
}

func (l *load) killAgainAndAgain(stop chan struct{}) {
	if l.killEvery == 0 {
		return
	}
	for {
		select {
		case <-stop:
			return
		case <-time.After(l.killEvery):
		}
		l.mu.Lock()
		l.sample()
		_ = l.proc.Process.Kill()
		_ = l.proc.Wait()
		l.kills++
		if err := l.start(); err != nil {
			fmt.Fprintln(os.Stderr, "load:", err)
			os.Exit(1)
		}
		l.mu.Unlock()
	}
}

// sendAll moves each repository's branch on by one commit and sends the
// delivery, again and again until it is answered by 202, as a person would who
// sees a failed delivery. Every tenth is sent twice.
func (l *load) sendAll(ctx context.Context) {
	var wg sync.WaitGroup
	pace := time.Duration(0)
	if l.rate > 0 {
		pace = time.Second * time.Duration(l.senders) / time.Duration(l.rate)
	}
	for s := range l.senders {
		wg.Go(func() {
			tick := time.NewTicker(max(pace, 1))
			defer tick.Stop()
			for c := range l.commits[0] {
				for r := s; r < l.repos; r += l.senders {
					if pace > 0 {
						<-tick.C
					}
					ref := filepath.Join(l.dir, "hub", fmt.Sprintf("team/app%d.git", r), "refs", "heads", "main")
					_ = os.MkdirAll(filepath.Dir(ref), 0o700)
					_ = os.WriteFile(ref+".new", []byte(l.commits[r][c]+"\n"), 0o600)
					_ = os.Rename(ref+".new", ref)
					l.send(ctx, r, c)
					if c%10 == 0 {
						l.send(ctx, r, c)
					}
				}
			}
		})
	}
	wg.Wait()
}

func (l *load) send(ctx context.Context, repo, commit int) {
	before := strings.Repeat("0", 40)
	if commit > 0 {
		before = l.commits[repo][commit-1]
	}
	body, _ := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": before, "after": l.commits[repo][commit],
		"repository": map[string]string{"full_name": fmt.Sprintf("team/app%d", repo)},
	})
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	for {
		l.mu.Lock()
		url := l.url
		l.mu.Unlock()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/webhooks/hub", bytes.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("X-GitHub-Event", "push")
		r.Header.Set("X-GitHub-Delivery", fmt.Sprintf("%d-%d", repo, commit))
		r.Header.Set("X-Hub-Signature-256", signature)
		start := time.Now()
		answer, err := http.DefaultClient.Do(r)
		took := time.Since(start)
		l.mu.Lock()
		if err == nil && answer.StatusCode == http.StatusAccepted {
			l.answers = append(l.answers, took)
		} else {
			l.resends++
		}
		l.mu.Unlock()
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusAccepted {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// get asks the API.
func (l *load) get(ctx context.Context, path string, v any) error {
	l.mu.Lock()
	url := l.url
	l.mu.Unlock()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+apiToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(v)
}

// wait waits until the queue is empty. A server that was killed meanwhile
// gives no answer for a moment.
func (l *load) wait(ctx context.Context) error {
	empty := 0
	for empty < 3 {
		var state struct{ Waiting, InWork, Dead uint64 }
		if err := l.get(ctx, "/api/queue", &state); err == nil {
			if state.Dead > 0 {
				return fmt.Errorf("%d pushes are dead", state.Dead)
			}
			if empty++; state.Waiting+state.InWork > 0 {
				empty = 0
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// report prints the tables, and returns an error where something was lost or
// done twice.
func (l *load) report(all []incident.Incident, sent, took time.Duration) error {
	total := len(l.commits[0]) * l.repos
	places, twice := 0, 0
	var delays []time.Duration
	for _, i := range all {
		places += i.Occurrences
		if i.Occurrences != 1 || i.Openings() != 1 {
			twice++
		}
		pushed, _ := i.First(incident.Pushed)
		found, _ := i.First(incident.Found)
		delays = append(delays, found.Sub(pushed))
	}
	fmt.Printf("| | |\n| --- | --- |\n| machine | %d threads, %s/%s |\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	fmt.Printf("| deliveries, each of one commit with one key ARN | %d in %d repositories, every tenth sent twice |\n", total, l.repos)
	fmt.Printf("| server killed (SIGKILL) and started again | %d times |\n", l.kills)
	fmt.Printf("| deliveries sent again because no 202 came | %d |\n", l.resends)
	fmt.Printf("| incidents; commits scanned | %d of %d |\n", len(all), total)
	fmt.Printf("| incidents recorded or opened more than once | %d |\n", twice)
	fmt.Printf("| sent within; scanned within | %s; %s (%.0f deliveries a second) |\n", sent.Round(time.Second), took.Round(time.Second), float64(total)/took.Seconds())
	fmt.Printf("| answer to a webhook, p50, p99, slowest | %s |\n", quantiles(l.answers))
	fmt.Printf("| from the push to the incident, p50, p99, slowest | %s |\n", quantiles(delays))
	fmt.Printf("| peak memory of the server, first process, last, highest | %d MB, %d MB, %d MB |\n", l.firstPeak>>10, l.lastPeak>>10, l.peak>>10)
	if len(all) != total || twice > 0 {
		return fmt.Errorf("%d incidents of %d, %d recorded twice", len(all), total, twice)
	}
	return nil
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[min(int(q*float64(len(d))), len(d)-1)].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%s, %s, %s", at(0.5), at(0.99), d[len(d)-1].Round(100*time.Microsecond))
}
