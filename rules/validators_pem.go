package rules

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// Bounds of what the private key validators read, in bytes. The longest keys
// in use (RSA 16384) take 13 kB.
const (
	maxPEM         = 24 << 10
	minPEMBody     = 60 // base64 letters; an Ed25519 key in PKCS#8 has 64
	maxPEMJoint    = 80 // of quotes, blanks and operators between two lines
	maxLinePrefix  = 40
	maxPuTTYFile   = 16 << 10
	minPuTTYLine   = 40
	maxPEMHeader   = 200
	serviceAccount = 2 << 10
)

// validatePEM ("pem-private-key") takes a match of a BEGIN line and reads the
// body behind it as people paste it: over several lines, indented, quoted, in
// a comment or a patch, with \n for line ends, as joined string literals, or all
// on one line. A header in prose, an empty or elided body and text that cannot
// be a key are refused; the match grows over body and END line.
//
// What stands in the body decides about the grade: a key under a passphrase is
// high, any other critical; a body that breaks off lowers the confidence.
//
// Sources: RFC 7468 (the labels and the framing), RFC 1421 section 4.4 (the
// headers of encrypted keys), RFC 9580 section 6.2 (PGP armor).
func validatePEM(data []byte, m *Match) bool {
	label := bytes.Trim(data[m.Start:m.End], "- ")
	label = bytes.TrimPrefix(label, []byte("BEGIN "))
	body := readPEM(data, m.Start, m.End)
	if !gradeKey(string(label), &body, m) {
		return false
	}
	around := data[max(0, m.Start-serviceAccount):min(len(data), body.end+serviceAccount)]
	if bytes.Contains(around, []byte(`service_account`)) && bytes.Contains(around, []byte(`client_email`)) {
		addField(m, "format", "Google service account")
	}
	m.End = body.end
	m.SecretStart, m.SecretEnd = m.Start, m.End
	return true
}

// A pemBody is what follows a BEGIN line.
type pemBody struct {
	base64    []byte // the letters of the body, without padding
	end       int    // in the data, behind the END line or where the body breaks off
	closed    bool   // an END line was there
	encrypted bool   // a header says so
}

// readPEM reads the body of the PEM block whose BEGIN line is data[begin:from].
func readPEM(data []byte, begin, from int) pemBody {
	var b pemBody
	limit := min(len(data), from+maxPEM)
	prefix := linePrefix(data, begin)
	i, lineStart := from, false
	b.end = from
	for i < limit {
		if n := lineEnd(data, i); n > 0 {
			i += n
			if bytes.HasPrefix(data[i:limit], prefix) {
				i += len(prefix)
			}
			lineStart = true
			continue
		}
		if isBlank(data[i]) || data[i] == '\\' {
			i++
			continue
		}
		if bytes.HasPrefix(data[i:limit], []byte("---")) {
			i, b.closed = endLine(data, i, limit)
			if b.closed {
				b.end = i
			}
			return b
		}
		if lineStart {
			if n := pemHeaderLine(data[i:limit]); n > 0 {
				b.encrypted = b.encrypted || bytes.Contains(data[i:i+n], []byte("ENCRYPTED"))
				i += n
				continue
			}
		}
		lineStart = false
		if n := joint(data[i:limit]); n > 0 {
			i += n
			lineStart = true
			continue
		}
		if data[i] == '=' {
			i = skipPadding(data, i, limit)
			continue
		}
		if !isBase64(data[i]) {
			return b
		}
		b.base64 = append(b.base64, data[i])
		i++
		b.end = i
	}
	return b
}

// linePrefix returns what stands before data[begin] in its line, without the
// blanks at its end, when it can be the mark of a comment, a quotation or a
// patch that every line of the block repeats.
func linePrefix(data []byte, begin int) []byte {
	i := begin
	for i > 0 && begin-i < maxLinePrefix && data[i-1] != '\n' {
		i--
	}
	p := bytes.TrimRight(data[i:begin], " \t")
	for _, c := range bytes.TrimLeft(p, " \t") {
		if bytes.IndexByte([]byte("#/*+->|;%!: "), c) < 0 {
			return nil
		}
	}
	return p
}

