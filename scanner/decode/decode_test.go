package decode_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/decode"
)

// Made-up secrets, in halves. None was ever issued.
const (
	arn   = "arn:aws:kms:eu-west-1:" + "739104826315:key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	keyID = "AKIA" + "Y3FDNQ4RZ7KWTB2M"
)

// token returns a made-up GitHub token: 30 characters and their CRC32 in six
// base62 digits.
func token() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body := "vK3mQz81LsTpXw" + "Yd6RfNcJ2bHgEa7u"
	sum := crc32.ChecksumIEEE([]byte(body))
	tail := make([]byte, 6)
	for i := range tail {
		tail[5-i] = digits[sum%62]
		sum /= 62
	}
	return "ghp" + "_" + body + string(tail)
}

// A found is a hit as the tests compare it.
type found struct {
	rule, text, from string
	start, end       int // of the secret, in the whole text
}

// nothing is a detector that finds nothing.
type nothing struct{}

func (nothing) Detect(*scanner.Chunk, func(*scanner.Hit)) {}

func detectorOf(d scanner.Detector) *decode.Detector { return decode.New(d, decode.Options{}) }

func detector(depth int) *decode.Detector {
	return decode.New(scanner.RuleDetector{Program: rules.Builtin()}, decode.Options{Depth: depth})
}

// hits runs d over one chunk of data.
func hits(d scanner.Detector, data string) []found {
	c := &scanner.Chunk{Object: &scanner.Object{}, Data: []byte(data), To: len(data), First: true, Last: true, Line: 1}
	return chunkHits(d, c)
}

// binaryHits runs d over one chunk of binary data.
func binaryHits(d scanner.Detector, data string) []found {
	o := &scanner.Object{Binary: strings.ContainsRune(data, 0)}
	return chunkHits(d, &scanner.Chunk{Object: o, Data: []byte(data), To: len(data), First: true, Last: true, Line: 1})
}

func chunkHits(d scanner.Detector, c *scanner.Chunk) (all []found) {
	d.Detect(c, func(h *scanner.Hit) {
		f := found{rule: h.Rule.ID, text: string(h.Text), start: int(c.Offset) + h.SecretStart, end: int(c.Offset) + h.SecretEnd}
		if h.Text == nil {
			f.text = string(c.Data[h.SecretStart:h.SecretEnd])
		}
		for _, x := range h.Fields {
			if x.Name == "decoded-from" {
				f.from = x.Value
			}
		}
		all = append(all, f)
	})
	return all
}

