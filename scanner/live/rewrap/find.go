package rewrap

import (
	"bytes"
	"encoding/base64"
	"errors"
)

// An Encoding is how a message or a blob is written in its file.
type Encoding string

// The encodings.
const (
	Raw    Encoding = "raw"
	Base64 Encoding = "base64"
)

// A Content is what a file holds, as far as this package is concerned.
type Content struct {
	// Encoding is that of the whole file, if it is one message.
	Encoding Encoding
	// Header is the message's; nil where the file is none.
	Header *Header
	// Cut says that the file begins as a message whose header is cut off, or
	// longer than what was looked at.
	Cut bool
	// Inside are the messages in base64 in the middle of other text, at most
	// maxInside of them; More says that there may be more.
	Inside []Embedded
	More   bool
}

// An Embedded is a message in base64 in the middle of other text.
type Embedded struct {
	Header *Header
	// At and Length tell where its base64 is, padding included. Length is 0
	// where its end is not known: it is broken into lines, something follows
	// it, or the text ends before it.
	At, Length int
}

const (
	maxInside = 64
	maxTries  = 1000
)

// digit reports whether c is one of the 64 characters.
func digit(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// marks are how messages begin in base64: version 2 with its two suites, and
// version 1. Six bits a character, so that three bytes are four characters,
// and a suite of version 1 begins with the bits 0000 00.
var marks = [...]string{"AgR4", "AgV4", "AYAA", "AYAB", "AYAC", "AYAD"}

// Look finds out whether data, the front of a file, is a message of the AWS
// Encryption SDK as a whole, raw or in base64 of whatever line length, and if
// not, which messages stand in it in base64.
func Look(data []byte) Content {
	if h, _, err := ParseHeader(data); err == nil {
		return Content{Encoding: Raw, Header: h}
	} else if errors.Is(err, ErrCut) {
		return Content{Encoding: Raw, Cut: true}
	}
	text := bytes.TrimLeft(data, " \t\r\n")
	if marked(text) {
		decoded, rest := decodeFront(text)
		whole := onlyBase64(rest)
		h, _, err := ParseHeader(decoded)
		switch {
		case err == nil && whole:
			return Content{Encoding: Base64, Header: h}
		case errors.Is(err, ErrCut) && whole:
			return Content{Encoding: Base64, Cut: true}
		}
	}
	found, more := inside(data)
	return Content{Inside: found, More: more}
}

// inside finds messages in base64 that begin where a run of base64 characters
// begins. Only maxTries places are tried: text made to look like beginnings
// must not cost more than its length.
func inside(data []byte) (found []Embedded, more bool) {
	tries := 0
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], 'A')
		if i < 0 {
			return found, false
		}
		at += i
		if !marked(data[at:]) || at > 0 && digit(data[at-1]) {
			at++
			continue
		}
		if tries++; len(found) == maxInside || tries > maxTries {
			return found, true
		}
		decoded, _ := decodeFront(data[at:])
		h, n, err := ParseHeader(decoded)
		if err != nil {
			at++
			continue
		}
		e := Embedded{Header: h, At: at, Length: extent(data[at:])}
		found = append(found, e)
		at += max(e.Length, n) // less than its base64 is long
	}
}

// extent returns how many characters of text are one message, if an unbroken run
// of base64 is exactly that.
func extent(text []byte) int {
	n := 0
	for n < len(text) && digit(text[n]) {
		n++
	}
	padded := n
	for padded < len(text) && padded < n+2 && text[padded] == '=' {
		padded++
	}
	if padded > n && padded%4 != 0 {
		return 0
	}
	message, err := base64.RawStdEncoding.AppendDecode(nil, text[:n])
	if err != nil {
		return 0
	}
	if length, err := Length(message); err != nil || length != len(message) {
		return 0
	}
	return padded
}

func marked(text []byte) bool {
	for _, m := range marks {
		if bytes.HasPrefix(text, []byte(m)) {
			return true
		}
	}
	return false
}

// maxHeader bounds how much of a base64 text is decoded for its header, in
// characters: an encryption context of 64 KiB and forty wrapped keys.
const maxHeader = 1 << 17

// decodeFront decodes the base64 at the front of text, line ends and blanks
// between the characters included, up to maxHeader of them, and returns what
// comes after them too.
func decodeFront(text []byte) (decoded, rest []byte) {
	chars := make([]byte, 0, min(len(text), maxHeader))
	i := 0
	for ; i < len(text) && len(chars) < maxHeader; i++ {
		if digit(text[i]) {
			chars = append(chars, text[i])
		} else if !blank(text[i]) {
			break
		}
	}
	if len(chars)%4 == 1 {
		chars = chars[:len(chars)-1]
	}
	decoded = make([]byte, base64.RawStdEncoding.DecodedLen(len(chars)))
	n, _ := base64.RawStdEncoding.Decode(decoded, chars)
	return decoded[:n], text[i:]
}

// onlyBase64 reports whether text holds nothing but base64 and blanks.
func onlyBase64(text []byte) bool {
	for _, c := range text {
		if c != '=' && !blank(c) && !digit(c) {
			return false
		}
	}
	return true
}

// Decode returns the bytes of a file that is written in e as a whole.
func (e Encoding) Decode(file []byte) ([]byte, error) {
	if e == Raw {
		return file, nil
	}
	data, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(compact(file), "="))
	if err != nil {
		return nil, errors.New("it is not the base64 that it was taken for")
	}
	return data, nil
}

// Encode writes data as like is written: raw, or base64 with the same length
// of lines, line ends and padding.
func (e Encoding) Encode(data, like []byte) []byte {
	if e == Raw {
		return data
	}
	text := base64.StdEncoding.EncodeToString(data)
	trimmed := bytes.TrimRight(like, " \t\r\n")
	if !bytes.HasSuffix(trimmed, []byte("=")) && len(compact(trimmed))%4 != 0 {
		text = base64.RawStdEncoding.EncodeToString(data)
	}
	tail := like[len(trimmed):]
	first, _, many := bytes.Cut(bytes.TrimLeft(trimmed, " \t\r\n"), []byte("\n"))
	if !many {
		return append([]byte(text), tail...)
	}
	end := "\n"
	if bytes.HasSuffix(first, []byte("\r")) {
		end = "\r\n"
	}
	width := len(bytes.TrimSpace(first))
	var out []byte
	for width > 0 && len(text) > width {
		out = append(append(out, text[:width]...), end...)
		text = text[width:]
	}
	return append(append(out, text...), tail...)
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func compact(b []byte) []byte { return bytes.Join(bytes.Fields(b), nil) }