// lineEnd returns the length of a line end at data[i]: a real one, an entity of
// XML, or one escaped once or more, as in JSON within JSON. 0 where there is
// none.
func lineEnd(data []byte, i int) int {
	switch data[i] {
	case '\n', '\r':
		return 1
	case '&':
		for _, entity := range [...]string{"&#10;", "&#13;", "&#xA;", "&#xD;", "&#xa;", "&#xd;"} {
			if bytes.HasPrefix(data[i:], []byte(entity)) {
				return len(entity)
			}
		}
		return 0
	}
	n := 0
	for n < 4 && i+n < len(data) && data[i+n] == '\\' {
		n++
	}
	if n == 0 || i+n >= len(data) {
		return 0
	}
	switch rest := data[i+n:]; {
	case rest[0] == 'n', rest[0] == 'r', rest[0] == '\n':
		return n + 1
	case len(rest) >= 5 && (string(rest[:5]) == "u000a" || string(rest[:5]) == "u000A" || string(rest[:5]) == "u000d"):
		return n + 5
	}
	return 0
}

// endLine reads an END line at data[i]. Dashes without END, such as a YAML
// document's start, close nothing.
func endLine(data []byte, i, limit int) (end int, ok bool) {
	rest := data[i:min(limit, i+maxPEMHeader)]
	n := len(rest) - len(bytes.TrimLeft(rest, "-"))
	word := bytes.TrimLeft(rest[n:], " ")
	if !bytes.HasPrefix(word, []byte("END ")) {
		return i, false
	}
	at := bytes.Index(word, []byte("---"))
	if at < 0 {
		return i, false
	}
	end = i + len(rest) - len(word) + at
	for end < limit && data[end] == '-' {
		end++
	}
	return end, true
}

// pemHeaderLine returns the length of a header such as "Proc-Type: 4,ENCRYPTED"
// or "Comment: x" at the start of a line, 0 where there is none. A base64 line
// holds no colon.
func pemHeaderLine(b []byte) int {
	n := 0
	for n < len(b) && n < 30 && (isAlnum(b[n]) || b[n] == '-') {
		n++
	}
	if n == 0 || n+1 >= len(b) || b[n] != ':' || b[n+1] != ' ' {
		return 0
	}
	for n < len(b) && n < maxPEMHeader && lineEnd(b, n) == 0 {
		n++
	}
	return n
}

// joint returns the length of the end of one string literal and the start of
// the next: a quote, operators and blanks, the letter that some languages have
// before a literal, a quote. 0 where there is none.
func joint(b []byte) int {
	if !isQuote(b[0]) {
		return 0
	}
	for n := 1; n < len(b) && n < maxPEMJoint; n++ {
		switch c := b[n]; {
		case isQuote(c):
			return n + 1
		case isSpace(c), bytes.IndexByte([]byte("+.,&;()\\"), c) >= 0:
		case isAlnum(c) && n+1 < len(b) && isQuote(b[n+1]):
		default:
			return 0
		}
	}
	return 0
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// skipPadding skips the padding at data[i] and, on a line of its own, the
// checksum of PGP armor: an equals sign and four letters.
func skipPadding(data []byte, i, limit int) int {
	i++
	n := 0
	for i+n < limit && n < 4 && isBase64(data[i+n]) {
		n++
	}
	if n == 4 {
		return i + n
	}
	return i
}

// gradeKey judges the body of a block with the given label.
func gradeKey(label string, b *pemBody, m *Match) bool {
	if len(b.base64) < minPEMBody || entropy(b.base64) < 3 {
		return false
	}
	addField(m, "kind", label)
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(b.base64)))
	n, _ := base64.RawStdEncoding.Decode(raw, b.base64)
	raw = raw[:n]
	encrypted, whole, ok := b.encrypted || strings.Contains(label, "ENCRYPTED"), b.closed, true
	switch {
	case strings.HasPrefix(label, "PGP "):
		encrypted, ok = readPGPSecretKey(raw)
	case strings.HasPrefix(label, "OPENSSH "):
		encrypted, ok = readOpenSSHKey(raw)
	case b.encrypted, strings.HasPrefix(label, "SSH2 "):
		// The body is ciphertext or a container of its own.
	case strings.Contains(label, "SIGSTORE"), strings.Contains(label, "COSIGN"):
		ok = len(raw) > 0 && raw[0] == '{'
	default:
		var size int
		size, encrypted, ok = readDERKey(raw, encrypted)
		whole = whole && size <= len(raw)
	}
	if !ok {
		return false
	}
	if encrypted {
		m.Severity = min(m.Severity, High)
		addField(m, "encrypted", "true")
	}
	if !whole {
		lowerConfidence(m)
		addField(m, "truncated", "true")
	}
	return true
}

