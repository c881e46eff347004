package rules

import (
	"encoding/base64"
	"strings"
	"testing"
)

// judge runs a validator over a text that is a secret as a whole.
func judge(v Validator, secret string, fields ...Field) (bool, Match) {
	m := Match{SecretEnd: len(secret), End: len(secret), Confidence: ConfidenceHigh, Fields: fields}
	ok := v([]byte(secret), &m)
	return ok, m
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestJWT(t *testing.T) {
	for _, c := range []struct {
		name, header, payload string
		ok, placeholder       bool
	}{
		{"signed", `{"alg":"RS256","typ":"JWT"}`, `{"sub":"8c1","exp":1}`, true, false},
		{"no algorithm", `{"typ":"JWT"}`, `{"sub":"8c1"}`, false, false},
		{"header is no JSON", `{"alg":`, `{"sub":"8c1"}`, false, false},
		{"example", `{"alg":"HS256","typ":"JWT"}`, `{"sub":"1234567890","name":"John Doe"}`, true, true},
		{"number of the example alone", `{"alg":"HS256"}`, `{"sub":"1234567890","name":"Ann"}`, true, false},
	} {
		ok, m := judge(validateJWT, encode(c.header)+"."+encode(c.payload)+"."+encode("signature"))
		if ok != c.ok || (m.Placeholder != "") != c.placeholder {
			t.Errorf("%s: accepted %v, placeholder %q; want %v, %v", c.name, ok, m.Placeholder, c.ok, c.placeholder)
		}
	}
	for name, text := range map[string]string{"one part": "eyJhbGciOiJIUzI1NiJ9", "no base64": "ey!.ey!.x", "bad payload": encode(`{"alg":"HS256"}`) + ".a.b"} {
		if ok, _ := judge(validateJWT, text); ok {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestBase64JWT(t *testing.T) {
	token := encode(`{"alg":"RS256"}`) + "." + encode(`{"sub":"8c1"}`) + "." + encode("signature")
	for text, want := range map[string]bool{token: true, token + "\n": true, token + ".x": false, "eyJ." + token[4:]: false, "": false} {
		if ok, _ := judge(validateBase64JWT, base64.StdEncoding.EncodeToString([]byte(text))); ok != want {
			t.Errorf("%d bytes: accepted %v, want %v", len(text), ok, want)
		}
	}
}

func TestBasicCredential(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ok         bool
		confidence Confidence
	}{
		{"user and password", "deploy:tr0ub4dor&3", true, ConfidenceHigh},
		{"password of one character repeated", "deploy:aaaaaaaa", false, 0},
		{"no colon", "deploy", false, 0},
		{"no password", "deploy:", false, 0},
		{"no user", ":tr0ub4dor", false, 0},
		{"binary", "a:\x00\x01\x02", false, 0},
		{"variable", "deploy:${TOKEN}", false, 0},
		{"example", "user:password", true, ConfidenceLow},
		{"the same twice", "jenkins:jenkins", true, ConfidenceLow},
	} {
		ok, m := judge(validateBasicCredential, base64.StdEncoding.EncodeToString([]byte(c.text)))
		if ok != c.ok || ok && m.Confidence != c.confidence {
			t.Errorf("%s: accepted %v with %v confidence, want %v with %v", c.name, ok, m.Confidence, c.ok, c.confidence)
		}
	}
}

func TestPassword(t *testing.T) {
	for _, s := range []string{"$PASSWORD", "${PASSWORD}", "$(pass db)", "%DB_PASS%", "%s", "{{ .Password }}", "<password>",
		"[password]", "#{pw}", "***", "xxxxxxxx", "...", "getenv(\"X\")", "os.environ[\"X\"]", "process.env.PW", "pre${X}post"} {
		if ok, _ := judge(validatePassword, s); ok {
			t.Errorf("%q passes for a password", s)
		}
	}
	for s, want := range map[string]Confidence{"tr0ub4dor&3": ConfidenceHigh, "$ecret-Pa55": ConfidenceHigh, "100%sure": ConfidenceHigh,
		"Password": ConfidenceLow, "changeme": ConfidenceLow, "app": ConfidenceLow} {
		ok, m := judge(validatePassword, s, Field{"user", "App"})
		if !ok || m.Confidence != want {
			t.Errorf("%q: accepted %v with %v confidence, want %v", s, ok, m.Confidence, want)
		}
	}
}

func TestDiscordToken(t *testing.T) {
	for id, want := range map[string]bool{"118529736054128640": true, "1185297360541286401": true, "11852973605412864": true,
		"1185297360541286": false, "118529736054128640123": false, "11852973605412864x": false} {
		if ok, _ := judge(validateDiscordToken, encode(id)+".Gx1abc."+strings.Repeat("q", 38)); ok != want {
			t.Errorf("id of %d characters: accepted %v, want %v", len(id), ok, want)
		}
	}
	if ok, _ := judge(validateDiscordToken, "MTE4NTI5NzM2MDU0MTI4NjQw"); ok {
		t.Error("a token of one part is accepted")
	}
}

func TestAtlassianToken(t *testing.T) {
	random := strings.Repeat("\xa7k", 10)
	for text, want := range map[string]bool{"123456789012:" + random: true, "123456789:" + random + "zzz": false,
		"12345678901a:" + random: false, "123456789012:" + random + "z": false, "1234567890123" + random: false} {
		if ok, _ := judge(validateAtlassianToken, base64.StdEncoding.EncodeToString([]byte(text))); ok != want {
			t.Errorf("%d bytes: accepted %v, want %v", len(text), ok, want)
		}
	}
}

func TestNotEmulator(t *testing.T) {
	for prefix, want := range map[string]bool{"Eby8vdM02xNOcqFlqUwJ": true, "C2y6yDjf5/R+ob0N8A7C": true, "Eby8vdM02xNOcqFlqUwK": false} {
		ok, m := judge(validateNotEmulator, prefix+strings.Repeat("q8W2", 16)+"w==")
		if !ok || (m.Placeholder != "") != want {
			t.Errorf("a key that begins with %s: accepted %v, placeholder %q; want a placeholder: %v", prefix, ok, m.Placeholder, want)
		}
	}
}

// FuzzFormatValidators holds what every validator promises of any text: it
// does not panic, and leaves the bounds of the match alone.
func FuzzFormatValidators(f *testing.F) {
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.x")
	f.Add("dXNlcjpwYXNz")
	f.Add("$")
	f.Add("")
	names := []string{"jwt", "azure-emulator", "jwt-base64", "basic-credential", "password", "discord-token", "atlassian-data-center-token"}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range names {
			v, ok := lookupValidator(name)
			if !ok {
				t.Fatalf("no validator %q", name)
			}
			if _, m := judge(v, s); m.SecretStart != 0 || m.SecretEnd != len(s) || m.End != len(s) {
				t.Errorf("%s moved the match", name)
			}
		}
	})
}
