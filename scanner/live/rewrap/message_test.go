package rewrap_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// Made-up keys; none was ever issued.
const (
	account = "739104" + "826315"
	oldKey  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	newKey  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "2d7e41f0-86bc-4a19-b5d3-90c8e7f6a142"
	replica = "arn:aws:kms:eu-west-1:" + account + ":key/mrk-" + "8f3b9c1e5d274a60b1e42c9d70f6a835"
)

type edk struct{ provider, info string }

// esdk lays a message out by hand, apart from the code under test.
func esdk(version int, suite uint16, context string, keys ...edk) []byte {
	field := func(b []byte, s string) []byte { return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...) }
	var b []byte
	if version == 2 {
		b = append(binary.BigEndian.AppendUint16([]byte{2}, suite), strings.Repeat("\xa7", 32)...)
	} else {
		b = append(binary.BigEndian.AppendUint16([]byte{1, 0x80}, suite), strings.Repeat("\xa7", 16)...)
	}
	b = field(b, context)
	b = binary.BigEndian.AppendUint16(b, uint16(len(keys)))
	for _, k := range keys {
		b = field(field(field(b, k.provider), k.info), "\x01\x02\x02\x00"+strings.Repeat("\xf3\x11", 90))
	}
	b = append(b, 2)
	if version == 1 {
		b = append(b, 0, 0, 0, 0, 12)
	}
	b = binary.BigEndian.AppendUint32(b, 4096)
	if version == 1 {
		b = append(b, strings.Repeat("\x31", 12)...)
	} else {
		b = append(b, strings.Repeat("\x32", 32)...)
	}
	b = append(b, strings.Repeat("\x33", 16)...)
	return append(b, strings.Repeat("\x00\x9c\xfe\x81", 40)...) // a body
}

const pairs = "\x00\x01\x00\x03env\x00\x04prod"

