package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"
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
			wrong += fmt.Sprintf("data folder %d cannot be written to%s\n", i+1, reason(err))
		}
	}
	if wrong != "" {
		say(w, http.StatusServiceUnavailable, wrong)
		return
	}
	say(w, http.StatusOK, "ready\n")
}

// reason is what the system said, such as ": no space left on device". Probes are
// answered to anybody, so it holds no path.
func reason(err error) string {
	var said syscall.Errno
	if !errors.As(err, &said) {
		return ""
	}
	return ": " + said.Error()
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
