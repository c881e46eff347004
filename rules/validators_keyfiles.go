package rules

import "bytes"

// Keys and key stores in binary files. Their patterns are the few bytes in the
// middle that no other file has; the validators look back to where the file's
// structure begins and forward to what it holds.

// maxKeyFile bounds in bytes how much of a key store is looked at.
const maxKeyFile = 24 << 10

// The ends of object identifiers of PKCS#12 (RFC 7292, appendix D): a key as it
// is, and a key under the password.
var (
	oidKeyBag         = []byte("\x0d\x01\x0c\x0a\x01\x01")
	oidShroudedKeyBag = []byte("\x0d\x01\x0c\x0a\x01\x02")
)

// sequenceBefore returns where the DER sequence begins whose content begins at
// at, and its size with the header; -1 where there is none. A sequence of
// indefinite length has the size 0.
func sequenceBefore(data []byte, at int) (start, size int) {
	for head := 2; head <= 5 && head <= at; head++ {
		b := data[at-head : at]
		switch {
		case b[0] != 0x30:
		case head == 2 && b[1] == 0x80:
			return at - head, 0
		case head == 2 && b[1] < 0x80:
			return at - head, head + int(b[1])
		case head > 2 && int(b[1]) == 0x80+head-2:
			n := 0
			for _, c := range b[2:] {
				n = n<<8 | int(c)
			}
			return at - head, head + n
		}
	}
	return -1, 0
}

// validatePKCS12 ("pkcs12") reads the store around the version and the first
// object identifier. One that holds no key, as a trust store does, is of low
// severity; one whose key needs no password is critical.
func validatePKCS12(data []byte, m *Match) bool {
	start, size := sequenceBefore(data, m.Start)
	m.sees(m.Start-5, m.Start+maxKeyFile)
	if start < 0 || size != 0 && size < 60 {
		return false
	}
	end := min(start+maxKeyFile, len(data))
	if size > 0 {
		end = min(end, start+size)
	}
	switch store := data[start:end]; {
	case bytes.Contains(store, oidKeyBag):
		m.Severity = Critical
		addField(m, "encrypted", "false")
	case bytes.Contains(store, oidShroudedKeyBag):
		addField(m, "encrypted", "true")
	default:
		m.Severity = Low
		addField(m, "holds", "no key outside its encrypted part")
	}
	m.Start, m.End, m.SecretStart, m.SecretEnd = start, end, start, end
	return true
}

// validateDERKey ("der-key") reads the private key around a match: PKCS#8
// (RFC 5958), SEC 1 (RFC 5915) or PKCS#1 (RFC 8017). One inside another is the
// outer one's.
func validateDERKey(data []byte, m *Match) bool {
	m.sees(m.Start-540, m.Start+maxKeyFile)
	at := m.Start
	if data[at] == 0x02 && data[at+1] == 0x03 { // the public exponent of PKCS#1
		if at = modulusBefore(data, at); at < 0 {
			return false
		}
	}
	start, size := sequenceBefore(data, at)
	if start < 0 || size < 40 || size > maxKeyFile || start+size > len(data) {
		return false
	}
	if data[at+2] == 1 && data[at+3] == 0x04 { // SEC 1: the curve comes behind the number
		next := at + 5 + int(data[at+4])
		if next >= start+size || data[next] != 0xa0 {
			return false
		}
	}
	inner := start
	for head := 2; head <= 4 && head <= inner; head++ {
		if data[inner-head] == 0x04 && inner >= 16 && (head == 2 && int(data[inner-1]) == size || head > 2 && int(data[inner-head+1]) == 0x80+head-2) {
			return false // in an octet string: the outer key is reported
		}
	}
	if entropy(data[start:start+size]) < 4 {
		return false
	}
	m.Start, m.End, m.SecretStart, m.SecretEnd = start, start+size, start, start+size
	return true
}

// modulusBefore returns where the version of a PKCS#1 private key stands whose
// public exponent is at at, or -1.
func modulusBefore(data []byte, at int) int {
	for _, n := range [...]int{128, 256, 384, 512} {
		head := 4
		if n == 128 {
			head = 3
		}
		i := at - n - 1 - head
		if i >= 3 && data[i] == 0x02 && data[i+head] == 0 && int(data[i+head-1]) == (n+1)&0xff && string(data[i-3:i]) == "\x02\x01\x00" {
			return i - 3
		}
	}
	return -1
}

// validateJavaKeyStore ("java-key-store") looks back from the type of the first
// certificate to the beginning of a JKS or JCEKS file, whose first entry must be
// a private key.
//
// Source: the layout is described in the JDK, sun.security.provider.JavaKeyStore.
func validateJavaKeyStore(data []byte, m *Match) bool {
	from := max(0, m.Start-maxKeyFile)
	m.sees(from, m.End)
	before := data[from:m.Start]
	i := max(bytes.LastIndex(before, []byte("\xfe\xed\xfe\xed\x00\x00\x00")), bytes.LastIndex(before, []byte("\xce\xce\xce\xce\x00\x00\x00")))
	if i < 0 || len(before)-i < 16 {
		return false
	}
	store := before[i:]
	if store[7] != 1 && store[7] != 2 || string(store[12:16]) != "\x00\x00\x00\x01" || bytes.Contains(store, []byte("\x00\x05X.509")) {
		return false
	}
	m.Start = from + i
	m.SecretStart, m.SecretEnd = m.Start, m.End
	return true
}
