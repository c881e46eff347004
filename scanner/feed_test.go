package scanner

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spillgate/spillgate/rules"
)

// whole puts the cores of chunks together again and checks on the way what
// every chunk promises about its place.
type whole struct {
	t    testing.TB
	text []byte // of what was fed, decoded
	got  map[*Object][]byte
	last map[*Object]bool
}

func (w *whole) emit(c *Chunk) error {
	w.t.Helper()
	if w.got == nil {
		w.got, w.last = map[*Object][]byte{}, map[*Object]bool{}
	}
	done := w.got[c.Object]
	if at := int(c.Offset) + c.From; w.text != nil && !c.Object.Binary {
		if at != len(done) {
			w.t.Fatalf("core begins at %d after %d bytes", at, len(done))
		}
		before := w.text[:c.Offset]
		if want := 1 + bytes.Count(before, newline); c.Line != want {
			w.t.Fatalf("line %d, want %d at offset %d", c.Line, want, c.Offset)
		}
		if want := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]); c.Column != want {
			w.t.Fatalf("column %d, want %d at offset %d", c.Column, want, c.Offset)
		}
		// A stream's last byte is known as the last only once its end was read.
		if c.First != (c.Offset == 0) || c.Last && int(c.Offset)+len(c.Data) != len(w.text) {
			w.t.Fatalf("first %v last %v at %d+%d of %d", c.First, c.Last, c.Offset, len(c.Data), len(w.text))
		}
		if lo := min(c.From, rules.ContextBefore); c.From < lo || (!c.First && c.From < rules.ContextBefore) {
			w.t.Fatalf("only %d bytes of context before", c.From)
		}
		if !c.Last && len(c.Data)-c.To < rules.ContextAfter {
			w.t.Fatalf("only %d bytes of context after", len(c.Data)-c.To)
		}
	}
	w.got[c.Object] = append(done, c.Data[c.From:c.To]...)
	w.last[c.Object] = c.Last
	return nil
}

func randomText(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+4)
	for len(b) < n {
		switch r.IntN(12) {
		case 0:
			b = append(b, '\n')
		case 1:
			b = utf8.AppendRune(b, rune(0x80+r.IntN(0x3000)))
		default:
			b = append(b, byte(' '+r.IntN(90)))
		}
	}
	return b
}

func TestFeedKeepsEveryByte(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, sniffLen - 1, sniffLen, sniffLen + 1, 100_000, coreLen, coreLen + rules.ContextAfter,
		coreLen + rules.ContextAfter + rules.ContextBefore, 3*coreLen + 7, wholeMax + 3*coreLen/2}
	var f Feeder
	for _, size := range sizes {
		text := randomText(r, size)
		for name, feed := range map[string]func(*Object, func(*Chunk) error) error{
			"bytes": func(o *Object, emit func(*Chunk) error) error { return f.Bytes(o, text, emit) },
			"reader": func(o *Object, emit func(*Chunk) error) error {
				n, err := f.Reader(o, bytes.NewReader(text), emit)
				if n != int64(len(text)) {
					t.Fatalf("read %d of %d", n, len(text))
				}
				return err
			},
			"half reader": func(o *Object, emit func(*Chunk) error) error {
				_, err := f.Reader(o, iotest.HalfReader(bytes.NewReader(text)), emit)
				return err
			},
		} {
			w := whole{t: t, text: text}
			o := &Object{}
			if err := feed(o, w.emit); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.got[o], text) {
				t.Errorf("%s of %d bytes came out as %d bytes", name, len(text), len(w.got[o]))
			}
			if !w.last[o] {
				t.Errorf("%s of %d bytes: no last chunk", name, len(text))
			}
		}
	}
}

func encode16(text string, order func([]byte, uint16) []byte) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = order(b, u)
	}
	return b
}

func little(b []byte, u uint16) []byte { return append(b, byte(u), byte(u>>8)) }
func big(b []byte, u uint16) []byte    { return append(b, byte(u>>8), byte(u)) }

