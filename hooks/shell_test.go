package hooks

import (
	"os/exec"
	"strings"
	"testing"
)

// TestShellcheck has shellcheck read all that Spillgate writes for a shell.
func TestShellcheck(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed: apt-get install shellcheck")
	}
	check := func(name, text string) {
		t.Helper()
		c := exec.Command(shellcheck, "--shell=sh", "-")
		c.Stdin = strings.NewReader(text)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for _, event := range append(Client(), Server()...) {
		check(event, script{event: event, program: "/a b/it's/spillgate"}.text())
		check("the command of "+event, command("/a b/spillgate", event)+" \"$@\"\n")
	}
	for _, event := range Client() {
		check("global "+event, script{event: event, program: "/bin/spillgate", global: true}.text())
		check("husky's "+event, "#!/bin/sh\n"+huskyBlock(event, blockBegin))
		check("lefthook's "+event, lefthookScript(event))
	}
	check("a hook that passes on", script{event: passedOn()[0], global: true}.text())
}
