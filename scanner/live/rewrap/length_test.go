package rewrap_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// framed is a message with full frames, a last one of n bytes, and a footer if
// its suite signs.
func framed(suite uint16, full, n int) []byte {
	b := esdk(2, suite, pairs, edk{"aws-kms", oldKey})
	_, head, err := rewrap.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	b = b[:head:head]
	number := uint32(1)
	for range full {
		b = binary.BigEndian.AppendUint32(b, number)
		b = append(b, strings.Repeat("\x44", 12+4096+16)...)
		number++
	}
	b = binary.BigEndian.AppendUint32(append(b, 0xff, 0xff, 0xff, 0xff), number)
	b = binary.BigEndian.AppendUint32(append(b, strings.Repeat("\x45", 12)...), uint32(n))
	b = append(b, strings.Repeat("\x46", n+16)...)
	if suite == 0x0578 {
		b = append(b, "\x00\x03sig"...)
	}
	return b
}

func TestLength(t *testing.T) {
	for name, m := range map[string][]byte{
		"signed": framed(0x0578, 2, 100), "unsigned": framed(0x0478, 2, 100), "one frame": framed(0x0478, 0, 4096), "an empty one": framed(0x0578, 1, 0),
	} {
		if n, err := rewrap.Length(append(m[:len(m):len(m)], "what follows"...)); err != nil || n != len(m) {
			t.Errorf("%s: %d of %d, %v", name, n, len(m), err)
		}
		for _, cut := range []int{1, 17, 40} {
			if _, err := rewrap.Length(m[:len(m)-cut]); !errors.Is(err, rewrap.ErrCut) {
				t.Errorf("%s without %d bytes: %v", name, cut, err)
			}
		}
	}
	if _, err := rewrap.Length(framed(0x0478, 0, 4097)); !errors.Is(err, rewrap.ErrNoMessage) {
		t.Errorf("a last frame that is longer than the others: %v", err)
	}
}

func TestEmbedded(t *testing.T) {
	m := framed(0x0578, 1, 100)
	text := base64.StdEncoding.EncodeToString(m)
	bare := strings.TrimRight(text, "=")
	for name, test := range map[string]struct {
		text string
		want string // "" where the end is not known
	}{
		"in quotes":           {`{"a":"` + text + `"}`, text},
		"without padding":     {"a=" + bare + " # x", bare},
		"at the end":          {"a: " + text, text},
		"two paddings more":   {"a: " + text + "==", ""},
		"broken into lines":   {"a:\n  " + text[:64] + "\n  " + text[64:], ""},
		"followed by letters": {"a: " + bare + "AAAA ", ""},
		"cut off":             {"a: " + text[:len(text)-8] + " ", ""},
	} {
		c := rewrap.Look([]byte(test.text))
		if len(c.Inside) != 1 {
			t.Errorf("%s: %d messages", name, len(c.Inside))
			continue
		}
		e := c.Inside[0]
		if got := test.text[e.At : e.At+e.Length]; got != test.want {
			t.Errorf("%s: %d characters at %d, want %d", name, e.Length, e.At, len(test.want))
		}
	}
}

// FuzzLength holds that a message's length is that of its bytes, whatever
// follows it, and that what is found in a text is where it is said to be.
func FuzzLength(f *testing.F) {
	f.Add(framed(0x0578, 1, 10), "more")
	f.Add(framed(0x0478, 0, 0), "==")
	f.Add(esdk(1, 0x0014, "", edk{"aws-kms", newKey}), "\n")
	f.Fuzz(func(t *testing.T, data []byte, after string) {
		n, err := rewrap.Length(data)
		if err != nil {
			if !errors.Is(err, rewrap.ErrCut) && !errors.Is(err, rewrap.ErrNoMessage) {
				t.Fatalf("an error of neither kind: %v", err)
			}
			return
		}
		if n > len(data) {
			t.Fatalf("%d of %d bytes", n, len(data))
		}
		if m, err := rewrap.Length(append(data[:n:n], after...)); err != nil || m != n {
			t.Fatalf("with more behind it: %d of %d, %v", m, n, err)
		}
		text := "x: " + base64.StdEncoding.EncodeToString(data[:n])
		for _, e := range rewrap.Look([]byte(text + " " + after)).Inside {
			if e.At == 3 && e.Length != len(text)-3 {
				t.Fatalf("%d characters of %d", e.Length, len(text)-3)
			}
		}
	})
}
