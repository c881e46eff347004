package scanner

import (
	"bytes"
	"strconv"
)

// An LFSPointer is the text that Git LFS keeps in git in place of a file
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
type LFSPointer struct {
	// OID is the SHA-256 of the file, 64 hexadecimal digits in lower case.
	OID string
	// Size is the length of the file in bytes, -1 if the pointer does not say.
	Size int64
}

// lfsLongest is the length in bytes below which a pointer must stay.
const lfsLongest = 1024

// ParseLFSPointer reads a pointer. It is taken for one if it begins like one and
// has an oid, whatever else is in it, as git-lfs does; OID is "" where that is no
// SHA-256.
func ParseLFSPointer(data []byte) (p LFSPointer, ok bool) {
	if len(data) >= lfsLongest || !bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/v")) {
		return p, false
	}
	p.Size = -1
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
		switch string(key) {
		case "oid":
			ok = true
			if sum, is := bytes.CutPrefix(value, []byte("sha256:")); is && isSHA256(sum) {
				p.OID = string(sum)
			}
		case "size":
			if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && n >= 0 {
				p.Size = n
			}
		}
	}
	return p, ok
}

// isSHA256 reports whether b is a digest in hexadecimal, in lower case.
func isSHA256(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(b) == 64
}

// SkippedLFS is the reason for which a source leaves out the file that a
// pointer stands for.
const SkippedLFS = "LFS pointer: the file itself is not in git"
