package report

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spillgate/spillgate/scanner"
)

// WriteFile writes the report of r to path. Who reads path sees the old file
// or the new one, never a part: the report is written beside it and renamed.
// A link is followed, and what is not a regular file, such as /dev/stderr or a
// named pipe, is written to directly. The file may be read by everybody whom
// the umask allows, for reports hold no secret.
func WriteFile(path string, sink scanner.Sink, r *scanner.Result) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return writeAndClose(f, sink, r)
	}
	temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%08x", filepath.Base(path), rand.Uint32()))
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = writeAndClose(f, sink, r)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}

func writeAndClose(f io.WriteCloser, sink scanner.Sink, r *scanner.Result) error {
	w := bufio.NewWriterSize(f, 64<<10)
	err := sink.Write(w, r)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
