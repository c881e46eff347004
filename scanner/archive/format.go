package archive

import (
	"bytes"
	"path"
	"strings"
)

// A format is what an archive is written in.
type format uint8

const (
	none format = iota
	zipped
	tarred
	gzipped
	bzipped
	zstandard
	xz
	sevenZip
	rar
)

// unread returns the reason why an archive of format f is not opened, or "".
func (f format) unread() string {
	switch f {
	case xz:
		return "archive format not read: xz"
	case sevenZip:
		return "archive format not read: 7z"
	case rar:
		return "archive format not read: rar"
	}
	return ""
}

// headLen is how many bytes recognise wants to see.
const headLen = 512

// recognise tells a format by how it begins.
func recognise(head []byte) format {
	starts := func(magic string) bool { return strings.HasPrefix(string(head[:min(len(head), 8)]), magic) }
	if len(head) < 4 {
		return none
	}
	switch head[0] {
	case 'P': // APPNOTE.TXT of PKWARE, 4.3.7 and 4.3.16; the third is the mark of a split archive
		if starts("PK\x03\x04") || starts("PK\x05\x06") || starts("PK\x07\x08") {
			return zipped
		}
	case 0x1f: // RFC 1952
		if starts("\x1f\x8b\x08") {
			return gzipped
		}
	case 'B':
		if len(head) >= 10 && starts("BZh") && head[3] >= '1' && head[3] <= '9' && string(head[4:10]) == "1AY&SY" {
			return bzipped
		}
	case 0x28: // RFC 8878
		if starts("\x28\xb5\x2f\xfd") {
			return zstandard
		}
	case 0xfd:
		if starts("\xfd7zXZ\x00") {
			return xz
		}
	case '7':
		if starts("7z\xbc\xaf\x27\x1c") {
			return sevenZip
		}
	case 'R':
		if starts("Rar!\x1a\x07") {
			return rar
		}
	}
	// The magic of POSIX and GNU tar (IEEE Std 1003.1, pax, ustar format).
	if len(head) >= headLen && string(head[257:262]) == "ustar" {
		return tarred
	}
	return none
}

// endsAsZip reports whether data ends in the end record of a zip, as programs
// do that have one appended to them. A record with a comment is not looked for.
func endsAsZip(data []byte) bool {
	const size = 22
	n := len(data) - size
	return n > 0 && string(data[n:n+4]) == "PK\x05\x06" && data[len(data)-2] == 0 && data[len(data)-1] == 0
}

// maxName bounds a shown name in bytes.
const maxName = 1024

// join returns what reports call the member name of the archive at container.
func join(container, name string) string {
	name = strings.ReplaceAll(name, `\`, "/") // as Windows programs write zips
	if len(name) > maxName {
		name = name[:maxName] + "…"
	}
	return container + "!/" + strings.TrimLeft(name, "/")
}

// inside returns the name of what a compressed file holds: header is the name
// that it gives itself, or "".
func inside(container, header string) string {
	if header != "" {
		return header
	}
	base := path.Base(strings.ReplaceAll(container, "!/", "/"))
	for _, ext := range [...]string{".gz", ".bz2", ".zst"} {
		if name, ok := strings.CutSuffix(base, ext); ok && name != "" {
			return name
		}
	}
	return "content"
}

func newBytesReader(data []byte) *reader { return newReader(bytes.NewReader(data)) }
