package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// handleAfter is how long a run goes on before it handles signals itself.
const handleAfter = 50 * time.Millisecond

// interruptible returns a context that ends at an interrupt or SIGTERM. Until
// handleAfter is over the signals do what they do to any program: they end it,
// which no caller takes for a clean scan. To have the runtime hand signals over
// takes threads of its own, a tenth of the time of a scan before a commit.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	handle := time.AfterFunc(handleAfter, func() {
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(caught)
		select {
		case <-caught:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		handle.Stop()
		cancel()
	}
}
