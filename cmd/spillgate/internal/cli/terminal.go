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

// width returns the columns of the terminal that w is, or 0.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok && terminalHandle(f.Fd()) {
		return terminalWidth(f.Fd())
	}
	return 0
}
