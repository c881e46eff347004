package decode_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/scanner/decode"
)

// An encoder is one way to write a text.
type encoder struct {
	label  string
	layers int
	encode func(string) string
}

var encoders = []encoder{
	{"base64", 1, b64},
	{"base64", 1, func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base64", 1, func(s string) string { return "a:\n  " + wrapped(b64(s), 64, "\n  ") + "\n" }},
	{"hex", 1, func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"percent-encoding", 1, func(s string) string { return "q=" + each("%%%02X", s) }},
	{"escaped string", 1, func(s string) string { return `"` + each(`\x%02x`, s) + `"` }},
	{"base64, gzip", 2, func(s string) string { return b64(gzipped(s)) }},
	{"base64, zlib", 2, func(s string) string { return b64(zlibbed(s)) }},
	{"base64, utf-16", 2, func(s string) string { return b64(utf16le(s)) }},
}

// TestNesting encodes a secret in random ways inside each other, among other
// text: it is found once, decoded in just these ways, inside of what was
// encoded.
func TestNesting(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	d := detector(decode.MaxDepth)
	for range 400 {
		text, labels, layers := fmt.Sprintf("# %s\nkey = %s\n", strings.Repeat("x", r.IntN(9)), arn), []string(nil), 0
		for layers < 1+r.IntN(4) {
			e := encoders[r.IntN(len(encoders))]
			text, labels, layers = e.encode(text), append([]string{e.label}, labels...), layers+e.layers
		}
		before := strings.Repeat("y = 1\n", r.IntN(50)) + "v = '"
		all := of(hits(d, before+text+"'\nz = 2\n"), "aws-kms-key-arn")
		want := strings.Join(labels, ", ")
		if len(all) != 1 || all[0].text != arn || all[0].from != want {
			t.Fatalf("%+v, want one from %q in %.200q", all, want, text)
		}
		if f := all[0]; f.start < len(before) || f.end > len(before)+len(text) || f.start >= f.end {
			t.Fatalf("at %d to %d, not within %d to %d (%s)", f.start, f.end, len(before), len(before)+len(text), want)
		}
	}
}

// TestQuery says that query strings are read as programs write them.
func TestQuery(t *testing.T) {
	v := url.Values{"redirect": {"https://example.org/?token=" + token() + "&x=ä"}, "y": {"1"}}
	all := of(hits(detector(0), "GET /?"+v.Encode()), "github-personal-access-token")
	if len(all) != 1 || all[0].text != token() {
		t.Errorf("%d hits", len(all))
	}
}
