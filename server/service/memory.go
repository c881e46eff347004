package service

import (
	"os"
	"runtime"
	"runtime/debug"
)

// garbage is how much of it the collector lets grow beside what is in use, in per
// cent of that. Go's own 100 is for programs that have a machine to themselves;
// beside this one run scans, which need the memory more. Most of what is in use is
// parts of the queue's files, in which the collector has nothing to look for.
const garbage = 25

// readingQueue has the collector keep memory down, and below the megabytes, if
// there are any. The function that it returns gives back to the system what reading
// the queue took. What the operator has set by GOGC is left alone.
func readingQueue(megabytes int64) (done func()) {
	if megabytes > 0 {
		debug.SetMemoryLimit(megabytes << 20)
	}
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	debug.SetGCPercent(garbage)
	return func() {
		runtime.GC() // buffers that are kept for use again outlive one collection
		debug.FreeOSMemory()
	}
}
