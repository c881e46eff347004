//go:build linux

package child_test

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spillgate/spillgate/server/child"
)

// TestRun: a child, and what it starts, run at a lower priority; its end is
// reported as ever.
func TestRun(t *testing.T) {
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	own = 20 - own // as the system call counts
	if own+child.Niceness > 19 {
		t.Skip("the tests run at the lowest priority themselves")
	}
	var out strings.Builder
	// It waits for its own priority to be changed: that is a moment after its start.
	cmd := exec.Command("sh", "-c", `i=0; while [ "$(nice)" = "$0" ] && [ $i -lt 2000 ]; do i=$((i+1)); done; nice; exit 3`, strconv.Itoa(own))
	cmd.Stdout = &out
	err = child.Run(cmd)
	if code := cmd.ProcessState.ExitCode(); code != 3 || err == nil {
		t.Errorf("code %d, %v", code, err)
	}
	if got := strings.TrimSpace(out.String()); got != strconv.Itoa(own+child.Niceness) {
		t.Errorf("its niceness is %s; that of the tests %d", got, own)
	}
	if err := child.Run(exec.Command("/no/such/program")); err == nil {
		t.Error("a program that is not there ran")
	}
}
