package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// encodeAll writes text in each of the encodings that names lists, the innermost
// first: "zip,base64" is the base64 of a zip with the text in it.
func encodeAll(text, names string) ([]byte, error) {
	data := []byte(text)
	for _, name := range strings.Split(names, ",") {
		e, ok := encodings[name]
		if !ok {
			return nil, fmt.Errorf("unknown encoding %q", name)
		}
		var b bytes.Buffer
		if err := e(&b, data); err != nil {
			return nil, fmt.Errorf("encoding as %s: %w", name, err)
		}
		data = b.Bytes()
	}
	return data, nil
}

var encodings = map[string]func(w *bytes.Buffer, data []byte) error{
	"base64": func(w *bytes.Buffer, data []byte) error {
		w.WriteString(base64.StdEncoding.EncodeToString(data))
		return nil
	},
	"mime": func(w *bytes.Buffer, data []byte) error { // RFC 2045, section 6.8
		for s := base64.StdEncoding.EncodeToString(data); s != ""; {
			n := min(len(s), 76)
			w.WriteString(s[:n] + "\r\n")
			s = s[n:]
		}
		return nil
	},
	"hex": func(w *bytes.Buffer, data []byte) error {
		w.WriteString(hex.EncodeToString(data))
		return nil
	},
	"percent": func(w *bytes.Buffer, data []byte) error { return eachByte(w, "%%%02X", data) },
	"escapes": func(w *bytes.Buffer, data []byte) error { return eachByte(w, `\u%04x`, data) },
	"gzip": func(w *bytes.Buffer, data []byte) error {
		z := gzip.NewWriter(w)
		_, err := z.Write(data)
		return errors.Join(err, z.Close())
	},
	"zip": func(w *bytes.Buffer, data []byte) error {
		z := zip.NewWriter(w)
		e, err := z.Create("conf/in.txt")
		if err == nil {
			_, err = e.Write(data)
		}
		return errors.Join(err, z.Close())
	},
	"tar": func(w *bytes.Buffer, data []byte) error {
		t := tar.NewWriter(w)
		err := t.WriteHeader(&tar.Header{Name: "conf/in.txt", Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = t.Write(data)
		}
		return errors.Join(err, t.Close())
	},
	// A message of the AWS Encryption SDK whose only data key is encrypted
	// under the KMS key that data names.
	"esdk": func(w *bytes.Buffer, data []byte) error {
		w.WriteString("\x02\x05\x78" + strings.Repeat("\xa7", 32) + "\x00\x00\x00\x01")
		for _, s := range []string{"aws-kms", strings.TrimSpace(string(data)), strings.Repeat("\x01\xf3", 92)} {
			_ = binary.Write(w, binary.BigEndian, uint16(len(s)))
			w.WriteString(s)
		}
		_, err := io.WriteString(w, "\x02\x00\x00\x10\x00"+strings.Repeat("\x9c\xfe\x00\x81", 40))
		return err
	},
}

func eachByte(w io.Writer, format string, data []byte) error {
	for _, c := range data {
		if _, err := fmt.Fprintf(w, format, c); err != nil {
			return err
		}
	}
	return nil
}
