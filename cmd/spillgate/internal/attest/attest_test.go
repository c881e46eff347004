package attest

import (
	"strings"
	"testing"
)

func statement() Statement {
	return Statement{Commit: strings.Repeat("a", 40), Tree: strings.Repeat("b", 40), Program: "v1", Rules: "r", Scanned: "1 commit, 2 blobs"}
}

func TestParse(t *testing.T) {
	text := statement().Text()
	const signature = armour + "\nAAAA\n-----END SSH SIGNATURE-----"
	for _, test := range []struct {
		name, note string
		ok, signed bool
	}{
		{"as it was written", text, true, false},
		{"as git keeps it", text + "\n\n", true, false},
		{"signed", text + signature + "\n", true, true},
		{"another text", "reviewed by Ann\n", false, false},
		{"empty", "", false, false},
		{"another version", strings.Replace(text, "v1\n", "v2\n", 1), false, false},
		{"a line less", strings.Replace(text, "program v1\n", "", 1), false, false},
		{"a line more", text + "more\n", false, false},
		{"another order", strings.Replace(text, "commit ", "tree ", 1), false, false},
		{"other white space", strings.Replace(text, "commit ", "commit  ", 1), false, false},
		{"something before it", "x\n" + text, false, false},
	} {
		s, signed, sig, err := Parse([]byte(test.note))
		if (err == nil) != test.ok || (sig != nil) != test.signed {
			t.Errorf("%s: %v, signature %q", test.name, err, sig)
		}
		if err == nil && (s != statement() || string(signed) != text) {
			t.Errorf("%s: %+v", test.name, s)
		}
	}
}

// What a statement says cannot break out of its line.
func TestTextHasSixLines(t *testing.T) {
	s := statement()
	s.Scanned = "1 commit\ncommit other\x0d\ntree x"
	if n := strings.Count(s.Text(), "\n"); n != 6 {
		t.Errorf("%d lines", n)
	}
	if _, _, _, err := Parse([]byte(s.Text())); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(statement().Text()))
	f.Add([]byte(statement().Text() + armour + "\nAAAA\n"))
	f.Fuzz(func(t *testing.T, note []byte) {
		s, signed, _, err := Parse(note)
		if err == nil && s.Text() != string(signed) {
			t.Errorf("%q is signed as %q", s.Text(), signed)
		}
	})
}
