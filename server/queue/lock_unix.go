//go:build unix

package queue

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f until it is closed, which the system does when this process ends.
// It reports false where another has it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