// of returns the hits of one rule.
func of(all []found, rule string) []found {
	return slices.DeleteFunc(slices.Clone(all), func(f found) bool { return f.rule != rule })
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

// cut returns s without its last n bytes.
func cut(s string, n int) string { return s[:len(s)-n] }

func zlibbed(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// wrapped breaks s into lines of width letters, with sep between.
func wrapped(s string, width int, sep string) string {
	var lines []string
	for len(s) > width {
		lines, s = append(lines, s[:width]), s[width:]
	}
	return strings.Join(append(lines, s), sep)
}

// each returns s with every byte written as format says.
func each(format, s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	long := "first: 1\nsecond: two\narn: " + arn + "\nthird: something else that fills a line or two of base64\n"
	for _, test := range []struct{ name, encoded, from string }{
		{"base64", b64("key = " + arn), "base64"},
		{"base64 without padding", base64.RawStdEncoding.EncodeToString([]byte("key: " + arn)), "base64"},
		{"base64 for URLs", base64.URLEncoding.EncodeToString([]byte("?>?>?>~~~ " + arn)), "base64"},
		{"base64 of both alphabets", strings.Replace(b64("?>?>?>~~~ÿ? "+arn), "+", "-", 1), "base64"},
		{"MIME", wrapped(b64(long), 76, "\r\n"), "base64"},
		{"YAML", "data: |\n    " + wrapped(b64(long), 64, "\n    ") + "\nnext: 1\n", "base64"},
		{"string literal", `"` + wrapped(b64(long), 60, `\n`) + `"`, "base64"},
		{"first line shorter", "value: " + b64(long)[:44] + "\n  " + wrapped(b64(long)[44:], 76, "\n  ") + "\n", "base64"},
		{"hex", hex.EncodeToString([]byte(arn)), "hex"},
		{"upper-case hex", "X'" + strings.ToUpper(hex.EncodeToString([]byte(arn))) + "'", "hex"},
		{"hex with prefix", "0x" + hex.EncodeToString([]byte(arn)), "hex"},
		{"percent", each("%%%02X", arn), "percent-encoding"},
		{"escapes", each(`\x%02x`, arn), "escaped string"},
		{"unicode escapes", each(`\u%04X`, arn), "escaped string"},
		{"unicode escapes of ECMAScript", each(`\u{%x}`, arn), "escaped string"},
		{"octal escapes", each(`\%03o`, arn), "escaped string"},
		{"gzip", b64(gzipped("key = " + arn)), "base64, gzip"},
		{"zlib", b64(zlibbed("key = " + arn)), "base64, zlib"},
		{"gzip in hex", hex.EncodeToString([]byte(gzipped(arn))), "hex, gzip"},
		{"gzip cut short", b64(cut(gzipped("key = "+arn+strings.Repeat(" and more of it", 9)), 12)), "base64, gzip"},
		{"PowerShell", "powershell -EncodedCommand " + b64(utf16le("$k = '"+arn+"'")), "base64, utf-16"},
		{"twice", b64("payload: " + b64("key = "+arn)), "base64, base64"},
		{"thrice", b64("payload: " + b64(gzipped(arn))), "base64, base64, gzip"},
		{"base64 in JSON in JSON", `{"a":"{\"b\":\"x\n` + b64("key = "+arn) + `\"}"}`, "escaped string, base64"},
		{"padding percent-encoded", "data=" + url.QueryEscape(b64("a key that we have is "+arn)+"+"), "base64"},
		{"base64 in binary base64", b64("\x00\x01\x02\xff" + b64("key = "+arn) + "\x00\x03\x04\xfe\xfd"), "base64, base64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, after := "x = 1\ny = '", "'\nz = 2\n"
			all := of(hits(detector(0), before+test.encoded+after), "aws-kms-key-arn")
			if len(all) != 1 {
				t.Fatalf("%d hits, want 1: %+v", len(all), all)
			}
			if f := all[0]; f.text != arn || f.from != test.from {
				t.Errorf("found %q decoded from %q, want %q from %q", f.text, f.from, arn, test.from)
			}
			if f := all[0]; f.start < len(before) || f.end > len(before)+len(test.encoded) || f.end <= f.start {
				t.Errorf("found at %d to %d, outside of the encoded text at %d to %d", f.start, f.end, len(before), len(before)+len(test.encoded))
			}
		})
	}
}

// TestOnce says that what rules read in its encoded form is reported once, as
// it was without decoding.
func TestOnce(t *testing.T) {
	for _, data := range []string{
		"?KeyId=" + url.QueryEscape(arn) + "&x=1",
		`"` + strings.ReplaceAll(arn, "/", `\/`) + `"`,
		`{"a":"X=1\n` + keyID + `\n"}`,
		"plain " + arn + " and \\\"quoted\\\"",
		strings.Repeat(`\"`+strings.Repeat("long ", 40), 2000) + arn + strings.Repeat(`\"`+strings.Repeat("long ", 40), 10),
	} {
		plain := hits(scanner.RuleDetector{Program: rules.Builtin()}, data)
		decoded := hits(detector(0), data)
		if !slices.Equal(plain, decoded) || len(plain) != 1 {
			t.Errorf("%.60q: %+v without decoding, %+v with", data, plain, decoded)
		}
	}
}

// TestHidden says that decoding finds what escapes hide from the rules.
func TestHidden(t *testing.T) {
	tok := token()
	for _, data := range []string{
		`printf "a\nb` + `\x3d` + tok + `"`,
		"https://example.org/?state%3D" + tok,
		`"line\u003d` + tok + `\u0026"`,
		`"\\u003d` + tok + `"`,
	} {
		all := of(hits(detector(0), data), "github-personal-access-token")
		if len(all) != 1 || all[0].text != tok {
			t.Errorf("%.30q: %d hits", data, len(all))
			continue
		}
		if at := strings.Index(data, tok); all[0].start != at || all[0].end != at+len(tok) {
			t.Errorf("%.30q: found at %d to %d, want %d to %d", data, all[0].start, all[0].end, at, at+len(tok))
		}
	}
}

// TestPlace says that places are exact to the letter where the encoding is.
func TestPlace(t *testing.T) {
	for shift := range 9 {
		lead := strings.Repeat(".", shift) + " "
		plain := lead + arn + " tail"
		check := func(name, data string, start, end int) {
			t.Helper()
			all := of(hits(detector(0), data), "aws-kms-key-arn")
			if len(all) != 1 || all[0].start != start || all[0].end != end {
				t.Errorf("%s, shift %d: %+v, want %d to %d", name, shift, all, start, end)
			}
		}
		first, last := len(lead)*4/3, ((len(lead)+len(arn))*4+2)/3
		check("base64", "x="+b64(plain), 2+first, 2+last)
		check("hex", hex.EncodeToString([]byte(plain)), 2*len(lead), 2*(len(lead)+len(arn)))
		check("percent", "q="+each("%%%02x", plain), 2+3*len(lead), 2+3*(len(lead)+len(arn)))
		check("escapes", `"`+each(`\u%04x`, plain)+`"`, 1+6*len(lead), 1+6*(len(lead)+len(arn)))
		wrap := wrapped(b64(plain), 32, "\n  ")
		check("wrapped", wrap, first+first/32*3, last+(last-1)/32*3)
		check("twice", b64(b64(plain)), first*4/3, (last*4+2)/3)
	}
}

// TestManyTokens says that all secrets of a run are found, each at its place.
func TestManyTokens(t *testing.T) {
	const n = 500
	var plain strings.Builder
	for i := range n {
		fmt.Fprintf(&plain, "key %d: arn:aws:kms:eu-west-1:739104826315:key/8f3b9c1e-5d27-4a60-b1e4-2c9d70%06x\n", i, i+0x100000)
	}
	for name, data := range map[string]string{"base64": b64(plain.String()), "gzip": b64(gzipped(plain.String()))} {
		all := of(hits(detector(0), data), "aws-kms-key-arn")
		if len(all) != n {
			t.Fatalf("%s: %d hits, want %d", name, len(all), n)
		}
		seen := map[string]bool{}
		for _, f := range all {
			seen[f.text] = true
		}
		if len(seen) != n {
			t.Errorf("%s: %d different ones, want %d", name, len(seen), n)
		}
	}
}

// TestJunk says what is not decoded or does not count.
func TestJunk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for name, data := range map[string]string{
		"random base64": base64.StdEncoding.EncodeToString(random),
		"random hex":    hex.EncodeToString(random),
		"random":        string(random),
		"too deep":      b64(b64(b64(b64("key = " + arn)))),
	} {
		if all := hits(detector(0), data); len(all) != 0 {
			t.Errorf("%s: %d hits: %s", name, len(all), all[0].rule)
		}
	}
	if all := hits(detector(4), b64(b64(b64(b64("key = "+arn))))); len(all) != 1 {
		t.Errorf("%d hits at depth 4, want 1", len(all))
	}
	if all := hits(detector(1), b64(gzipped(arn))); len(all) != 0 {
		t.Errorf("%d hits at depth 1 in a text of depth 2", len(all))
	}
}