func TestFeedDecodes(t *testing.T) {
	text := "key = \"value\" # 🔑 ключ\r\nsecond line\n"
	long := strings.Repeat(text, 60_000)
	for _, tt := range []struct {
		name, encoding string
		data           []byte
		text           string
	}{
		{"utf-8 bom", "", append([]byte{0xEF, 0xBB, 0xBF}, text...), text},
		{"utf-16le bom", "utf-16le", append([]byte{0xFF, 0xFE}, encode16(text, little)...), text},
		{"utf-16be bom", "utf-16be", append([]byte{0xFE, 0xFF}, encode16(text, big)...), text},
		{"utf-16le", "utf-16le", encode16(text, little), text},
		{"utf-16be", "utf-16be", encode16(text, big), text},
		{"long utf-16le", "utf-16le", encode16(long, little), long},
		{"long utf-8 bom", "", append([]byte{0xEF, 0xBB, 0xBF}, long...), long},
		{"utf-32le", "utf-32le", []byte("\xff\xfe\x00\x00k\x00\x00\x00\x11\xf5\x01\x00"), "k🔑"},
		{"utf-32be", "utf-32be", []byte("\x00\x00\xfe\xff\x00\x00\x00k"), "k"},
		{"odd length", "utf-16le", append([]byte{0xFF, 0xFE}, "a\x00b"...), "a"},
		{"lone surrogate", "utf-16le", []byte("\xff\xfe\x00\xd8a\x00b\x00c\x00"), "\uFFFDabc"},
	} {
		var f Feeder
		for _, read := range []func(o *Object, emit func(*Chunk) error) error{
			func(o *Object, emit func(*Chunk) error) error { return f.Bytes(o, tt.data, emit) },
			func(o *Object, emit func(*Chunk) error) error {
				_, err := f.Reader(o, iotest.OneByteReader(bytes.NewReader(tt.data[:min(len(tt.data), 20_000)])), emit)
				return err
			},
		} {
			w := whole{t: t}
			o := &Object{Path: tt.name}
			if err := read(o, w.emit); err != nil {
				t.Fatal(err)
			}
			if o.Encoding != tt.encoding || o.Binary {
				t.Errorf("%s: encoding %q binary %v", tt.name, o.Encoding, o.Binary)
			}
			if !strings.HasPrefix(tt.text, string(w.got[o])) || len(w.got[o]) < min(len(tt.text), 9_000) {
				t.Errorf("%s: decoded to %d bytes that differ from the text", tt.name, len(w.got[o]))
			}
			for raw, got := range w.got {
				if raw != o && (!raw.Binary || !bytes.HasPrefix(tt.data, got)) {
					t.Errorf("%s: raw pass differs", tt.name)
				}
			}
			if tt.encoding != "" && len(w.got) != 2 {
				t.Errorf("%s: the raw bytes were not emitted", tt.name)
			}
		}
	}
}

func TestFeedTellsBinary(t *testing.T) {
	for data, want := range map[string]bool{
		"":                                     false,
		"text":                                 false,
		"text with one \x00 byte in it":        true,
		strings.Repeat("x", sniffLen) + "\x00": false,
	} {
		o := &Object{}
		var f Feeder
		if err := f.Bytes(o, []byte(data), func(*Chunk) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if o.Binary != want {
			t.Errorf("%.20q: binary %v", data, o.Binary)
		}
	}
}

func TestFeedReportsErrors(t *testing.T) {
	bad := errors.New("bad disk")
	for _, size := range []int{0, 10, sniffLen, 2 * coreLen} {
		var f Feeder
		o := &Object{}
		var got int
		n, err := f.Reader(o, io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(bad)), func(c *Chunk) error {
			if c.Object == o {
				got += c.To - c.From
			}
			return nil
		})
		if !errors.Is(err, bad) {
			t.Errorf("%d bytes: error %v", size, err)
		}
		if n != int64(size) || got < size {
			t.Errorf("%d bytes: read %d, emitted %d", size, n, got)
		}
		stop := errors.New("stop")
		if _, err := f.Reader(o, bytes.NewReader(make([]byte, size)), func(*Chunk) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%d bytes: the error of emit was lost: %v", size, err)
		}
	}
}

// FuzzFeed holds the two ways in equal, whatever the content.
func FuzzFeed(f *testing.F) {
	f.Add([]byte("plain"), 3)
	f.Add(append([]byte{0xFF, 0xFE}, encode16("wide text", little)...), 5)
	f.Add([]byte("\x00\x00\xfe\xff\x00\x00\x00k\x00"), 1)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		step = 1 + (step&0x7fffffff)%97
		var feeder Feeder
		a, b := &Object{}, &Object{}
		wa, wb := whole{t: t}, whole{t: t}
		if err := feeder.Bytes(a, data, wa.emit); err != nil {
			t.Fatal(err)
		}
		if _, err := feeder.Reader(b, &steps{data, step}, wb.emit); err != nil {
			t.Fatal(err)
		}
		if a.Binary != b.Binary || a.Encoding != b.Encoding {
			t.Fatalf("%v %q against %v %q", a.Binary, a.Encoding, b.Binary, b.Encoding)
		}
		if !bytes.Equal(wa.got[a], wb.got[b]) {
			t.Fatal("the two ways in give different text")
		}
	})
}

type steps struct {
	data []byte
	n    int
}

func (s *steps) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.n)], s.data)
	s.data = s.data[n:]
	return n, nil
}
