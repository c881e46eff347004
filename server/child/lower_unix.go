//go:build unix

package child

import "syscall"

// lower lowers a process's priority below that of this one, as far as there are
// lower ones. It may have ended, and what it has started in the meantime stays as
// it is: neither is worth an error.
func lower(pid int) {
	own, err := getpriority()
	if err != nil {
		return
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, pid, min(own+Niceness, lowest))
}

// lowest is the largest niceness.
const lowest = 19
