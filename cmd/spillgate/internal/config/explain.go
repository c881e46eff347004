package config

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Explain writes settings as a table: key, value and where it comes from.
func Explain(w io.Writer, all []Setting) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, s := range all {
		if _, err := fmt.Fprintf(t, "%s\t= %s\t# %s\n", s.Key, s.Value, s.From); err != nil {
			return err
		}
	}
	return t.Flush()
}
