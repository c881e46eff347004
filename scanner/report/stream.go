package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A report of a history may have a thousand places for each of a thousand
// secrets. So the formats that are one JSON document are written item by item,
// and no more than one is in memory as text.

// A jsonList is a list in a document that is written item by item.
type jsonList struct {
	key   string
	depth int // how many objects and lists of the document it is in
	n     int
	item  func(i int) any
}

// writeJSONLists writes v as writeJSON does, with these lists, which are empty in
// v, in the order in which they come there.
func writeJSONLists(w io.Writer, v any, indent string, lists ...jsonList) error {
	text, err := encodeJSON(v, "", indent)
	if err != nil {
		return err
	}
	for _, l := range lists {
		margin := "\n" + strings.Repeat(indent, l.depth)
		// No string has a line break in it, so this is the list and nothing else.
		key := []byte(margin + `"` + l.key + `": []`)
		at := bytes.Index(text, key)
		if at < 0 {
			return fmt.Errorf("the report has no empty list %q", l.key)
		}
		at += len(key) - len("]")
		if _, err := w.Write(text[:at]); err != nil {
			return err
		}
		text = text[at:]
		if err := l.write(w, margin, indent); err != nil {
			return err
		}
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// write writes what stands between the brackets.
func (l *jsonList) write(w io.Writer, margin, indent string) error {
	for i := range l.n {
		item, err := encodeJSON(l.item(i), margin[1:]+indent, indent)
		if err != nil {
			return err
		}
		separator := ","
		if i == 0 {
			separator = ""
		}
		if _, err := io.WriteString(w, separator+margin+indent); err != nil {
			return err
		}
		if _, err := w.Write(item); err != nil {
			return err
		}
	}
	if l.n == 0 {
		return nil
	}
	_, err := io.WriteString(w, margin)
	return err
}

// writeJSON writes v and a line break.
func writeJSON(w io.Writer, v any, indent string) error {
	text, err := encodeJSON(v, "", indent)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// encodeJSON returns the text of v, in which nothing needs escaping for a
// terminal (see escapeJSON). All its lines but the first begin with margin.
func encodeJSON(v any, margin, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(margin, indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return escapeJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}
