package incident

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// An incident lies in its bucket as compressed JSON: what AWS says of a key is
// long and repeats itself, and JetStream holds a whole bucket in memory for a
// while after a crash. Compressed it takes a fifth. Entries of earlier versions
// of this program are plain JSON, which begins with a brace.

// packed is the first byte of a compressed entry.
const packed = 1

// maxIncident bounds what an entry may hold, in bytes of JSON.
const maxIncident = 64 << 20

var packers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // an error only for another level
	return w
}}

// An unpacker is used again: a new one takes forty times what it unpacks.
type unpacker interface {
	io.Reader
	flate.Resetter
}

var unpackers = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// texts are buffers for the JSON of one incident, none larger than maxText: all
// incidents are read to list them, and of each only a few values are kept.
var texts = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxText = 1 << 20

// pack returns the incident as it is stored.
func pack(i *Incident) ([]byte, error) {
	text, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte(packed)
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unpack reads a stored incident.
func unpack(stored []byte) (*Incident, error) {
	text := stored
	switch {
	case len(stored) == 0:
		return nil, errors.New("the entry is empty")
	case stored[0] == packed:
		r := unpackers.Get().(unpacker)
		defer unpackers.Put(r)
		b := texts.Get().(*bytes.Buffer)
		defer func() {
			if b.Cap() <= maxText {
				texts.Put(b)
			}
		}()
		b.Reset()
		err := r.Reset(bytes.NewReader(stored[1:]), nil)
		if err == nil {
			_, err = b.ReadFrom(io.LimitReader(r, maxIncident+1))
		}
		if err != nil {
			return nil, fmt.Errorf("unpacking the entry: %w", err)
		}
		text = b.Bytes() // of which the incident gets copies
		if len(text) > maxIncident {
			return nil, fmt.Errorf("the entry holds over %d MiB", maxIncident>>20)
		}
	}
	i := new(Incident)
	return i, json.Unmarshal(text, i)
}
