package child

import "syscall"

// getpriority returns the niceness of this process. Linux answers with how far it
// is from the lowest priority, so that the answer is never negative
// (getpriority(2), C library/kernel differences).
func getpriority() (int, error) {
	n, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	return 20 - n, err
}
