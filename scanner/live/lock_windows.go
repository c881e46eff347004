package live

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock locks f for this process alone, until it is closed or the process
// ends in whatever way. It returns errLocked if another process has it.
func tryLock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}
