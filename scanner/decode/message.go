package decode

import (
	"bytes"
	"encoding/binary"
)

// A message of the AWS Encryption SDK begins with a header that names, for
// every encrypted copy of its data key, the provider and what the provider
// needs to know the key by: for KMS, the ARN of the key. The layout is
// documented in
// https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
// All numbers are big endian.
//
//	version 2: 02 | algorithm 2 | message id 32 | context | keys
//	version 1: 01 | type 80 | algorithm 2 | message id 16 | context | keys
//	context:   length 2 | that many bytes
//	keys:      count 2 | { provider: length 2, bytes | information: length 2, bytes | key: length 2, bytes }

// maxKeys bounds how many data keys of one message are looked at.
const maxKeys = 64

// kmsProvider is the provider of data keys that KMS encrypted, and its length,
// as they stand in a header.
var kmsProvider = []byte("\x00\x07aws-kms")

// beginsMessage reports whether b begins as a message with one of the
// documented algorithm suites does.
// (https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/algorithms-reference.html)
func beginsMessage(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	switch {
	case b[0] == 2:
		return (b[1] == 0x04 || b[1] == 0x05) && b[2] == 0x78
	case b[0] == 1 && b[1] == 0x80:
		switch uint16(b[2])<<8 | uint16(b[3]) {
		case 0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378:
			return true
		}
	}
	return false
}

// A header is read from the front; bad says that it ended too soon.
type header struct {
	data []byte
	at   int
	bad  bool
}

func (h *header) number() int {
	if h.skip(2); h.bad {
		return 0
	}
	return int(binary.BigEndian.Uint16(h.data[h.at-2:]))
}

func (h *header) skip(n int) {
	if n > len(h.data)-h.at {
		h.bad = true
		return
	}
	h.at += n
}

// field reads a length and as many bytes, and returns where these stand.
func (h *header) field() span {
	n := h.number()
	from := h.at
	if h.skip(n); h.bad {
		return span{}
	}
	return span{from, h.at}
}

// keyNames calls found with each place in data where the header of the message
// that begins at data[at] names a KMS key. A header that is cut short gives
// what it holds.
func keyNames(data []byte, at int, found func(span)) {
	h := header{data: data, at: at}
	if !beginsMessage(data[at:]) {
		return
	}
	if data[at] == 2 {
		h.skip(1 + 2 + 32)
	} else {
		h.skip(2 + 2 + 16)
	}
	h.field() // the encryption context
	count := h.number()
	for range min(count, maxKeys) {
		provider, name := h.field(), h.field()
		if h.bad {
			return
		}
		if string(data[provider.from:provider.to]) == "aws-kms" && name.to > name.from {
			found(name)
		}
		h.field() // the encrypted data key
	}
}

// messages looks at the key names of all messages in l, which is binary.
func (s *state) messages(l *layer) {
	if !bytes.Contains(l.data, kmsProvider) {
		return
	}
	lo, hi := 0, len(l.data)
	if l.parent == nil {
		lo = max(0, s.chunk.From-maxWindow)
	}
	child := &s.layers[l.depth+1]
	for at := lo; at < hi; at++ {
		if l.data[at] != 1 && l.data[at] != 2 {
			continue
		}
		keyNames(l.data, at, func(name span) {
			child.begin(l, "AWS Encryption SDK message", name.from, name.to)
			child.pieces = append(child.pieces, piece{0, name.from})
			child.data = l.data[name.from:name.to]
			s.detect(child)
		})
	}
}
