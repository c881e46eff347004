package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
)

// Map maps the file at path, one that git replaces and never changes, for
// reading; unmap ends that. Data is read within Guarded, since a file may be
// cut short by others.
func Map(path string) (data []byte, unmap func() error, err error) { return openMapped(path) }

// Guarded calls f and turns a fault in mapped memory, which would end the
// program, into an error.
func Guarded(f func() error) error { return guarded(f) }

// openMapped maps the file at path for reading. The mapping outlives the
// file's name: git removes packs while others read them, but never changes
// one.
func openMapped(path string) (data []byte, unmap func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return mapOpen(f, path)
}

// mapOpen maps f, the file at path.
func mapOpen(f *os.File, path string) (data []byte, unmap func() error, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	switch size := info.Size(); {
	case !info.Mode().IsRegular():
		return nil, nil, &fs.PathError{Op: "map", Path: path, Err: errors.New("not a regular file")}
	case size == 0:
		return nil, func() error { return nil }, nil
	case size > math.MaxInt:
		return nil, nil, &fs.PathError{Op: "map", Path: path, Err: errors.New("larger than the address space")}
	default:
		data, unmap, err = mapFile(f, int(size))
	}
	if err != nil {
		err = fmt.Errorf("mapping %s: %w", path, err)
	}
	return data, unmap, err
}

// errShrunk says that a mapped file lost its end, or the disk its content.
var errShrunk = errors.New("a pack or index became unreadable while it was mapped (was it truncated?)")

// guarded calls f and turns a fault in mapped memory into an error. Git never
// shortens a pack, but a failing disk or another program may, and the system
// tells so by a signal that would end the program.
func guarded(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if r := recover(); r != nil {
			// Only faults have an address (see debug.SetPanicOnFault); any
			// other panic is a mistake in the program and goes on.
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			err = errShrunk
		}
	}()
	return f()
}