// TestChunks says that a run which is longer than a chunk is read in all of
// them: the hits are those of the text in one piece.
func TestChunks(t *testing.T) {
	var plain strings.Builder
	for i := 0; plain.Len() < 3<<20; i++ {
		fmt.Fprintf(&plain, "line %d of a log that goes on and on\n", i)
		if i%997 == 5 {
			fmt.Fprintf(&plain, "arn:aws:kms:eu-west-1:739104826315:key/8f3b9c1e-5d27-4a60-b1e4-2c9d70%06x\n", i+0x100000)
		}
	}
	for name, data := range map[string]string{
		"one line": "x" + "='" + b64(plain.String()) + "'",
		"wrapped":  wrapped(b64(plain.String()), 76, "\n"),
		"indented": "x:\n    " + wrapped(b64(plain.String()), 64, "\r\n    "),
		"hex":      hex.EncodeToString([]byte(plain.String())),
	} {
		t.Run(name, func(t *testing.T) {
			want := hits(detector(0), data)
			if len(want) < 50 {
				t.Fatalf("only %d hits in one piece", len(want))
			}
			var got []found
			d := detector(0)
			var f scanner.Feeder
			// A reader streams what does not fit a small buffer.
			_, err := f.Reader(&scanner.Object{}, strings.NewReader(data), func(c *scanner.Chunk) error {
				got = append(got, chunkHits(d, c)...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got, func(a, b found) int { return a.start - b.start })
			slices.SortFunc(want, func(a, b found) int { return a.start - b.start })
			if !slices.Equal(got, want) {
				t.Errorf("%d hits in chunks, %d in one piece", len(got), len(want))
			}
		})
	}
}

// TestBomb says that hostile compression is read no further than the budget,
// and that it is counted.
func TestBomb(t *testing.T) {
	d := detector(0)
	one := b64(gzipped(strings.Repeat("a", 64<<20)))
	if all := hits(d, strings.Repeat(one+"\n\n", 20)); len(all) != 0 {
		t.Errorf("%d hits", len(all))
	}
	if d.Limited() == 0 {
		t.Error("nothing counted")
	}
}

// TestNoAllocations says that a chunk without a run costs no memory.
func TestNoAllocations(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage allocates")
	}
	data := []byte(strings.Repeat("func main() {\n\tfmt.Println(\"hello, world: 100% of it\\n\")\n}\n", 500))
	c := &scanner.Chunk{Object: &scanner.Object{}, Data: data, To: len(data), First: true, Last: true, Line: 1}
	d := detector(0)
	if n := testing.AllocsPerRun(50, func() { d.Detect(c, func(*scanner.Hit) {}) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
