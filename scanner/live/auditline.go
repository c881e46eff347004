package live

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// auditLine is a line of the audit log. Hash is the SHA-256 of the line without it.
type auditLine struct {
	N    int             `json:"n"` // from 1
	Prev string          `json:"prev"`
	Body json.RawMessage `json:"body"`
	Hash string          `json:"hash"`
}

func (l *auditLine) sum() string {
	head := make([]byte, 0, 128)
	head = append(head, "spillgate audit 1\n"...)
	head = strconv.AppendInt(head, int64(l.N), 10)
	head = append(append(append(head, '\n'), l.Prev...), '\n')
	h := sha256.New()
	h.Write(head)
	h.Write(l.Body)
	return hex.EncodeToString(h.Sum(head[:0]))
}

var errNoLine = errors.New("no line of an audit log")

// decoded reads a line, however its JSON is written.
func decoded(text []byte) (*auditLine, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var line auditLine
	if err := d.Decode(&line); err != nil || d.More() {
		return nil, errNoLine
	}
	return &line, nil
}

// What stands around the values of a line as Write writes it.
var (
	beforeN    = []byte(`{"n":`)
	beforePrev = []byte(`,"prev":"`)
	beforeBody = []byte(`","body":`)
	beforeHash = []byte(`,"hash":"`)
	afterHash  = []byte(`"}`)
)

// framed reads a line as Write writes it, and leaves every other to decoded: each
// response is checked against the whole log, which has three lines for each one
// before it. The line's body is part of text.
func framed(text []byte) (*auditLine, error) {
	rest, begins := bytes.CutPrefix(text, beforeN)
	number, rest, _ := bytes.Cut(rest, beforePrev)
	prev, rest, _ := bytes.Cut(rest, beforeBody)
	end := len(rest) - len(beforeHash) - hex.EncodedLen(sha256.Size) - len(afterHash)
	if end < len("{}") {
		return nil, errNoLine
	}
	body, rest := rest[:end], rest[end:]
	hash, before := bytes.CutPrefix(rest, beforeHash)
	hash, after := bytes.CutSuffix(hash, afterHash)
	n, err := strconv.Atoi(string(number))
	switch {
	case err != nil || strconv.Itoa(n) != string(number),
		!begins || !before || !after || !isHex(prev) || !isHex(hash),
		body[0] != '{' || body[len(body)-1] != '}' || !json.Valid(body):
		return nil, errNoLine
	}
	return &auditLine{N: n, Prev: string(prev), Body: body, Hash: string(hash)}, nil
}

// isHex reports whether the text consists of hexadecimal digits.
func isHex(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// A chain is an audit log that is being read: each line follows the one before it,
// and one is what the head says it is.
type chain struct {
	path  string
	head  *auditHead // nil if there is none
	count int
	last  string // hash of the last line
}

// take is that of owner.
func (c *chain) take(n int, _ int64, text []byte) error {
	line, err := auditNext(text, c.count, c.last)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", c.path, n, err)
	}
	c.count, c.last = line.N, line.Hash
	if c.head != nil && c.head.Count == line.N && c.head.Hash != line.Hash {
		return fmt.Errorf("%s:%d: the head names another line; the log was written anew", c.path, line.N)
	}
	return nil
}

// state is that of owner: what a head would say.
func (c *chain) state() []byte {
	text, err := json.Marshal(auditHead{c.count, c.last})
	if err != nil {
		return nil // never: a number and a text
	}
	return text
}

// restore is that of owner. Where the head names a line before the mark, it takes
// reading the lines to hold them against it.
func (c *chain) restore(state []byte, _ io.ReaderAt) bool {
	var at auditHead
	if json.Unmarshal(state, &at) != nil || at.Count <= 0 || c.head == nil || c.head.Count < at.Count ||
		c.head.Count == at.Count && c.head.Hash != at.Hash {
		return false
	}
	c.count, c.last = at.Count, at.Hash
	return true
}
