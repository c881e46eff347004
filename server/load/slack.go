package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A slack is a fake of an incoming webhook, which notes when a message about a
// key came.
type slack struct {
	server *httptest.Server
	mu     sync.Mutex
	sent   map[int]time.Time // when the first delivery of a key's commit was sent
	came   map[int]time.Time // when the first message about it came
	opened map[int]int
	done   map[int]int
	last   time.Time
}

var keyInText = regexp.MustCompile(`:key/5f0c7d1e-93ab-4e26-8d74-b1c6([0-9a-f]{8})`)

func newSlack() *slack {
	s := &slack{sent: map[int]time.Time{}, came: map[int]time.Time{}, opened: map[int]int{}, done: map[int]int{}, last: time.Now()}
	s.server = httptest.NewServer(s)
	return s
}

func (s *slack) url() string { return s.server.URL + "/services/T0/B0/made-up" }

// ServeHTTP takes a message, as Slack does.
func (s *slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	now := time.Now()
	s.mu.Lock()
	s.last = now
	if m := keyInText.FindSubmatch(body); m != nil {
		n, _ := strconv.ParseInt(string(m[1]), 16, 64)
		n %= keptKeys
		switch {
		case strings.Contains(string(body), `"text":"Answered:`):
			s.done[int(n)]++
		case strings.Contains(string(body), `"text":"Now `): // graver than it was told
		default:
			s.opened[int(n)]++
			if _, before := s.came[int(n)]; !before {
				s.came[int(n)] = now
			}
		}
	}
	s.mu.Unlock()
	_, _ = io.WriteString(w, "ok")
}

// told returns about how many keys there was a message.
func (s *slack) told() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.opened)
}

func (s *slack) pushed(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[n] = time.Now()
}

// settle waits until there was a message about each of n keys, and another that
// tells of the answer if answered is set; or until none has come for two
// minutes. A server that was killed while it sent one sends it again after 20
// seconds.
func (s *slack) settle(n int, answered bool) {
	for {
		s.mu.Lock()
		enough := len(s.opened) >= n && (!answered || len(s.done) >= n)
		quiet := time.Since(s.last)
		s.mu.Unlock()
		if enough || quiet > 2*time.Minute {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// delays returns how long each message took from the moment in which the first
// delivery was about to be sent.
func (s *slack) delays() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Duration
	for n, at := range s.came {
		all = append(all, at.Sub(s.sent[n]))
	}
	return all
}

func (s *slack) counts() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := 0
	for _, n := range s.opened {
		if n > 1 {
			more++
		}
	}
	return fmt.Sprintf("%d, %d, %d", len(s.opened), more, len(s.done))
}
