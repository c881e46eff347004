package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// compressed returns data as a zlib stream.
func compressed(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samples are texts that exercise the codes in different ways.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 70_000)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 200_000)
	for i := range skewed {
		skewed[i] = byte(min(r.ExpFloat64()*3, 255))
	}
	var runs []byte
	for i := range 3000 {
		runs = append(runs, bytes.Repeat(random[i:i+1+i%13], 1+i%300)...)
	}
	far := append(append(bytes.Clone(random[:32768]), "between"...), random[:32768-7]...)
	return map[string][]byte{
		"empty": nil, "one": []byte("x"), "text": []byte(strings.Repeat("the quick brown fox, ", 9999)),
		"random": random, "skewed": skewed, "runs": runs, "far": far, "short": []byte("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"),
	}
}

// TestZlib decompresses with every level of compression and every amount of
// slack that makes a difference.
func TestZlib(t *testing.T) {
	var z Inflater
	for name, data := range samples() {
		for level := flate.HuffmanOnly; level <= 9; level++ {
			stream := compressed(t, data, level)
			for _, slack := range []int{0, 1, 100, Slack} {
				for _, after := range []int{0, 3, 100} {
					src := append(bytes.Clone(stream), make([]byte, after)...)
					dst := make([]byte, len(data), len(data)+slack)
					n, err := z.Zlib(dst, src)
					if err != nil || n != len(stream) || !bytes.Equal(dst, data) {
						t.Fatalf("%s at level %d with slack %d: took %d of %d bytes, error %v, equal %v",
							name, level, slack, n, len(stream), err, bytes.Equal(dst, data))
					}
				}
			}
		}
	}
}

// TestPrefix asks for less than the stream holds.
func TestPrefix(t *testing.T) {
	var z Inflater
	for name, data := range samples() {
		stream := compressed(t, data, 6)
		for _, n := range []int{0, 1, 32, 5000, len(data), len(data) + 1} {
			dst := make([]byte, n)
			got, err := z.Prefix(dst, stream)
			if want := min(n, len(data)); err != nil || got != want || !bytes.Equal(dst[:got], data[:want]) {
				t.Errorf("%s: first %d bytes: got %d, error %v", name, n, got, err)
			}
		}
	}
}

// TestRefuses wants every way in which a stream can be wrong told apart.
func TestRefuses(t *testing.T) {
	data := samples()["text"]
	good := compressed(t, data, 6)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for _, c := range []struct {
		name string
		size int
		src  []byte
		want error
	}{
		{"too short", len(data) + 1, good, ErrShort},
		{"too long", len(data) - 1, good, ErrLong},
		{"checksum", len(data), flipped, ErrChecksum},
		{"cut in the checksum", len(data), good[:len(good)-1], ErrTruncated},
		{"cut in the data", len(data), good[:len(good)/2], ErrTruncated},
		{"no header", len(data), nil, ErrTruncated},
		{"wrong header", len(data), []byte("PACK"), ErrCorrupt},
		{"stored, lengths differ", 1, []byte{0x78, 0x01, 1, 1, 0, 0xff, 0xff, 'x'}, ErrCorrupt},
		{"kind of block 3", 1, []byte{0x78, 0x01, 7, 0, 0}, ErrCorrupt},
		// A fixed block: a match of three, one byte back, before any output.
		{"distance before the start", 3, []byte{0x78, 0x01, 0x03, 0x02, 0, 0, 0, 0, 0, 0}, ErrCorrupt},
	} {
		for _, slack := range []int{0, Slack} {
			var z Inflater
			if _, err := z.Zlib(make([]byte, c.size, c.size+slack), c.src); err != c.want {
				t.Errorf("%s: got error %v, want %v", c.name, err, c.want)
			}
		}
	}
}

// TestTruncated cuts a stream everywhere.
func TestTruncated(t *testing.T) {
	data := samples()["skewed"][:3000]
	var z Inflater
	for _, level := range []int{0, 1, 9} {
		stream := compressed(t, data, level)
		for n := range stream {
			if _, err := z.Zlib(make([]byte, len(data), len(data)+Slack), stream[:n]); err != ErrTruncated {
				t.Fatalf("level %d, %d of %d bytes: error %v", level, n, len(stream), err)
			}
		}
	}
}

func TestAdler32(t *testing.T) {
	long := bytes.Repeat([]byte{0xff}, 3<<20)
	for name, data := range samples() {
		for n := 0; n <= len(data); n += 1 + n/7 {
			if got, want := Adler32(data[:n]), adler32.Checksum(data[:n]); got != want {
				t.Fatalf("%s[:%d]: got %08x, want %08x", name, n, got, want)
			}
		}
	}
	if got, want := Adler32(long), adler32.Checksum(long); got != want {
		t.Errorf("3 MiB of ff: got %08x, want %08x", got, want)
	}
}

// reference decompresses src with the standard library. It stops at limit.
func reference(src []byte, limit int) ([]byte, bool) {
	r, err := zlib.NewReader(bytes.NewReader(src))
	if err != nil {
		return nil, false
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)))
	return out, err == nil
}

// FuzzAgainstStandardLibrary holds the package to compress/zlib: the same
// output, or both refuse.
func FuzzAgainstStandardLibrary(f *testing.F) {
	for _, data := range samples() {
		for _, level := range []int{-2, 0, 1, 9} {
			if s := compressed(f, data[:min(len(data), 2000)], level); len(s) < 4096 {
				f.Add(s, uint16(0), byte(0))
			}
		}
	}
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, src []byte, at uint16, flip byte) {
		if len(src) > 0 {
			src = bytes.Clone(src)
			src[int(at)%len(src)] ^= flip
		}
		want, ok := reference(src, limit)
		if len(want) == limit {
			return // might go on
		}
		for _, slack := range []int{0, Slack} {
			var z Inflater
			dst := make([]byte, len(want), len(want)+slack)
			_, err := z.Zlib(dst, src)
			if ok != (err == nil) {
				t.Fatalf("slack %d: the standard library accepts: %v, here: %v", slack, ok, err)
			}
			if ok && !bytes.Equal(dst, want) {
				t.Fatalf("slack %d: output differs", slack)
			}
			if ok && len(want) > 0 {
				if _, err := z.Zlib(dst[:len(want)-1], src); err != ErrLong {
					t.Fatalf("slack %d, one byte less: %v", slack, err)
				}
			}
		}
	})
}
