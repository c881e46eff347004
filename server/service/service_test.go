package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/config"
	"github.com/spillgate/spillgate/server/push"
)

const webhookSecret = "a-made-up-webhook-secret"

// open makes a service with one source, which receives and is not run.
func open(t *testing.T, more ...string) *Service {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("WEBHOOK_SECRET", webhookSecret)
	t.Setenv("GOGC", "")
	before := percent()
	t.Cleanup(func() { debug.SetGCPercent(before) })
	file := filepath.Join(dir, "server.toml")
	text := fmt.Sprintf("listen = \"127.0.0.1:0\"\ndata = \"data\"\n[scan]\nprogram = %q\n[[source]]\nname = \"hub\"\nkind = \"generic\"\n"+
		"clone = \"https://hub.invalid/{repository}.git\"\n[[source.secret]]\nenv = \"WEBHOOK_SECRET\"\n", self) + strings.Join(more, "")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(file, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A seenBody is a body that calls read when it is read for the first time.
type seenBody struct {
	io.Reader
	read func()
}

func (b *seenBody) Read(p []byte) (int, error) {
	if b.read != nil {
		b.read()
		b.read = nil
	}
	return b.Reader.Read(p)
}

// TestDeliveriesAreCounted shows that a delivery is known to be in flight until it
// is answered.
func TestDeliveriesAreCounted(t *testing.T) {
	s := open(t)
	body := fmt.Sprintf(`{"delivery":"d","repository":"team/app","ref":"refs/heads/main","after":"%040d"}`, 1)
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write([]byte(body))
	during := 0
	r := httptest.NewRequest(http.MethodPost, "/webhooks/hub", &seenBody{strings.NewReader(body), func() { during = s.deliveries.inFlight }})
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Spillgate-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusAccepted || during != 1 || s.deliveries.inFlight != 0 || s.deliveries.last.IsZero() {
		t.Errorf("answered %d %s; in flight %d, afterwards %d", w.Code, w.Body, during, s.deliveries.inFlight)
	}
}

// TestBeginsInALull shows that a server works on what it has only when no delivery
// waits for its answer, or has waited for long.
func TestBeginsInALull(t *testing.T) {
	s := open(t)
	if _, err := s.queue.Put(t.Context(), push.Push{Delivery: "d", Source: "none", Repository: "team/app", Ref: "refs/heads/main", After: strings.Repeat("1", 40)}); err != nil {
		t.Fatal(err)
	}
	s.deliveries.count(1) // it is never answered
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	begun := time.Now()
	wg.Go(func() { s.goOn(ctx, &wg) })
	for {
		state, err := s.queue.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if state.Dead == 1 { // nobody knows its source
			break
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("it is not worked on: %+v", state)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if got := percent(); got != garbage {
		t.Errorf("while it works, %d %% may be garbage", got)
	}
	if took := time.Since(begun); took < lullWait {
		t.Errorf("it was worked on after %s, and a delivery may wait for %s", took, lullWait)
	}
	cancel()
	wg.Wait()
}
