//go:build !linux

package engine

import "time"

// threadTime is the time on the clock: the system does not count by thread.
func threadTime() time.Duration { return time.Duration(time.Now().UnixNano()) }

// processTime is the same.
func processTime() time.Duration { return threadTime() }