// readDERKey reads the start of a private key in DER: a sequence that begins
// with a small version number (PKCS#1, PKCS#8, SEC 1, DSA), or when the key is
// encrypted with the sequence of an algorithm (RFC 5958 section 3). size is how
// long the whole should be, in bytes.
func readDERKey(raw []byte, labelled bool) (size int, encrypted, ok bool) {
	if len(raw) < 16 || raw[0] != 0x30 {
		return 0, false, false
	}
	length, head := int(raw[1]), 2
	if raw[1] >= 0x80 {
		k := int(raw[1] & 0x7f)
		if k < 1 || k > 3 {
			return 0, false, false
		}
		length, head = 0, 2+k
		for _, c := range raw[2:head] {
			length = length<<8 | int(c)
		}
	}
	if length < 24 {
		return 0, false, false
	}
	size = head + length
	switch {
	case raw[head] == 0x02 && raw[head+1] == 1 && raw[head+2] <= 3:
		return size, false, true
	case raw[head] == 0x30 && labelled, raw[head] == 0x06:
		// An algorithm first: encrypted PKCS#8, or a key wrapped by a TPM.
		return size, true, true
	}
	return 0, false, false
}

// readOpenSSHKey reads the start of OpenSSH's own format.
//
// Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
func readOpenSSHKey(raw []byte) (encrypted, ok bool) {
	rest, ok := bytes.CutPrefix(raw, []byte("openssh-key-v1\x00"))
	if !ok || len(rest) < 8 {
		return false, false
	}
	return !bytes.HasPrefix(rest, []byte("\x00\x00\x00\x04none")), true
}

// readPGPSecretKey reads the first packet of a transferable secret key and
// whether its secret part is under a passphrase, which the byte behind the
// public part tells; where that part is of an algorithm not known here, it
// counts as not encrypted.
//
// Source: RFC 9580, sections 4.2 (packet headers), 5.5.2 and 5.5.3 (keys).
func readPGPSecretKey(raw []byte) (encrypted, ok bool) {
	if len(raw) < 20 || raw[0]&0x80 == 0 {
		return false, false
	}
	head := 0
	if raw[0]&0x40 != 0 {
		if raw[0]&0x3f != 5 {
			return false, false
		}
		switch c := raw[1]; {
		case c < 192:
			head = 2
		case c < 224:
			head = 3
		case c == 255:
			head = 6
		default:
			return false, false
		}
	} else {
		if raw[0]>>2&0x0f != 5 {
			return false, false
		}
		head = [4]int{2, 3, 5, 1}[raw[0]&3]
	}
	body := raw[head:]
	switch body[0] {
	case 4:
		at := pgpPublicEnd(body)
		return at > 0 && at < len(body) && body[at] != 0, true
	case 6:
		// Version 6 counts the octets of the public part.
		n := int(body[6])<<24 | int(body[7])<<16 | int(body[8])<<8 | int(body[9])
		return n >= 0 && n < len(body)-10 && body[10+n] != 0, true
	case 3, 5:
		return false, true
	}
	return false, false
}

