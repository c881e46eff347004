package decode_test

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
)

// A key is an encrypted data key as a message's header lists it.
type key struct{ provider, info string }

// esdk returns a message of the AWS Encryption SDK, as its documentation lays
// it out: header, one frame's worth of made-up ciphertext.
func esdk(version int, algorithm uint16, context string, keys ...key) string {
	var b []byte
	field := func(s string) {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	if version == 2 {
		b = append(b, 2)
		b = binary.BigEndian.AppendUint16(b, algorithm)
		b = append(b, strings.Repeat("\xa7", 32)...) // message id
	} else {
		b = append(b, 1, 0x80)
		b = binary.BigEndian.AppendUint16(b, algorithm)
		b = append(b, strings.Repeat("\xa7", 16)...)
	}
	field(context)
	b = binary.BigEndian.AppendUint16(b, uint16(len(keys)))
	for _, k := range keys {
		field(k.provider)
		field(k.info)
		field("\x01\x02\x02\x00" + strings.Repeat("\xf3\x11", 90))
	}
	b = append(b, 2) // framed content
	return string(b) + strings.Repeat("\x00\x9c\xfe\x81", 40)
}

const esdkLabel = "AWS Encryption SDK message"

func TestMessages(t *testing.T) {
	kms := key{"aws-kms", arn}
	context := "\x00\x01\x00\x03env\x00\x04prod"
	for _, test := range []struct{ name, data, from string }{
		{"version 2 raw", esdk(2, 0x0578, context, kms), esdkLabel},
		{"version 2 without signature", esdk(2, 0x0478, "", kms), esdkLabel},
		{"version 1 raw", esdk(1, 0x0378, context, kms), esdkLabel},
		{"second of two keys", esdk(2, 0x0578, context, key{"raw-rsa", "my key"}, kms), esdkLabel},
		{"behind other bytes", "\x00\x02\x05other\x00\xff" + esdk(1, 0x0178, "", kms), esdkLabel},
		{"base64", "blob: " + base64.StdEncoding.EncodeToString([]byte(esdk(2, 0x0578, context, kms))), "base64, " + esdkLabel},
		{"base64 of version 1", base64.StdEncoding.EncodeToString([]byte(esdk(1, 0x0214, "", kms))), "base64, " + esdkLabel},
		{"wrapped base64", wrapped(base64.StdEncoding.EncodeToString([]byte(esdk(2, 0x0578, context, kms))), 76, "\n"), "base64, " + esdkLabel},
		{"compressed", b64(gzipped(esdk(2, 0x0578, context, kms))), "base64, gzip, " + esdkLabel},
		{"cut short behind the name", esdk(2, 0x0578, "", kms)[:37+2+9+2+len(arn)+1], esdkLabel},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := of(binaryHits(detector(0), test.data), "aws-kms-key-arn")
			if len(all) != 1 || all[0].text != arn || all[0].from != test.from {
				t.Fatalf("%+v, want %s from %q", all, arn, test.from)
			}
			if at := strings.Index(test.data, arn); at >= 0 && (all[0].start != at || all[0].end != at+len(arn)) {
				t.Errorf("found at %d to %d, want %d to %d", all[0].start, all[0].end, at, at+len(arn))
			}
		})
	}
	for name, data := range map[string]string{
		"another provider": esdk(2, 0x0578, context, key{"aws-kms-not", arn}),
		"unknown suite":    esdk(2, 0x0778, context, kms),
		"no key":           esdk(2, 0x0578, context),
		"cut in the name":  esdk(2, 0x0578, "", kms)[:37+2+9+2+len(arn)-1],
	} {
		for _, f := range binaryHits(detector(0), data) {
			if f.from != "" {
				t.Errorf("%s: found %+v", name, f)
			}
		}
	}
}
