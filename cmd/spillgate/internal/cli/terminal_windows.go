package cli

import "syscall"

func terminalHandle(fd uintptr) bool {
	var mode uint32
	return syscall.GetConsoleMode(syscall.Handle(fd), &mode) == nil
}

// terminalWidth is not known: the console of Windows tells it to programs that
// link more than this one may.
func terminalWidth(uintptr) int { return 0 }
