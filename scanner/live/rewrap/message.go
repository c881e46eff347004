package rewrap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The header of a message of the AWS Encryption SDK, as
// https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
// lays it out. All numbers are big endian.
//
//	version 1: 01 | type 80 | suite 2 | id 16 | context | keys | content type 1 | 00000000 | IV length 1 | frame length 4 | IV | tag 16
//	version 2: 02 | suite 2 | id 32 | context | keys | content type 1 | frame length 4 | suite data 32 | tag 16
//	context:   length 2 | nothing, or { count 2 | { name: length 2, bytes | value: length 2, bytes }… }
//	keys:      count 2 | { provider: length 2, bytes | information: length 2, bytes | key: length 2, bytes }…
//
// The header is authenticated under the data key: nobody who has not that key
// can put another wrapped copy in it. That is why a message is encrypted anew
// by the Encryption SDK and not patched here.

// KMSProvider is the provider of data keys that KMS wrapped.
const KMSProvider = "aws-kms"

// A Header is the front of a message. Its byte slices lie in the data that it
// was read from.
type Header struct {
	Version byte // 1 or 2
	// Suite is the algorithm suite, from
	// https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/algorithms-reference.html
	Suite uint16
	ID    []byte
	// Context is the encryption context as it stands there: not encrypted, and
	// readable by whoever has the message.
	Context []Pair
	// empty tells an empty context that was written with a count of 0 from one
	// that was left out.
	empty bool
	Keys  []DataKey
	// ContentType is 1 for a body of one piece and 2 for frames of FrameLength
	// bytes.
	ContentType byte
	FrameLength uint32
	// Data is the suite data of version 2, and the IV of version 1.
	Data []byte
	Tag  []byte
}

// A Pair is an entry of an encryption context.
type Pair struct{ Name, Value []byte }

// A DataKey is a copy of a message's data key, wrapped for one key.
type DataKey struct {
	Provider string
	// Info is what the provider needs to know its key by: for KMS the ARN.
	Info    string
	Wrapped []byte
}

// ErrNoMessage says that bytes do not begin as a message does, and ErrCut that
// a message's header ends before its end.
var (
	ErrNoMessage = errors.New("no message of the AWS Encryption SDK")
	ErrCut       = errors.New("the header of the message is cut off")
)

const tagLength = 16

// suites are the documented algorithm suites of both versions.
var suites = [...][]uint16{
	1: {0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378},
	2: {0x0478, 0x0578},
}

// Begins reports whether b begins as a message of a documented suite does;
// four bytes are enough to tell.
func Begins(b []byte) bool {
	switch {
	case len(b) < 4:
		return false
	case b[0] == 1:
		return b[1] == 0x80 && slices.Contains(suites[1], binary.BigEndian.Uint16(b[2:]))
	case b[0] == 2:
		return slices.Contains(suites[2], binary.BigEndian.Uint16(b[1:]))
	}
	return false
}

