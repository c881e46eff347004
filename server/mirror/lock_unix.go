//go:build unix

package mirror

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f for whoever has it open: this process and those that inherit
// it. It reports false where another has it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
