package rewrap

import (
	"encoding/binary"
	"slices"
)

// Bytes around what a frame or body holds: IV and tag are of the same length in
// all suites.
const ivLength = 12

// lastFrame is the sequence number that announces the last frame.
const lastFrame = 0xFFFFFFFF

// signing are the suites whose messages end with a signature.
var signing = []uint16{0x0214, 0x0346, 0x0378, 0x0578}

// Length returns the length in bytes of the message at the front of data. An
// error wraps ErrNoMessage or ErrCut. It decrypts nothing, so that it takes the
// message's word for the length of its parts:
//
//	body of one piece: IV | length 8 | data | tag
//	frames:            { number 4 | IV | frame length of data | tag }…
//	last frame:        FFFFFFFF | number 4 | IV | length 4 | data | tag
//	footer, if signed: length 2 | signature
//
// Source: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
func Length(data []byte) (int, error) {
	h, n, err := ParseHeader(data)
	if err != nil {
		return 0, err
	}
	r := &reader{data: data[n:]}
	if h.ContentType == 1 {
		r.take(ivLength)
		r.skip(r.uint64())
		r.take(tagLength)
	} else if err := h.skipFrames(r); err != nil {
		return 0, err
	}
	if slices.Contains(signing, h.Suite) {
		r.field()
	}
	if r.cut {
		return 0, ErrCut
	}
	return len(data) - len(r.data), nil
}

// skipFrames takes all frames off r, which are numbered from 1.
func (h *Header) skipFrames(r *reader) error {
	for want := uint32(1); ; want++ {
		number := r.uint32()
		last := number == lastFrame
		if last {
			number = r.uint32()
		}
		if r.cut {
			return ErrCut
		}
		if number != want {
			return broken("its frames are not numbered one after the other")
		}
		r.take(ivLength)
		length := h.FrameLength
		if last {
			if length = r.uint32(); length > h.FrameLength {
				return broken("its last frame is longer than the others")
			}
		}
		r.skip(uint64(length))
		r.take(tagLength)
		if r.cut {
			return ErrCut
		}
		if last {
			return nil
		}
	}
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// skip takes n bytes, which need not fit an int.
func (r *reader) skip(n uint64) {
	if n > uint64(len(r.data)) {
		r.cut, r.data = true, nil
		return
	}
	r.data = r.data[n:]
}