// pgpPublicEnd returns where the public part of a version 4 key ends, or 0.
func pgpPublicEnd(body []byte) int {
	at, numbers := 6, 0
	switch body[5] { // the algorithms of RFC 9580 section 9.1
	case 1, 2, 3:
		numbers = 2
	case 16, 20:
		numbers = 3
	case 17:
		numbers = 4
	case 18, 19, 22:
		at += 1 + int(body[6]) // a curve
		numbers = 1
	case 25, 27:
		return at + 32
	default:
		return 0
	}
	for range numbers {
		if at+2 > len(body) {
			return 0
		}
		at += 2 + (int(body[at])<<8+int(body[at+1])+7)/8
	}
	if body[5] == 18 && at < len(body) {
		at += 1 + int(body[at]) // how ECDH derives its key
	}
	return at
}

// validateBase64PEM ("pem-private-key-base64") takes a match of the base64 of
// "-----BEGIN ", as Kubernetes secrets and CI variables hold keys, decodes the
// whole text and judges the PEM block in it.
func validateBase64PEM(data []byte, m *Match) bool {
	if !startsToken(data, m.Start) {
		return false
	}
	var letters []byte
	i := m.Start
	for limit := min(len(data), i+maxPEM); i < limit; {
		if isBase64(data[i]) {
			letters = append(letters, data[i])
			i++
			m.End = i
			continue
		}
		n := lineEnd(data, i)
		if n == 0 || len(letters) < 60 { // folded lines are 64 or 76 long
			break
		}
		for i += n; i < limit && isBlank(data[i]); {
			i++
		}
	}
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(letters)))
	n, _ := base64.RawStdEncoding.Decode(raw, letters)
	raw = raw[:n]
	lineEnd := bytes.Index(raw, []byte("PRIVATE KEY"))
	if lineEnd < 0 || lineEnd > 80 {
		return false
	}
	close := bytes.Index(raw[lineEnd:], []byte("-----"))
	if close < 0 || close > 20 {
		return false
	}
	body := readPEM(raw, 0, lineEnd+close+5)
	label := string(bytes.TrimPrefix(bytes.Trim(raw[:lineEnd+close], "- "), []byte("BEGIN ")))
	if !isLabel(label) || !gradeKey(label, &body, m) {
		return false
	}
	m.SecretStart, m.SecretEnd = m.Start, m.End
	return true
}

// isLabel reports whether s has the letters of a PEM label only, so that a
// field never carries key material.
func isLabel(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && !isDigit(c) && c != ' ' && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}

// validatePuTTY ("putty-private-key") takes a match of a .ppk file's first line
// and refuses it without the private lines; the Encryption line tells the
// grade.
//
// Source: https://the.earth.li/~sgtatham/putty/0.81/htmldoc/AppendixC.html
func validatePuTTY(data []byte, m *Match) bool {
	rest := data[m.End:min(len(data), m.End+maxPuTTYFile)]
	at := bytes.Index(rest, []byte("Private-Lines:"))
	how := bytes.Index(rest, []byte("Encryption:"))
	if at < 0 || how < 0 || how > at {
		return false
	}
	if !bytes.HasPrefix(bytes.TrimLeft(rest[how+len("Encryption:"):], " "), []byte("none")) {
		m.Severity = min(m.Severity, High)
		addField(m, "encrypted", "true")
	}
	i := m.End + at + len("Private-Lines:")
	for i < len(data) && (isBlank(data[i]) || isDigit(data[i])) {
		i++
	}
	for i < len(data) && (isBlank(data[i]) || lineEnd(data, i) > 0) {
		i += max(1, lineEnd(data, i))
	}
	end := i
	for end < len(data) && isBase64(data[end]) {
		end++
	}
	if end-i < minPuTTYLine {
		return false
	}
	if mac := bytes.Index(rest[at:], []byte("Private-MAC:")); mac >= 0 {
		end = max(end, m.End+at+mac)
	}
	m.End = end
	m.SecretStart, m.SecretEnd = m.Start, m.End
	return true
}
