package rules

import "testing"

func TestNames(t *testing.T) {
	for name, want := range map[string]struct{ digest, secret bool }{
		"acme_api_key = ":       {true, true},
		"acme_API_Token: '":     {true, true},
		"acme: ":                {true, false},
		"acme_project_id: ":     {true, false},
		"acme.clientSecret=":    {true, true},
		"acme_commit = ":        {false, false},
		"acme_key_sha256: ":     {false, false},
		"acme-token-MD5=":       {false, false},
		"acmeTokenHash: \"":     {false, false},
		"acme_hash_key = ":      {true, true},
		"hashacme_password := ": {true, true},
		"":                      {true, false},
		"=":                     {true, false},
	} {
		text := name + "5d41402abc4b2a76b9719d911017c592"
		m := Match{End: len(text), SecretStart: len(name), SecretEnd: len(text)}
		if got := validateNotDigest([]byte(text), &m); got != want.digest {
			t.Errorf("not-digest of %q: %v, want %v", name, got, want.digest)
		}
		if got := validateSecretName([]byte(text), &m); got != want.secret {
			t.Errorf("secret-name of %q: %v, want %v", name, got, want.secret)
		}
	}
}
