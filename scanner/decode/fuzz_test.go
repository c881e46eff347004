package decode

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// A prober is a detector that sees every text that is decoded. It reports each
// as one hit, and the word "needle" wherever it stands.
type prober struct {
	rule, needle rules.Rule
	bytes        int
}

func (p *prober) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	p.bytes += len(c.Data)
	if len(c.Data) > 0 {
		hit(&scanner.Hit{Rule: &p.rule, End: len(c.Data), SecretEnd: len(c.Data), Confidence: rules.ConfidenceHigh})
	}
	for at := c.From; ; {
		i := strings.Index(string(c.Data[at:c.To]), "needle")
		if i < 0 {
			return
		}
		at += i
		hit(&scanner.Hit{Rule: &p.needle, Start: at, End: at + 6, SecretStart: at, SecretEnd: at + 6, Confidence: rules.ConfidenceHigh})
		at += 6
	}
}

// FuzzDetect feeds hostile text: whatever it decodes to, every hit lies in the
// chunk, what one chunk makes the detector read is bounded, and needles in the
// text itself are found as without decoding.
func FuzzDetect(f *testing.F) {
	f.Add([]byte("x = \"needle and more, of which there is some\"\n"), false, true)
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte("a needle in base64, and some more"))), false, true)
	f.Add([]byte("%6e%65edle%2e%20and%20more+"), false, true)
	f.Add([]byte(`\u006e\x65e\144le \"is\" here\n, and more`), false, true)
	f.Add([]byte("6e6565646c6520696e20686578206e6565646c6520"), false, false)
	f.Add([]byte("H4sIAAAAAAAAA8tLTU3JSVXIzFPISKxQyEtNTckFAD8Wp5cVAAAA"), false, true)
	f.Add([]byte("\x02\x05\x78"+strings.Repeat("i", 32)+"\x00\x00\x00\x01\x00\x07aws-kms\x00\x06needle"), true, true)
	f.Add([]byte("bmVlZGxlbmVlZGxlbmVlZGxl\n  bmVlZGxlbmVlZGxlbmVlZGxl\r\n"), false, false)
	f.Fuzz(func(t *testing.T, data []byte, binary, first bool) {
		p := &prober{rule: rules.Rule{ID: "all"}, needle: rules.Rule{ID: "needle"}}
		d := New(p, Options{})
		from, to := 0, len(data)
		if !first {
			from, to = len(data)/4, len(data)*3/4
		}
		c := &scanner.Chunk{Object: &scanner.Object{Binary: binary}, Data: data, From: from, To: to, First: first, Last: first, Line: 1}
		plain := 0
		d.Detect(c, func(h *scanner.Hit) {
			if h.Start < 0 || h.Start > h.SecretStart || h.SecretStart > h.SecretEnd || h.SecretEnd > h.End || h.End > len(data) {
				t.Fatalf("hit at %d, %d to %d, %d in %d bytes", h.Start, h.SecretStart, h.SecretEnd, h.End, len(data))
			}
			if h.Rule == &p.needle && h.Text == nil {
				plain++
			}
			if h.Text != nil && (h.Start < from || h.Start >= to) {
				t.Fatalf("decoded hit at %d outside of %d to %d", h.Start, from, to)
			}
			if h.Rule == &p.needle && h.Text != nil && string(h.Text) != "needle" {
				t.Fatal("the decoded text is another")
			}
		})
		if want := strings.Count(string(data[from:to]), "needle"); plain != want {
			t.Fatalf("%d plain needles, want %d", plain, want)
		}
		// Each layer is read once or twice (overlapping windows, four phases of
		// a run without a beginning), and compression has its budget.
		if limit := 64*len(data) + 8*inflated + 4096; p.bytes > limit {
			t.Fatalf("%d bytes were read of %d", p.bytes, len(data))
		}
	})
}

// FuzzMessage feeds the parser of headers: what it returns lies in the data and
// stands where the layout says.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("\x02\x05\x78"+strings.Repeat("i", 32)+"\x00\x00\x00\x01\x00\x07aws-kms\x00\x03arn\x00\x01k"), 0)
	f.Add([]byte("..\x01\x80\x03\x78"+strings.Repeat("i", 16)+"\x00\x02ab\x00\x02\x00\x01x\x00\x01y\x00\x01z\x00\x07aws-kms\x00\x03arn"), 2)
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		if at < 0 || at > len(data) {
			return
		}
		n := 0
		keyNames(data, at, func(name span) {
			if n++; n > maxKeys {
				t.Fatal("more keys than are read")
			}
			if name.from-11 < at || name.to > len(data) || name.to <= name.from {
				t.Fatalf("name at %d to %d of %d bytes from %d", name.from, name.to, len(data), at)
			}
			if string(data[name.from-11:name.from-2]) != "\x00\x07aws-kms" {
				t.Fatal("no provider before the name")
			}
			if int(data[name.from-2])<<8|int(data[name.from-1]) != name.to-name.from {
				t.Fatal("the name has another length than the header says")
			}
		})
	})
}

// FuzzRuns compares the search for runs with one that looks at every byte.
func FuzzRuns(f *testing.F) {
	f.Add([]byte("x abcdefghijklmnopqrstuvwxyz0123456789+/ y abcdefghijklmnopqrstuvw- z"), uint8(0))
	f.Add([]byte(strings.Repeat("a", 23)+" "+strings.Repeat("b", 24)+"."+strings.Repeat("_", 31)), uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, shift uint8) {
		data = append([]byte(strings.Repeat(" ", int(shift))), data...)
		var want, got []span
		for i := 0; i < len(data); {
			j := i
			for j < len(data) && letters[data[j]] != 0 {
				j++
			}
			if j-i >= minRun {
				want = append(want, span{i, j})
			}
			i = max(j, i+1)
		}
		for at := 0; ; {
			start, end := nextRun(data, at)
			if start < 0 {
				break
			}
			got = append(got, span{start, end})
			at = end
		}
		if len(got) != len(want) {
			t.Fatalf("%d runs, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("run %v, want %v", got[i], want[i])
			}
		}
	})
}

// FuzzLetters compares the decoding of mixed alphabets with the library's.
func FuzzLetters(f *testing.F) {
	f.Add([]byte("any text"), true)
	f.Fuzz(func(t *testing.T, data []byte, mix bool) {
		text := []byte(base64.RawStdEncoding.EncodeToString(data))
		if mix {
			r := rand.New(rand.NewPCG(uint64(len(data)), 1))
			for i, c := range text {
				if r.IntN(2) == 0 {
					text[i] = map[byte]byte{'+': '-', '/': '_'}[c]
					if text[i] == 0 {
						text[i] = c
					}
				}
			}
		}
		dst := make([]byte, len(data))
		if n := decodeLetters(dst, text); string(dst[:n]) != string(data) {
			t.Fatalf("decoded to %q, want %q", dst[:n], data)
		}
	})
}
