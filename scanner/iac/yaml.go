package iac

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds how many values a YAML file may have once its aliases are
// followed: a few lines of aliases to aliases stand for billions.
const maxNodes = 1 << 18

// parseYAML reads the documents of a YAML file.
func parseYAML(data []byte) ([]*value, error) {
	p := yamlParser{data: data, lines: lineStarts(data)}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var all []*value
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		v, err := p.value(&doc, len(data), 0)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

// lineStarts returns where the lines of data begin. YAML 1.1 knows more line
// breaks than \n (https://yaml.org/spec/1.1/#b-break), and the reader counts
// them all.
func lineStarts(data []byte) []int {
	starts := []int{0}
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n', c == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
			starts = append(starts, i+1)
		case c == 0xC2 && bytes.HasPrefix(data[i:], []byte("\u0085")):
			starts = append(starts, i+2)
		case c == 0xE2 && (bytes.HasPrefix(data[i:], []byte("\u2028")) || bytes.HasPrefix(data[i:], []byte("\u2029"))):
			starts = append(starts, i+3)
		}
	}
	return starts
}

type yamlParser struct {
	data  []byte
	lines []int
	nodes int
}

// offset returns where n begins in the file.
func (p *yamlParser) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(p.lines) {
		return 0
	}
	at := p.lines[n.Line-1]
	for range n.Column - 1 {
		if at >= len(p.data) {
			break
		}
		_, size := utf8.DecodeRune(p.data[at:])
		at += size
	}
	return min(at, len(p.data))
}

// value converts n, which ends before end. The reader does not say where a
// node ends; it ends where the next one begins, and what is blank before that,
// or a comment, does not belong to it.
func (p *yamlParser) value(n *yaml.Node, end, depth int) (*value, error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, errors.New("its aliases stand for too much")
	}
	if depth > maxDepth {
		return nil, errDeep
	}
	start := p.offset(n)
	v := &value{span: span{start, max(start, p.trim(start, end))}}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return &value{kind: null}, nil
		}
		return p.value(n.Content[0], end, depth+1)
	case yaml.AliasNode:
		target, err := p.value(n.Alias, len(p.data), depth+1)
		if err != nil {
			return nil, err
		}
		seen := *target
		seen.span = v.span // where it is used is where it counts
		return &seen, nil
	case yaml.ScalarNode:
		p.scalar(v, n)
	case yaml.SequenceNode:
		v.kind = list
		for i, c := range n.Content {
			item, err := p.value(c, p.next(n, i+1, end), depth+1)
			if err != nil {
				return nil, err
			}
			v.list = append(v.list, item)
		}
	case yaml.MappingNode:
		if err := p.mapping(v, n, end, depth); err != nil {
			return nil, err
		}
	}
	return intrinsic(v, n.Tag), nil
}

// mapping reads the members of n into v.
func (p *yamlParser) mapping(v *value, n *yaml.Node, end, depth int) error {
	v.kind = object
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		until := p.next(n, i+2, end)
		item, err := p.value(n.Content[i+1], until, depth+1)
		if err != nil {
			return err
		}
		if key.Tag == "!!merge" {
			for _, from := range item.items() {
				v.fields = append(append([]member(nil), from.fields...), v.fields...) // what is written here goes first
			}
			continue
		}
		at := p.offset(key)
		v.fields = append(v.fields, member{key.Value, span{at, max(at, p.trim(at, until))}, item})
	}
	return nil
}

// next returns where the i-th content of n begins, or end.
func (p *yamlParser) next(n *yaml.Node, i, end int) int {
	if i < len(n.Content) {
		return p.offset(n.Content[i])
	}
	return end
}

// trim returns where the text from start to end ends without the blank lines,
// whole-line comments and marks of a next element behind it.
func (p *yamlParser) trim(start, end int) int {
	s := p.data[min(start, end):end]
	for {
		s = bytes.TrimRight(s, " \t\r\n,-?")
		i := bytes.LastIndexByte(s, '\n') + 1
		if line := bytes.TrimLeft(s[i:], " \t"); i == 0 || len(line) == 0 || line[0] != '#' {
			return min(start, end) + len(s)
		}
		s = s[:i]
	}
}

// scalar reads n into v.
func (p *yamlParser) scalar(v *value, n *yaml.Node) {
	v.kind, v.s = text, n.Value
	v.partial = strings.Contains(n.Value, hole)
	if bytes.HasPrefix(p.data[v.span.start:], []byte(n.Value)) { // written as it is
		v.pieces = []piece{{0, v.span.start, len(n.Value)}}
	} else if at := v.span.start + 1; n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 &&
		at <= len(p.data) && bytes.HasPrefix(p.data[at:], []byte(n.Value)) {
		v.pieces = []piece{{0, at, len(n.Value)}}
	} else if n.Style&yaml.LiteralStyle != 0 {
		if i := bytes.IndexByte(p.data[v.span.start:v.span.end], '\n'); i >= 0 {
			v.pieces = align(n.Value, string(p.data[v.span.start+i+1:v.span.end]), v.span.start+i+1)
		}
	}
	if n.Style&^yaml.TaggedStyle != 0 {
		return // quoted, or a block: a text
	}
	switch n.ShortTag() {
	case "!!null":
		v.kind = null
		return
	case "!!int", "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			v.kind, v.n = number, f
		}
		return
	}
	// CloudFormation reads YAML 1.1, in which these are truth values:
	// https://yaml.org/type/bool.html.
	switch strings.ToLower(n.Value) {
	case "true", "yes", "on":
		v.kind, v.b = boolean, true
	case "false", "no", "off":
		v.kind = boolean
	}
}

// intrinsic returns v as the argument of the function that its tag is the short
// form of, such as !Sub
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html).
func intrinsic(v *value, tag string) *value {
	name, ok := strings.CutPrefix(tag, "!")
	if !ok || name == "" || strings.HasPrefix(name, "!") {
		return v
	}
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	return &value{kind: object, span: v.span, fields: []member{{name, v.span, v}}}
}
