package rules

import (
	"bytes"
	"slices"
)

// A Verdict says what can be said of one text by a rule without asking anybody.
type Verdict struct {
	// Form says that a pattern of the rule takes the text, whole, for the
	// secret, wherever such secrets are written.
	Form bool
	// Refused is the validator that then says that it is none, or "".
	Refused string
	// Doubted is the validator that lowers the confidence, such as one of a
	// checksum that its vendor does not document, or "".
	Doubted string
	// Match is how the rule found it, when it did; else nil. Its offsets are
	// in Text, which is the secret in its surroundings.
	Match *Match
	Text  []byte
}

// Verify judges secret by r alone. A rule that tells secrets by what stands
// around them gets secret in the place of those of its Match examples, which
// therefore must not be left out as they are in Builtin (see Sources). The error
// says that r cannot be compiled.
func Verify(r *Rule, secret []byte) (Verdict, error) {
	alone := *r
	alone.Validators = slices.Clone(r.Validators)
	texts, err := surroundings(&alone, secret)
	if err != nil {
		return Verdict{}, err
	}
	v, err := alone.finds(texts, secret)
	if err != nil {
		return v, err
	}
	v.Form = v.Match != nil
	// Each validator is taken away, the last one first, until it makes a
	// difference: that is the one which refuses or doubts.
	for n := len(r.Validators) - 1; n >= 0; n-- {
		alone.Validators = r.Validators[:n]
		without, err := alone.finds(texts, secret)
		switch {
		case err != nil:
			return v, err
		case without.Match == nil:
		case v.Match == nil:
			v.Form, v.Refused = true, r.Validators[n]
			return v, nil
		case without.Match.Confidence > v.Match.Confidence && v.Doubted == "":
			v.Doubted = r.Validators[n]
		}
	}
	return v, nil
}

// surroundings returns secret by itself, and in the place of the secrets of the
// examples of r.
func surroundings(r *Rule, secret []byte) ([][]byte, error) {
	p, err := Compile([]Rule{*r})
	if err != nil {
		return nil, err
	}
	texts := [][]byte{secret}
	for _, example := range r.Match {
		data := []byte(example)
		p.Scan(data, 0, len(data), false, func(m *Match) {
			if m.Text == nil {
				texts = append(texts, slices.Concat(data[:m.SecretStart], secret, data[m.SecretEnd:]))
			}
		})
	}
	return texts, nil
}

// finds returns how r, compiled as it stands, finds secret in one of texts.
func (r *Rule) finds(texts [][]byte, secret []byte) (v Verdict, err error) {
	p, err := Compile([]Rule{*r})
	if err != nil {
		return v, err
	}
	for _, text := range texts {
		p.Scan(text, 0, len(text), false, func(m *Match) {
			got := m.Text
			if got == nil {
				got = text[m.SecretStart:m.SecretEnd]
			}
			// The surest of several: a checksum may only lower it.
			if bytes.Equal(got, secret) && (v.Match == nil || m.Confidence > v.Match.Confidence) {
				kept := *m
				kept.Rule, kept.Fields, kept.Text = r, nil, nil
				if len(text) == len(secret) { // else they tell of an example's account, say
					kept.Fields = slices.Clone(m.Fields)
				}
				v.Match, v.Text = &kept, text
			}
		})
	}
	return v, nil
}
