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

// An incident lies in its table as JSON. Earlier versions of this program stored it
// compressed, which the table does now, or in the beginning as it is.

// packed is the first byte of what an earlier version compressed; JSON begins with
// a brace.
const packed = 1

// maxIncident bounds what such an entry may hold, in bytes of JSON.
const maxIncident = 64 << 20

// unpackers and texts are used again: a new reader takes forty times what it
// unpacks. No text is kept that is larger than maxText.
var (
	unpackers = sync.Pool{New: func() any { return flate.NewReader(nil) }}
	texts     = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

const maxText = 1 << 20

// unpack reads a stored incident, which keeps nothing of it.
func unpack(stored []byte) (*Incident, error) {
	text := stored
	switch {
	case len(stored) == 0:
		return nil, errors.New("the entry is empty")
	case stored[0] == packed:
		r, b := unpackers.Get().(io.Reader), texts.Get().(*bytes.Buffer)
		defer func() {
			unpackers.Put(r)
			if b.Cap() <= maxText {
				texts.Put(b)
			}
		}()
		b.Reset()
		err := r.(flate.Resetter).Reset(bytes.NewReader(stored[1:]), nil)
		if err == nil {
			_, err = b.ReadFrom(io.LimitReader(r, maxIncident+1))
		}
		if err != nil {
			return nil, fmt.Errorf("unpacking the entry: %w", err)
		}
		text = b.Bytes()
		if len(text) > maxIncident {
			return nil, fmt.Errorf("the entry holds over %d MiB", maxIncident>>20)
		}
	}
	i := new(Incident)
	return i, json.Unmarshal(text, i)
}
