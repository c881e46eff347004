package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// handleAfter is how long a run goes on before it handles signals itself.
const handleAfter = 50 * time.Millisecond

// interrupts end a run's context at an interrupt, SIGTERM or SIGHUP. Until handleAfter
// is over, or input comes, the signals do what they do to any program: they end
// it, which no caller takes for a clean scan. To have the runtime hand signals
// over takes threads of its own: half a millisecond of the few that a scan
// before a commit takes.
type interrupts struct {
	cancel context.CancelFunc
	ended  <-chan struct{}
	once   sync.Once
	timer  *time.Timer
}

// interruptible returns a context that i ends. stop must follow.
func interruptible() (ctx context.Context, i *interrupts) {
	i = &interrupts{}
	ctx, i.cancel = context.WithCancel(context.Background())
	i.ended = ctx.Done()
	i.timer = time.AfterFunc(handleAfter, i.handle)
	return ctx, i
}

// handle handles signals from now on. What makes temporary files calls it before.
func (i *interrupts) handle() {
	i.once.Do(func() {
		caught := make(chan os.Signal, 1)
		signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
		if !signal.Ignored(syscall.SIGHUP) { // by nohup
			signals = append(signals, syscall.SIGHUP)
		}
		signal.Notify(caught, signals...)
		go func() {
			defer signal.Stop(caught)
			select {
			case <-caught:
				i.cancel()
			case <-i.ended:
			}
		}()
	})
}

// stop ends the context.
func (i *interrupts) stop() {
	i.timer.Stop()
	i.cancel()
}

// awaited returns r, which handles signals once anything comes from it: the run
// then takes as long as its writer.
func (i *interrupts) awaited(r io.Reader) io.Reader { return &awaitedReader{r, i} }

type awaitedReader struct {
	io.Reader
	interrupts *interrupts
}

func (r *awaitedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.interrupts.handle()
	}
	return n, err
}
