package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

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
					if l.nodes != nil && c == len(l.commits[0])/3 && r == 0 {
						l.nodes.kill()
					}
					l.slack.pushed(r*len(l.commits[0]) + c + 1)
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

// soon is how long after its start a server is busy with what it was doing when
// it was killed.
const soon = 2 * time.Second

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
		r.Header.Set("X-GitHub-Delivery", l.id(repo, commit))
		r.Header.Set("X-Hub-Signature-256", signature)
		start := time.Now()
		answer, err := http.DefaultClient.Do(r)
		took := time.Since(start)
		l.mu.Lock()
		if err == nil && answer.StatusCode == http.StatusAccepted {
			l.answers = append(l.answers, took)
			if start.Sub(l.started) < soon {
				l.early = append(l.early, took)
			}
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
