package rules

import (
	"encoding/base32"
	"encoding/base64"
	"testing"
)

// The check value that every description of CRC-16/XMODEM gives.
func TestCRC16(t *testing.T) {
	if got := crc16([]byte("123456789")); got != 0x31c3 {
		t.Errorf("crc16 of the digits is %#04x, want 0x31c3", got)
	}
}

// The seed is the example of NATS's documentation.
func TestNKEYSeed(t *testing.T) {
	const seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPM" + "WZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
	for text, want := range map[string]bool{
		seed: true, "A" + seed[1:]: false, seed[:30] + "A" + seed[31:]: false, seed[:57]: false, seed + "A": false,
		seed[:40] + "1" + seed[41:]: false, seed[:40] + "\n" + seed[41:]: false, "": false,
	} {
		if ok, _ := judge(validateNKEYSeed, text); ok != want {
			t.Errorf("a text of %d characters: accepted %v, want %v", len(text), ok, want)
		}
	}
}

// macaroon builds one of version 2 with one caveat.
func macaroon(location, identifier, caveat string, signature int) []byte {
	packet := func(kind byte, s string) []byte { return append([]byte{kind, byte(len(s))}, s...) }
	b := append([]byte{2}, packet(1, location)...)
	b = append(append(b, packet(2, identifier)...), 0)
	b = append(append(b, packet(2, caveat)...), 0, 0)
	return append(b, packet(6, string(make([]byte, signature)))...)
}

func TestPyPIMacaroon(t *testing.T) {
	whole := macaroon("pypi.org", "b6a2f1d0", `{"version": 1}`, 32)
	for name, c := range map[string]struct {
		body []byte
		want Confidence
	}{
		"whole":           {whole, ConfidenceHigh},
		"short signature": {macaroon("pypi.org", "b6a2f1d0", "x", 31), ConfidenceMedium},
		"cut":             {whole[:len(whole)-1], ConfidenceMedium},
		"text behind":     {append(whole[:len(whole):len(whole)], 0), ConfidenceMedium},
		"version 1":       {append([]byte{1}, whole[1:]...), ConfidenceMedium},
		"no signature":    {whole[:len(whole)-34], ConfidenceMedium},
		"endless length":  {[]byte{2, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ConfidenceMedium},
		"nothing":         {nil, ConfidenceMedium},
	} {
		ok, m := judge(validatePyPIMacaroon, "pypi-"+base64.RawURLEncoding.EncodeToString(c.body)+"")
		if name == "nothing" {
			if ok {
				t.Errorf("%s: accepted", name)
			}
			continue
		}
		if !ok || m.Confidence != c.want {
			t.Errorf("%s: accepted %v with %v confidence, want %v", name, ok, m.Confidence, c.want)
		}
	}
	if ok, m := judge(validatePyPIMacaroon, "pypi-AgE!"); !ok || m.Confidence != ConfidenceMedium {
		t.Errorf("what is no base64: accepted %v with %v confidence", ok, m.Confidence)
	}
}

func TestNuGetSample(t *testing.T) {
	for text, want := range map[string]bool{"33f!!" + "lloppa": true, "hal+9" + "ooo_da!sY": true, "33f!!" + "lloppb": false} {
		if ok, m := judge(validateNuGetSample, text); !ok || (m.Placeholder != "") != want {
			t.Errorf("a text of %d characters: accepted %v, a placeholder %v, want %v", len(text), ok, m.Placeholder != "", want)
		}
	}
}

// FuzzKeyValidators holds that the validators take any text, leave the bounds
// alone, and accept a seed only when it decodes to itself.
func FuzzKeyValidators(f *testing.F) {
	f.Add("SUACSSL3UAHUDXKFSNVUZRF5UHPM" + "WZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY")
	f.Add("pypi-AgEIcHlwaS5vcmc")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		for _, v := range []Validator{validateNKEYSeed, validatePyPIMacaroon, validateNuGetSample, validateNotDigest, validateSecretName} {
			if _, m := judge(v, s); m.SecretStart != 0 || m.SecretEnd != len(s) {
				t.Error("a validator moved the match")
			}
		}
		if ok, _ := judge(validateNKEYSeed, s); ok {
			raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
			if err != nil || len(raw) != 36 {
				t.Errorf("accepted a seed of %d bytes: %v", len(raw), err)
			}
		}
	})
}
