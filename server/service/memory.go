package service

import (
	"os"
	"runtime"
	"runtime/debug"
)

// How much garbage the collector lets grow beside what is in use, in per cent of
// that. Go's own 100 is for programs that have a machine to themselves; beside this
// one run scans, which need the memory more. While the queue reads itself again
// after a crash, block after block, nearly all of it is garbage.
const (
	garbage        = 50
	garbageReading = 25
)

// readingQueue has the collector keep memory down while the queue is read, and
// below the megabytes, if there are any, from then on. The function that it returns
// gives back to the system what the reading took, and leaves the collector as it is
// to be afterwards. What the operator has set by GOGC is left alone.
func readingQueue(megabytes int64) (done func()) {
	if megabytes > 0 {
		debug.SetMemoryLimit(megabytes << 20)
	}
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	debug.SetGCPercent(garbageReading)
	return func() {
		runtime.GC() // buffers that are kept for use again outlive one collection
		debug.FreeOSMemory()
		debug.SetGCPercent(garbage)
	}
}
