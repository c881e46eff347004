package cli

import (
	"io"
	"os"
)

// isTerminal reports whether w is a terminal. golang.org/x/term would say it
// too, but links net on Windows, which this program must not.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && terminalHandle(f.Fd())
}
