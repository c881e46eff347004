//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package live

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f for this process alone, until it is closed or the process
// ends in whatever way. It returns errLocked if another process has it.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
