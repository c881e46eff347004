//go:build unix && !linux

package child

import "syscall"

// getpriority returns the niceness of this process.
func getpriority() (int, error) { return syscall.Getpriority(syscall.PRIO_PROCESS, 0) }
