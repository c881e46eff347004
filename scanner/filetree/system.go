package filetree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// The walk sees the file system through these three types, so that each
// platform may do what is fastest there, and tests may let any step fail.

// A system opens folders and files by absolute path with '/' between parts.
type system interface {
	openFolder(path string) (folder, error)
	openFile(path string) (io.ReadCloser, error)
}

// A folder is an open folder.
type folder interface {
	// list appends the folder's entries, in no order, without "." and "..".
	list(to []entry, s *scratch) ([]entry, error)
	// open opens a regular file for reading, without waiting and without
	// following symbolic links.
	open(name string) (io.ReadCloser, error)
	readLink(name string) (string, error)
	close()
}

// An entry is one name in a folder and the type bits of its mode. The type
// may be unknownType when the file system does not tell with the name.
type entry struct {
	name string
	typ  fs.FileMode
}

// scratch is memory that a worker lends to the folders it lists.
type scratch struct{ listing []byte }

// typeName says what a file of that mode is.
func typeName(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "file"
	case m.IsDir():
		return "folder"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// cause returns what went wrong without the path, which a Problem names
// itself.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Sprint(err)
}
