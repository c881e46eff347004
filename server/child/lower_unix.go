//go:build unix

package child

import "syscall"

// lower lowers a process's priority. It may have ended, and what it has started
// in the meantime stays as it is: neither is worth an error.
func lower(pid int) { _ = syscall.Setpriority(syscall.PRIO_PROCESS, pid, Niceness) }