func TestParseHeader(t *testing.T) {
	kms := edk{"aws-kms", oldKey}
	for name, test := range map[string]struct {
		data      []byte
		committed bool
		keys      int
	}{
		"version 2":              {esdk(2, 0x0578, pairs, kms), true, 1},
		"version 2, unsigned":    {esdk(2, 0x0478, "", kms), true, 1},
		"version 1":              {esdk(1, 0x0378, pairs, kms), false, 1},
		"an empty context":       {esdk(1, 0x0014, "\x00\x00", kms), false, 1},
		"three keys":             {esdk(2, 0x0578, pairs, edk{"raw-rsa", "my key"}, kms, edk{"aws-kms", newKey}), true, 3},
		"a key of another house": {esdk(2, 0x0578, pairs, edk{"aws-kms-hierarchy", oldKey}), true, 1},
	} {
		h, n, err := rewrap.ParseHeader(test.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n != len(test.data)-160 || !bytes.Equal(h.Append(nil), test.data[:n]) {
			t.Errorf("%s: %d bytes read of %d, or written back otherwise", name, n, len(test.data)-160)
		}
		if h.Committed() != test.committed || len(h.Keys) != test.keys || h.FrameLength != 4096 {
			t.Errorf("%s: %+v", name, h)
		}
		for i := range n {
			if _, _, err := rewrap.ParseHeader(test.data[:i]); i >= 4 && !errors.Is(err, rewrap.ErrCut) || i < 4 && !errors.Is(err, rewrap.ErrNoMessage) {
				t.Fatalf("%s cut after %d bytes: %v", name, i, err)
			}
		}
	}
	good := esdk(2, 0x0578, pairs, kms)
	at := func(i int, b byte) []byte {
		c := slices.Clone(good)
		c[i] = b
		return c
	}
	for name, data := range map[string][]byte{
		"another suite": at(1, 7), "version 3": at(0, 3), "a context longer than it says": at(36, 2), "more pairs than there are": at(38, 9),
		"content type": at(len(good)-160-16-32-5, 3), "no keys": esdk(2, 0x0578, pairs), "text": []byte("AgV4 is how it begins"),
	} {
		if h, _, err := rewrap.ParseHeader(data); !errors.Is(err, rewrap.ErrNoMessage) && !errors.Is(err, rewrap.ErrCut) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestUnder(t *testing.T) {
	h, _, err := rewrap.ParseHeader(esdk(2, 0x0578, "", edk{"aws-kms", replica}, edk{"raw-aes", oldKey}, edk{"aws-kms", newKey}))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := strings.Replace(replica, "eu-west-1", "us-east-2", 1)
	for key, want := range map[string][]string{
		oldKey: nil, newKey: {newKey}, replica: {replica}, elsewhere: {replica},
		strings.Replace(replica, account, "608080"+"594723", 1): nil, strings.Replace(newKey, "eu-west-1", "us-east-2", 1): nil,
	} {
		if got := h.Under(key); !slices.Equal(got, want) {
			t.Errorf("under %s: %q, want %q", key, got, want)
		}
	}
	if others := h.Others(elsewhere); len(others) != 2 || others[0].Provider != "raw-aes" {
		t.Errorf("others: %+v", others)
	}
}

func wrapped(data []byte, width int, end string) []byte {
	text := base64.StdEncoding.EncodeToString(data)
	var out []byte
	for ; len(text) > width; text = text[width:] {
		out = append(append(out, text[:width]...), end...)
	}
	return append(append(out, text...), end...)
}

func TestLook(t *testing.T) {
	m := esdk(2, 0x0578, pairs, edk{"aws-kms", oldKey})
	old := esdk(1, 0x0178, "", edk{"aws-kms", oldKey})
	whole := []struct {
		name string
		file []byte
		as   rewrap.Encoding
	}{
		{"raw", m, rewrap.Raw}, {"raw, version 1", old, rewrap.Raw}, {"one line", []byte(base64.StdEncoding.EncodeToString(m)), rewrap.Base64},
		{"wrapped", wrapped(m, 76, "\n"), rewrap.Base64}, {"wrapped for Windows", wrapped(old, 64, "\r\n"), rewrap.Base64},
		{"without padding", []byte(base64.RawStdEncoding.EncodeToString(m[:len(m)-1]) + "\n"), rewrap.Base64},
	}
	for _, test := range whole {
		c := rewrap.Look(test.file)
		if c.Header == nil || c.Encoding != test.as || len(c.Header.Under(oldKey)) != 1 {
			t.Errorf("%s: %+v", test.name, c)
			continue
		}
		data, err := test.as.Decode(test.file)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if again := test.as.Encode(data, test.file); !bytes.Equal(again, test.file) {
			t.Errorf("%s is written back as %.80q", test.name, again)
		}
	}
	for name, file := range map[string]string{
		"in YAML":     "a: 1\nblob: " + base64.StdEncoding.EncodeToString(m) + "\nb: 2\n",
		"in quotes":   `{"x":"AgR4","blob":"` + base64.StdEncoding.EncodeToString(old) + `"}`,
		"after words": "AgV4 AYAB\n: " + base64.StdEncoding.EncodeToString(m) + ";",
	} {
		if c := rewrap.Look([]byte(file)); c.Header != nil || len(c.Inside) != 1 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := rewrap.Look(m[:60]); !c.Cut {
		t.Errorf("a header cut off: %+v", c)
	}
	if c := rewrap.Look([]byte(strings.Repeat("AgV4\n", 1<<18))); c.Header != nil || len(c.Inside) != 0 {
		t.Errorf("beginnings only: %+v", c)
	}
}

// FuzzParseHeader holds that whatever is read as a header is written back to
// the bytes that it was read from, and that a header in base64 is the same one.
func FuzzParseHeader(f *testing.F) {
	f.Add(esdk(2, 0x0578, pairs, edk{"aws-kms", oldKey}, edk{"raw-rsa", "k"}))
	f.Add(esdk(1, 0x0014, "\x00\x00", edk{"aws-kms", newKey}))
	f.Add(esdk(1, 0x0378, pairs, edk{"aws-kms", newKey})[:90])
	f.Fuzz(func(t *testing.T, data []byte) {
		h, n, err := rewrap.ParseHeader(data)
		if err != nil {
			if !errors.Is(err, rewrap.ErrCut) && !errors.Is(err, rewrap.ErrNoMessage) {
				t.Fatalf("an error of neither kind: %v", err)
			}
			rewrap.Look(data)
			return
		}
		if !bytes.Equal(h.Append(nil), data[:n]) {
			t.Fatalf("written back otherwise: %x", data[:n])
		}
		if cap(h.Keys)*6 > 8*len(data)+64 || cap(h.Context)*4 > 8*len(data)+64 {
			t.Fatalf("%d keys and %d pairs allocated for %d bytes", cap(h.Keys), cap(h.Context), len(data))
		}
		if n < 60000 {
			c := rewrap.Look(wrapped(data[:n], 76, "\n"))
			if c.Header == nil || !bytes.Equal(c.Header.Append(nil), data[:n]) {
				t.Fatal("in base64 it is not the same header")
			}
		}
	})
}
