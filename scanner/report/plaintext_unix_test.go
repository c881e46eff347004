//go:build unix

package report

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// A file system that does not keep the mode is told by what it makes of it. A
// umask that takes even the owner's rights away does the same here.
func TestWritePlaintextElsewhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	old := syscall.Umask(0o400)
	n, err := WritePlaintext(path, plainResult("correct horse"), scanner.Gate{}, false)
	syscall.Umask(old)
	if n != 0 || err == nil || !strings.Contains(err.Error(), "mode 0200 instead of 0600") {
		t.Errorf("%d secrets written: %v", n, err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the file stays")
	}
}
