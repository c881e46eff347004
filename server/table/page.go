package table

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// A page is the records of one entry, in the order of their keys. As it is stored:
//
//	version (1 byte), then compressed (RFC 1951) of each record
//	length of the key, key, time in nanoseconds (varint), length of the value, value
//
// The lengths are unsigned varints. It is compressed as a whole since records
// resemble each other: of ten incidents it leaves a twentieth, of one a fifth.
type page []Record

const version = 1

// maxPage bounds what a stored page may hold, in bytes.
const maxPage = 256 << 20

var errDamaged = errors.New("the page is damaged")

// search returns where the key is, or would be.
func (p page) search(key string) (int, bool) {
	return slices.BinarySearchFunc(p, key, func(r Record, key string) int { return strings.Compare(r.Key, key) })
}

// encode returns the page as it is stored.
func (p page) encode() []byte {
	return compress(p.format())
}

func (p page) format() []byte {
	size := 0
	for i := range p {
		size += len(p[i].Key) + len(p[i].Value) + 2*binary.MaxVarintLen32 + binary.MaxVarintLen64
	}
	b := make([]byte, 0, size)
	for i := range p {
		b = binary.AppendUvarint(b, uint64(len(p[i].Key)))
		b = append(b, p[i].Key...)
		b = binary.AppendVarint(b, p[i].At.UnixNano())
		b = binary.AppendUvarint(b, uint64(len(p[i].Value)))
		b = append(b, p[i].Value...)
	}
	return b
}

// Both are used again: a new one takes many times what a page has.
var (
	writers = sync.Pool{New: func() any {
		w, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // an error only for another level
		return w
	}}
	readers = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func compress(b []byte) []byte {
	var out bytes.Buffer
	out.WriteByte(version)
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	w.Reset(&out)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// decompress returns what a stored page holds, in the buffer.
func decompress(stored []byte, out *bytes.Buffer) ([]byte, error) {
	if len(stored) == 0 || stored[0] != version {
		return nil, fmt.Errorf("%w: it does not begin with the version %d", errDamaged, version)
	}
	r := readers.Get().(io.Reader)
	defer readers.Put(r)
	rest := bytes.NewReader(stored[1:])
	err := r.(flate.Resetter).Reset(rest, nil)
	out.Reset()
	if err == nil {
		_, err = out.ReadFrom(io.LimitReader(r, maxPage+1))
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	case out.Len() > maxPage:
		return nil, fmt.Errorf("%w: it holds over %d MiB", errDamaged, maxPage>>20)
	case rest.Len() > 0:
		return nil, fmt.Errorf("%w: something follows its end", errDamaged)
	}
	return out.Bytes(), nil
}

// decode reads a stored page by way of the buffer, of which the records' values are
// parts.
func decode(stored []byte, text *bytes.Buffer) (page, error) {
	b, err := decompress(stored, text)
	if err != nil {
		return nil, err
	}
	return parse(b)
}

// parse reads records. Their values are parts of b.
func parse(b []byte) (page, error) {
	var p page
	for len(b) > 0 {
		key, rest, err := field(b)
		if err != nil {
			return nil, err
		}
		at, n := binary.Varint(rest)
		if n <= 0 {
			return nil, fmt.Errorf("%w: a time is cut off", errDamaged)
		}
		var value []byte
		if value, b, err = field(rest[n:]); err != nil {
			return nil, err
		}
		r := Record{Key: string(key), Value: value, At: time.Unix(0, at).UTC()}
		if len(p) > 0 && p[len(p)-1].Key >= r.Key {
			return nil, fmt.Errorf("%w: its keys are out of order", errDamaged)
		}
		p = append(p, r)
	}
	return p, nil
}

// field returns what stands at the beginning of b after its length, and the rest.
func field(b []byte) (value, rest []byte, err error) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, fmt.Errorf("%w: it is cut off", errDamaged)
	}
	b = b[width:]
	return b[:n:n], b[n:], nil
}
