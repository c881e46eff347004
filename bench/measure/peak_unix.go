//go:build unix

package measure

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the largest resident memory in bytes of a finished process and
// those it waited for. Linux counts ru_maxrss in KiB (getrusage(2)), Darwin in
// bytes.
func peak(s *os.ProcessState) int64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) << 10
}
