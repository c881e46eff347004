package rules

import (
	"encoding/base32"
	"encoding/base64"
)

// validateNKEYSeed ("nkey-seed") refuses a NATS seed whose checksum is wrong.
// A seed is base32 without padding of two bytes that say its kind, 32 bytes of
// key and a CRC-16 (XMODEM), low byte first, over all before it.
//
// Source: https://github.com/nats-io/nkeys (README, "Encoding").
func validateNKEYSeed(data []byte, m *Match) bool {
	var raw [36]byte
	secret := data[m.SecretStart:m.SecretEnd]
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	if encoding.DecodedLen(len(secret)) != len(raw) {
		return false
	}
	if n, err := encoding.Decode(raw[:], secret); err != nil || n != len(raw) {
		return false
	}
	return crc16(raw[:34]) == uint16(raw[34])|uint16(raw[35])<<8
}

// crc16 is CRC-16 with the polynomial 0x1021 and the start value 0, known as
// XMODEM's.
func crc16(b []byte) uint16 {
	crc := uint16(0)
	for _, x := range b {
		crc ^= uint16(x) << 8
		for range 8 {
			top := crc&0x8000 != 0
			crc <<= 1
			if top {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// validatePyPIMacaroon ("pypi-macaroon") looks whether a PyPI token decodes to
// a macaroon: packets of type, length and data, and at the end a signature of
// 32 bytes. PyPI promises the prefix only, so that another body lowers the
// confidence.
//
// Sources: https://pypi.org/help/#apitoken,
// https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt (version 2).
func validatePyPIMacaroon(data []byte, m *Match) bool {
	const prefix = len("pypi-")
	secret := data[m.SecretStart:m.SecretEnd]
	if len(secret) <= prefix {
		return false
	}
	raw := make([]byte, base64.RawURLEncoding.DecodedLen(len(secret)-prefix))
	n, err := base64.RawURLEncoding.Decode(raw, secret[prefix:])
	if err != nil || !isMacaroon(raw[:n]) {
		lowerConfidence(m)
	}
	return true
}

// validateNuGetSample ("nuget-sample") marks the two passwords that Microsoft's
// reference of NuGet.Config uses in its examples.
//
// Source: https://learn.microsoft.com/en-us/nuget/reference/nuget-config-file
func validateNuGetSample(data []byte, m *Match) bool {
	switch string(data[m.SecretStart:m.SecretEnd]) {
	case "33f!!" + "lloppa", "hal+9" + "ooo_da!sY":
		m.Placeholder = "password of NuGet's documentation"
	}
	return true
}

// isMacaroon walks the packets of a macaroon of version 2.
func isMacaroon(b []byte) bool {
	if len(b) == 0 || b[0] != 2 {
		return false
	}
	b = b[1:]
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		if kind == 0 { // the end of a section has no length
			continue
		}
		size, n := 0, 0
		for shift := 0; ; shift += 7 {
			if n == len(b) || shift > 21 {
				return false
			}
			size |= int(b[n]&0x7f) << shift
			n++
			if b[n-1] < 0x80 {
				break
			}
		}
		if size > len(b)-n {
			return false
		}
		if kind == 6 {
			return size == 32 && len(b)-n == size
		}
		b = b[n+size:]
	}
	return false
}
