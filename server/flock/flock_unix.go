//go:build unix

package flock

import (
	"errors"
	"os"
	"syscall"
)

// Try locks f for whoever has it open: this process and those that inherit it. It
// reports false where another has it, and does not wait.
func Try(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
