package service

import (
	"runtime/debug"
	"testing"
)

// percent returns what the collector is set to, and leaves it so.
func percent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

func TestReadingQueue(t *testing.T) {
	p, limit := percent(), debug.SetMemoryLimit(-1)
	defer debug.SetGCPercent(p)
	defer debug.SetMemoryLimit(limit)
	t.Setenv("GOGC", "")
	done := readingQueue(0)
	if got := percent(); got != garbage {
		t.Errorf("while the queue is read, %d %% may be garbage", got)
	}
	done()
	if got := percent(); got != garbage {
		t.Errorf("afterwards, %d %% may be garbage", got)
	}
	if got := debug.SetMemoryLimit(-1); got != limit {
		t.Errorf("without a limit it is set to %d", got)
	}
	t.Setenv("GOGC", "200")
	debug.SetGCPercent(200)
	readingQueue(64)()
	if got := percent(); got != 200 {
		t.Errorf("the operator's GOGC became %d", got)
	}
	if got := debug.SetMemoryLimit(-1); got != 64<<20 {
		t.Errorf("the limit is %d", got)
	}
}
