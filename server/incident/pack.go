package incident

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An incident lies in its table as JSON. Earlier versions of this program stored it
// compressed, which the table does now, or in the beginning as it is.

// packed is the first byte of what an earlier version compressed; JSON begins with
// a brace.
const packed = 1

// maxIncident bounds what such an entry may hold, in bytes of JSON.
const maxIncident = 64 << 20

// unpack reads a stored incident.
func unpack(stored []byte) (*Incident, error) {
	text := stored
	switch {
	case len(stored) == 0:
		return nil, errors.New("the entry is empty")
	case stored[0] == packed:
		var err error
		text, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(stored[1:])), maxIncident+1))
		if err != nil {
			return nil, fmt.Errorf("unpacking the entry: %w", err)
		}
		if len(text) > maxIncident {
			return nil, fmt.Errorf("the entry holds over %d MiB", maxIncident>>20)
		}
	}
	i := new(Incident)
	return i, json.Unmarshal(text, i)
}