// A reader takes bytes off the front of data; cut says that it had too few.
type reader struct {
	data []byte
	cut  bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.cut, r.data = true, nil
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// field reads a length of two bytes, and as many bytes.
func (r *reader) field() []byte { return r.take(r.uint16()) }

// ParseHeader reads the header at the front of data and returns it with its
// length in bytes. An error wraps ErrNoMessage or ErrCut. What it allocates is
// bounded by the length of data: a count that is larger than what follows is
// not believed.
func ParseHeader(data []byte) (*Header, int, error) {
	if !Begins(data) {
		return nil, 0, ErrNoMessage
	}
	r := &reader{data: data}
	h := &Header{Version: r.byte()}
	idLength := 32
	if h.Version == 1 {
		r.byte() // the type, which Begins has looked at
		idLength = 16
	}
	h.Suite = uint16(r.uint16())
	h.ID = r.take(idLength)
	if err := h.readContext(r); err != nil {
		return nil, 0, err
	}
	if err := h.readKeys(r); err != nil {
		return nil, 0, err
	}
	if err := h.readEnd(r); err != nil {
		return nil, 0, err
	}
	return h, len(data) - len(r.data), nil
}

func broken(what string) error { return fmt.Errorf("%w: %s", ErrNoMessage, what) }

func (h *Header) readContext(r *reader) error {
	raw := r.field()
	if r.cut {
		return ErrCut
	}
	if len(raw) == 0 {
		return nil
	}
	in := &reader{data: raw}
	count := in.uint16()
	for range count {
		p := Pair{in.field(), in.field()}
		if in.cut {
			return broken("its encryption context is longer than it says")
		}
		h.Context = append(h.Context, p)
	}
	h.empty = count == 0
	if in.cut || len(in.data) > 0 {
		return broken("its encryption context is not as long as it says")
	}
	return nil
}

func (h *Header) readKeys(r *reader) error {
	count := r.uint16()
	if !r.cut && count == 0 {
		return broken("it has no data key")
	}
	for range count {
		provider, info, wrapped := r.field(), r.field(), r.field()
		if r.cut {
			return ErrCut
		}
		h.Keys = append(h.Keys, DataKey{string(provider), string(info), wrapped})
	}
	if r.cut {
		return ErrCut
	}
	return nil
}

func (h *Header) readEnd(r *reader) error {
	h.ContentType = r.byte()
	if h.Version == 1 {
		reserved, iv := r.uint32(), r.byte()
		if !r.cut && (reserved != 0 || iv != 12) {
			return broken("its reserved bytes or the length of its IV are none of version 1")
		}
	}
	h.FrameLength = r.uint32()
	if h.Version == 1 {
		h.Data = r.take(12)
	} else {
		h.Data = r.take(32)
	}
	h.Tag = r.take(tagLength)
	switch {
	case r.cut:
		return ErrCut
	case h.ContentType != 1 && h.ContentType != 2:
		return broken("its content type is neither 1 nor 2")
	case h.ContentType == 1 && h.FrameLength != 0, h.ContentType == 2 && h.FrameLength == 0:
		return broken("its frame length does not fit its content type")
	}
	return nil
}

// Append appends the header's bytes to b: those that it was read from.
func (h *Header) Append(b []byte) []byte {
	field := func(b, f []byte) []byte { return append(binary.BigEndian.AppendUint16(b, uint16(len(f))), f...) }
	b = append(b, h.Version)
	if h.Version == 1 {
		b = append(b, 0x80)
	}
	b = binary.BigEndian.AppendUint16(b, h.Suite)
	b = append(b, h.ID...)
	var context []byte
	if len(h.Context) > 0 || h.empty {
		context = binary.BigEndian.AppendUint16(nil, uint16(len(h.Context)))
	}
	for _, p := range h.Context {
		context = field(field(context, p.Name), p.Value)
	}
	b = field(b, context)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.Keys)))
	for _, k := range h.Keys {
		b = field(field(field(b, []byte(k.Provider)), []byte(k.Info)), k.Wrapped)
	}
	b = append(b, h.ContentType)
	if h.Version == 1 {
		b = append(b, 0, 0, 0, 0, 12)
	}
	b = binary.BigEndian.AppendUint32(b, h.FrameLength)
	return append(append(b, h.Data...), h.Tag...)
}

// Committed reports whether the message commits to its data key, as all of
// version 2 do.
func (h *Header) Committed() bool { return h.Version == 2 }

// Under returns the ARNs of the KMS keys under which the message's data key is
// wrapped and that are key, or a relative of key in another Region if key is a
// multi-Region key: related keys have the same material.
func (h *Header) Under(key string) []string {
	var all []string
	for _, k := range h.Keys {
		if k.Provider == KMSProvider && SameKey(k.Info, key) {
			all = append(all, k.Info)
		}
	}
	return all
}

// SameKey reports whether two ARNs name the same KMS key, or related
// multi-Region keys, which share their key id (mrk-…) and material.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
func SameKey(a, b string) bool {
	if a == b {
		return true
	}
	x, y := strings.SplitN(a, ":", 6), strings.SplitN(b, ":", 6)
	if len(x) != 6 || len(y) != 6 || !strings.HasPrefix(x[5], "key/mrk-") {
		return false
	}
	x[3], y[3] = "", ""
	return slices.Equal(x, y)
}

// Others returns the data keys that are not wrapped under key.
func (h *Header) Others(key string) []DataKey {
	return slices.DeleteFunc(slices.Clone(h.Keys), func(k DataKey) bool {
		return k.Provider == KMSProvider && SameKey(k.Info, key)
	})
}
