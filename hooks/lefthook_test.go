package hooks

import (
	"context"
	"os"
	"strings"
	"testing"
)

// TestLefthook checks that the scripts come and go without a trace, that their
// folder may hold others, and that what is not Spillgate's stays.
func TestLefthook(t *testing.T) {
	s := newSandbox(t)
	s.repo("r")
	s.write("r/.lefthook/pre-push/other", "true\n", 0o755)
	before := s.snapshot()
	ctx := context.Background()
	for _, want := range []string{"installed", "already installed"} {
		done, text, err := s.open("r", Options{}).With("lefthook")
		if err != nil || len(done) != 4 || done[0].What != want || !strings.Contains(text, "runner: sh") {
			t.Fatalf("%+v, %v\n%s", done, err, text)
		}
	}
	script := s.path("r/.lefthook/pre-push/spillgate")
	text, err := os.ReadFile(script)
	if err != nil || !strings.HasSuffix(string(text), "\nexec spillgate hook run pre-push -- \"$@\"\n") {
		t.Errorf("%v: %s", err, text)
	}
	s.write("r/lefthook.yml", lefthookText(Client()), 0o644)
	s.write("r/.git/hooks/pre-push", "#!/bin/sh\nlefthook run pre-push \"$@\"\n", 0o755)
	if steps, err := s.open("r", Options{}).Steps(ctx, "pre-push"); err != nil || !Guarded(steps) || steps[0].By != "lefthook" {
		t.Errorf("%+v, %v", steps, err)
	}
	for _, name := range []string{"r/lefthook.yml", "r/.git/hooks/pre-push"} {
		if err := os.Remove(s.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if done, _, err := s.open("r", Options{}).Without("lefthook"); err != nil || len(done) != 4 || done[3].What != "removed" {
		t.Errorf("%+v, %v", done, err)
	}
	if after := s.snapshot(); after != before {
		t.Error(differences(before, after))
	}

	s.write("r/.lefthook/pre-commit/spillgate", "echo mine\n", 0o755)
	before = s.snapshot()
	if _, _, err := s.open("r", Options{}).With("lefthook"); err == nil || !strings.Contains(err.Error(), "rename it first") {
		t.Errorf("somebody's script: %v", err)
	}
	if _, _, err := s.open("r", Options{}).Without("lefthook"); err != nil || s.snapshot() != before {
		t.Errorf("somebody's script was touched: %v", err)
	}
	s.write("r/.lefthook/pre-commit/spillgate", lefthookScript("pre-commit")+"echo mine\n", 0o755)
	if _, _, err := s.open("r", Options{}).Without("lefthook"); err == nil || !strings.Contains(err.Error(), "somebody edited it") {
		t.Errorf("an edited script: %v", err)
	}
}
