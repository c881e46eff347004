package iac

import (
	"strconv"
	"strings"
)

// A span is a range of bytes in the file.
type span struct{ start, end int }

// A kind says what a value is.
type kind uint8

const (
	unknown kind = iota // cannot be told from this file alone
	null                // written down as not set
	boolean
	number
	text
	list
	object
)

// A value is what an expression of any of the languages comes to, as far as
// this file tells. Values are shared, never changed once made.
type value struct {
	kind kind
	span span // where it is written; of a default, the default
	b    bool
	n    float64
	s    string // of a text; of a number, as it was written
	// partial says that parts are not known: characters of a text (where
	// hole stands), members of a list or an object.
	partial bool
	// document marks an object as the block of a policy document of Terraform,
	// which has other keys than a policy in JSON.
	document bool
	list     []*value
	fields   []member
	// via names the variable, local value or parameter whose default this is.
	via string
	// why names what an unknown value depends on.
	why string
	// named says that an unknown value is an attribute of some resource: it names
	// one thing and never stands for all.
	named bool
	// pieces say where the characters of a text stand in the file.
	pieces []piece
}

// A member is one entry of an object.
type member struct {
	key  string
	span span // key and value
	v    *value
}

// A piece says that n bytes of a text from offset at stand in the file from
// offset src.
type piece struct{ at, src, n int }

// hole stands in a text for characters that are not known: U+FFFC, the object
// replacement character. See joiner.add for what two of them are.
const hole = "\uFFFC"

// References to references grow without end: maxText bounds in bytes one text
// that is put together from others, maxItems a list, and maxBuilt, in bytes, all
// the texts of a file.
const (
	maxText  = 1 << 20
	maxItems = 10_000
	maxBuilt = 16 << 20
)

// depends returns an unknown value.
func depends(at span, why string) *value {
	return &value{span: at, why: short(why)}
}

// short returns s for people: cut to maxName bytes, and with dots for holes.
func short(s string) string {
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "") + "…"
	}
	return strings.ReplaceAll(s, hole, "…")
}

// get returns the member of that name, or nil. Of several the last one counts.
func (v *value) get(key string) *value {
	if m := v.member(key); m != nil {
		return m.v
	}
	return nil
}

func (v *value) member(key string) *member {
	if v == nil || v.kind != object {
		return nil
	}
	for i := len(v.fields) - 1; i >= 0; i-- {
		if v.fields[i].key == key {
			return &v.fields[i]
		}
	}
	return nil
}

// fold is get for keys whose case does not matter.
func (v *value) fold(key string) *value {
	if v == nil || v.kind != object {
		return nil
	}
	for i := len(v.fields) - 1; i >= 0; i-- {
		if strings.EqualFold(v.fields[i].key, key) {
			return v.fields[i].v
		}
	}
	return nil
}

// known reports whether v and all of it is known, which a value that is not
// set is not.
func (v *value) known() bool {
	return v != nil && v.kind != unknown && !v.partial
}

// bool returns what v says where a truth value is expected; both Terraform and
// CloudFormation take the words in quotes too.
func (v *value) bool() (is, ok bool) {
	switch {
	case v == nil:
	case v.kind == boolean:
		return v.b, true
	case v.kind == text && !v.partial:
		switch strings.ToLower(v.s) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

// number returns what v says where a number is expected.
func (v *value) number() (n float64, ok bool) {
	switch {
	case v == nil:
	case v.kind == number:
		return v.n, true
	case v.kind == text && !v.partial:
		n, err := strconv.ParseFloat(strings.TrimSpace(v.s), 64)
		return n, err == nil
	}
	return 0, false
}

// text returns what v says where a text is expected, with holes.
func (v *value) text() (s string, ok bool) {
	switch {
	case v == nil:
	case v.kind == text, v.kind == number:
		return v.s, true
	case v.kind == boolean:
		return strconv.FormatBool(v.b), true
	}
	return "", false
}

// items returns v as a list: one value stands for a list of one.
func (v *value) items() []*value {
	switch {
	case v == nil || v.kind == null:
		return nil
	case v.kind == list:
		return v.list
	}
	return []*value{v}
}

// equal reports whether a and b are known to be the same. budget bounds how
// many values are looked at: they may share parts without end.
func equal(a, b *value, budget *int) bool {
	*budget--
	if *budget < 0 || !a.known() || !b.known() {
		return false
	}
	if a.kind == list && b.kind == list && len(a.list) == len(b.list) {
		for i := range a.list {
			if !equal(a.list[i], b.list[i], budget) {
				return false
			}
		}
		return true
	}
	if a.kind == object || b.kind == object || a.kind == list || b.kind == list {
		return false
	}
	if a.kind == null || b.kind == null {
		return a.kind == b.kind
	}
	x, _ := a.text()
	y, _ := b.text()
	return x == y
}

// referred returns v as it is seen through a reference.
func (v *value) referred(via string) *value {
	seen := *v
	if seen.via == "" {
		seen.via = via
	}
	return &seen
}

// at returns where offset i of the text v stands in the file: of what was put
// in from elsewhere, where v stands.
func (v *value) at(i int) int {
	for _, p := range v.pieces {
		if i >= p.at && i < p.at+p.n {
			return p.src + i - p.at
		}
	}
	return v.span.start
}

// align returns where the lines of a text stand in source, which begins at offset
// from of the file: in heredocs and blocks each line may have lost its
// indentation. A line that was changed otherwise stands nowhere.
func align(s, source string, from int) []piece {
	var all []piece
	for at := 0; at < len(s) && source != ""; {
		line, _, _ := strings.Cut(s[at:], "\n")
		written, rest, _ := strings.Cut(source, "\n")
		if strings.HasSuffix(written, line) {
			all = append(all, piece{at, from + len(written) - len(line), len(line) + 1})
		}
		at += len(line) + 1
		from += len(source) - len(rest)
		source = rest
	}
	return all
}

// A joiner puts a text together. built counts the bytes of all joiners of a file.
type joiner struct {
	built   *int
	b       strings.Builder
	pieces  []piece
	partial bool
	via     string
}

// add appends a value, or a hole for what is not known.
func (j *joiner) add(v *value) {
	s, ok := v.text()
	if !ok {
		j.partial = true
		s = hole
		if v != nil && v.named {
			s += hole // more than one character, and so not "*"
		}
	}
	if *j.built += len(s); j.b.Len()+len(s) > maxText || *j.built > maxBuilt {
		j.partial = true
		return
	}
	if v != nil && v.kind == text {
		j.partial = j.partial || v.partial
		for _, p := range v.pieces {
			j.pieces = append(j.pieces, piece{j.b.Len() + p.at, p.src, p.n})
		}
	}
	if v != nil && j.via == "" {
		j.via = v.via
	}
	j.b.WriteString(s)
}

// value returns what was put together.
func (j *joiner) value(at span) *value {
	return &value{kind: text, span: at, s: j.b.String(), partial: j.partial, pieces: j.pieces, via: j.via}
}
