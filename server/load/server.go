package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func (l *load) configure() error {
	text := fmt.Sprintf(`listen = "127.0.0.1:0"
data = "data"
workers = 2
[scan]
program = %q
[mirror]
protocols = "file"
%s%s[[source]]
name = "hub"
kind = "github"
clone = "file://%s/hub/{repository}.git"
[[source.secret]]
env = "WEBHOOK_SECRET"
[[token]]
name = "load"
role = "manager"
token = { env = "API_TOKEN" }
[[notify]]
name = "slack"
kind = "slack"
secret = { env = "SLACK_URL" }
burst = 100000
every = "1ms"
`, l.scanner, l.nodes.config(), l.aws.config(), l.dir)
	err := os.WriteFile(filepath.Join(l.dir, "server.toml"), []byte(text), 0o600)
	if err == nil && l.live {
		err = os.WriteFile(filepath.Join(l.dir, "operator.toml"), []byte(l.aws.operator()), 0o600)
	}
	return err
}

// start runs the server. The caller holds mu, or is alone.
func (l *load) start() error {
	cmd := exec.Command(l.server, "serve", "--config", filepath.Join(l.dir, "server.toml"))
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+webhookSecret, "API_TOKEN="+apiToken, "SLACK_URL="+l.slack.url())
	cmd.Env = append(cmd.Env, l.aws.env()...)
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
	l.started = time.Now()
	l.proc, l.url = cmd, "http://"+strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	return nil
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
		l.memory.sample(l)
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
