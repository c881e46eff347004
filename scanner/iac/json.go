package iac

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// maxDepth bounds how deep values may nest in each other.
const maxDepth = 200

// maxValues bounds how many values a text in JSON may have, of which each takes
// some 200 bytes.
const maxValues = 1 << 19

var errDeep = errors.New("it nests too deep")

// parseJSON reads a text in JSON. at maps offsets of data to offsets of the
// file.
func parseJSON(data []byte, at func(int) int) (*value, error) {
	p := jsonParser{data: data, at: at, decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.Token(); err != io.EOF {
		return nil, errors.New("it goes on behind its end")
	}
	return v, nil
}

type jsonParser struct {
	values  int
	data    []byte
	at      func(int) int
	decoder *json.Decoder
}

// start returns where the next token begins.
func (p *jsonParser) start() int {
	i := int(p.decoder.InputOffset())
	for i < len(p.data) && strings.IndexByte(" \t\r\n,:", p.data[i]) >= 0 {
		i++
	}
	return i
}

// span returns the range of the file from start to what was read.
func (p *jsonParser) span(start int) span {
	end := int(p.decoder.InputOffset())
	if end <= start {
		return span{p.at(start), p.at(start)}
	}
	// The last byte is mapped, not the one behind it, which may be elsewhere.
	s := span{p.at(start), p.at(end-1) + 1}
	return span{s.start, max(s.start, s.end)}
}

func (p *jsonParser) value(depth int) (*value, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	if p.values++; p.values > maxValues {
		return nil, errors.New("it is too long")
	}
	start := p.start()
	token, err := p.decoder.Token()
	if err != nil {
		return nil, err
	}
	v := &value{}
	switch t := token.(type) {
	case nil:
		v.kind = null
	case bool:
		v.kind, v.b = boolean, t
	case json.Number:
		v.kind, v.s = number, t.String()
		if v.n, err = t.Float64(); err != nil {
			v.kind = text // too large for a number, and for any setting
		}
	case string:
		v.kind, v.s, v.partial = text, t, strings.Contains(t, hole)
	case json.Delim:
		if t == '[' {
			err = p.list(v, depth)
		} else {
			err = p.object(v, depth)
		}
		if err != nil {
			return nil, err
		}
	}
	v.span = p.span(start)
	// Only what is written without escapes can be found again byte for byte.
	if n := int(p.decoder.InputOffset()) - start; v.kind == text && n == len(v.s)+2 {
		v.pieces = []piece{{0, p.at(start) + 1, len(v.s)}}
	}
	return v, nil
}

func (p *jsonParser) list(v *value, depth int) error {
	v.kind = list
	for p.decoder.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.list = append(v.list, item)
	}
	_, err := p.decoder.Token()
	return err
}

func (p *jsonParser) object(v *value, depth int) error {
	v.kind = object
	for p.decoder.More() {
		start := p.start()
		token, err := p.decoder.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return errors.New("a key is no string")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.fields = append(v.fields, member{key, p.span(start), item})
	}
	_, err := p.decoder.Token()
	return err
}
