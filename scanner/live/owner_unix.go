//go:build unix

package live

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ownersOnly returns an error if somebody else than root and the user of this
// process can change the file.
func ownersOnly(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("can be written by other users; chmod go-w it")
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Uid != 0 && int(s.Uid) != os.Geteuid() {
		return errors.New("belongs to another user; chown it to the user who runs this, or to root")
	}
	return nil
}
