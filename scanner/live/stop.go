package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrStopped says that the kill switch is on.
var ErrStopped = errors.New("stopped by the kill switch")

// stopped returns an error if the operator's kill switch is on, or if it cannot
// be told whether it is.
func (op *Operator) stopped(getenv func(string) string) error {
	for _, name := range []string{StopVariable, op.Stop.Env} {
		if name == "" {
			continue
		}
		if v := getenv(name); v != "" && v != "0" {
			return fmt.Errorf("%w: the variable %s is set", ErrStopped, name)
		}
	}
	if op.Stop.File == "" {
		return nil
	}
	switch _, err := os.Lstat(op.Stop.File); {
	case err == nil:
		return fmt.Errorf("%w: the file %s exists", ErrStopped, op.Stop.File)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: whether its file exists is unknown: %w", ErrStopped, err)
	}
	return nil
}

// A Notice is what the operator's program is told, on standard input.
type Notice struct {
	Event     string    `json:"event"` // before, after
	At        time.Time `json:"at"`
	Plan      string    `json:"plan"`
	Approval  string    `json:"approval"`
	Caller    string    `json:"caller"`
	Action    *Action   `json:"action"`
	State     string    `json:"state,omitempty"`
	Note      string    `json:"note,omitempty"`
	AuditHead string    `json:"audit_head"`
}

// tell runs the operator's program with the notice, if there is one. It gets
// no AWS credentials: it tells people, and needs none.
func (op *Operator) tell(ctx context.Context, n *Notice) error {
	if len(op.Notify.Command) == 0 {
		return nil
	}
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("writing the notification: %w", err)
	}
	ctx, stop := context.WithTimeout(ctx, op.Notify.Timeout.or(defaultNotify))
	defer stop()
	c := exec.CommandContext(ctx, op.Notify.Command[0], op.Notify.Command[1:]...)
	c.Stdin = bytes.NewReader(append(text, '\n'))
	c.WaitDelay = time.Second // a child of its own may hold the pipe open
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(strings.ToUpper(kv), "AWS_") {
			c.Env = append(c.Env, kv)
		}
	}
	if err := c.Run(); err != nil {
		return fmt.Errorf("notifying by %s: %w", op.Notify.Command[0], err)
	}
	return nil
}
