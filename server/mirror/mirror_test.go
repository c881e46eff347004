package mirror

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCredentials has a git that tells what it was given: the password is in
// the environment, bound to the host, and neither in an argument nor in an
// error.
func TestCredentials(t *testing.T) {
	bin := t.TempDir()
	seen := filepath.Join(t.TempDir(), "seen")
	script := "#!/bin/sh\nif [ \"$1\" = fetch ]; then\n  echo \"$@\" >" + seen + ".args; env >" + seen + ".env\n" +
		"  echo \"fatal: unable to access 'https://someone:pass@hub.test/x': made-up-password\" >&2; exit 128\nfi\n"
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "must not be handed on")
	m := New(Options{Dir: t.TempDir()})
	r, err := m.Open(t.Context(), "hub", "team/app", "https://hub.test/team/app.git", Login{User: "x-access-token", Password: "made-up-password"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unlock()
	_, _, err = r.Fetch(t.Context(), "", "")
	if err == nil {
		t.Fatal("a fetch that failed is no error")
	}
	args, argsErr := os.ReadFile(seen + ".args")
	env, envErr := os.ReadFile(seen + ".env")
	if argsErr != nil || envErr != nil {
		t.Fatal(argsErr, envErr)
	}
	for what, text := range map[string]string{"the error": err.Error(), "the arguments": string(args)} {
		if strings.Contains(text, "made-up-password") || strings.Contains(text, "someone:pass") {
			t.Errorf("%s hold the password", what)
		}
	}
	for _, want := range []string{"http.https://hub.test/.extraHeader", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_ALLOW_PROTOCOL=https:ssh"} {
		if !strings.Contains(string(env), want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
	if strings.Contains(string(env), "AWS_") {
		t.Error("the environment of the server was handed on")
	}
}

func TestOpenRefuses(t *testing.T) {
	m := New(Options{Dir: t.TempDir()})
	for _, tc := range []struct{ repository, url string }{
		{"../x", "https://h/x"}, {"a/../../b", "https://h/x"}, {"-u/x", "https://h/x"}, {"a/b", "--upload-pack=touch /tmp/x"},
	} {
		if r, err := m.Open(t.Context(), "s", tc.repository, tc.url, Login{}); err == nil {
			r.Unlock()
			t.Errorf("%q from %q was opened", tc.repository, tc.url)
		}
	}
}

func TestRedact(t *testing.T) {
	r := &Mirror{login: Login{Password: "hunter-made-up"}}
	for in, want := range map[string]string{
		"fatal: https://a:b@h/x and ssh://git@h/y": "fatal: https://[redacted]@h/x and ssh://[redacted]@h/y",
		"https://h/x@y":          "https://h/x@y",
		"no url, hunter-made-up": "no url, [redacted]",
		"https://a@b@c/x":        "https://[redacted]@c/x",
		"://":                    "://",
		"remote: see https://h/docs?mail=a@b for more x": "remote: see https://h/docs?mail=a@b for more x",
	} {
		if got := r.redact(in); got != want {
			t.Errorf("redact(%q) = %q, want %q", in, got, want)
		}
	}
}
