package live

import (
	"encoding/json"
	"errors"
)

// A Fact is an answer, or the reason why there is none. The zero Fact is
// unknown because nobody asked. In JSON it is {"value": …} or
// {"unknown": "because …"}, so that no reader can take silence for an answer.
type Fact[T any] struct {
	value   T
	known   bool
	because string
}

// Known returns the fact v.
func Known[T any](v T) Fact[T] { return Fact[T]{value: v, known: true} }

// Unknown returns a fact that could not be had, because of what the reason
// says ("access denied for kms:GetKeyPolicy").
func Unknown[T any](because string) Fact[T] { return Fact[T]{because: because} }

const notAsked = "not asked"

// Get returns the value, and whether it is known.
func (f Fact[T]) Get() (T, bool) { return f.value, f.known }

// Or returns the value, or other where it is unknown. Use it for display, not
// for decisions.
func (f Fact[T]) Or(other T) T {
	if f.known {
		return f.value
	}
	return other
}

// IsKnown reports whether there is an answer.
func (f Fact[T]) IsKnown() bool { return f.known }

// Because returns why the fact is unknown, and the empty string for a known
// one.
func (f Fact[T]) Because() string {
	switch {
	case f.known:
		return ""
	case f.because == "":
		return notAsked
	}
	return f.because
}

// MarshalJSON writes the value or the reason.
func (f Fact[T]) MarshalJSON() ([]byte, error) {
	if !f.known {
		return json.Marshal(map[string]string{"unknown": f.Because()})
	}
	return json.Marshal(struct {
		Value T `json:"value"`
	}{f.value})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Fact[T]) UnmarshalJSON(b []byte) error {
	var raw struct {
		Value   json.RawMessage `json:"value"`
		Unknown string          `json:"unknown"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*f = Fact[T]{}
	if raw.Value == nil {
		if raw.Unknown == "" {
			return errors.New("a fact needs a value or the reason why it is unknown")
		}
		f.because = raw.Unknown
		return nil
	}
	if err := json.Unmarshal(raw.Value, &f.value); err != nil {
		return err
	}
	f.known = true
	return nil
}
