package scanner

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"
)

// A Secret is text that must not be printed. Every way in which Go prints a
// value (fmt, encoding/json, encoding, log/slog) shows redacted instead; the
// text itself comes out of Reveal only, so that its uses can be searched for.
// The zero value is the empty secret.
type Secret struct{ text string }

const redacted = "[redacted]"

// NewSecret copies b.
func NewSecret(b []byte) Secret { return Secret{string(b)} }

// Reveal returns the text. Never print, log or wrap into an error what it
// returns.
func (s Secret) Reveal() string { return s.text }

// Len returns the length of the text in bytes.
func (s Secret) Len() int { return len(s.text) }

// Masked returns what may be shown of the secret: at most its first four
// characters, and only where at least twelve stay hidden, and its length.
func (s Secret) Masked() string {
	runes := utf8.RuneCountInString(s.text)
	if runes < 16 {
		return fmt.Sprintf("… (%d characters)", runes)
	}
	head, n := 0, 0
	for i, r := range s.text {
		if n == 4 || r < 0x20 || r == 0x7f || r == utf8.RuneError {
			break
		}
		head, n = i+utf8.RuneLen(r), n+1
	}
	return fmt.Sprintf("%s… (%d characters)", s.text[:head], runes)
}

// String returns a fixed text.
func (s Secret) String() string { return redacted }

// GoString returns a fixed text.
func (s Secret) GoString() string { return redacted }

// Format writes a fixed text whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns a fixed text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns a fixed text.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// LogValue returns a fixed text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
