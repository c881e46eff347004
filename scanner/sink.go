package scanner

import "io"

// A Sink writes a result in one report format. What it writes holds no
// secret. It writes something for every result that the format does not
// express by silence, so that a clean run leaves evidence too.
type Sink interface {
	Write(w io.Writer, r *Result) error
}
