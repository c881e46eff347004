//go:build !unix

package mirror

import "os"

// tryLock locks nothing: here what a killed server has left running may still
// be at work in a mirror. Its result is heard by nobody, and a scan that an
// object is taken away from says so and is repeated.
func tryLock(*os.File) (bool, error) { return true, nil }
