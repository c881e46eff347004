package queue

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spillgate/spillgate/server/flock"
)

// ending is how long a server that was killed may take to be gone, with a process
// that it was just beginning.
const ending = time.Second

// lock takes the folder of the embedded server for this process until Close: two
// servers that write to the same files destroy what each other has stored, and
// JetStream does not look. The system ends the lock with the process, however that
// ends.
func (q *Queue) lock() error {
	if err := os.MkdirAll(q.options.Dir, 0o700); err != nil {
		return fmt.Errorf("making the queue's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(q.options.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking the queue: %w", err)
	}
	mine, err := flock.Try(f)
	for end := time.Now().Add(ending); err == nil && !mine && time.Now().Before(end); mine, err = flock.Try(f) {
		time.Sleep(20 * time.Millisecond)
	}
	if err == nil && !mine {
		err = fmt.Errorf("the queue in %s is in use by another spillgate-server: end that one first, or have both share a NATS cluster (queue.nats)", q.options.Dir)
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	q.locked = f
	return nil
}
