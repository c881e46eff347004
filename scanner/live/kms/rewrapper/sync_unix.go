//go:build !windows

package rewrapper

import (
	"errors"
	"fmt"
	"os"
)

// syncFolder writes a folder's list of names to the disk, so that a replaced
// file stays replaced.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the folder %s: %w", dir, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the folder %s to the disk: %w", dir, err)
	}
	return nil
}
