package scanner

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
)

func wideBytes(text string, big bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

func TestSqueeze(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"plain text", "key = value\nmore", strings.Repeat("\x00", 11) + "\n" + strings.Repeat("\x00", 4)},
		{"appended", "a\n" + string(wideBytes("key = value\n", false)), "\x00\nkey = value\n"},
		{"big endian to the end", "a\xff" + string(wideBytes("key = value", true)), "\x00\x00\x00key = value"},
		{"too short", string(wideBytes("keyword", false)), strings.Repeat("\x00", 14)},
		{"just long enough", string(wideBytes("keywords", false)), "keywords"},
		{"in a binary", "\x7f\xff\x00\x00" + string(wideBytes("password", false)) + "\x00\x00\xfe", "\x00\x00\x00\x00password\x00\x00\x00"},
		{"separate NULs", "a\x00bc\x00d\x00\x00e", strings.Repeat("\x00", 9)},
	} {
		got, _, _ := squeeze(nil, []byte(c.in), 0, len(c.in))
		if string(got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if has := hasWideRun([]byte(c.in)); has != strings.ContainsFunc(c.want, func(r rune) bool { return r > ' ' }) {
			t.Errorf("%s: a run is there: %v", c.name, has)
		}
	}
}

// TestSqueezeCores holds that cores which border on each other in a text border
// on each other in the squeezed one, wherever the text is cut.
func TestSqueezeCores(t *testing.T) {
	data := append([]byte("first line\n\x80\x81"), wideBytes("key = value of some length\nand more\n", false)...)
	data = append(data, "the end"...)
	for cut := range len(data) + 1 {
		all, from, to := squeeze(nil, data, 0, cut)
		if from != 0 {
			t.Fatalf("the first core begins at %d", from)
		}
		_, from, end := squeeze(nil, data, cut, len(data))
		if from != to || end != len(all) {
			t.Fatalf("cut at %d: cores end at %d and begin at %d; end %d of %d", cut, to, from, end, len(all))
		}
	}
}

func TestWidenLeavesDecodedObjects(t *testing.T) {
	data := wideBytes("key = value\n", false)
	w := &worker{}
	for _, o := range []Object{{Encoding: "utf-16le"}, {Binary: true, decodedToo: true}} {
		if w.widen(&Chunk{Object: &o, Data: data, To: len(data)}) != nil {
			t.Errorf("%+v is looked at twice", o)
		}
	}
	o := &Object{Path: "a", Binary: true}
	c := w.widen(&Chunk{Object: o, Data: data, To: len(data), Line: 7})
	if c == nil || string(c.Data) != "key = value\n" || c.To != 12 || c.Line != 7 || c.Object.Path != "a" || c.Object.Binary {
		t.Fatalf("widened to %+v", c)
	}
	if !o.Binary || o.Encoding != "" {
		t.Error("the object itself was changed")
	}
}

func TestWidenCostsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 1<<16)
	for i := range data {
		data[i] = byte(r.UintN(256))
	}
	w := &worker{}
	c := &Chunk{Object: &Object{}, Data: data, To: len(data)}
	if n := testing.AllocsPerRun(10, func() { w.widen(c) }); n > 0 {
		t.Errorf("%v allocations without a run", n)
	}
}

// FuzzSqueeze puts wide text into other bytes and demands it back, with the
// line feeds before it.
func FuzzSqueeze(f *testing.F) {
	f.Add([]byte("plain\n"), "key = value", []byte{0, 1, 2}, false)
	f.Add([]byte{0xff, 0}, "some longer text", []byte("\n"), true)
	f.Fuzz(func(t *testing.T, before []byte, text string, after []byte, big bool) {
		if len(text) <= wideRun { // in UTF-16BE the last one has no NUL after it
			return
		}
		for i := range len(text) {
			if !printable(text[i]) {
				return
			}
		}
		data := append(append(bytes.Clone(before), wideBytes(text, big)...), after...)
		out, from, to := squeeze(nil, data, 0, len(data))
		if from != 0 || to != len(out) || len(out) > len(data) {
			t.Fatalf("core %d to %d of %d, from %d bytes", from, to, len(out), len(data))
		}
		// In big endian the last character is wide only if a NUL or the end follows.
		want := text
		if big && len(after) > 0 {
			want = text[:len(text)-1]
		}
		if len(want) >= wideRun && !bytes.Contains(out, []byte(want)) && !shifted(before, big) {
			t.Fatalf("%q is not in %q", want, out)
		}
		if got := bytes.Count(out, newline); got != bytes.Count(data, newline) {
			t.Fatalf("%d line feeds of %d", got, bytes.Count(data, newline))
		}
	})
}

// shifted reports whether the bytes before wide text may begin a run of their
// own that takes the text's first byte for its last half.
func shifted(before []byte, big bool) bool {
	if n := len(before); big {
		return n > 0 && printable(before[n-1])
	}
	return false
}

// TestHasWideRunFindsEveryRun compares the search by words with one that looks
// at every byte.
func TestHasWideRunFindsEveryRun(t *testing.T) {
	slow := func(data []byte) bool {
		for i := range data {
			if wideLength(data[i:]) >= wideRun {
				return true
			}
		}
		return false
	}
	r := rand.New(rand.NewPCG(7, 7))
	found := 0
	for range 200_000 {
		data := make([]byte, r.IntN(64))
		for i := range data {
			data[i] = byte(r.IntN(3)) * 'a' / 2
			if i&1 == r.IntN(8)&1 {
				data[i] = 0
			}
		}
		if n := r.IntN(11); len(data) > 2*n {
			at := r.IntN(len(data) - 2*n)
			for i := range n {
				data[at+2*i], data[at+2*i+1] = 'x', 0
			}
		}
		want := slow(data)
		if want {
			found++
		}
		if hasWideRun(data) != want {
			t.Fatalf("%q: %v", data, !want)
		}
	}
	if found < 1000 {
		t.Errorf("only %d of the texts held a run", found)
	}
}
