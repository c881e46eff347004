//go:build !linux

package filetree

import (
	"io"
	"os"
	"path/filepath"
)

// hostSystem is the file system of the machine, through the os package. The
// type of an entry comes with its name here too, so nothing but regular files
// is opened.
type hostSystem struct{}

func (hostSystem) openFolder(path string) (folder, error) {
	f, err := os.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, err
	}
	return &openedFolder{f, path}, nil
}

func (hostSystem) openFile(path string) (io.ReadCloser, error) {
	return os.Open(filepath.FromSlash(path))
}

type openedFolder struct {
	file *os.File
	path string
}

func (d *openedFolder) close() { _ = d.file.Close() }

func (d *openedFolder) list(to []entry, _ *scratch) ([]entry, error) {
	all, err := d.file.ReadDir(-1)
	for _, e := range all {
		to = append(to, entry{e.Name(), e.Type()})
	}
	return to, err
}

func (d *openedFolder) open(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(filepath.FromSlash(d.path), name))
}

func (d *openedFolder) readLink(name string) (string, error) {
	return os.Readlink(filepath.Join(filepath.FromSlash(d.path), name))
}
