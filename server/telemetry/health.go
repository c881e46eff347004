package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Health answers the two questions of an orchestrator: is the process alive
// (if not, start it again), and can it work (if not, send it nothing for now).
type Health struct {
	// Queue is what must be reached to be ready; nil for nothing.
	Queue Queue
	// Dirs are the folders that must be writable.
	Dirs []string
	// Timeout bounds the question to the queue; 0 for 3 s.
	Timeout time.Duration
}

// Live answers 200 as long as the process can answer.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive\n") }

// Ready answers 200 when the queue can be reached and the folders be written
// to, else 503 with what is wrong.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	timeout := h.Timeout
	if timeout == 0 {
		timeout = 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	wrong := ""
	if h.Queue != nil {
		if _, err := h.Queue.State(ctx); err != nil {
			wrong += "the queue cannot be reached\n"
		}
	}
	for i, dir := range h.Dirs {
		if err := writable(dir); err != nil {
			// Probes are answered to anybody: no paths.
			wrong += fmt.Sprintf("data folder %d cannot be written to\n", i+1)
		}
	}
	if wrong != "" {
		say(w, http.StatusServiceUnavailable, wrong)
		return
	}
	say(w, http.StatusOK, "ready\n")
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	fmt.Fprint(w, text)
}

// writable writes a file: permissions do not tell of a full disk, nor of one
// that was remounted read-only.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".ready-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.WriteString("ready\n"); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
