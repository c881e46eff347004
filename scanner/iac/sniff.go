package iac

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"sync"
)

// A language is how a file is written.
type language uint8

const (
	noLanguage language = iota
	hclLanguage
	jsonLanguage
	yamlLanguage
	markup // JSON or YAML: the content tells
	guess  // nothing is known of the file but its content
)

// byPath returns the language that the name of a file promises. A blob of a
// history has no name yet.
func byPath(name string) language {
	base := path.Base(name)
	switch strings.ToLower(path.Ext(base)) {
	case ".tf", ".tofu":
		return hclLanguage
	case ".json":
		return jsonLanguage
	case ".yaml", ".yml":
		return yamlLanguage
	case ".template", ".cfn":
		return markup
	}
	if name == "" || name == "-" {
		return guess
	}
	return noLanguage
}

// byContent settles what byPath could not.
func byContent(l language, data []byte) language {
	first := firstLine(data)
	switch {
	case l == markup && bytes.HasPrefix(first, []byte("{")):
		return jsonLanguage
	case l == markup:
		return yamlLanguage
	case l != guess:
		return l
	case bytes.HasPrefix(first, []byte("{")):
		return jsonLanguage
	case topLevel(first):
		return hclLanguage
	case bytes.HasPrefix(data, []byte("Resources:")) || bytes.Contains(data, []byte("\nResources:")):
		return yamlLanguage
	}
	return noLanguage
}

// firstLine returns the first line that is no comment of HCL or YAML, without
// the blanks before it.
func firstLine(data []byte) []byte {
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, []byte("/*")):
			_, rest, _ = bytes.Cut(data, []byte("*/"))
		case len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte("//")):
			return line
		}
		data = rest
	}
	return nil
}

// topLevel reports whether a line begins a block of Terraform's language.
func topLevel(line []byte) bool {
	word := line
	if i := bytes.IndexAny(line, " \t{\""); i >= 0 {
		word = line[:i]
	}
	switch string(word) {
	case "resource", "data", "variable", "locals", "module", "provider", "terraform", "output", "moved", "import", "removed", "check":
		return bytes.IndexByte(line, '{') >= 0
	}
	return false
}

// begins are what the names of the resources begin with, of which a file must
// hold one to be parsed. Eleven bytes of each are certain, and eleven bytes hold
// one of the four-byte words that begin at every eighth byte of a file. So one
// word in two is looked at, and that as a bit in a table: eight bytes of a file
// cost about two nanoseconds, and a history has gigabytes of them.
type begins [5]string

func declarations() begins {
	return begins{"aws_kms_key", "aws_kms_ext", "aws_kms_rep", "AWS::KMS::K", "AWS::KMS::R"}
}

const stride = 8

// A wordTable is the set of those four-byte words: a bit for the upper twelve
// bits of the product of each, and the words themselves.
type wordTable struct {
	bits [64]uint64
	all  [len(begins{}) * stride]uint32
}

// hashFactor spreads words over the table (2^32 divided by the golden ratio).
const hashFactor = 2654435769

// words is made on first use: nothing is paid by who scans nothing.
var words = sync.OnceValue(func() *wordTable {
	var t wordTable
	for n, b := range declarations() {
		for i := range stride {
			w := binary.LittleEndian.Uint32([]byte(b[i:]))
			h := w * hashFactor >> 20
			t.bits[h>>6] |= 1 << (h & 63)
			t.all[n*stride+i] = w
		}
	}
	return &t
})

// mentions reports whether data may declare something of KMS.
func mentions(data []byte) bool {
	t := words()
	i := 0
	for ; i+4*stride <= len(data); i += 4 * stride {
		d := data[i : i+4*stride : i+4*stride]
		a := binary.LittleEndian.Uint32(d[0:]) * hashFactor >> 20
		b := binary.LittleEndian.Uint32(d[8:]) * hashFactor >> 20
		c := binary.LittleEndian.Uint32(d[16:]) * hashFactor >> 20
		e := binary.LittleEndian.Uint32(d[24:]) * hashFactor >> 20
		hit := t.bits[a>>6]>>(a&63) | t.bits[b>>6]>>(b&63) | t.bits[c>>6]>>(c&63) | t.bits[e>>6]>>(e&63)
		if hit&1 == 0 {
			continue
		}
		for k := i; k < i+4*stride; k += stride {
			h := binary.LittleEndian.Uint32(data[k:]) * hashFactor >> 20
			if t.bits[h>>6]>>(h&63)&1 != 0 && t.declares(data, k) {
				return true
			}
		}
	}
	return declares(data[max(0, i-2*stride):])
}

// declares reports whether the word at offset k is one in a declaration.
func (t *wordTable) declares(data []byte, k int) bool {
	w := binary.LittleEndian.Uint32(data[k:])
	for n, word := range t.all {
		if word != w {
			continue
		}
		start := k - n%stride
		if b := declarations()[n/stride]; start >= 0 && len(data)-start >= len(b) && string(data[start:start+len(b)]) == b {
			return true
		}
	}
	return false
}

// declares is mentions, said plainly.
func declares(data []byte) bool {
	for _, b := range declarations() {
		if bytes.Contains(data, []byte(b)) {
			return true
		}
	}
	return false
}

// lines counts the line breaks in data.
func lines(data []byte) int { return bytes.Count(data, []byte{'\n'}) }
