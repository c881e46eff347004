package report

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/spillgate/spillgate/scanner"
)

// This file is the one door through which secrets leave a scan in plain text,
// for who has to rotate them and must know which they are. What goes through it
// is no report: New does not know it, and it is written to nothing but a new
// file that its owner alone can read.

// A plainLine is a finding with its secret. A secret that is not UTF-8 has its
// exact bytes in SecretBase64.
type plainLine struct {
	Type string `json:"type"`
	findingView
	Secret       string `json:"secret"`
	SecretBase64 string `json:"secret_base64,omitempty"`
}

// WritePlaintext writes the findings of r with their secrets to path, a line of
// JSON each: those that count, and the suppressed ones too if suppressed says
// so. It returns how many there are.
//
// The file must not exist, whatever it is, also as a link: an old one may be
// open to others. It is made with mode 0600, and where the file system does not
// keep that (FAT, or Windows), nothing is written. What could not be written to
// the end is removed.
func WritePlaintext(path string, r *scanner.Result, gate scanner.Gate, suppressed bool) (n int, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err == nil && (info.Mode().Perm() != 0o600 || !info.Mode().IsRegular()) {
		err = fmt.Errorf("the file system gives it mode %04o instead of 0600, so others could read it", info.Mode().Perm())
	}
	if err == nil {
		n, err = writePlaintext(f, r, gate, suppressed)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return n, err
}

func writePlaintext(w io.Writer, r *scanner.Result, gate scanner.Gate, suppressed bool) (n int, err error) {
	list := r.Findings
	if suppressed {
		list = append(list[:len(list):len(list)], r.Suppressed...)
	}
	d := &redactor{} // nothing is taken out of paths either
	for _, f := range list {
		line := plainLine{Type: "secret", findingView: d.view(f, gate)}
		line.Secret = f.Secret.Reveal()
		if !utf8.ValidString(line.Secret) {
			line.SecretBase64 = base64.StdEncoding.EncodeToString([]byte(line.Secret))
			line.Secret = utf8Text(line.Secret)
		}
		if err := writeJSON(w, line, ""); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
